package scheduler

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How a whole service stops.
//
// A KRaft broker ends in order only with the consent of the controllers: without a quorum it
// waits five minutes for it (BrokerServer.shutdown) before it closes its logs. Combined nodes
// take their controllers with them, so the last ones would always wait. Therefore brokers end
// one after the other, and when the next one would be without a quorum, nodes that have ended
// are launched once more with their controllers alone, as caretakers, on their own volumes. When
// no broker is left, the controllers end at once; they need nobody. Controllers that are no
// brokers run until then, so that a caretaker is seldom needed beside them.

// passStop ends all tasks, brokers in turn, and keeps everything else.
func (m *Machine) passStop(w *work) {
	brokers, controllers, quorum := m.stopping()
	live := 0
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.anyLive() {
			live++
		}
		m.waits[name] = "the service is stopped"
		spec, ok := m.spec(name)
		switch {
		case ok && spec.Kafka != nil:
		case ok && spec.ZooKeeper != nil && len(brokers) > 0:
			m.waits[name] = "it stops after the brokers, which may need it to end in order"
		default:
			w.kill(p, nil)
		}
	}
	if live != m.stopLive || m.stopAt.IsZero() {
		m.stopLive, m.stopAt = live, m.now
	}
	switch {
	case !m.now.Before(m.stopAt.Add(stopPatience)):
		rough := stopRough
		for _, name := range m.podNames() {
			w.kill(m.hard.Pods[name], &rough)
		}
	case len(brokers) == 0:
		for _, name := range m.podNames() {
			w.kill(m.hard.Pods[name], nil)
		}
	case m.endsNow(brokers[0]) || len(controllers) >= quorum && m.quorumStands():
		w.kill(m.hard.Pods[brokers[0]], nil)
		for _, name := range brokers[1:] {
			m.waits[name] = "it stops after " + brokers[0].String()
		}
	default:
		w.appoint(controllers, quorum, brokers[0])
	}
}

// stopping gives the brokers that still run, the last one first, the instances whose
// controllers run and, as far as Kafka tells, vote, and how many of them a quorum takes.
func (m *Machine) stopping() (brokers, controllers []PodName, quorum int) {
	voters := 0
	told := m.facts != nil && m.facts.Error == "" && len(m.facts.Present) > 0
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		if !ok || spec.Kafka == nil || p.Place == nil {
			continue
		}
		runs := p.anyRuns()
		node := nodeOf(p, spec)
		if node.Controls() {
			voters++
			present := p.Caretaker || !told ||
				slices.Contains(m.facts.Present, nodeID(name, spec))
			if runs && present {
				controllers = append(controllers, name)
			}
		}
		if node.Serves() && runs {
			brokers = append([]PodName{name}, brokers...)
		}
	}
	if told {
		voters = len(m.facts.Voters)
	}
	if voters == 0 { // the metadata is in ZooKeeper, whose servers run as long as brokers do
		return brokers, nil, 0
	}
	return brokers, controllers, voters/2 + 1
}

// endsNow reports whether an instance was told to end already.
func (m *Machine) endsNow(name PodName) bool {
	for _, t := range m.hard.Pods[name].Tasks {
		_, told := m.kills[t.ID]
		if t.live() && (told || t.State == mesos.Killing) {
			return true
		}
	}
	return false
}

// quorumStands reports whether the controllers were seen to have a leader since the latest
// caretaker came up. Without a caretaker there is no reason to doubt it.
func (m *Machine) quorumStands() bool {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if !p.Caretaker || !p.anyLive() {
			continue
		}
		for _, t := range p.Tasks {
			if t.State != mesos.Running || t.Ready == nil || !*t.Ready {
				return false
			}
		}
		f := m.facts
		if f == nil || f.Error != "" || f.Leader < 0 || f.Asked.Before(m.freshAfter) {
			return false
		}
	}
	return true
}

// appoint launches the controllers of nodes that have ended, until there are enough.
func (w *work) appoint(controllers []PodName, quorum int, waiting PodName) {
	m := w.m
	m.waits[waiting] = "it stops once the quorum of the controllers stands again"
	missing := quorum - len(controllers)
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		free := ok && spec.Kafka != nil && spec.Kafka.Controls() && p.Place != nil && !p.anyLive()
		if missing <= 0 || !free {
			continue
		}
		missing--
		w.place(m.asBefore(p, launchOf{pod: name, spec: spec,
			tasks: []string{spec.Kafka.Task}, caretaker: true}))
		m.waits[name] = "its controller runs alone until " + waiting.String() + " has stopped"
	}
}

// caretakes reports whether the controller of an instance runs alone, as far as anybody knows. One
// that is lost, or out of reach, is brought back like any other task.
func (p Pod) caretakes() bool { return p.Caretaker && p.anyRuns() }

// caretakerCheck is the readiness check of a controller that runs alone.
func caretakerCheck(
	spec servicespec.Pod, got offer.SetResources, host string,
) *executor.Check {
	return &executor.Check{
		TCP:      &executor.TCPCheck{Host: host, Port: portOf(got, spec.Kafka.ControllerPort)},
		Interval: time.Second, Timeout: 5 * time.Second,
	}
}
