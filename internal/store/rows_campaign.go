package store

import (
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// campaign is the latest long work of an operator.
type campaign struct {
	Number     *int64                 `json:"number"`
	Kind       scheduler.CampaignKind `json:"kind"`
	From       string                 `json:"from"`
	To         string                 `json:"to"`
	Phases     []campaignPhase        `json:"phases"`
	At         int                    `json:"at"`
	Back       bool                   `json:"back,omitempty"`
	Begun      bool                   `json:"begun,omitempty"`
	Finalize   bool                   `json:"finalize,omitempty"`
	PauseAfter []string               `json:"pause_after,omitempty"`
	Levels     map[string]int         `json:"levels,omitempty"`
	Since      time.Time              `json:"since,omitzero"`
	By         string                 `json:"by,omitempty"`
	Ended      time.Time              `json:"ended,omitzero"`
}

type campaignPhase struct {
	Name   string      `json:"name"`
	What   string      `json:"what,omitempty"`
	Undo   string      `json:"undo,omitempty"`
	Edits  []phaseEdit `json:"edits,omitempty"`
	Undoes []phaseEdit `json:"undoes,omitempty"`
	Raise  []string    `json:"raise,omitempty"`
	Waits  bool        `json:"waits,omitempty"`
}

type phaseEdit struct {
	Pod     string            `json:"pod"`
	Version string            `json:"version,omitempty"`
	Set     map[string]string `json:"set,omitempty"`
	Unset   []string          `json:"unset,omitempty"`
}

func campaignToRow(c scheduler.Campaign) campaign {
	return campaign{Number: &c.Number, Kind: c.Kind, From: c.From, To: c.To,
		Phases: each(c.Phases, phaseToRow), At: c.At, Back: c.Back, Begun: c.Begun,
		Finalize: c.Finalize, PauseAfter: c.PauseAfter, Levels: c.Levels,
		Since: c.Since.UTC(), By: c.By, Ended: c.Ended.UTC()}
}

func (r campaign) domain() (scheduler.Campaign, error) {
	number, err := required("number", r.Number)
	return scheduler.Campaign{Number: number, Kind: r.Kind, From: r.From, To: r.To,
		Phases: each(r.Phases, campaignPhase.domain), At: r.At, Back: r.Back, Begun: r.Begun,
		Finalize: r.Finalize, PauseAfter: r.PauseAfter, Levels: r.Levels,
		Since: r.Since.UTC(), By: r.By, Ended: r.Ended.UTC()}, err
}

func phaseToRow(p scheduler.CampaignPhase) campaignPhase {
	toRow := func(e scheduler.Edit) phaseEdit { return phaseEdit(e) }
	return campaignPhase{Name: p.Name, What: p.What, Undo: p.Undo, Edits: each(p.Edits, toRow),
		Undoes: each(p.Undoes, toRow), Raise: p.Raise, Waits: p.Waits}
}

func (r campaignPhase) domain() scheduler.CampaignPhase {
	domain := func(e phaseEdit) scheduler.Edit { return scheduler.Edit(e) }
	return scheduler.CampaignPhase{Name: r.Name, What: r.What, Undo: r.Undo,
		Edits: each(r.Edits, domain), Undoes: each(r.Undoes, domain), Raise: r.Raise,
		Waits: r.Waits}
}
