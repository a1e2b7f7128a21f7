package scheduler

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What brokers are to have. While a configuration is rolled out, a broker whose turn has not come
// runs with an earlier one: that is no drift, and neither is what Kafka was told of the new one.

// BrokerWish are the properties that one broker is to have.
type BrokerWish struct {
	ID         int
	Properties map[string]string
	// Waits says that the broker is yet to be launched with these, Launched what it runs with until
	// then.
	Waits    bool
	Launched map[string]string
}

// brokerWish is what an instance of a pod of the target is to have. waits is the id of the
// configuration that it runs with until its turn comes, "" if it is not to be launched anew.
func brokerWish(
	spec servicespec.Pod, index int, earlier []EarlierTarget, waits string,
) BrokerWish {
	wish := BrokerWish{ID: spec.Kafka.NodeID(index),
		Properties: spec.Kafka.Node(index).Properties}
	i := slices.IndexFunc(earlier, func(e EarlierTarget) bool { return e.ID == waits })
	if i < 0 {
		return wish
	}
	if then := podSpec(earlier[i].Service, spec.Type); then != nil && then.Kafka != nil {
		wish.Waits, wish.Launched = true, then.Kafka.Node(index).Properties
	}
	return wish
}

// configWish is what the target declares.
func (m *Machine) configWish() ConfigWish {
	wish := ConfigWish{Topics: m.declared.topics}
	for _, spec := range m.hard.Target.Service.Pods {
		if spec.Kafka == nil || !spec.Kafka.Serves() ||
			spec.Kafka.DriftPolicy() == servicespec.DriftOff {
			continue
		}
		for index := range spec.Count {
			p := m.hard.Pods[PodName{spec.Type, index}]
			waits := ""
			if t, _ := p.task(spec.Kafka.Task); m.outdated(p, spec, t) {
				waits = t.Target
			}
			wish.Brokers = append(wish.Brokers,
				brokerWish(spec, index, m.hard.Earlier, waits))
		}
	}
	return wish
}

// BrokerWishes are what the brokers of the target are to have, whatever the policy on drift is.
func (v *View) BrokerWishes() []BrokerWish {
	waits := map[PodName]string{}
	for _, p := range v.Pods {
		spec := podSpec(v.Target, p.Name.Type)
		for _, t := range p.Tasks {
			if t.Outdated && spec != nil && spec.Kafka != nil && t.Name == spec.Kafka.Task {
				waits[p.Name] = t.Target
			}
		}
	}
	var list []BrokerWish
	for _, spec := range v.Target.Pods {
		for index := range spec.Count {
			if spec.Kafka != nil && spec.Kafka.Serves() {
				list = append(list,
					brokerWish(spec, index, v.Earlier, waits[PodName{spec.Type, index}]))
			}
		}
	}
	return list
}
