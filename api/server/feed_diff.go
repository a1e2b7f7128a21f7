package server

import (
	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// differences are the events that lead from one view to a later one.
func differences(before, now *scheduler.View) []api.Event {
	d := &difference{view: now}
	d.plans(before.Plans, now.Plans)
	d.pods(before.Pods, now.Pods)
	last := int64(0)
	if n := len(before.Journal); n > 0 {
		last = before.Journal[n-1].Number
	}
	for _, entry := range now.Journal {
		if entry.Number > last {
			shape := entryShape(entry)
			d.add(api.Event{Type: api.EventJournal, Plan: entry.Plan, Entry: &shape,
				Message: entry.Outcome})
		}
	}
	return d.events
}

// difference collects events.
type difference struct {
	view   *scheduler.View
	events []api.Event
}

func (d *difference) add(event api.Event) {
	event.At = d.view.At.UTC()
	d.events = append(d.events, event)
}

// pairs calls with every item and the one of the same key that was there before, nil for what is
// new or gone. Where nothing came or went the items are at the same places, and nothing is
// searched for.
func pairs[T any, K comparable](before, now []T, key func(*T) K, each func(before, now *T)) {
	same := len(before) == len(now)
	for i := 0; same && i < len(now); i++ {
		same = key(&before[i]) == key(&now[i])
	}
	if same {
		for i := range now {
			each(&before[i], &now[i])
		}
		return
	}
	known := make(map[K]*T, len(before))
	for i := range before {
		known[key(&before[i])] = &before[i]
	}
	for i := range now {
		each(known[key(&now[i])], &now[i])
		delete(known, key(&now[i]))
	}
	for i := range before {
		if known[key(&before[i])] == &before[i] {
			each(&before[i], nil)
		}
	}
}

func (d *difference) plans(before, now []scheduler.PlanView) {
	pairs(before, now, func(p *scheduler.PlanView) string { return p.Name },
		func(before, now *scheduler.PlanView) {
			event := api.Event{Type: api.EventPlan}
			var old, next []scheduler.PhaseView
			if before != nil {
				event.Plan, event.From, old = before.Name, string(before.Status), before.Phases
			}
			if now != nil {
				event.Plan, event.To, next = now.Name, string(now.Status), now.Phases
			}
			if event.From != event.To {
				d.add(event)
			}
			if now != nil {
				d.phases(now.Name, old, next)
			}
		})
}

func (d *difference) phases(plan string, before, now []scheduler.PhaseView) {
	pairs(before, now, func(p *scheduler.PhaseView) string { return p.Name },
		func(before, now *scheduler.PhaseView) {
			if now == nil {
				d.add(api.Event{Type: api.EventPhase, Plan: plan, Phase: before.Name,
					From: string(before.Status)})
				return
			}
			event := api.Event{Type: api.EventPhase, Plan: plan, Phase: now.Name,
				To: string(now.Status)}
			var old []scheduler.StepView
			if before != nil {
				event.From, old = string(before.Status), before.Steps
			}
			if event.From != event.To {
				d.add(event)
			}
			d.steps(plan, now.Name, old, now.Steps)
		})
}

func (d *difference) steps(plan, phase string, before, now []scheduler.StepView) {
	pairs(before, now, func(s *scheduler.StepView) [2]string { return [2]string{s.ID, s.Name} },
		func(before, now *scheduler.StepView) {
			from, to := plans.Status(""), plans.Status("")
			step := before
			if before != nil {
				from = before.Status
			}
			if now != nil {
				step, to = now, now.Status
			}
			if from != to {
				d.add(api.Event{Type: api.EventStep, Plan: plan, Phase: phase, Step: step.Name,
					Pod: step.Pod, From: string(from), To: string(to), Message: step.Reason})
			}
		})
}

func (d *difference) pods(before, now []scheduler.PodView) {
	pairs(before, now, func(p *scheduler.PodView) scheduler.PodName { return p.Name },
		func(before, now *scheduler.PodView) {
			var old, next []scheduler.TaskView
			pod := before
			if before != nil {
				old = before.Tasks
			}
			if now != nil {
				pod, next = now, now.Tasks
			}
			d.tasks(pod.Name, old, next)
		})
}

// tasks tells of tasks in another state, those with an override in its word.
func (d *difference) tasks(pod scheduler.PodName, before, now []scheduler.TaskView) {
	pairs(before, now, func(t *scheduler.TaskView) string { return t.FullName },
		func(before, now *scheduler.TaskView) {
			from, to, id := stateOf(before), "", ""
			task := before
			if now != nil {
				task, to, id = now, stateOf(now), string(now.ID)
			}
			if from == to && (before == nil || now == nil || before.ID == now.ID) {
				return
			}
			event := api.Event{Type: api.EventTask, Task: task.FullName, TaskID: id,
				Pod: pod.String(), From: from, To: to, Message: task.Message}
			d.add(event)
		})
}

func stateOf(task *scheduler.TaskView) string {
	switch {
	case task == nil:
		return ""
	case task.Override != "":
		return task.Override
	}
	return string(task.State)
}
