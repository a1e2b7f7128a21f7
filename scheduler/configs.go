package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What Kafka has of the properties and topics that the target declares, and what differs. As with
// the layout there may be much of it, so only the differences come to the machine.

// ConfigWish is what is declared.
type ConfigWish struct {
	Topics  []servicespec.Topic
	Brokers []BrokerWish
}

// String gives a wish in a line.
func (w ConfigWish) String() string {
	return fmt.Sprintf("%d topics and the properties of %d brokers", len(w.Topics), len(w.Brokers))
}

// Configs is what Kafka has of a wish.
type Configs struct {
	// Asked is when the question was put, Error why there is no answer.
	Asked time.Time
	Error string
	// Brokers are the properties of those that answered, Topics those of the wish that are there.
	Brokers map[int][]Property
	Topics  map[string]TopicFacts
}

// Property is a property of a broker or a topic, with where its value is from.
type Property struct {
	Name, Value string
	// Source is one of Kafka's: DYNAMIC_TOPIC_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG …
	Source              string
	ReadOnly, Sensitive bool
	// Static is what a broker was started with, nil for nothing; Default is Kafka's own.
	Static, Default *string
}

// TopicFacts are those of one topic.
type TopicFacts struct {
	// Replicas is how many each partition has, by partition.
	Replicas []int
	// Moving says that a partition is being reassigned.
	Moving     bool
	Properties []Property
}

// Drift is what Kafka has otherwise than it is declared.
type Drift struct {
	Asked time.Time
	Error string
	// Topics are by name, Brokers by broker and name.
	Topics  []TopicDrift
	Brokers []PropertyDrift
	// Told are the brokers that told, Silent those that did not.
	Told, Silent []int
}

// String gives a drift in a line.
func (d Drift) String() string {
	if d.Error != "" {
		return fmt.Sprintf("error %q", d.Error)
	}
	return fmt.Sprintf("topics %v, properties %v, silent %v", d.Topics, d.Brokers, d.Silent)
}

// TopicDrift is a declared topic that is not as declared.
type TopicDrift struct {
	Name string
	// Missing says that there is no such topic.
	Missing bool
	// Partitions is how many it has, and Replicas how many of its partitions have, if these are
	// others than declared; else 0.
	Partitions, Replicas int
	Moving               bool // partitions of it are being reassigned
	Properties           []TopicProperty
}

// TopicProperty is a property that a topic has otherwise. Actual is "" for one that it does not
// have, Wanted nil for one that it is not to have.
type TopicProperty struct {
	Name, Actual string
	Wanted       *string
}

// String implements fmt.Stringer.
func (p TopicProperty) String() string { return differs(p.Name, p.Actual, p.Wanted) }

// differs is a property as it is, and as it is to be.
func differs(name, actual string, wanted *string) string {
	if wanted == nil {
		return fmt.Sprintf("%s is %q and not to be set", name, actual)
	}
	return fmt.Sprintf("%s is %q, not %q", name, actual, *wanted)
}

// PropertyDrift is a property that a broker has otherwise.
type PropertyDrift struct {
	Broker int
	Name   string
	// Wanted is nil for a property that the target does not have.
	Wanted *string
	Actual string
	Source string
	Reason string
	// NeedsRestart says that the broker takes the target's value only when it starts.
	NeedsRestart bool
}

// ByHand says that somebody set the property in Kafka.
func (d PropertyDrift) ByHand() bool { return byHand(d.Source) }

// String implements fmt.Stringer.
func (d PropertyDrift) String() string {
	return fmt.Sprintf("broker %d: %s", d.Broker, differs(d.Name, d.Actual, d.Wanted))
}

func byHand(source string) bool { return strings.HasPrefix(source, "DYNAMIC") }

// Sources of properties: what one broker has for itself, and what a topic has.
const (
	ownSource   = "DYNAMIC_BROKER_CONFIG"
	topicSource = "DYNAMIC_TOPIC_CONFIG"
)

// passing are properties that come and go while replicas are moved.
var passing = []string{"leader.replication.throttled.rate",
	"follower.replication.throttled.rate", "replica.alter.log.dirs.io.max.bytes.per.second",
	"leader.replication.throttled.replicas", "follower.replication.throttled.replicas",
	"cordoned.log.dirs"}

