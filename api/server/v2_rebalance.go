package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// goals are those of a rebalance, by their names.
var goals = map[string]balance.Goal{
	api.GoalEven: balance.Even, api.GoalFill: balance.Fill, api.GoalEmpty: balance.Empty,
	api.GoalDirs: balance.InDirs,
}

// routeRebalance adds what moves replicas.
func (x *v2) routeRebalance(r, change chi.Router) {
	r.Get(api.PathRebalance, x.withView(x.rebalanceStatus))
	r.Get(api.PathRebalancePreview, x.withView(x.heavy.limit(x.rebalancePreview)))
	change.Post(api.PathRebalance, x.withView(x.rebalance))
	change.Post(api.PathRebalanceCancel, x.withView(x.rebalanceCancel))
}

// rebalanceStatus answers how far the latest work of moving replicas is.
func (x *v2) rebalanceStatus(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	shape := rebalanceShape(v)
	if !unchanged(w, r, revisionOf(shape)) {
		writeJSON(w, http.StatusOK, shape)
	}
}

func rebalanceShape(v *scheduler.View) api.RebalanceStatus {
	r := v.Kafka.Rebalancing
	shape := api.RebalanceStatus{Number: r.Number, State: rebalanceState(r),
		Goal: string(r.Goal), Brokers: []int{}, Throttle: r.Throttle, By: r.By,
		Since: instant(r.Since), Ended: instant(r.Ended), Moved: r.Done, Partitions: r.Total,
		MovedBytes: r.DoneBytes, Bytes: r.TotalBytes, Reason: v.Kafka.Rebalance}
	shape.Brokers = append(shape.Brokers, r.Brokers...)
	return shape
}

func rebalanceState(r scheduler.Rebalancing) string {
	switch over := !r.Ended.IsZero(); {
	case r.Number == 0:
		return api.RebalanceNone
	case over && r.Problem != "":
		return api.RebalanceFailed
	case over && r.Cancelled:
		return api.RebalanceCanceled
	case over:
		return api.RebalanceDone
	case r.Cancelled:
		return api.RebalanceCanceling
	}
	return api.RebalanceRunning
}

// rebalance begins to move replicas.
func (x *v2) rebalance(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var given api.Rebalance
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	if wrong := wrongRebalance(given.Goal, given.Brokers, given.Throttle); wrong != "" {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, wrong)
		return
	}
	command := scheduler.Rebalance{Goal: goals[given.Goal], Brokers: given.Brokers,
		Throttle: given.Throttle}
	x.answerOutcome(w, r, command, given.Reason, rebalanceRevision)
}

func rebalanceRevision(v *scheduler.View) string { return revisionOf(rebalanceShape(v)) }

// wrongRebalance says what makes no sense in a rebalance, "" for nothing.
func wrongRebalance(goal string, ids []int, throttle int64) string {
	switch _, known := goals[goal]; {
	case !known:
		return "The goal must be one of " + strings.Join(sortedKeys(goals), ", ") + "."
	case goal == api.GoalEmpty && len(ids) == 0:
		return "Name the brokers that are to be emptied."
	case goal == api.GoalEven && len(ids) > 0:
		return "All brokers are evened out; name none."
	case throttle < 0:
		return "The throttle must not be negative."
	}
	return ""
}

func (x *v2) rebalanceCancel(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	var given api.RebalanceCancel
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	x.answerOutcome(w, r, scheduler.RebalanceCancel{}, given.Reason, rebalanceRevision)
}

// rebalancePreview answers what a rebalance would do now, and changes nothing.
func (x *v2) rebalancePreview(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	goal, list := q.text("goal"), q.text("brokers")
	var ids []int
	for _, text := range strings.Split(list, ",") {
		id, err := strconv.Atoi(text)
		if err != nil && list != "" {
			q.refuse("The brokers must be ids with commas between them, not %q.", list)
		}
		if err == nil {
			ids = append(ids, id)
		}
	}
	if goal == "" {
		goal = api.GoalEven
	}
	if wrong := wrongRebalance(goal, ids, 0); wrong != "" {
		q.refuse("%s", wrong)
	}
	if !q.answerable(w, r) {
		return
	}
	at := live(v)
	if x.Layout == nil || len(at) == 0 {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"No broker is known to serve.")
		return
	}
	if goal == api.GoalFill && len(ids) == 0 {
		ids = emptyBrokers(v)
	}
	layout := x.Layout(r.Context(), at, nil)
	if layout.Error != "" {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"Kafka does not tell what lies where: "+layout.Error+".")
		return
	}
	for _, id := range ids {
		if !slices.ContainsFunc(layout.Cluster.Brokers,
			func(b balance.Broker) bool { return b.ID == balance.BrokerID(id) }) {
			fail(w, r, http.StatusNotFound, api.CodeNotFound,
				fmt.Sprintf("Kafka knows no broker %d.", id))
			return
		}
	}
	wish := scheduler.MoveWish{Goal: goals[goal], Brokers: ids}
	writeJSON(w, http.StatusOK, previewShape(goal, layout, scheduler.PlanMoves(layout, wish)))
}

// emptyBrokers are those that host nothing.
func emptyBrokers(v *scheduler.View) []int {
	var ids []int
	for _, b := range brokersOf(v) {
		if b.Hosted == 0 {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

func previewShape(goal string, l scheduler.Layout, plan balance.Plan) api.RebalancePreview {
	shape := api.RebalancePreview{Goal: goal, Partitions: len(plan.Moves), Bytes: plan.Bytes,
		Moving: len(l.Moving), Brokers: []api.BrokerPreview{}, Left: []api.LeftReplica{}}
	for _, b := range plan.Brokers {
		shape.Brokers = append(shape.Brokers, api.BrokerPreview{ID: int(b.Broker),
			Before: api.BrokerLoad(b.Before), After: api.BrokerLoad(b.After), In: b.In, Out: b.Out})
	}
	for _, left := range plan.Left {
		shape.Left = append(shape.Left, api.LeftReplica{Topic: left.Topic,
			Partition: int(left.Partition), Broker: int(left.Broker), Reason: left.Reason})
	}
	return shape
}

// Layouts asks Kafka what lies where; its result says itself why there is none.
type Layouts func(ctx context.Context, addresses []string, topics []string) scheduler.Layout
