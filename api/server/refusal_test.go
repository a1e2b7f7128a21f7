package server

import (
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

func TestRefusalSentences(t *testing.T) {
	one := func(reason offer.Reason) []offer.AgentRefusal {
		return []offer.AgentRefusal{{Agent: "a", Hostname: "h", Reasons: []offer.Reason{reason}}}
	}
	for _, c := range []struct {
		refusal offer.Refusal
		want    string
	}{
		{offer.Refusal{}, "k-0 waits: no agent offers anything."},
		{offer.Refusal{Kept: "a"}, "k-0 waits for an offer of its own agent a."},
		{offer.Refusal{Kept: "a", Agents: one(offer.Reason{Code: offer.NotReserved})},
			"k-0 waits for its own agent a. h: its reservation is not in the offer."},
		{offer.Refusal{Agents: one(offer.Reason{Code: offer.Insufficient, Name: "cpus",
			Need: 1000, Have: 100})}, "k-0 fits no offer. h: cpus 0.1 of 1 needed."},
		{offer.Refusal{Agents: one(offer.Reason{Code: offer.Placement, Name: "hostname:UNIQUE"})},
			"k-0 fits no offer. h: the placement rule forbids it (hostname:UNIQUE)."},
		{offer.Refusal{Agents: one(offer.Reason{Code: offer.NoPort})},
			"k-0 fits no offer. h: no port is left."},
		{offer.Refusal{Agents: one(offer.Reason{Code: "new-kind", Detail: "A sentence."})},
			"k-0 fits no offer. h: A sentence."},
		{offer.Refusal{Agents: one(offer.Reason{Code: "new-kind"})},
			"k-0 fits no offer. h: new-kind."},
	} {
		c.refusal.Pod = "k-0"
		if got := sentence(c.refusal); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
