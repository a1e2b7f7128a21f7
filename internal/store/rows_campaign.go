package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
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
	Then       *nextUpgrade           `json:"then,omitempty"`
	Before     *campaignDone          `json:"before,omitempty"`
}

// campaignDone is the one before it in a chain.
type campaignDone struct {
	Number int64                  `json:"number"`
	Kind   scheduler.CampaignKind `json:"kind"`
	From   string                 `json:"from"`
	To     string                 `json:"to"`
	Phases []phaseDone            `json:"phases"`
	Since  time.Time              `json:"since,omitzero"`
	By     string                 `json:"by,omitempty"`
	Ended  time.Time              `json:"ended,omitzero"`
}

type phaseDone struct {
	Name string `json:"name"`
	What string `json:"what,omitempty"`
	Undo string `json:"undo,omitempty"`
}

func doneToRow(d *scheduler.CampaignDone) *campaignDone {
	if d == nil {
		return nil
	}
	return &campaignDone{d.Number, d.Kind, d.From, d.To,
		each(d.Phases, func(p scheduler.PhaseDone) phaseDone { return phaseDone(p) }),
		d.Since.UTC(), d.By, d.Ended.UTC()}
}

func (r *campaignDone) domain() *scheduler.CampaignDone {
	if r == nil {
		return nil
	}
	return &scheduler.CampaignDone{Number: r.Number, Kind: r.Kind, From: r.From, To: r.To,
		Phases: each(r.Phases, func(p phaseDone) scheduler.PhaseDone {
			return scheduler.PhaseDone(p)
		}), Since: r.Since.UTC(), By: r.By, Ended: r.Ended.UTC()}
}

// nextUpgrade is the one that begins when a campaign is done.
type nextUpgrade struct {
	To         string            `json:"to"`
	Archives   map[string]string `json:"archives,omitempty"`
	Features   map[string]int    `json:"features,omitempty"`
	Java       int               `json:"java,omitempty"`
	PauseAfter []string          `json:"pause_after,omitempty"`
	Finalize   bool              `json:"finalize,omitempty"`
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
	// Service and Undone are services as a whole, written as in a target.
	Service json.RawMessage `json:"service,omitempty"`
	Undone  json.RawMessage `json:"undone,omitempty"`
}

func campaignToRow(c scheduler.Campaign) (campaign, error) {
	phases, err := tried(c.Phases, phaseToRow)
	return campaign{Number: &c.Number, Kind: c.Kind, From: c.From, To: c.To,
		Phases: phases, At: c.At, Back: c.Back, Begun: c.Begun,
		Finalize: c.Finalize, PauseAfter: c.PauseAfter, Levels: c.Levels,
		Since: c.Since.UTC(), By: c.By, Ended: c.Ended.UTC(), Then: (*nextUpgrade)(c.Then),
		Before: doneToRow(c.Before)}, err
}

func (r campaign) domain() (out scheduler.Campaign, err error) {
	out = scheduler.Campaign{Kind: r.Kind, From: r.From, To: r.To, At: r.At, Back: r.Back,
		Begun: r.Begun, Finalize: r.Finalize, PauseAfter: r.PauseAfter, Levels: r.Levels,
		Since: r.Since.UTC(), By: r.By, Ended: r.Ended.UTC(), Then: (*scheduler.Upgrade)(r.Then),
		Before: r.Before.domain()}
	if out.Number, err = required("number", r.Number); err != nil {
		return out, err
	}
	out.Phases, err = tried(r.Phases, campaignPhase.domain)
	return out, err
}

func phaseToRow(p scheduler.CampaignPhase) (row campaignPhase, err error) {
	row = campaignPhase{Name: p.Name, What: p.What, Undo: p.Undo, Raise: p.Raise,
		Waits: p.Waits}
	if row.Edits, err = tried(p.Edits, editToRow); err != nil {
		return row, err
	}
	row.Undoes, err = tried(p.Undoes, editToRow)
	return row, err
}

func (r campaignPhase) domain() (out scheduler.CampaignPhase, err error) {
	out = scheduler.CampaignPhase{Name: r.Name, What: r.What, Undo: r.Undo, Raise: r.Raise,
		Waits: r.Waits}
	if out.Edits, err = tried(r.Edits, phaseEdit.domain); err != nil {
		return out, err
	}
	out.Undoes, err = tried(r.Undoes, phaseEdit.domain)
	return out, err
}

func editToRow(e scheduler.Edit) (row phaseEdit, err error) {
	row = phaseEdit{Pod: e.Pod, Version: e.Version, Set: e.Set, Unset: e.Unset}
	if e.Service != nil {
		if row.Service, err = e.Service.Encode(); err != nil {
			return row, err
		}
	}
	if e.Undone != nil {
		row.Undone, err = e.Undone.Encode()
	}
	return row, err
}

func (r phaseEdit) domain() (out scheduler.Edit, err error) {
	out = scheduler.Edit{Pod: r.Pod, Version: r.Version, Set: r.Set, Unset: r.Unset}
	if out.Service, err = serviceIn(r.Service); err != nil {
		return out, err
	}
	out.Undone, err = serviceIn(r.Undone)
	return out, err
}

// serviceIn reads a service, nil where there is none.
func serviceIn(data json.RawMessage) (*servicespec.Service, error) {
	if len(data) == 0 {
		return nil, nil
	}
	s, err := servicespec.DecodeService(data)
	if err != nil {
		return nil, fmt.Errorf("reading a service: %w", err)
	}
	return &s, nil
}
