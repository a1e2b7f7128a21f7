package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func (s sink) service(v *scheduler.View) {
	s.is(connected, v.Connected)
	s.is(registered, v.Framework != "")
	s.is(suppressed, v.Suppressed)
	s.moment(viewTime, v.At)
	s.put(leftovers, float64(len(v.Leftovers)))
}

// moment gives a time in seconds of the epoch, and nothing for the zero time.
func (s sink) moment(desc *prometheus.Desc, t time.Time, labels ...string) {
	if !t.IsZero() {
		s.put(desc, float64(t.UnixMilli())/1000, labels...)
	}
}

func (s sink) plan(plan scheduler.PlanView) {
	s.put(planStatus, level(plan), plan.Name)
	counts := map[plans.Status]int{}
	type name struct{ phase, step string }
	seen := map[name]bool{} // a series may occur only once, names of steps may repeat
	for _, phase := range plan.Phases {
		for _, step := range phase.Steps {
			counts[step.Status]++
			key := name{phase.Name, step.Name}
			if step.Status == plans.Complete || seen[key] {
				continue
			}
			seen[key] = true
			s.moment(stepSince, step.Since,
				plan.Name, phase.Name, step.Name, string(step.Status))
			s.put(stepAttempts, float64(step.Attempts), plan.Name, phase.Name, step.Name)
		}
	}
	for status, n := range counts {
		s.put(planSteps, float64(n), plan.Name, string(status))
	}
}

// level is the predecessor's number for a status.
func level(plan scheduler.PlanView) float64 {
	if len(plan.Errors) > 0 {
		return -1
	}
	switch plan.Status {
	case plans.Error:
		return -1
	case plans.Complete:
		return 0
	case plans.Waiting, plans.Pending:
		return 1
	default:
		return 2
	}
}

func (s sink) pods(list []scheduler.PodView, now time.Time) {
	byType, byState := map[string]int{}, map[mesos.TaskState]int{}
	for _, pod := range list {
		byType[pod.Name.Type]++
		s.is(podRefused, pod.Refusal != nil, pod.Name.String())
		if j := pod.Verdict; j != nil {
			s.put(rollWaiting, max(0, now.Sub(j.Since).Seconds()), pod.Name.String(),
				string(j.Verdict.Code))
		}
		for _, task := range pod.Tasks {
			if task.State != "" {
				byState[task.State]++
			}
			if task.State == mesos.Running && task.Ready != nil {
				s.is(taskReady, *task.Ready, task.FullName)
			}
		}
	}
	for kind, n := range byType {
		s.put(pods, float64(n), kind)
	}
	for state, n := range byState {
		s.put(tasks, float64(n), string(state))
	}
}

// declared tells how what the target declares is in Kafka.
func (s sink) declared(kafka scheduler.KafkaView) {
	if len(kafka.Declared) > 0 {
		states := map[scheduler.TopicState]int{scheduler.TopicReached: 0,
			scheduler.TopicDiffers: 0, scheduler.TopicRefused: 0, scheduler.TopicUnknown: 0}
		for _, t := range kafka.Declared {
			states[t.State]++
		}
		for state, n := range states {
			s.put(topicsDeclared, float64(n), string(state))
		}
	}
	if kafka.Drift == nil || kafka.Drift.Error != "" {
		return
	}
	s.moment(driftTime, kafka.Drift.Asked)
	drifted := map[int]int{}
	for _, b := range kafka.Drift.Told {
		drifted[b] = 0
	}
	for _, d := range kafka.Drift.Brokers {
		drifted[d.Broker]++
	}
	for id, n := range drifted {
		s.put(brokerDrift, float64(n), strconv.Itoa(id))
	}
}

func (s sink) kafka(kafka scheduler.KafkaView) {
	s.is(founded, kafka.Founded)
	s.declared(kafka)
	facts := kafka.Facts
	if facts == nil {
		return
	}
	s.moment(asked, facts.Asked)
	if facts.Error != "" {
		return // what was true before may not be any more
	}
	s.put(leader, float64(facts.Leader))
	s.put(voters, float64(len(facts.Voters)))
	s.put(offline, float64(facts.OfflinePartitions))
	s.put(brokers, float64(len(facts.Brokers)))
	for _, broker := range facts.Brokers {
		id := strconv.Itoa(broker.ID)
		s.is(brokerFenced, broker.Fenced, id)
		s.put(brokerNotInSync, float64(broker.NotInSync), id)
		s.put(brokerHosted, float64(broker.Hosted), id)
		s.put(brokerLeads, float64(broker.Leads), id)
		s.put(brokerFailedDirs, float64(len(broker.Failed)), id)
	}
}
