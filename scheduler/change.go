package scheduler

import (
	"fmt"
	"slices"
	"time"
)

// How Kafka itself is changed. What is wanted is derived anew in each pass from what Kafka says and
// what is stored; a change is asked for, and whether it came about is seen in the next facts. So
// one whose answer was lost is asked for again, and every change has to be one that may be asked
// for twice.

// KafkaChange is a change of the Kafka cluster. Equal changes have equal texts.
type KafkaChange interface {
	kafkaChange()
	fmt.Stringer
}

// The changes.
type (
	// AddVoter makes a controller that follows the quorum one of its voters.
	AddVoter struct {
		Node      int
		Directory string
		// Host and Port are those of its controller listener.
		Host string
		Port int
	}
	// RemoveVoter takes the vote from a node with a certain log directory.
	RemoveVoter struct {
		Node      int
		Directory string
	}
	// Unregister has the controllers forget a broker that is gone for good.
	Unregister struct{ Broker int }
)

func (AddVoter) kafkaChange()    {}
func (RemoveVoter) kafkaChange() {}
func (Unregister) kafkaChange()  {}

// String implements fmt.Stringer.
func (c AddVoter) String() string {
	return fmt.Sprintf("add voter %d[%s] at %s:%d", c.Node, c.Directory, c.Host, c.Port)
}

// String implements fmt.Stringer.
func (c RemoveVoter) String() string {
	return fmt.Sprintf("remove voter %d[%s]", c.Node, c.Directory)
}

// String implements fmt.Stringer.
func (c Unregister) String() string { return fmt.Sprintf("unregister broker %d", c.Broker) }

// changing is a change that was asked for.
type changing struct {
	since  time.Time
	until  time.Time // when it is not asked for again before, or given up
	failed string    // why Kafka did not take it, "" as long as there is no answer
	taken  bool      // Kafka took it
}

// Bounds of changes.
const (
	changeLost  = time.Minute     // an answer that did not come is given up
	changeAgain = 2 * time.Second // after an answer, before the same is asked for again
)

// changeKafka asks for a change, unless it is under way or was lately. It says why the last try
// failed, "" if it did not.
func (m *Machine) changeKafka(c KafkaChange) string {
	return m.changeAt(m.takers(c), c)
}

// changeAt is changeKafka for what not every node takes.
func (m *Machine) changeAt(addresses []string, c KafkaChange) string {
	was := m.changing[c.String()]
	if len(addresses) == 0 && !m.now.Before(was.until) {
		return "no Kafka node runs"
	}
	m.askChange(addresses, c)
	return was.failed
}

// askChange asks nodes at some addresses for a change; false says that it is under way, or was
// lately.
func (m *Machine) askChange(addresses []string, c KafkaChange) bool {
	key := c.String()
	if was, known := m.changing[key]; known && m.now.Before(was.until) {
		m.wakeBy(was.until)
		return false
	}
	m.changing[key] = changing{since: m.now, until: m.now.Add(changeLost)}
	m.wakeBy(m.now.Add(changeLost))
	m.out.Calls = append(m.out.Calls, ChangeKafka{addresses, c})
	m.note(Info, "", "change Kafka", "change", key)
	return true
}

// takers are the addresses of nodes that can make a change, in the order in which they are tried.
// Brokers pass everything on to whom it concerns; controllers do not, and brokers on ZooKeeper know
// nothing of a quorum, so that of changes of the quorum its leader is told.
func (m *Machine) takers(c KafkaChange) []string {
	addresses := m.kafkaAddresses()
	switch c.(type) {
	case AddVoter, RemoveVoter:
	default:
		return addresses
	}
	for p, spec := range m.kafkaPods {
		port := askedAt(p, spec)
		if f := m.kafkaNow(); f == nil || port == "" || nodeID(p.Name, spec) != f.Leader {
			continue
		}
		number := portOf(taskPlace(*p.Place, spec, spec.Kafka.Task), port)
		leader := fmt.Sprintf("%s:%d", p.Place.Hostname, number)
		at := slices.Index(addresses, leader)
		if at > 0 {
			addresses = slices.Insert(slices.Delete(addresses, at, at+1), 0, leader)
		}
	}
	return addresses
}

// kafkaChanged takes in what became of a change.
func (m *Machine) kafkaChanged(ev KafkaChanged) {
	key := ev.Change.String()
	m.changing[key] = changing{since: m.now, until: m.now.Add(changeAgain),
		failed: ev.Error, taken: ev.Error == ""}
	m.stirAll()
	m.polling.hurry() // so that Kafka is asked at once
	level, text := Info, "Kafka was changed"
	if ev.Error != "" {
		level, text = Warn, "Kafka was not changed"
	}
	m.note(level, "", text, "change", key, "error", ev.Error)
	switch ev.Change.(type) {
	case StartMoves, CancelMoves:
		m.survey.problem = ev.Error
	case Unthrottle:
		if m.survey.problem = ev.Error; ev.Error == "" {
			m.unthrottled()
		}
	case CreateTopic, GrowTopic, ReplicateTopic, ConfigureTopic, ConfigureBrokers:
		m.configured(ev)
	}
}

// changed reports whether Kafka took a change lately.
func (m *Machine) changed(c KafkaChange) bool { return m.changing[c.String()].taken }

// forgetChanges forgets the changes that were answered and are wanted no more.
func (m *Machine) forgetChanges() {
	for key, c := range m.changing {
		if !m.now.Before(c.until.Add(changeLost)) {
			delete(m.changing, key)
		}
	}
}
