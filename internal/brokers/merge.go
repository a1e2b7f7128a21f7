package brokers

import (
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// merge makes one set of facts of at least one answer; doc.go says who is believed in what.
func merge(answers []*answer) scheduler.KafkaFacts {
	answers = slices.DeleteFunc(slices.Clone(answers), func(a *answer) bool { return a.silent })
	if len(answers) == 0 {
		return scheduler.KafkaFacts{Leader: -1,
			Error: "those who were asked for more than a sign of life do not answer"}
	}
	first := answers[0]
	facts := scheduler.KafkaFacts{ClusterID: first.clusterID, Leader: -1}
	for _, a := range answers {
		if a.clusterID != first.clusterID {
			facts.ClusterID = ""
			facts.Error = fmt.Sprintf("brokers of two clusters answer: %s of %s, %s of %s",
				first.address, first.clusterID, a.address, a.clusterID)
			return facts
		}
	}
	latest, joins := latestQuorum(answers), true
	for _, a := range answers {
		joins = joins && a.joinsItself
		if a.most > facts.MostReplicas {
			facts.MostReplicas, facts.MostReplicated = a.most, a.mostOf
		}
		facts.OfflinePartitions = max(facts.OfflinePartitions, a.offline)
	}
	facts.Leader = latest.leader
	facts.Voters = slices.Sorted(slices.Values(latest.voters))
	facts.Present = slices.Sorted(slices.Values(latest.present))
	facts.Replicas, facts.JoinsItself = latest.replicas, joins
	facts.Features = features(answers)
	facts.Controllers, facts.Migrating = controllers(answers)
	for _, b := range registered(ofBrokers(answers), latest.leader) {
		f := scheduler.BrokerFacts{ID: b.id, Address: b.address, Fenced: b.fenced}
		for _, a := range answers {
			if h := a.hosts[b.id]; h != nil {
				f.Hosted = max(f.Hosted, h.hosted)
				f.NotInSync = max(f.NotInSync, h.notInSync)
				f.Leads = max(f.Leads, h.leads)
			}
		}
		facts.Brokers = append(facts.Brokers, f)
	}
	return facts
}

// controllers are the nodes that answered at their own listeners for controllers, and those of them
// that take part in a migration from ZooKeeper.
func controllers(answers []*answer) (told, migrating []int) {
	ids := identities(answers)
	for _, a := range answers {
		id, known := ids[a.address]
		if !a.controller || !known {
			continue
		}
		told = append(told, id)
		if a.migrates {
			migrating = append(migrating, id)
		}
	}
	slices.Sort(told)
	slices.Sort(migrating)
	return told, migrating
}

// ofBrokers leaves out what controllers said, who know nothing of brokers that they would tell,
// and who only gave a sign of life.
func ofBrokers(answers []*answer) []*answer {
	return slices.DeleteFunc(slices.Clone(answers),
		func(a *answer) bool { return a.controller || a.silent })
}

// registered returns the registered brokers by ascending id: as the leader of the quorum lists
// them, or else those that all answers list.
func registered(answers []*answer, leader int) []broker {
	for _, a := range answers {
		if leader >= 0 && a.self() == leader {
			answers = []*answer{a}
			break
		}
	}
	listed := make(map[int]broker)
	count := make(map[int]int)
	for _, a := range answers {
		for _, b := range a.listed() {
			other, known := listed[b.id]
			if known {
				b.fenced = b.fenced || other.fenced
			}
			if known && b.address == "" {
				b.address = other.address
			}
			listed[b.id] = b
			count[b.id]++
		}
	}
	var agreed []broker
	for id, b := range listed {
		if count[id] == len(answers) {
			agreed = append(agreed, b)
		}
	}
	slices.SortFunc(agreed, func(x, y broker) int { return x.id - y.id })
	return agreed
}

// self is the node id of the broker that answered, -1 if it is not known. No answer contains it,
// but brokers list each other by the addresses that they are asked at.
func (a *answer) self() int {
	for _, b := range a.brokers {
		if b.address == a.address {
			return b.id
		}
	}
	return -1
}

// listed are the brokers that an answer tells of, each once. Where the broker is too old to tell
// of fenced ones, those are taken from the replicas.
func (a *answer) listed() []broker {
	var list []broker
	known := make(map[int]bool)
	for _, b := range a.brokers {
		if !known[b.id] {
			known[b.id] = true
			list = append(list, b)
		}
	}
	if a.tellsFenced {
		return list
	}
	for id, h := range a.hosts {
		if !known[id] && h.hosted > 0 {
			list = append(list, broker{id: id, fenced: true})
		}
	}
	return list
}