// Compare says what Kafka has otherwise than it is wished. It is no part of Step, like Weigh.
func Compare(c Configs, wish ConfigWish) Drift {
	drift := Drift{Asked: c.Asked, Error: c.Error}
	if c.Error != "" {
		return drift
	}
	for _, t := range wish.Topics {
		facts, there := c.Topics[t.Name]
		d := TopicDrift{Name: t.Name, Missing: !there}
		if there {
			d = topicDrift(t, facts)
		}
		if d.differs() {
			drift.Topics = append(drift.Topics, d)
		}
	}
	for _, b := range wish.Brokers {
		properties, told := c.Brokers[b.ID]
		if !told {
			drift.Silent = append(drift.Silent, b.ID)
			continue
		}
		drift.Told = append(drift.Told, b.ID)
		drift.Brokers = append(drift.Brokers, BrokerDrift(b, properties)...)
	}
	return drift
}

func (d TopicDrift) differs() bool {
	return d.Missing || d.Partitions > 0 || d.Replicas > 0 || len(d.Properties) > 0
}

// topicDrift compares a topic with what is declared of it.
func topicDrift(t servicespec.Topic, facts TopicFacts) TopicDrift {
	d := TopicDrift{Name: t.Name, Moving: facts.Moving}
	if t.Partitions > 0 && len(facts.Replicas) != t.Partitions {
		d.Partitions = len(facts.Replicas)
	}
	other := func(n int) bool { return n != t.Replication }
	if i := slices.IndexFunc(facts.Replicas, other); t.Replication > 0 && i >= 0 {
		d.Replicas = facts.Replicas[i]
	}
	if t.Config == nil {
		return d
	}
	has := map[string]Property{}
	for _, p := range facts.Properties {
		has[p.Name] = p
		_, wanted := t.Config[p.Name]
		if !wanted && p.Source == topicSource && !slices.Contains(passing, p.Name) {
			d.Properties = append(d.Properties, TopicProperty{Name: p.Name, Actual: p.Value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Config)) {
		if value := t.Config[name]; !SameValue(value, has[name].Value) {
			d.Properties = append(d.Properties,
				TopicProperty{Name: name, Actual: has[name].Value, Wanted: &value})
		}
	}
	slices.SortFunc(d.Properties,
		func(a, b TopicProperty) int { return strings.Compare(a.Name, b.Name) })
	return d
}

// BrokerDrift compares the properties of one broker with those that it is to have. While it waits
// for its turn in a roll, what it was launched with is as good.
func BrokerDrift(wish BrokerWish, properties []Property) []PropertyDrift {
	list := differing(wish.ID, wish.Properties, properties)
	if !wish.Waits || len(list) == 0 {
		return list
	}
	too := map[string]bool{}
	for _, d := range differing(wish.ID, wish.Launched, properties) {
		too[d.Name] = true
	}
	return slices.DeleteFunc(list, func(d PropertyDrift) bool { return !too[d.Name] })
}

// differing are the properties of a broker that are not as a configuration has them.
func differing(broker int, wish map[string]string, properties []Property) []PropertyDrift {
	var list []PropertyDrift
	for _, p := range properties {
		wanted, is := wish[p.Name]
		changed := byHand(p.Source) && !slices.Contains(passing, p.Name)
		for _, usual := range []*string{p.Static, p.Default} {
			changed = changed && (usual == nil || !SameValue(*usual, p.Value))
		}
		d := PropertyDrift{Broker: broker, Name: p.Name, Actual: p.Value, Source: p.Source}
		switch {
		case p.Sensitive:
			continue
		case is && !SameValue(wanted, p.Value):
			d.Wanted = &wanted
		case is || !changed:
			continue
		}
		if d.Reason = "somebody set it in Kafka"; p.ReadOnly {
			d.Reason = "the broker reads it when it starts"
		} else if !byHand(p.Source) {
			d.Reason = "the broker was started otherwise"
		}
		d.NeedsRestart = p.ReadOnly
		list = append(list, d)
	}
	return list
}

// SameValue compares values as Kafka reads them: lists without spaces, numbers by value.
func SameValue(a, b string) bool {
	plain := func(text string) string {
		words := strings.Fields(strings.ReplaceAll(text, ",", " "))
		return strings.ToLower(strings.Join(words, ","))
	}
	if plain(a) == plain(b) {
		return true
	}
	i, errI := strconv.ParseInt(a, 10, 64)
	j, errJ := strconv.ParseInt(b, 10, 64)
	if errI == nil && errJ == nil {
		return i == j // of large ones a float has no room for all digits
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// Corrections are the changes that make brokers have what they are to have. What one has for
// itself goes first, and shows what is below it.
func Corrections(drift []PropertyDrift) []ConfigureBrokers {
	all, each := ConfigureBrokers{Broker: AllBrokers}, map[int]*ConfigureBrokers{}
	of := func(id int) *ConfigureBrokers {
		if each[id] == nil {
			each[id] = &ConfigureBrokers{Broker: id, Set: map[string]string{}}
		}
		return each[id]
	}
	for _, d := range drift {
		switch {
		case d.NeedsRestart:
		case d.Source == ownSource:
			of(d.Broker).Delete = append(of(d.Broker).Delete, d.Name)
		case d.Wanted != nil:
			of(d.Broker).Set[d.Name] = *d.Wanted
		case !slices.Contains(all.Delete, d.Name):
			all.Delete = append(all.Delete, d.Name)
		}
	}
	var list []ConfigureBrokers
	if len(all.Delete) > 0 {
		list = append(list, all)
	}
	for _, id := range slices.Sorted(maps.Keys(each)) {
		list = append(list, *each[id])
	}
	return list
}

// The changes of topics and properties.
type (
	// CreateTopic makes a topic that is declared, with nothing on the brokers to avoid.
	CreateTopic struct {
		Topic servicespec.Topic
		Avoid []int
	}
	// GrowTopic gives a topic more partitions: so many in all.
	GrowTopic struct {
		Topic      string
		Partitions int
		Avoid      []int
	}
	// ReplicateTopic gives each partition of a topic so many replicas.
	ReplicateTopic struct {
		Topic  string
		Factor int
		Avoid  []int
	}
	// ConfigureTopic sets properties of a topic, and takes others back.
	ConfigureTopic struct {
		Topic  string
		Set    map[string]string
		Delete []string
	}
	// ConfigureBrokers does so for a broker, or for all of them.
	ConfigureBrokers struct {
		Broker int // or AllBrokers
		Set    map[string]string
		Delete []string
	}
)

// AllBrokers stands for what holds for all brokers together.
const AllBrokers = -1

func (CreateTopic) kafkaChange()      {}
func (GrowTopic) kafkaChange()        {}
func (ReplicateTopic) kafkaChange()   {}
func (ConfigureTopic) kafkaChange()   {}
func (ConfigureBrokers) kafkaChange() {}

// String implements fmt.Stringer.
func (c CreateTopic) String() string {
	return fmt.Sprintf("create topic %s with %s partitions, %s replicas%s%s", c.Topic.Name,
		numberOrUsual(c.Topic.Partitions), numberOrUsual(c.Topic.Replication),
		avoidText(c.Avoid), settingsText(c.Topic.Config, nil))
}

// avoidText names the brokers that get nothing: ", none on [3]".
func avoidText(brokers []int) string {
	if len(brokers) == 0 {
		return ""
	}
	return fmt.Sprintf(", none on %v", brokers)
}

func numberOrUsual(n int) string {
	if n == 0 {
		return "the usual"
	}
	return strconv.Itoa(n)
}

// String implements fmt.Stringer.
func (c GrowTopic) String() string {
	return fmt.Sprintf("give topic %s %d partitions%s", c.Topic, c.Partitions, avoidText(c.Avoid))
}

// String implements fmt.Stringer.
func (c ReplicateTopic) String() string {
	return fmt.Sprintf("give topic %s %d replicas%s", c.Topic, c.Factor, avoidText(c.Avoid))
}

// String implements fmt.Stringer.
func (c ConfigureTopic) String() string {
	return fmt.Sprintf("configure topic %s%s", c.Topic, settingsText(c.Set, c.Delete))
}

// String implements fmt.Stringer.
func (c ConfigureBrokers) String() string {
	which := "all brokers"
	if c.Broker != AllBrokers {
		which = fmt.Sprintf("broker %d", c.Broker)
	}
	return fmt.Sprintf("configure %s%s", which, settingsText(c.Set, c.Delete))
}

// settingsText names properties that are set and taken back: ": a=1, without b".
func settingsText(set map[string]string, gone []string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(set)) {
		parts = append(parts, name+"="+set[name])
	}
	for _, name := range gone {
		parts = append(parts, "without "+name)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
