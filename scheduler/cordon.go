package scheduler

import (
	"fmt"
	"slices"
)

// Brokers that are to go for good take no new replicas from then on, where Kafka can be told so
// (KIP-1066, from the metadata version of 4.3 on), and those that are wanted after all take them
// again. Which brokers were cordoned is stored before Kafka is told: what an operator cordoned is
// left alone, and an id that is used again later is not shut out by what was said of it before.

// Cordon has a broker take no new replicas, or take them again.
type Cordon struct {
	Broker int
	On     bool
}

func (Cordon) kafkaChange() {}

// String implements fmt.Stringer.
func (c Cordon) String() string {
	if c.On {
		return fmt.Sprintf("cordon broker %d", c.Broker)
	}
	return fmt.Sprintf("uncordon broker %d", c.Broker)
}

// passCordons cordons the brokers that are to go, and uncordons those that are wanted again.
func (m *Machine) passCordons() {
	f := m.kafkaNow()
	if m.hard.Intent != Run || !m.hard.Kafka.Founded || f == nil {
		return
	}
	if !f.Cordons && len(m.hard.Kafka.Cordoned) == 0 {
		return
	}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, wanted := m.spec(name)
		if spec.Kafka == nil || p.Place == nil || !p.anyRuns() || !nodeOf(p, spec).Serves() {
			continue
		}
		b := f.broker(nodeID(name, spec))
		if b == nil || b.Fenced || !wanted && !f.Cordons {
			continue
		}
		port := portOf(taskPlace(*p.Place, spec, spec.Kafka.Task), spec.Kafka.ClientPort)
		m.cordon(*b, !wanted, fmt.Sprintf("%s:%d", p.Place.Hostname, port))
	}
}

// cordon sees to it that a broker is cordoned, or is not because of us. Only the broker itself
// takes that.
func (m *Machine) cordon(b BrokerFacts, on bool, address string) {
	mine := slices.Contains(m.hard.Kafka.Cordoned, b.ID)
	c := Cordon{Broker: b.ID, On: on}
	switch {
	case !on && !mine, on && !mine && b.Cordoned: // or an operator did it
		return
	case on && !mine:
		m.setCordoned(b.ID, true)
	case !on && m.changed(c):
		m.setCordoned(b.ID, false)
		return
	case m.changed(c), on && b.Cordoned:
		return
	}
	m.changeAt([]string{address}, c)
}

func (m *Machine) setCordoned(id int, on bool) {
	k := m.hard.Kafka
	k.Cordoned = slices.DeleteFunc(slices.Clone(k.Cordoned), func(i int) bool { return i == id })
	if on {
		k.Cordoned = append(k.Cordoned, id)
		slices.Sort(k.Cordoned)
	}
	m.setKafka(k)
}

// avoid are the brokers that new partitions are kept off by us: those that are to go for good, and
// that Kafka gives some all the same.
func (m *Machine) avoid() []int {
	f := m.kafkaNow()
	return slices.DeleteFunc(m.leavingBrokers(), func(id int) bool {
		return f != nil && f.cordoned(id)
	})
}

// cordoned reports whether Kafka gives a broker no new replicas.
func (f *KafkaFacts) cordoned(id int) bool {
	b := f.broker(id)
	return b != nil && b.Cordoned
}

// Leaving are the ids of the brokers that are to go for good.
func (v *View) Leaving() []int {
	var ids []int
	for _, p := range v.Pods {
		if p.Leaving && p.Broker != nil {
			ids = append(ids, p.Broker.ID)
		}
	}
	return ids
}

// Avoid are those of them that Kafka gives new partitions all the same.
func (v *View) Avoid() []int {
	return slices.DeleteFunc(v.Leaving(), func(id int) bool {
		return v.Kafka.Facts != nil && v.Kafka.Facts.cordoned(id)
	})
}
