package store

import (
	"errors"
	"time"
	"unicode/utf8"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The rows of what was done, and of what operators keep. The names of plans and files are in
// the keys alone.

type planRun struct {
	Number int64              `json:"number,omitempty"`
	Active bool               `json:"active,omitempty"`
	Params map[string]string  `json:"params,omitempty"`
	Since  time.Time          `json:"since,omitzero"`
	By     string             `json:"by,omitempty"`
	Steps  map[string]stepRun `json:"steps,omitempty"`
	Seen   plans.Status       `json:"seen,omitempty"`
}

type stepRun struct {
	Tasks []mesos.TaskID `json:"tasks,omitempty"`
	Done  bool           `json:"done,omitempty"`
	Again bool           `json:"again,omitempty"`
}

func planRunToRow(r scheduler.PlanRun) planRun {
	return planRun{
		Number: r.Number, Active: r.Active, Params: r.Params, Since: r.Since.UTC(), By: r.By,
		Steps: eachValue(r.Steps, stepRunToRow), Seen: r.Seen,
	}
}

func (r planRun) domain() scheduler.PlanRun {
	return scheduler.PlanRun{
		Number: r.Number, Active: r.Active, Params: r.Params, Since: r.Since.UTC(), By: r.By,
		Steps: eachValue(r.Steps, stepRun.domain), Seen: r.Seen,
	}
}

func stepRunToRow(s scheduler.StepRun) stepRun { return stepRun(s) }

func (r stepRun) domain() scheduler.StepRun { return scheduler.StepRun(r) }

type journalEntry struct {
	Number  *int64    `json:"number"`
	At      time.Time `json:"at,omitzero"`
	Kind    string    `json:"kind,omitempty"`
	Plan    string    `json:"plan,omitempty"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	What    string    `json:"what,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Code    string    `json:"code,omitempty"`
}

func journalEntryToRow(e scheduler.JournalEntry) journalEntry {
	return journalEntry{
		Number: &e.Number, At: e.At.UTC(), Kind: e.Kind, Plan: e.Plan, By: e.By,
		Reason: e.Reason, What: e.What, Outcome: e.Outcome, Code: e.Code,
	}
}

func (r journalEntry) domain() (scheduler.JournalEntry, error) {
	number, err := required("number", r.Number)
	return scheduler.JournalEntry{
		Number: number, At: r.At.UTC(), Kind: r.Kind, Plan: r.Plan, By: r.By,
		Reason: r.Reason, What: r.What, Outcome: r.Outcome, Code: r.Code,
	}, err
}

type actionRun struct {
	Last    time.Time `json:"last,omitzero"`
	Crossed bool      `json:"crossed,omitempty"`
}

func actionToRow(r scheduler.ActionRun) actionRun {
	return actionRun{Last: r.Last.UTC(), Crossed: r.Crossed}
}

func (r actionRun) domain() scheduler.ActionRun {
	return scheduler.ActionRun{Last: r.Last.UTC(), Crossed: r.Crossed}
}

// file is what a file holds: a text, or bytes where JSON has no text for it.
type file struct {
	Text  *string `json:"text,omitempty"`
	Bytes *[]byte `json:"bytes,omitempty"`
}

func fileToRow(content string) file {
	if utf8.ValidString(content) {
		return file{Text: &content}
	}
	b := []byte(content)
	return file{Bytes: &b}
}

func (r file) domain() (string, error) {
	switch {
	case r.Text != nil && r.Bytes == nil:
		return *r.Text, nil
	case r.Text == nil && r.Bytes != nil:
		return string(*r.Bytes), nil
	default:
		return "", errors.New(`one of the fields "text" and "bytes" must be there`)
	}
}
