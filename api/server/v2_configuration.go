package server

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// aTarget is the word for the target where an id may stand.
const aTarget = "target"

// keptConfigurations are the target and those before it, newest first.
func keptConfigurations(v *scheduler.View) []scheduler.EarlierTarget {
	var list []scheduler.EarlierTarget
	if v.TargetID != "" {
		list = append(list, scheduler.EarlierTarget{ID: v.TargetID, Service: v.Target,
			Number: v.TargetNumber, Since: v.TargetSince, By: v.TargetBy, Done: v.TargetDone})
	}
	for _, earlier := range slices.Backward(v.Earlier) {
		list = append(list, earlier)
	}
	return list
}

func configurationShape(v *scheduler.View, c scheduler.EarlierTarget) api.Configuration {
	return api.Configuration{ID: c.ID, Number: c.Number, Target: c.ID == v.TargetID,
		Since: instant(c.Since), By: c.By, Done: instant(c.Done)}
}

func (x *v2) configurations(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	key := func(c scheduler.EarlierTarget) string { return c.ID }
	part, next := pageOf(keptConfigurations(v), page, key, behind(key))
	list := api.ConfigurationList{Configurations: []api.Configuration{}, NextCursor: next}
	for _, c := range part {
		list.Configurations = append(list.Configurations, configurationShape(v, c))
	}
	writeJSON(w, http.StatusOK, list)
}

// configurationOf finds a configuration by its id, or the target by that word; it answers 404
// when there is none.
func configurationOf(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, id string,
) (scheduler.EarlierTarget, bool) {
	if id == aTarget {
		id = v.TargetID
	}
	for _, c := range keptConfigurations(v) {
		if c.ID == id {
			return c, true
		}
	}
	if id == "" {
		id = aTarget
	}
	missing(w, r, "Configuration", id)
	return scheduler.EarlierTarget{}, false
}

func (x *v2) target(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	x.answerConfiguration(w, r, v, aTarget)
}

func (x *v2) configuration(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	x.answerConfiguration(w, r, v, param(r, "id"))
}

func (x *v2) answerConfiguration(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, id string,
) {
	c, ok := configurationOf(w, r, v, id)
	if !ok || !newQuestion(r).answerable(w, r) {
		return
	}
	text, err := c.Service.Encode()
	if err != nil {
		panic(err) // a service that was accepted can be encoded: recoverPanic says that not
	}
	shape := configurationShape(v, c)
	shape.Service = json.RawMessage(text)
	w.Header().Set("ETag", configurationRevision(c))
	writeJSON(w, http.StatusOK, shape)
}

func (x *v2) diff(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	other := q.text("to")
	if other == "" {
		other = aTarget
	}
	if !q.answerable(w, r) {
		return
	}
	from, ok := configurationOf(w, r, v, param(r, "id"))
	if !ok {
		return
	}
	to, ok := configurationOf(w, r, v, other)
	if !ok {
		return
	}
	shape := api.Diff{From: from.ID, To: to.ID, Changes: []api.Change{}}
	for _, c := range servicespec.Diff(from.Service, to.Service) {
		shape.Changes = append(shape.Changes, api.Change{Path: c.Path, Old: c.Old, New: c.New,
			Class: string(c.Class), Reason: c.Reason})
	}
	writeJSON(w, http.StatusOK, shape)
}

// setTarget parses the spec here, so that the machine sees only services that make sense.
func (x *v2) setTarget(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	q := newQuestion(r)
	preview := q.is("dry-run")
	if !q.answerable(w, r) {
		return
	}
	var want api.SetTarget
	given, ok := bodyInto(w, r, &want)
	if !ok {
		return
	}
	invalid := func(detail string) {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, detail)
	}
	if !given {
		invalid(`A body is needed: {"spec": "the text of the service's YAML"}.`)
		return
	}
	if want.ID == "" {
		want.ID = uuid.NewString()
	} else if id, err := uuid.Parse(want.ID); err != nil || id.String() != want.ID {
		invalid("The id is not a UUID in lower case: " + want.ID)
		return
	}
	service, err := x.ParseSpec([]byte(want.Spec), want.Files)
	if err != nil {
		invalid(err.Error())
		return
	}
	x.answerTarget(w, r, targetCommand{id: want.ID, reason: want.Reason, preview: preview,
		with: func(plan *reconfiguration, preview bool) scheduler.Command {
			return scheduler.SetTarget{ID: want.ID, Service: service, Preview: preview,
				Live: plan.taken, Fits: plan.fits}
		}}, service)
}

func (x *v2) rollback(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	preview := q.is("dry-run")
	var want api.Rollback
	if !q.answerable(w, r) || !optionalBody(w, r, &want) {
		return
	}
	if want.ID != "" {
		if _, ok := configurationOf(w, r, v, want.ID); !ok {
			return
		}
	}
	x.answerTarget(w, r, targetCommand{id: want.ID, reason: want.Reason, preview: preview,
		with: func(plan *reconfiguration, preview bool) scheduler.Command {
			return scheduler.Rollback{ID: want.ID, Preview: preview, Live: plan.taken,
				Fits: plan.fits}
		}}, earlierService(v, want.ID))
}

