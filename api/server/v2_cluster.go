package server

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// routeCluster adds what is asked of the brokers themselves.
func (x *v2) routeCluster(r, change chi.Router) {
	r.Get(api.PathLogDirs, x.withView(x.logDirs))
	change.Post(api.PathElections, x.withView(x.elect))
	r.Get(api.PathReassignments, x.withView(x.reassignments))
	change.Post(api.PathReassignments, x.withView(x.reassign))
	change.Post(api.PathReassignmentsCancel, x.withView(x.cancelReassignments))
	r.Get(api.PathFeatures, x.withView(x.features))
	r.Get(api.PathDrift, x.withView(x.drift))
	change.Post(api.PathDriftCorrect, x.withView(x.correctDrift))
}

func (x *v2) logDirs(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	id := q.number("broker", 0, math.MaxInt32, -1)
	if !q.answerable(w, r) {
		return
	}
	var broker *int
	if id >= 0 {
		broker = &id
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		dirs, err := x.Kafka.LogDirs(ctx, at, broker)
		return api.LogDirList{LogDirs: orEmpty(dirs)}, err
	})
}

func (x *v2) elect(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var election api.Election
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &election) ||
		!demand(w, r, election.Kind == api.ElectPreferred || election.Kind == api.ElectUnclean,
			"kind must be "+api.ElectPreferred+" or "+api.ElectUnclean+".") ||
		!demand(w, r, election.Kind != api.ElectUnclean || election.Force,
			"An unclean election may lose acknowledged records; it needs force.") ||
		!demand(w, r, election.Kind != api.ElectUnclean || len(election.Partitions) > 0,
			"An unclean election needs the partitions that it is about.") {
		return
	}
	note := fmt.Sprintf("%s of %s", election.Kind, named(election.Partitions))
	x.changeKafka(w, r, v, note, func(ctx context.Context, at []string) (any, error) {
		result, err := x.Kafka.Elect(ctx, at, election)
		switch {
		case len(result.Failed) > 0:
			result.Message = fmt.Sprintf("%d partitions have new leaders, %d failed",
				len(result.Elected), len(result.Failed))
		case len(result.Elected) == 0:
			result.Message = "no partition needs another leader"
		default:
			result.Message = fmt.Sprintf("%d partitions have new leaders", len(result.Elected))
		}
		result.Elected, result.Failed = orEmpty(result.Elected), orEmpty(result.Failed)
		return result, err
	})
}

// named says which partitions something is about.
func named(partitions []api.PartitionName) string {
	switch len(partitions) {
	case 0:
		return "all partitions"
	case 1:
		return fmt.Sprintf("%s-%d", partitions[0].Topic, partitions[0].Partition)
	}
	return fmt.Sprintf("%s-%d and %d more", partitions[0].Topic, partitions[0].Partition,
		len(partitions)-1)
}

func (x *v2) reassignments(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		list, err := x.Kafka.Reassignments(ctx, at)
		return api.ReassignmentList{Reassignments: orEmpty(list)}, err
	})
}

func (x *v2) reassign(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var given api.Reassign
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &given) ||
		!demand(w, r, len(given.Partitions) > 0, "There are no partitions.") {
		return
	}
	var names []api.PartitionName
	for _, p := range given.Partitions {
		if wrong := wrongPlacement(p); wrong != "" {
			demand(w, r, false, wrong)
			return
		}
		names = append(names, api.PartitionName{Topic: p.Topic, Partition: p.Partition})
	}
	x.changeKafka(w, r, v, named(names), func(ctx context.Context, at []string) (any, error) {
		list, err := x.Kafka.Reassign(ctx, at, given.Partitions)
		return reassigned(list, "begin to move", "all of them are where they are to be"), err
	})
}

// reassigned says what happens to partitions, or what else holds if it happens to none.
func reassigned(list []api.Placement, what, none string) api.ReassignResult {
	if len(list) == 0 {
		return api.ReassignResult{Partitions: []api.Placement{}, Message: none}
	}
	return api.ReassignResult{Changed: true, Partitions: list,
		Message: fmt.Sprintf("%d partitions %s", len(list), what)}
}

// wrongPlacement says what is wrong with where a partition is to be.
func wrongPlacement(p api.Placement) string {
	switch {
	case p.Topic == "" || p.Partition < 0 || p.Partition > math.MaxInt32:
		return "Each of the partitions needs a topic and a partition."
	case len(p.Replicas) == 0:
		return fmt.Sprintf("Partition %s-%d has no replicas.", p.Topic, p.Partition)
	}
	for _, dir := range p.LogDirs {
		if dir != "any" {
			return "Of log_dirs only \"any\" is taken: directories are moved by the balancer."
		}
	}
	for i, id := range p.Replicas {
		for _, other := range p.Replicas[:i] {
			if id == other {
				return fmt.Sprintf("Partition %s-%d has broker %d twice.", p.Topic, p.Partition, id)
			}
		}
	}
	return ""
}

func (x *v2) cancelReassignments(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var given api.ReassignCancel
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	x.changeKafka(w, r, v, named(given.Partitions),
		func(ctx context.Context, at []string) (any, error) {
			list, err := x.Kafka.CancelReassignments(ctx, at, given.Partitions)
			return reassigned(list, "go back to where they were",
				"none of them is being moved"), err
		})
}

func (x *v2) features(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return x.Kafka.Features(ctx, at)
	})
}
