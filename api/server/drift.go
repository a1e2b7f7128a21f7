package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
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

// passing are properties that come and go while partitions are moved.
var passing = []string{"leader.replication.throttled.rate",
	"follower.replication.throttled.rate", "replica.alter.log.dirs.io.max.bytes.per.second",
	"cordoned.log.dirs"}

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
	for _, pod := range v.Target.Pods {
		if pod.Kafka == nil || !pod.Kafka.Serves() {
			continue
		}
		for index := range pod.Count {
			id, node := pod.Kafka.NodeID(index), pod.Kafka.Node(index)
			entries, ok := all[id]
			if !ok {
				found.Silent = append(found.Silent, id)
				continue
			}
			found.Properties = append(found.Properties, driftOf(id, node, entries)...)
		}
	}
	return found, nil
}

// driftOf compares the properties of one broker with those that it is to have.
func driftOf(id int, node servicespec.Kafka, entries []api.ConfigEntry) []api.DriftedProperty {
	var list []api.DriftedProperty
	for _, entry := range entries {
		wanted, is := node.Properties[entry.Name]
		byHand := strings.HasPrefix(entry.Source, "DYNAMIC") &&
			!slices.Contains(passing, entry.Name)
		for _, usual := range []*string{entry.Static, entry.Default} {
			byHand = byHand && (usual == nil || !sameValue(*usual, entry.Value))
		}
		d := api.DriftedProperty{Broker: id, Name: entry.Name, Actual: entry.Value,
			Source: entry.Source}
		switch {
		case entry.Sensitive:
			continue
		case is && !sameValue(wanted, entry.Value):
			d.Wanted = &wanted
		case is || !byHand:
			continue
		}
		if d.Reason = "somebody set it in Kafka"; entry.ReadOnly {
			d.Reason = "the broker reads it when it starts"
		} else if !strings.HasPrefix(entry.Source, "DYNAMIC") {
			d.Reason = "the broker was started otherwise"
		}
		d.NeedsRestart = entry.ReadOnly
		list = append(list, d)
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
	all, each := order{change: api.ConfigChange{Set: map[string]string{}}}, ownOrders{}
	for _, p := range d.Properties {
		switch {
		case p.NeedsRestart:
		case p.Source == ownSource:
			each.of(p.Broker).Delete = append(each.of(p.Broker).Delete, p.Name)
		case p.Wanted != nil:
			each.of(p.Broker).Set[p.Name] = *p.Wanted
		case !slices.Contains(all.change.Delete, p.Name):
			all.change.Delete = append(all.change.Delete, p.Name)
		}
	}
	return ordered(all, each)
}