// answerTarget carries out, or previews, a command that changes the target to a service. What
// Kafka takes of its properties while it runs, Kafka is told first: the machine then knows that
// nobody has to restart for it.
func (x *v2) answerTarget(
	w http.ResponseWriter, r *http.Request, c targetCommand, next servicespec.Service,
) {
	if !reasonable(w, r, c.reason) {
		return
	}
	plan := &reconfiguration{}
	reply, ok := x.orderOf(w, r, func() scheduler.Command { return c.with(plan, c.preview) },
		printable(c.reason, api.MaxReason), func() bool {
			var fits bool
			plan, fits = x.reconfigure(w, r, c, next)
			return fits
		})
	if !ok {
		if plan.applied && x.View().TargetID != c.id {
			plan.undo(r.Context())
		}
		return
	}
	shape := outcome(reply)
	shape.Properties = plan.shape()
	if shape.Changed {
		shape.TargetID = c.id
	}
	if c.preview {
		shape.Changed, shape.DryRun, shape.Steps = false, true, plannedSteps(reply.Preview)
		shape.Unavailable = x.fragile(r.Context(), next, reply.Preview)
	} else if v := x.View(); shape.Changed {
		w.Header().Set("ETag", targetRevision(v))
		if shape.TargetID == "" {
			shape.TargetID = v.TargetID // rolled back to the one before, whichever it was
		}
	}
	writeJSON(w, http.StatusOK, shape)
}

// targetCommand is a command that changes the target.
type targetCommand struct {
	id, reason string
	preview    bool
	// with makes the command, with what was found out about it.
	with func(plan *reconfiguration, preview bool) scheduler.Command
}

// reconfigure has Kafka take what it can of another service, once it is known that nothing else
// stands against it. It answers itself when something does.
func (x *v2) reconfigure(
	w http.ResponseWriter, r *http.Request, c targetCommand, next servicespec.Service,
) (*reconfiguration, bool) {
	none := &reconfiguration{}
	v := x.View()
	if !matches(w, r, targetRevision(v)) {
		return none, false
	}
	plan, err := planReconfiguration(r.Context(), x.Kafka, v, next)
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return none, false
	}
	if plan.fits, err = x.dataFits(r.Context(), v, next); err != nil {
		fail(w, r, http.StatusConflict, api.CodeConflict, err.Error())
		return none, false
	}
	if c.preview || len(plan.taken) == 0 {
		return plan, true
	}
	trial, err := x.Do(r.Context(), c.with(plan, true), scheduler.Caller{Who: caller(r)})
	if err != nil || trial.Problem != nil {
		plan.taken = nil // the command itself will be answered so
		return plan, true
	}
	if err := plan.apply(r.Context()); err != nil {
		fail(w, r, http.StatusConflict, api.CodeConflict, "The brokers did not take the "+
			"properties while they run, and nothing was changed: "+err.Error())
		return none, false
	}
	return plan, true
}

// earlierService is the service of an earlier configuration, of the one before the target for "";
// it is the present one when there is none.
func earlierService(v *scheduler.View, id string) servicespec.Service {
	for i := len(v.Earlier) - 1; i >= 0; i-- {
		if id == "" || v.Earlier[i].ID == id {
			return v.Earlier[i].Service
		}
	}
	return v.Target
}

// fragile are the topics that no restart can keep available, if a preview restarts anything and
// Kafka tells; with what the configuration to come says of them.
func (x *v2) fragile(
	ctx context.Context, service servicespec.Service, steps []scheduler.PlannedStep,
) []api.FragileTopic {
	v := x.View()
	restarts := slices.ContainsFunc(steps,
		func(s scheduler.PlannedStep) bool {
			return s.Action == "restart" || s.Action == "replace"
		})
	if at := live(v); x.Partitions != nil && restarts && len(at) > 0 {
		if facts := x.Partitions(ctx, at).Rolling; facts != nil {
			return fragileTopics(facts.Forecast(), service)
		}
	}
	return nil
}

func fragileTopics(risks []rolling.Risk, service servicespec.Service) []api.FragileTopic {
	choice := servicespec.FragileMoveFirst
	for _, pod := range service.Pods {
		if pod.Kafka != nil && pod.Kafka.Serves() && pod.Update != nil {
			choice = cmp.Or(pod.Update.Fragile, choice)
		}
	}
	var list []api.FragileTopic
	for _, r := range risks {
		list = append(list, api.FragileTopic{Topic: r.Topic, Partitions: r.Partitions,
			Replicas: r.Replicas, MinISR: r.MinISR, Movable: r.Movable, Choice: choice})
	}
	return list
}

func plannedSteps(steps []scheduler.PlannedStep) []api.PlannedStep {
	var list []api.PlannedStep
	for _, step := range steps {
		list = append(list, api.PlannedStep{Phase: step.Phase, Step: step.Step,
			Action: step.Action, Reasons: texts(step.Reasons)})
	}
	return list
}
