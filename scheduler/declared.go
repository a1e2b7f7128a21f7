package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How Kafka comes to have the topics that the target declares, and how drift is noticed. Kafka is
// asked for what differs from time to time, and at once after a change. What differs is asked for
// as a change, a few at a time, each again after a while that grows as long as it shows no effect;
// nothing is stored, because the next answer tells how far it is. Topics are never deleted.

// declared is what is known of what the target declares.
type declared struct {
	of     string // the target that all this is of
	topics []servicespec.Topic
	lost   time.Time
	next   time.Time // when to ask; lost is when an answer is given up, zero when none is awaited
	found  *Drift    // nil before the first answer
	// tries are by the names of topics, and for brokers by their ids behind a word.
	tries map[string]try
	// drifts is since when properties are otherwise that somebody changed, by broker and name.
	drifts map[string]time.Time
}

// try is what was tried for a topic, or for a change of brokers.
type try struct {
	change  string
	count   int       // how often
	lost    time.Time // when an answer is given up, zero when none is awaited
	at      time.Time // when it was answered, or given up
	again   time.Time // when it may be tried again
	problem string    // why Kafka did not take it
}

// Times and bounds of what is declared.
const (
	configsEvery = time.Minute            // between questions while all is as declared
	configsSoon  = 500 * time.Millisecond // after a change
	configsAgain = 5 * time.Second        // while something is not, or nobody answers
	configsLost  = time.Minute
	changesMost  = 5 // at a time
	tryMost      = 5 * time.Minute
	// handPatience is how long a property is left that somebody changed: an update tells Kafka
	// of its properties before it becomes the target.
	handPatience = 30 * time.Second
)

// TopicState is how a declared topic is.
type TopicState string

// The states of declared topics.
const (
	TopicUnknown TopicState = "unknown" // Kafka has not told yet
	TopicReached TopicState = "as-declared"
	TopicDiffers TopicState = "differs" // and that is being changed
	TopicRefused TopicState = "refused" // Kafka, or the scheduler, does not do what is declared
)

// DeclaredTopic is a topic of the target with how it is in Kafka.
type DeclaredTopic struct {
	servicespec.Topic
	State  TopicState
	Reason string // what differs, and what holds its change; "" for nothing
}

// passDeclared asks what differs from what is declared, and has it changed.
func (m *Machine) passDeclared() {
	if m.declared.of != m.hard.Target.ID {
		m.declared = declared{of: m.hard.Target.ID, topics: m.hard.Target.Service.Topics(),
			tries: map[string]try{}, drifts: map[string]time.Time{}}
	}
	if !m.tendsConfigs() {
		return
	}
	if found := m.declared.found; found != nil && found.Error == "" {
		m.mendTopics(found.Topics)
		m.mendBrokers(found.Brokers)
	}
	m.askConfigs()
}

// tendsConfigs reports whether the service is there so far that what it declares is looked after:
// it was complete once, so that the first topics lie on all brokers.
func (m *Machine) tendsConfigs() bool {
	t := m.hard.Target
	return m.hard.Intent == Run && m.hard.Kafka.Founded && (t.Updates || !t.Done.IsZero()) &&
		m.kafkaNow() != nil
}

// servingAddresses are those of the brokers that serve, as Kafka told lately.
func (m *Machine) servingAddresses() []string {
	f := m.kafkaNow()
	if f == nil {
		return nil
	}
	var addresses []string
	for _, b := range f.Brokers {
		if !b.Fenced && b.Address != "" {
			addresses = append(addresses, b.Address)
		}
	}
	return addresses
}

