package servicespec

import (
	"maps"
	"slices"
)

// LiveLaunchHash is the TaskLaunchHash that a task of a service would have with some properties of
// its Kafka node as another service has them. If that is the hash of the other service, a node
// that took these properties while it runs need not restart for it.
func (s Service) LiveLaunchHash(
	next Service, properties []string, pod string, index int, task string,
) string {
	other := next.kafkaOf(pod)
	for _, p := range s.Pods {
		if p.Type != pod || p.Kafka == nil || other == nil {
			continue
		}
		node, wanted := p.Kafka.Node(index), other.Node(index).Properties
		mixed := maps.Clone(node.Properties)
		if mixed == nil {
			mixed = map[string]string{}
		}
		for _, name := range properties {
			delete(mixed, name)
			if value, ok := wanted[name]; ok {
				mixed[name] = value
			}
		}
		if node.Properties = mixed; len(mixed) == 0 {
			node.Properties = nil
		}
		p.Kafka = &node
		return Service{Name: s.Name, User: s.User, Pods: []Pod{p}}.TaskLaunchHash(pod, index, task)
	}
	return ""
}

func (s Service) kafkaOf(pod string) *Kafka {
	for _, p := range s.Pods {
		if p.Type == pod {
			return p.Kafka
		}
	}
	return nil
}

// PropertyChange is a server property of one broker that two services have differently; nil is
// not at all.
type PropertyChange struct {
	Pod      string
	Index    int
	Broker   int
	Name     string
	Old, New *string
}

// PropertyChanges are the properties of the brokers of both services that differ, by pod, index
// and name.
func PropertyChanges(old, next Service) []PropertyChange {
	var list []PropertyChange
	for _, p := range old.Pods {
		other := next.kafkaOf(p.Type)
		if p.Kafka == nil || other == nil || !p.Kafka.Serves() || !other.Serves() {
			continue
		}
		for index := range min(p.Count, next.countOf(p.Type)) {
			before, then := p.Kafka.Node(index).Properties, other.Node(index).Properties
			for _, name := range sortedKeysOf(before, then) {
				c := PropertyChange{Pod: p.Type, Index: index, Broker: other.NodeID(index),
					Name: name, Old: valueOf(before, name), New: valueOf(then, name)}
				if !sameValue(c.Old, c.New) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

func (s Service) countOf(pod string) int {
	for _, p := range s.Pods {
		if p.Type == pod {
			return p.Count
		}
	}
	return 0
}

// sortedKeysOf gives the keys that either map has, in order.
func sortedKeysOf(a, b map[string]string) []string {
	both := maps.Clone(a)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, b)
	return slices.Sorted(maps.Keys(both))
}

func valueOf(of map[string]string, name string) *string {
	value, ok := of[name]
	if !ok {
		return nil
	}
	return &value
}

func sameValue(a, b *string) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}
