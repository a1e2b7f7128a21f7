package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// drift answers with what brokers have otherwise than the target has it.
func (x *v2) drift(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return findDrift(ctx, x.Kafka, v, at)
	})
}

// correctDrift has the brokers have what the target has, as far as they take it while they run.
func (x *v2) correctDrift(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var none struct{}
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &none) {
		return
	}
	x.changeKafka(w, r, v, "", func(ctx context.Context, at []string) (any, error) {
		return correctAll(ctx, x.Kafka, v, at)
	})
}

// findDrift compares the properties of all brokers that answer with those of the target.
func findDrift(
	ctx context.Context, kafka Kafka, v *scheduler.View, at []string,
) (api.Drift, error) {
	found := api.Drift{Properties: []api.DriftedProperty{}, Silent: []int{}}
	var ids []int
	for _, broker := range brokersOf(v) {
		if !broker.Fenced && broker.Address != "" {
			ids = append(ids, broker.ID)
		}
	}
	all, err := kafka.BrokerConfigs(ctx, at, ids...)
	if err != nil {
		return found, err
	}
	for _, wish := range v.BrokerWishes() {
		if entries, ok := all[wish.ID]; ok {
			found.Properties = append(found.Properties, driftOf(wish, entries)...)
		} else {
			found.Silent = append(found.Silent, wish.ID)
		}
	}
	return found, nil
}

// driftOf compares the properties of one broker with those that it is to have.
func driftOf(wish scheduler.BrokerWish, entries []api.ConfigEntry) []api.DriftedProperty {
	properties := make([]scheduler.Property, len(entries))
	for i, e := range entries {
		properties[i] = scheduler.Property(e)
	}
	var list []api.DriftedProperty
	for _, d := range scheduler.BrokerDrift(wish, properties) {
		list = append(list, api.DriftedProperty(d))
	}
	return list
}

// correctRounds bound how often is looked again: an override of one broker goes first, and shows
// what is below it.
const correctRounds = 3

// correctAll corrects what it finds until nothing is found but what needs restarts. It answers with
// what was found first.
func correctAll(
	ctx context.Context, kafka Kafka, v *scheduler.View, at []string,
) (api.Drift, error) {
	first, err := findDrift(ctx, kafka, v, at)
	left := first
	for round := 0; err == nil && round < correctRounds && correctable(left); round++ {
		for _, o := range corrections(left) {
			err = errors.Join(err, kafka.ChangeBrokerConfig(ctx, at, o.broker, o.change, false))
		}
		if err == nil {
			if err = settled(ctx, func() (done bool, err error) {
				before := len(left.Properties)
				left, err = findDrift(ctx, kafka, v, at)
				return len(left.Properties) < before || !correctable(left), err
			}); err != nil {
				err = fmt.Errorf("the brokers do not show the corrections: %w", err)
			}
		}
	}
	return first, err
}

// correctable says whether something could be corrected without a restart.
func correctable(d api.Drift) bool {
	return slices.ContainsFunc(d.Properties, func(p api.DriftedProperty) bool {
		return !p.NeedsRestart
	})
}

// corrections are what Kafka is told so that brokers have what they are to have.
func corrections(d api.Drift) []order {
	var drift []scheduler.PropertyDrift
	for _, p := range d.Properties {
		drift = append(drift, scheduler.PropertyDrift(p))
	}
	var list []order
	for _, c := range scheduler.Corrections(drift) {
		o := order{change: api.ConfigChange{Set: c.Set, Delete: c.Delete}}
		if c.Broker != scheduler.AllBrokers {
			o.broker = &c.Broker
		}
		list = append(list, o)
	}
	return list
}
