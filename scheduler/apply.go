package scheduler

import (
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Apply changes the state as a store would by a write. Maps and lists are replaced, never
// changed in place, so that copies made before keep what they hold.
func (h *Hard) Apply(w Write) {
	switch w := w.(type) {
	case WriteFramework:
		h.Framework = w.ID
	case WriteTarget:
		h.Target = w.Target
	case WriteIntent:
		h.Intent = w.Intent
	case WriteKafka:
		h.Kafka = w.Kafka
	case WriteOverrides:
		h.Overrides = w.Overrides
	case WritePod:
		h.Pods = with(h.Pods, w.Pod.Name, w.Pod)
	case DeletePod:
		h.Pods = without(h.Pods, w.Name)
	case WriteLeftover:
		h.Leftovers = with(h.Leftovers, w.Leftover.Reservation, w.Leftover)
	case DeleteLeftover:
		h.Leftovers = without(h.Leftovers, w.Reservation)
	case WriteEarlier:
		h.Earlier = append(h.earlierBut(w.Earlier.ID), w.Earlier)
		slices.SortFunc(h.Earlier, func(a, b EarlierTarget) int { return int(a.Number - b.Number) })
	case DeleteEarlier:
		h.Earlier = h.earlierBut(w.ID)
	case WriteRun:
		h.Runs = with(h.Runs, w.Plan, w.Run)
	case DeleteRun:
		h.Runs = without(h.Runs, w.Plan)
	case WriteJournal:
		h.Journal = append(slices.Clip(h.Journal), w.Entry)
	case DeleteJournal:
		h.Journal = slices.DeleteFunc(slices.Clone(h.Journal),
			func(e JournalEntry) bool { return e.Number == w.Number })
	case WriteAction:
		h.Actions = with(h.Actions, w.Name, w.Run)
	case DeleteAction:
		h.Actions = without(h.Actions, w.Name)
	case WriteFile:
		h.Files = with(h.Files, w.Name, w.Content)
	case WriteAgent:
		h.Agents = with(h.Agents, w.Agent.ID, w.Agent)
	case DeleteAgent:
		h.Agents = without(h.Agents, w.ID)
	case WriteRebalancing:
		h.Rebalancing = w.Rebalancing
	case WriteCampaign:
		h.Campaign = w.Campaign
	}
}

// clone gives a state whose maps are its own, none of them nil.
func (h Hard) clone() Hard {
	c := h
	c.Pods, c.Leftovers = map[PodName]Pod{}, map[mesos.ReservationID]Leftover{}
	maps.Copy(c.Pods, h.Pods)
	maps.Copy(c.Leftovers, h.Leftovers)
	c.Runs, c.Files = maps.Clone(h.Runs), maps.Clone(h.Files)
	c.Actions, c.Agents = maps.Clone(h.Actions), maps.Clone(h.Agents)
	c.Journal, c.Earlier = slices.Clone(h.Journal), slices.Clone(h.Earlier)
	return c
}

func (h *Hard) earlierBut(id string) []EarlierTarget {
	return slices.DeleteFunc(slices.Clone(h.Earlier),
		func(e EarlierTarget) bool { return e.ID == id })
}

func with[K comparable, V any](m map[K]V, key K, value V) map[K]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[K]V{}
	}
	m[key] = value
	return m
}

func without[K comparable, V any](m map[K]V, key K) map[K]V {
	m = maps.Clone(m)
	delete(m, key)
	return m
}
