package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// target is a configuration; the service in it is written by its own package, in the canonical
// form that it keeps for this.
type target struct {
	ID      *string         `json:"id"`
	Service json.RawMessage `json:"service"`
	Number  int64           `json:"number,omitempty"`
	Since   time.Time       `json:"since,omitzero"`
	By      string          `json:"by,omitempty"`
	Done    time.Time       `json:"done,omitzero"`
	Updates bool            `json:"updates,omitempty"`
	Servers map[string]int  `json:"servers,omitempty"`
}

func targetToRow(t scheduler.Target) (target, error) {
	service, err := t.Service.Encode()
	return target{
		ID: &t.ID, Service: service, Number: t.Number,
		Since: t.Since.UTC(), By: t.By, Done: t.Done.UTC(), Updates: t.Updates,
		Servers: t.Servers,
	}, err
}

func (r target) domain() (out scheduler.Target, err error) {
	out = scheduler.Target{
		Number: r.Number, Since: r.Since.UTC(), By: r.By, Done: r.Done.UTC(), Updates: r.Updates,
		Servers: r.Servers,
	}
	if out.ID, err = required("id", r.ID); err != nil {
		return out, err
	}
	if len(r.Service) == 0 {
		return out, errors.New(`the field "service" is missing`)
	}
	if out.Service, err = servicespec.DecodeService(r.Service); err != nil {
		return out, fmt.Errorf("reading the service: %w", err)
	}
	if out.Service.Name == "" {
		return out, errors.New(`reading the service: the field "name" is missing`)
	}
	return out, nil
}