// askConfigs asks what differs, when that is due.
func (m *Machine) askConfigs() {
	d := &m.declared
	if until := maxTime(d.lost, d.next); m.now.Before(until) {
		m.wakeBy(until)
		return
	}
	wish, addresses := m.configWish(), m.servingAddresses()
	if len(wish.Topics)+len(wish.Brokers) == 0 || len(addresses) == 0 {
		d.next = m.now.Add(configsAgain)
		m.wakeBy(d.next)
		return
	}
	d.lost = m.now.Add(configsLost)
	m.wakeBy(d.lost)
	m.out.Calls = append(m.out.Calls, AskConfigs{addresses, d.of, wish})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// fromConfigs takes in what differs.
func (m *Machine) fromConfigs(ev FromConfigs) {
	d := &m.declared
	if ev.Target != d.of || d.lost.IsZero() {
		return // of an earlier question
	}
	before := d.found
	d.lost, d.next = time.Time{}, m.now.Add(configsEvery)
	if ev.Drift.Error != "" {
		d.next = m.now.Add(configsAgain)
		if before != nil {
			return // what was known is better than nothing
		}
	}
	if len(ev.Drift.Topics) > 0 {
		d.next = m.now.Add(configsAgain)
	}
	d.found = &ev.Drift
	m.noteDrift(before)
	m.forgetTries()
}

// forgetTries forgets what was tried for topics that are as declared now.
func (m *Machine) forgetTries() {
	d := &m.declared
	for key, t := range d.tries {
		_, differs := d.found.topic(key)
		if !differs && t.lost.IsZero() && len(d.found.Brokers) == 0 {
			delete(d.tries, key)
		}
	}
}

// noteDrift keeps in the journal what differs that did not before.
func (m *Machine) noteDrift(before *Drift) {
	d := &m.declared
	was := Drift{}
	if before != nil {
		was = *before
	}
	for _, t := range d.found.Topics {
		if _, differed := was.topic(t.Name); before != nil && !differed {
			m.record(JournalEntry{Kind: "drift", By: "scheduler", What: "topic " + t.Name,
				Outcome: m.topicText(t)})
		}
	}
	since := map[string]time.Time{}
	for _, p := range d.found.Brokers {
		if !p.ByHand() || p.NeedsRestart {
			continue
		}
		key := driftKey(p)
		at, known := d.drifts[key]
		if since[key] = at; !known {
			since[key] = m.now
			m.record(JournalEntry{Kind: "drift", By: "scheduler", What: key, Outcome: p.text()})
		}
	}
	d.drifts = since
	//tidy:unordered the earliest of all
	for _, at := range since {
		d.next = m.soonerOf(d.next, at.Add(handPatience))
	}
}

// soonerOf is the earlier of two times unless the second has passed.
func (m *Machine) soonerOf(a, b time.Time) time.Time {
	if b.After(m.now) && b.Before(a) {
		return b
	}
	return a
}

func driftKey(p PropertyDrift) string { return fmt.Sprintf("broker %d %s", p.Broker, p.Name) }

// text says what differs.
func (d PropertyDrift) text() string {
	if d.Wanted == nil {
		return fmt.Sprintf("is %s, and the target does not have it: %s", d.Actual, d.Reason)
	}
	return fmt.Sprintf("is %s, and %s in the target: %s", d.Actual, *d.Wanted, d.Reason)
}

// mendTopics has topics changed that are not as declared.
func (m *Machine) mendTopics(list []TopicDrift) {
	for _, t := range list {
		switch change, _ := m.topicChange(t); change := change.(type) {
		case nil:
		case ReplicateTopic:
			m.replicate(change)
		default:
			m.tryChange(t.Name, change)
		}
	}
}

// tryChange asks for a change unless that was done lately, or enough others are under way.
func (m *Machine) tryChange(key string, change KafkaChange) {
	d := &m.declared
	t := d.tries[key]
	if t.change != change.String() && t.lost.IsZero() {
		t = try{change: change.String(), at: t.at}
	}
	under := 0
	//tidy:unordered they are counted
	for _, other := range d.tries {
		if !other.lost.IsZero() && m.now.Before(other.lost) {
			under++
		}
	}
	switch {
	case m.now.Before(t.lost):
		m.wakeBy(t.lost)
		return
	case !t.lost.IsZero():
		t.lost, t.at = time.Time{}, m.now
		d.tries[key], d.next = t, m.now
		return
	case under >= changesMost:
		return
	case m.now.Before(t.again):
		m.wakeBy(t.again)
		return
	case !d.found.Asked.After(t.at):
		return // it may be made already
	}
	addresses := m.servingAddresses()
	if len(addresses) > 0 && m.askChange(addresses, change) {
		t.lost = m.now.Add(changeLost)
		d.tries[key] = t
	}
}

// configured takes in what became of a change of topics or brokers.
func (m *Machine) configured(ev KafkaChanged) {
	d := &m.declared
	change := ev.Change.String()
	outcome := cmp.Or(ev.Error, "done")
	//tidy:unordered one has the change at most
	for key, t := range d.tries {
		if t.lost.IsZero() || t.change != change {
			continue
		}
		if t.problem != ev.Error || ev.Error == "" {
			m.record(JournalEntry{Kind: "declared", By: "scheduler", What: change,
				Outcome: outcome})
		}
		t.lost, t.problem, t.at = time.Time{}, ev.Error, m.now
		wait := configsAgain << min(t.count, 10)
		t.again = m.now.Add(min(wait, tryMost))
		t.count++
		d.tries[key] = t
		d.next = m.soonerOf(d.next, m.now.Add(configsSoon))
		return
	}
}

// topicChange is the next change that a topic needs, nil for none, with why there is none.
func (m *Machine) topicChange(d TopicDrift) (KafkaChange, string) {
	t, ok := m.declaredTopic(d.Name)
	switch {
	case !ok:
		return nil, ""
	case d.Missing:
		return CreateTopic{t, m.avoid()}, ""
	case d.Partitions > 0 && d.Partitions < t.Partitions:
		return GrowTopic{t.Name, t.Partitions, m.avoid()}, ""
	case len(d.Properties) > 0:
		return configureTopic(d), ""
	case d.Replicas == 0:
		return nil, ""
	}
	if hold := m.holdReplicas(d, t.Replication); hold != "" {
		return nil, hold
	}
	return ReplicateTopic{t.Name, t.Replication, m.leavingBrokers()}, ""
}

func configureTopic(d TopicDrift) ConfigureTopic {
	c := ConfigureTopic{Topic: d.Name, Set: map[string]string{}}
	for _, p := range d.Properties {
		if p.Wanted == nil {
			c.Delete = append(c.Delete, p.Name)
		} else {
			c.Set[p.Name] = *p.Wanted
		}
	}
	return c
}

func (m *Machine) declaredTopic(name string) (servicespec.Topic, bool) {
	i, ok := slices.BinarySearchFunc(m.declared.topics, name,
		func(t servicespec.Topic, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return servicespec.Topic{}, false
	}
	return m.declared.topics[i], true
}

// topic finds what differs of a topic.
func (d Drift) topic(name string) (TopicDrift, bool) {
	i, ok := slices.BinarySearchFunc(d.Topics, name,
		func(t TopicDrift, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return TopicDrift{}, false
	}
	return d.Topics[i], true
}

// topicText says what differs of a topic.
func (m *Machine) topicText(d TopicDrift) string {
	t, _ := m.declaredTopic(d.Name)
	text := ""
	say := func(format string, values ...any) {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf(format, values...)
	}
	if d.Missing {
		say("there is no such topic yet")
	}
	switch {
	case d.Partitions > t.Partitions:
		say("it has %d partitions, %d are declared, and Kafka takes none away: declare %d",
			d.Partitions, t.Partitions, d.Partitions)
	case d.Partitions > 0:
		say("it has %d partitions, %d are declared", d.Partitions, t.Partitions)
	}
	if d.Replicas > 0 {
		say("it has %d replicas of a partition, %d are declared", d.Replicas, t.Replication)
	}
	for _, p := range d.Properties {
		if p.Wanted == nil {
			say("%s is %s, and is not declared", p.Name, p.Actual)
		} else {
			say("%s is %q, %q is declared", p.Name, p.Actual, *p.Wanted)
		}
	}
	return text
}

// declaredTopics are the topics of the target with how they are.
func (m *Machine) declaredTopics() []DeclaredTopic {
	var list []DeclaredTopic
	topics, found := m.declared.topics, m.declared.found
	if m.declared.of != m.hard.Target.ID {
		topics, found = m.hard.Target.Service.Topics(), nil
	}
	for _, t := range topics {
		one := DeclaredTopic{Topic: t, State: TopicUnknown, Reason: "Kafka has not told yet"}
		switch {
		case found == nil:
		case found.Error != "":
			one.Reason = "Kafka does not tell: " + found.Error
		default:
			one.State, one.Reason = m.topicState(t)
		}
		list = append(list, one)
	}
	return list
}

// refuseTopics refuses a configuration whose topics cannot become as they are declared. The way
// back to an earlier one is open all the same: then the topic stays as it is, and says so.
func (m *Machine) refuseTopics(next servicespec.Service) *Problem {
	reasons := servicespec.FewerPartitions(m.hard.Target.Service, next)
	if len(reasons) == 0 {
		return nil
	}
	return problem(Conflict, "this change cannot be rolled out: %s", strings.Join(reasons, "; "))
}

// driftNow is what differs from the target, nil before Kafka told.
func (m *Machine) driftNow() *Drift {
	if m.declared.of != m.hard.Target.ID {
		return nil
	}
	return m.declared.found
}

// topicState is how a declared topic is.
func (m *Machine) topicState(t servicespec.Topic) (TopicState, string) {
	d, differs := m.declared.found.topic(t.Name)
	if !differs {
		return TopicReached, ""
	}
	state, text := TopicDiffers, m.topicText(d)
	change, hold := m.topicChange(d)
	problem := m.declared.tries[t.Name].problem
	switch {
	case problem != "":
		return TopicRefused, text + ": Kafka refuses: " + problem
	case hold != "":
		text += ": " + hold
	case change == nil:
		state = TopicRefused
	}
	return state, text
}

// mendBrokers takes back what somebody changed in Kafka, where that is the policy: of brokers that
// run with the target, and not at once.
func (m *Machine) mendBrokers(list []PropertyDrift) {
	var ripe []PropertyDrift
	for _, d := range list {
		since, known := m.declared.drifts[driftKey(d)]
		byHand := known && !m.declared.found.Asked.Before(since.Add(handPatience))
		if !d.NeedsRestart && m.corrects(d.Broker) && (byHand || !d.ByHand()) {
			ripe = append(ripe, d)
		}
	}
	for _, c := range Corrections(ripe) {
		m.tryChange(c.key(), c)
	}
}

// key names a change among the tries, where topics have their own names.
func (c ConfigureBrokers) key() string { return fmt.Sprintf("broker %d", c.Broker) }

// corrects reports whether the properties of a broker are corrected: that is the policy, and it
// runs with what the target says.
func (m *Machine) corrects(id int) bool {
	for p, spec := range m.kafkaPods {
		if nodeID(p.Name, spec) == id && spec.Kafka.Serves() {
			t, _ := p.task(spec.Kafka.Task)
			return spec.Kafka.DriftPolicy() == servicespec.DriftCorrect &&
				!m.outdated(p, spec, t)
		}
	}
	return false
}
