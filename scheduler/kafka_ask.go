package scheduler

import (
	"fmt"
	"reflect"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// hasKafka reports whether any pod of the target runs Kafka.
func (m *Machine) hasKafka() bool {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil {
			return true
		}
	}
	return false
}

// kafkaPods goes through the instances whose Kafka runs and shall, with their specs.
func (m *Machine) kafkaPods(yield func(Pod, servicespec.Pod) bool) {
	for p, spec := range m.kafkaRunning {
		if _, wanted := m.spec(p.Name); wanted && !yield(p, spec) {
			return
		}
	}
}

// kafkaRunning goes through the instances whose Kafka runs, those that leave too, with the specs of
// their types.
func (m *Machine) kafkaRunning(yield func(Pod, servicespec.Pod) bool) {
	if !m.hasKafka() {
		return
	}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, _ := m.spec(name)
		if spec.Kafka == nil || p.Place == nil {
			continue
		}
		for _, t := range p.Tasks {
			if t.Name == spec.Kafka.Task && t.State == mesos.Running && !yield(p, spec) {
				return
			}
		}
	}
}

// askedAt is the port at which a node is asked for facts, "" for none: brokers tell all, and
// controllers that are no brokers tell of the quorum, without which no broker comes up. Those
// that only for a while run without their brokers are left alone.
func askedAt(p Pod, spec servicespec.Pod) string {
	switch {
	case nodeOf(p, spec).Serves():
		return spec.Kafka.ClientPort
	case !spec.Kafka.Serves():
		return spec.Kafka.ControllerPort
	}
	return ""
}

// kafkaAddresses are where Kafka can be asked. What leaves tells too, until it is stopped: it may
// be the only other one that knows of a partition.
func (m *Machine) kafkaAddresses() []string {
	var addresses []string
	for p, spec := range m.kafkaRunning {
		if port := askedAt(p, spec); port != "" {
			number := portOf(taskPlace(*p.Place, spec, spec.Kafka.Task), port)
			addresses = append(addresses, fmt.Sprintf("%s:%d", p.Place.Hostname, number))
		}
	}
	return addresses
}

// poll asks Kafka and ZooKeeper how they are, where that is due.
func (m *Machine) poll() {
	m.askKafka()
	m.askZooKeeper()
}

// askKafka asks for facts: often while a node comes up, seldom while all is well.
func (m *Machine) askKafka() {
	addresses := m.kafkaAddresses()
	busy := m.curious
	for p := range m.kafkaPods {
		ok, _ := m.ready(p)
		busy = busy || !ok || p.Caretaker
	}
	if len(addresses) == 0 {
		m.polling.rest()
		return
	}
	interval := m.polling.pace(busy || m.inquiry.wanted, factsIdle, m.now, m.movedAt())
	due, all := m.askAll(interval)
	if !all {
		due = m.polling.answered.Add(interval)
	}
	if m.polling.asks(m.now, due) {
		m.inquiry.asked, m.inquiry.all = m.now, all
		m.out.Calls = append(m.out.Calls, AskKafka{Addresses: addresses, All: all})
	}
}

// saysNothing reports whether an answer gives no reason to look at the service: Kafka is asked
// often, nobody waits for what it says, and it says the same as a moment ago.
func (m *Machine) saysNothing(f KafkaFacts) bool {
	before := m.facts
	if m.curious || before == nil || f.Rolling != nil ||
		!m.now.Before(m.polling.answered.Add(passEvery)) ||
		before.Asked.Before(m.movedAt()) {
		return false
	}
	was := *before
	was.Asked = f.Asked
	return reflect.DeepEqual(was, f)
}

// heardAgain takes an answer that says nothing new.
func (m *Machine) heardAgain(f KafkaFacts) {
	m.facts = &f
	m.polling.took(m.now)
	m.polling.due = m.now.Add(m.polling.haste(m.now, m.movedAt()))
}

// movedAt is when a process was last told to end, or ended, or came up.
func (m *Machine) movedAt() time.Time {
	if m.freshAfter.After(m.inquiry.changed) {
		return m.freshAfter
	}
	return m.inquiry.changed
}
