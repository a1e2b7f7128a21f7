package offer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// benchmarkRules are those of the grid; "all" has every operator there is.
var benchmarkRules = map[string]string{
	"none": "", "spread": "@zone:GROUP_BY:3,rack:GROUP_BY:20", "max-per": "hostname:MAX_PER:%d",
	"all": "hostname:MAX_PER:40,@zone:GROUP_BY:3,rack:MAX_PER:2000,serial:MAX_PER:40," +
		"serial:GROUP_BY:20,disk:LIKE:ssd|nvme,hostname:UNLIKE:old-.*,@region:IS:eu," +
		"serial:IS_NOT:7,@region:CLUSTER:eu",
}

// BenchmarkEvaluate places the instances of a pod type one after the other, each with the offers
// and the peers as those before it left them: a pair is one offer looked at for one instance. The
// grid is of how many agents offer something, how many instances there are, and their rule.
//
// "all-rules" is without any help of a memo: each instance wants a little more memory than the one
// before, so that every pair is seen for the first time, with so many tasks running already.
func BenchmarkEvaluate(b *testing.B) {
	for _, agents := range []int{100, 1000, 5000, 10000} {
		for _, pods := range []int{3, 50, 300, 1200} {
			for _, rule := range []string{"none", "spread", "max-per"} {
				name := fmt.Sprintf("agents=%d/pods=%d/rule=%s", agents, pods, rule)
				b.Run(name, func(b *testing.B) { place(b, agents, pods, 1000, rule, true) })
			}
		}
	}
	for _, running := range []int{0, 1000, 10000} {
		b.Run(fmt.Sprintf("all-rules/running=%d", running), func(b *testing.B) {
			place(b, 1000, 50, running, "all", false)
		})
	}
}

// place measures how fast so many instances are placed.
func place(b *testing.B, agents, pods, running int, rule string, alike bool) {
	offers := benchmarkOffers(b, agents, 32000)
	req := benchmarkBroker()
	var err error
	text := benchmarkRules[rule]
	if rule == "max-per" {
		text = fmt.Sprintf(text, (running+pods)/agents+1)
	}
	if req.Rule, err = placement.Parse(text); err != nil {
		b.Fatal(err)
	}
	for i := range running {
		req.Peers.Add(offer.Place(offers[i%len(offers)]))
	}
	placed := make([]placement.Agent, 0, pods)
	b.ReportAllocs()
	for b.Loop() {
		table := offer.NewTable(offers)
		for i := range pods {
			if !alike {
				req.Sets[0].Scalars.Mem = 2048 + resource.MiB(i)
			}
			m, refusal := table.Evaluate(req)
			if refusal != nil {
				continue
			}
			at := offer.Place(table.Get(m).Offer)
			table.Take(m)
			req.Peers.Add(at)
			placed = append(placed, at)
		}
		if len(placed) == 0 {
			b.Fatal("nothing fits")
		}
		for _, at := range placed {
			req.Peers.Remove(at)
		}
		placed = placed[:0]
	}
	b.ReportMetric(float64(agents*pods)*float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
}

// BenchmarkIndexReject asks 10,000 agents that are too small, each time for a pod of another size,
// so that nothing is known of it.
func BenchmarkIndexReject(b *testing.B) {
	const agents = 10000
	table := offer.NewTable(benchmarkOffers(b, agents, 1000))
	req := benchmarkBroker()
	if _, refusal := table.Evaluate(req); refusal == nil {
		b.Fatal("it fits")
	}
	b.ReportAllocs()
	for b.Loop() {
		req.Sets[0].Scalars.Mem++
		if _, refusal := table.Evaluate(req); refusal == nil {
			b.Fatal("it fits")
		}
	}
	b.ReportMetric(agents*float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
}

// BenchmarkOnePod fits one broker into 1,000 offers that just came, and tells how long that takes
// at worst.
func BenchmarkOnePod(b *testing.B) {
	offers := benchmarkOffers(b, 1000, 32000)
	req := benchmarkBroker()
	var err error
	if req.Rule, err = placement.Parse(benchmarkRules["all"]); err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		req.Peers.Add(offer.Place(offers[i]))
	}
	var times []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		if _, refusal := offer.Evaluate(req, offers); refusal != nil {
			b.Fatal(refusal)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)*99/100].Seconds()*1000, "p99-ms")
}

// BenchmarkExplain makes the sentence of a refusal by 10,000 agents.
func BenchmarkExplain(b *testing.B) {
	table := offer.NewTable(benchmarkOffers(b, 10000, 1000))
	_, refusal := table.Evaluate(benchmarkBroker())
	b.ReportAllocs()
	for b.Loop() {
		if refusal.String() == "" {
			b.Fatal("no words")
		}
	}
}

// BenchmarkReturn brings a broker that is to grow back to what it holds on one of 1,000 agents.
func BenchmarkReturn(b *testing.B) {
	offers := benchmarkOffers(b, 1000, 32000)
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
	table := offer.NewTable(offers)
	b.ReportAllocs()
	for b.Loop() {
		if m, refusal = table.Evaluate(req); len(m.Reserve) != 1 {
			b.Fatal(m.Reserve, refusal)
		}
	}
}

// benchmarkOffers are those of agents in 3 zones and 20 racks, with so much memory each.
func benchmarkOffers(b *testing.B, agents, mem int) []mesos.Offer {
	list, err := resource.ParseList(fmt.Sprintf(
		"cpus:16;mem:%d;disk:100000;ports:[9092,31000-32000]", mem))
	if err != nil {
		b.Fatal(err)
	}
	offers := make([]mesos.Offer, agents)
	for i := range offers {
		host := fmt.Sprintf("10.%d.%d.%d", i/62500, i/250%250, i%250)
		offers[i] = mesos.Offer{
			ID:       mesos.OfferID(fmt.Sprintf("o%d", i)),
			Agent:    mesos.AgentID(fmt.Sprintf("a%d", i)),
			Hostname: host, IP: host, Role: role, Resources: list.WithRole(role),
			Domain: mesos.Domain{Region: "eu", Zone: fmt.Sprintf("z%d", i%3)},
			Attributes: []mesos.Attribute{{Name: "rack", Value: fmt.Sprintf("r%d", i%20)},
				{Name: "disk", Value: "ssd"}, {Name: "serial", Value: fmt.Sprintf("s%d", i)}},
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
				{Name: "client"}, {Name: "controller"},
			},
			Volumes: []offer.VolumeNeed{{
				ID:     "vol-1",
				Volume: servicespec.Volume{Type: "ROOT", Path: "kafka-data", Size: 5000},
			}},
		}},
		Peers: placement.NewCrowd(),
	}
}
