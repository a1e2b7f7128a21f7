package offer_test

import (
	"fmt"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// BenchmarkEvaluate fits one broker into 1,000 offers: where all fit, where none has the cpus,
// and where the rule forbids every agent.
func BenchmarkEvaluate(b *testing.B) {
	for _, c := range []struct{ name, cpus, rule string }{
		{"fits", "4", "hostname:MAX_PER:1,hostname:LIKE:10[.].*"},
		{"too-small", "0.5", "hostname:MAX_PER:1"},
		{"forbidden", "4", "hostname:LIKE:192[.].*"},
	} {
		b.Run(c.name, func(b *testing.B) {
			offers := benchmarkOffers(b, c.cpus)
			req := benchmarkBroker()
			var err error
			if req.Rule, err = placement.Parse(c.rule); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, refusal := offer.Evaluate(req, offers)
				if (refusal == nil) != (c.name == "fits") {
					b.Fatal(refusal)
				}
			}
		})
	}
}

// BenchmarkReturn brings a broker that is to grow back to what it holds on one of 1,000 agents.
func BenchmarkReturn(b *testing.B) {
	offers := benchmarkOffers(b, "4")
	req := benchmarkBroker()
	m, refusal := offer.Evaluate(req, offers)
	if refusal != nil {
		b.Fatal(refusal)
	}
	for i := range offers {
		if offers[i].ID == m.Offer {
			offers[i].Resources = carryOut(b, offers[i].Resources, offer.Operations(m))
		}
	}
	req.Kept = keep(m)
	req.Sets[0].Scalars.CPUs *= 2
	b.ReportAllocs()
	for b.Loop() {
		if m, refusal = offer.Evaluate(req, offers); len(m.Reserve) != 1 {
			b.Fatal(m.Reserve, refusal)
		}
	}
}

func benchmarkOffers(b *testing.B, cpus string) []mesos.Offer {
	list, err := resource.ParseList("cpus:" + cpus +
		";mem:16384;disk:100000;ports:[9092,31000-32000]")
	if err != nil {
		b.Fatal(err)
	}
	offers := make([]mesos.Offer, 1000)
	for i := range offers {
		offers[i] = mesos.Offer{
			ID:       mesos.OfferID(fmt.Sprintf("o%d", i)),
			Agent:    mesos.AgentID(fmt.Sprintf("a%d", i)),
			Hostname: fmt.Sprintf("10.0.%d.%d", i/250, i%250),
			Role:     role, Resources: list.WithRole(role),
		}
	}
	return offers
}

func benchmarkBroker() offer.Requirement {
	return offer.Requirement{
		Pod: "kafka-3", Role: role, Principal: principal,
		Reservation: reservation,
		Labels:      []resource.Label{{Key: "framework_id", Value: "f-1"}},
		Executor:    offer.Scalars{CPUs: 100, Mem: 64, Disk: 10},
		Sets: []offer.SetNeed{{
			Name:    "broker",
			Scalars: offer.Scalars{CPUs: 1000, Mem: 2048},
			Ports: []servicespec.Port{
				{Name: "client", Port: 9092}, {Name: "controller"},
			},
			Volumes: []offer.VolumeNeed{{
				ID:     "vol-1",
				Volume: servicespec.Volume{Type: "ROOT", Path: "kafka-data", Size: 5000},
			}},
		}},
		Peers: []placement.Agent{{Hostname: "10.0.0.1"}, {Hostname: "10.0.0.2"}},
	}
}
