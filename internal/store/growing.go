package store

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Growing is a state whose entries come and change one by one. Pods, of which there may be many,
// are decoded as they come; the rest is when the state is wanted.
type Growing struct {
	pods map[string]scheduler.Pod // by key
	rest map[string][]byte
}

// NewGrowing makes a state without entries.
func NewGrowing() *Growing {
	return &Growing{pods: map[string]scheduler.Pod{}, rest: map[string][]byte{}}
}

// Change puts or deletes an entry.
func (g *Growing) Change(c Change) error {
	switch {
	case !strings.HasPrefix(c.Key, podKey):
		if c.Value == nil {
			delete(g.rest, c.Key)
		} else {
			g.rest[c.Key] = c.Value
		}
	case c.Value == nil:
		delete(g.pods, c.Key)
	default:
		p, err := decodePod(c.Key, c.Value)
		if err != nil {
			return decodingError(c.Key, err)
		}
		g.pods[c.Key] = p
	}
	return nil
}

// Hard gives the state. It shares its pods with what the Growing holds, which is not to be used
// after it.
func (g *Growing) Hard() (scheduler.Hard, error) {
	hard, err := Decode(g.rest)
	if err != nil {
		return scheduler.Hard{}, err
	}
	for _, p := range g.pods { //tidy:unordered each is a part of its own
		hard.Pods[p.Name] = p
	}
	return hard, nil
}
