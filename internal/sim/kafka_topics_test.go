package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// topic is a topic as far as a spec can declare it.
type topic struct {
	partitions, replicas int
	config               map[string]string
}

// handMade is a property that somebody sets on a broker, and on a topic.
const (
	handMade      = "num.io.threads"
	topicHandMade = "segment.ms"
	ownOfBroker   = "DYNAMIC_BROKER_CONFIG"
	ownOfTopic    = "DYNAMIC_TOPIC_CONFIG"
)

// configs answers what differs from what is declared, or does not.
func (k *kafka) configs(p *process, call scheduler.AskConfigs) {
	w, asked, life := k.w, k.w.now, p.life
	if w.chance(0.05 * w.scenario.asked) {
		return
	}
	w.after(w.between(2*time.Millisecond, time.Second), func() {
		found := scheduler.Configs{Asked: asked, Error: "no leader of the quorum"}
		if c := k.at(call.Addresses); c != nil && k.governed(c) {
			k.meddle(c)
			found = k.found(c, call.Wish, asked)
		}
		if p.life == life {
			p.step(scheduler.FromConfigs{Target: call.Target,
				Drift: scheduler.Compare(found, call.Wish)})
		}
	})
}

// meddle is somebody who changes topics and brokers by hand.
func (k *kafka) meddle(c *cluster) {
	for _, name := range slices.Sorted(maps.Keys(c.topics)) {
		switch {
		case k.w.chance(0.05 * k.w.scenario.asked):
			k.w.tell("somebody configures %s", name)
			c.topics[name].config[topicHandMade] = "1"
		case k.w.chance(0.01 * k.w.scenario.asked):
			k.w.tell("somebody deletes %s", name)
			delete(c.topics, name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.brokers)) {
		if k.w.chance(0.05 * k.w.scenario.asked) {
			k.w.tell("somebody configures broker %d", id)
			c.byHand[id] = true
		}
	}
}

func (k *kafka) found(
	c *cluster, wish scheduler.ConfigWish, asked time.Time,
) scheduler.Configs {
	found := scheduler.Configs{Asked: asked, Brokers: map[int][]scheduler.Property{},
		Topics: map[string]scheduler.TopicFacts{}}
	for _, b := range wish.Brokers {
		switch {
		case !k.serves(c, b.ID):
		case c.byHand[b.ID]:
			found.Brokers[b.ID] = []scheduler.Property{{Name: handMade, Value: "64",
				Source: ownOfBroker}}
		default:
			found.Brokers[b.ID] = nil
		}
	}
	for _, declared := range wish.Topics {
		if t := c.topics[declared.Name]; t != nil {
			facts := scheduler.TopicFacts{
				Replicas: slices.Repeat([]int{t.replicas}, t.partitions)}
			for _, name := range slices.Sorted(maps.Keys(t.config)) {
				facts.Properties = append(facts.Properties, scheduler.Property{Name: name,
					Value: t.config[name], Source: ownOfTopic})
			}
			found.Topics[declared.Name] = facts
		}
	}
	return found
}

// applyDeclared makes a change of a topic or a broker; it says why Kafka refuses it.
func (k *kafka) applyDeclared(c *cluster, change scheduler.KafkaChange) string {
	switch change := change.(type) {
	case scheduler.CreateTopic:
		return k.createTopic(c, change.Topic)
	case scheduler.GrowTopic:
		t := c.topics[change.Topic]
		if t == nil {
			return "there is no such topic"
		}
		if change.Partitions < t.partitions {
			k.w.fail("topics", "%s is to shrink from %d to %d partitions", change.Topic,
				t.partitions, change.Partitions)
		}
		t.partitions = change.Partitions
	case scheduler.ReplicateTopic:
		if t := c.topics[change.Topic]; t != nil {
			t.replicas = change.Factor
		}
	case scheduler.ConfigureTopic:
		if t := c.topics[change.Topic]; t != nil {
			maps.Copy(t.config, change.Set)
			for _, name := range change.Delete {
				delete(t.config, name)
			}
		}
	case scheduler.ConfigureBrokers:
		if slices.Contains(change.Delete, handMade) {
			delete(c.byHand, change.Broker)
		}
	}
	return ""
}

func (k *kafka) createTopic(c *cluster, declared servicespec.Topic) string {
	serving := 0
	for id := range c.brokers {
		if k.serves(c, id) {
			serving++
		}
	}
	switch {
	case c.topics[declared.Name] != nil:
	case declared.Replication > serving:
		return fmt.Sprintf("%d brokers serve", serving)
	default:
		config := maps.Clone(declared.Config)
		if config == nil {
			config = map[string]string{}
		}
		c.topics[declared.Name] = &topic{max(1, declared.Partitions),
			max(1, declared.Replication), config}
	}
	return ""
}

// undeclared says which topic or broker of a service that is complete is not as declared, "" if all
// are. What has more partitions than are declared since a way back stays so.
func (w *world) undeclared() string {
	service := w.store.hard.Target.Service
	for _, n := range w.kafka.nodes { // one that is not founded may have been given up
		c := n.volume.cluster
		if c == nil || c.id != w.store.hard.Kafka.ID {
			continue
		}
		for _, declared := range service.Topics() {
			t := c.topics[declared.Name]
			switch {
			case t == nil:
				return fmt.Sprintf("there is no topic %s", declared.Name)
			case t.partitions < declared.Partitions:
				return fmt.Sprintf("%s has %d partitions, and %d are declared", declared.Name,
					t.partitions, declared.Partitions)
			case declared.Replication > 0 && t.replicas != declared.Replication:
				return fmt.Sprintf("%s has %d replicas, and %d are declared", declared.Name,
					t.replicas, declared.Replication)
			case declared.Config != nil && !maps.Equal(t.config, declared.Config):
				return fmt.Sprintf("%s has %v, and %v is declared", declared.Name, t.config,
					declared.Config)
			}
		}
		if len(service.Topics()) == 0 {
			continue // the policy is the same shape's
		}
		for id := range c.byHand { // of one that is gone nobody can say what it has
			if c.brokers[id] != nil && w.kafka.listed(c, id) {
				return fmt.Sprintf("broker %d is configured by hand", id)
			}
		}
	}
	return ""
}
