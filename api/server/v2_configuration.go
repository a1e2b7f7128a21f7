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
	command := scheduler.SetTarget{ID: want.ID, Service: service, Preview: preview}
	x.answerTarget(w, r, command, want.Reason, want.ID, preview)
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
	command := scheduler.Rollback{ID: want.ID, Preview: preview}
	x.answerTarget(w, r, command, want.Reason, want.ID, preview)
}

// answerTarget carries out, or previews, a command that changes the target.
func (x *v2) answerTarget(
	w http.ResponseWriter, r *http.Request, c scheduler.Command, reason, id string, preview bool,
) {
	reply, ok := x.taken(w, r, c, reason, targetRevision)
	if !ok {
		return
	}
	shape := outcome(reply)
	if shape.Changed {
		shape.TargetID = id
	}
	if preview {
		shape.Changed, shape.DryRun, shape.Steps = false, true, plannedSteps(reply.Preview)
		shape.Unavailable = x.fragile(r.Context(), c, reply.Preview)
	} else if v := x.View(); shape.Changed {
		w.Header().Set("ETag", targetRevision(v))
		if shape.TargetID == "" {
			shape.TargetID = v.TargetID // rolled back to the one before, whichever it was
		}
	}
	writeJSON(w, http.StatusOK, shape)
}

// fragile are the topics that no restart can keep available, if a preview restarts anything and
// Kafka tells; with what the configuration to come says of them.
func (x *v2) fragile(
	ctx context.Context, c scheduler.Command, steps []scheduler.PlannedStep,
) []api.FragileTopic {
	v := x.View()
	restarts := slices.ContainsFunc(steps,
		func(s scheduler.PlannedStep) bool { return s.Action == "restart" })
	if at := live(v); x.Partitions != nil && restarts && len(at) > 0 {
		service := v.Target
		if set, ok := c.(scheduler.SetTarget); ok {
			service = set.Service
		}
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
