package offer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

func drawScalars(t *rapid.T) offer.Scalars {
	return offer.Scalars{
		CPUs: resource.Milli(rapid.Int64Range(0, 1500).Draw(t, "cpus")),
		Mem:  resource.MiB(rapid.Int64Range(0, 500).Draw(t, "mem")),
		Disk: resource.MiB(rapid.Int64Range(0, 100).Draw(t, "disk")),
	}
}

func drawVolumes(t *rapid.T, owner string) []offer.VolumeNeed {
	var out []offer.VolumeNeed
	for i := range rapid.IntRange(0, 2).Draw(t, "volumes") {
		out = append(out, offer.VolumeNeed{
			ID: mesos.PersistenceID(fmt.Sprintf("%s-%d", owner, i)),
			Volume: servicespec.Volume{
				Path: fmt.Sprintf("data-%d", i),
				Type: rapid.SampledFrom([]string{"ROOT", "ROOT", "MOUNT", "PATH"}).Draw(t, "type"),
				Size: resource.MiB(rapid.Int64Range(1, 200).Draw(t, "size")),
			},
		})
	}
	return out
}

// drawPorts draws the ports of the set with a number; fixed ones differ from those of other
// sets, as they do in a valid spec.
func drawPorts(t *rapid.T, set int) []servicespec.Port {
	var out []servicespec.Port
	for k := range rapid.IntRange(0, 2).Draw(t, "ports") {
		port := servicespec.Port{Name: fmt.Sprintf("port-%d", k)}
		switch rapid.IntRange(0, 2).Draw(t, "port kind") {
		case 0:
			port.Port = 31000 + 2*set + k
		case 1:
			port.Ranges = []resource.Range{{Begin: 31000, End: 31003}}
		}
		out = append(out, port)
	}
	return out
}

// reservation is that of all instances drawn.
const reservation = "res-1"

// requirements draws instances with up to two sets.
func requirements() *rapid.Generator[offer.Requirement] {
	rules := rapid.SampledFrom([]string{
		"", "", "hostname:UNIQUE", "hostname:MAX_PER:2", "@zone:GROUP_BY", "hostname:UNLIKE:h1",
	})
	exprs := rapid.SampledFrom([]string{
		`{"any":["hostname:MAX_PER:1","@zone:IS:z1"]}`, `{"not":"hostname:IS:h2"}`,
		`{"all":["hostname:MAX_PER:2",{"not":{"any":["@zone:GROUP_BY:2","hostname:IS:h3"]}}]}`,
	})
	return rapid.Custom(func(t *rapid.T) offer.Requirement {
		req := offer.Requirement{
			Pod: "kafka-1", Role: role, Principal: principal, Reservation: reservation,
			Labels:   []resource.Label{{Key: "pod", Value: "kafka-1"}},
			Executor: drawScalars(t), Volumes: drawVolumes(t, "executor"),
		}
		for i := range rapid.IntRange(1, 2).Draw(t, "sets") {
			req.Sets = append(req.Sets, drawSet(t, i, ""))
		}
		req.Peers = placement.NewCrowd()
		for range rapid.IntRange(0, 3).Draw(t, "peers") {
			req.Peers.Add(drawAgent(t))
		}
		var err error
		if req.Rule, err = placement.Parse(rules.Draw(t, "rule")); err != nil {
			t.Fatal(err)
		}
		if rapid.IntRange(0, 3).Draw(t, "more rules") == 0 {
			expr, err := placement.ParseExpr(exprs.Draw(t, "where"))
			if err != nil {
				t.Fatal(err)
			}
			req.Where = &expr
		}
		return req
	})
}

// drawSet draws the set with a number; version tells its volumes from those of others.
func drawSet(t *rapid.T, i int, version string) offer.SetNeed {
	name := fmt.Sprintf("set-%d", i)
	return offer.SetNeed{
		Name: name, Scalars: drawScalars(t), Ports: drawPorts(t, i),
		Volumes: drawVolumes(t, name+version),
	}
}

func drawAgent(t *rapid.T) placement.Agent {
	return placement.Agent{
		Hostname: rapid.SampledFrom([]string{"h1", "h2", "h3", "h4"}).Draw(t, "host"),
		Zone:     rapid.SampledFrom([]string{"", "z1", "z2"}).Draw(t, "zone"),
	}
}

// offers draws offers, most of them large enough, with much in them that may not be used.
func offers() *rapid.Generator[[]mesos.Offer] {
	return rapid.Custom(func(t *rapid.T) []mesos.Offer {
		var out []mesos.Offer
		for i := range rapid.IntRange(0, 5).Draw(t, "offers") {
			agent := drawAgent(t)
			o := mesos.Offer{
				ID:       mesos.OfferID(fmt.Sprintf("o%d", i)),
				Agent:    mesos.AgentID(fmt.Sprintf("a%d", (3*i)%5)),
				Hostname: agent.Hostname, Domain: mesos.Domain{Zone: agent.Zone}, Role: role,
				Resources: drawResources(t).WithRole(role),
			}
			if rapid.IntRange(0, 4).Draw(t, "maintenance") == 0 {
				o.Unavailable = &mesos.Unavailability{}
			}
			out = append(out, o)
		}
		return out
	})
}

func drawResources(t *rapid.T) resource.List {
	text := "ports:[80-443,31000-31009];"
	if rapid.IntRange(0, 3).Draw(t, "few ports") == 0 {
		text = "ports:[31001-31002];"
	}
	for _, decoration := range []string{"", "(other)", "(kafka-role:old)", "{revocable}"} {
		text += fmt.Sprintf("cpus:%s%s;mem:%d%s;disk:%d%s;",
			resource.Milli(rapid.Int64Range(0, 9000).Draw(t, "cpus")), decoration,
			rapid.Int64Range(0, 3000).Draw(t, "mem"), decoration,
			rapid.Int64Range(0, 2000).Draw(t, "disk"), decoration)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "mounts") {
		text += fmt.Sprintf("disk:%d<%s:/mnt/%d>;", rapid.IntRange(1, 400).Draw(t, "size"),
			rapid.SampledFrom([]string{"MOUNT", "PATH"}).Draw(t, "kind"), i)
	}
	list, err := resource.ParseList(text)
	if err != nil {
		t.Fatal(err)
	}
	return rapid.Permutation(list.Merged()).Draw(t, "order")
}

// whole gives what the match hands to executor and sets, as allocated to the role.
func whole(m offer.Match) resource.List {
	sum := m.Executor.Merged()
	for _, set := range m.Sets {
		sum = sum.Add(set.Resources...)
	}
	return sum.WithRole(role)
}

// TestMatchIsExact checks a match against its offer and against what was wanted.
func TestMatchIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		m, refusal := offer.Evaluate(req, all)
		if refusal != nil {
			return
		}
		o := all[slices.IndexFunc(all, func(o mesos.Offer) bool { return o.ID == m.Offer })]
		if !m.Remaining.Add(m.Used...).Equal(o.Resources) {
			t.Fatalf("%s and %s are not %s", m.Used, m.Remaining, o.Resources)
		}
		handed := whole(m).WithoutVolumes()
		if !m.Reserve.PopReservation().Equal(m.Used) || !handed.Equal(m.Reserve) {
			t.Fatalf("used %s, reserved %s, handed out %s", m.Used, m.Reserve, handed)
		}
		for _, r := range m.Used {
			if r.Revocable || len(r.Reservations) > 0 || r.Role != role {
				t.Fatalf("%s was used", r)
			}
		}
		after := carryOut(t, o.Resources, offer.Operations(m))
		if !m.Remaining.Add(whole(m)...).Equal(after) {
			t.Fatalf("%s and %s are not %s", whole(m), m.Remaining, after)
		}
		checkOwner(t, "", m.Executor, req.Executor, req.Volumes)
		seen := map[int]bool{}
		for i, set := range m.Sets {
			need := req.Sets[i]
			checkOwner(t, need.Name, set.Resources, need.Scalars, need.Volumes)
			checkPorts(t, set, need.Ports, seen)
		}
	})
}

// checkOwner checks that an executor or set got its scalars and volumes, no more and no less,
// each reserved under its own id. A volume that is kept may be of another size and kind than is
// wanted now.
func checkOwner(
	t *rapid.T, set string, got resource.List, s offer.Scalars, volumes []offer.VolumeNeed,
) {
	made := got.Volumes()
	rest, err := got.Sub(made)
	if err != nil || len(made) != len(volumes) {
		t.Fatalf("volumes %s of %s, want %v: %v", made, got, volumes, err)
	}
	for _, v := range volumes {
		i := slices.IndexFunc(made, func(r resource.Resource) bool {
			return r.Disk.ContainerPath == v.Volume.Path
		})
		if i < 0 {
			t.Fatalf("no volume at %s in %s", v.Volume.Path, made)
		}
		source, size := strings.TrimPrefix(v.Volume.Type, "ROOT"), v.Volume.Size.Milli()
		if string(v.ID) == made[i].Disk.PersistenceID && (made[i].Scalar < size ||
			source != "MOUNT" && made[i].Scalar != size || source != made[i].Disk.Source) {
			t.Fatalf("made %s, want %+v", made[i], v)
		}
	}
	for name, want := range map[string]resource.Milli{
		resource.CPUs: s.CPUs, resource.Mem: s.Mem.Milli(), resource.Disk: s.Disk.Milli(),
	} {
		if rest.Total(name) != want {
			t.Fatalf("got %s, want %s %s", rest, want, name)
		}
	}
	for _, r := range got {
		if r.Name == resource.Ports {
			continue // see checkPorts
		}
		name := r.Name
		if r.DiskInfo().PersistenceID != "" {
			name = r.Disk.ContainerPath
		}
		if r.Label(resource.ResourceID) != offer.ResourceID(reservation, set, name) {
			t.Fatalf("%s of %q is not reserved under its id", r, set)
		}
	}
}

// checkPorts checks the ports of one set; seen are those of the sets before it.
func checkPorts(
	t *rapid.T, got offer.SetResources, want []servicespec.Port, seen map[int]bool,
) {
	held := portsOf(got.Resources)
	if len(got.Ports) != len(want) || held.Count() != uint64(len(want)) {
		t.Fatalf("got %v in %s, want %v", got.Ports, held, want)
	}
	for i, p := range got.Ports {
		if !fitsPort(want[i], p.Number) || seen[p.Number] || !held.Has(uint64(p.Number)) ||
			p.Name != want[i].Name {
			t.Fatalf("got %v in %s, want %v", p, held, want[i])
		}
		seen[p.Number] = true
	}
}

func portsOf(l resource.List) resource.Ranges {
	var held resource.Ranges
	for _, r := range l {
		held = held.Add(r.Ranges)
	}
	return held
}

// fitsPort says whether a number will do for a port.
func fitsPort(want servicespec.Port, number int) bool {
	fits := want.Port == 0 && number >= 1024 || want.Port == number
	for _, r := range want.Ranges {
		fits = fits && uint64(number) >= r.Begin && uint64(number) <= r.End
	}
	return fits
}

// TestDraining drains the agent that was taken: the next best is, as if that one offered nothing.
func TestDraining(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		m, refusal := offer.Evaluate(req, all)
		if refusal != nil {
			return
		}
		table := offer.NewTable(all)
		table.Drain(m.Agent)
		next, refusal := table.Evaluate(req)
		others := slices.DeleteFunc(slices.Clone(all),
			func(o mesos.Offer) bool { return o.Agent == m.Agent })
		want, without := offer.Evaluate(req, others)
		if diff := cmp.Diff(want, next); diff != "" || (refusal == nil) != (without == nil) {
			t.Fatalf("%s, %v and %v", diff, refusal, without)
		}
		if refusal != nil && refusal.Of(m.Agent)[0].String() != "an operator drains the agent" {
			t.Fatal(refusal)
		}
	})
}

// TestBarred bars the agent that was taken, likewise.
func TestBarred(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		m, refusal := offer.Evaluate(req, all)
		if refusal != nil {
			return
		}
		table := offer.NewTable(all)
		table.Bar(m.Agent, "") // which says nothing
		if same, _ := table.Evaluate(req); same.Agent != m.Agent {
			t.Fatalf("it is %s", same.Agent)
		}
		table.Bar(m.Agent, "its CPU is another")
		next, refusal := table.Evaluate(req)
		others := slices.DeleteFunc(slices.Clone(all),
			func(o mesos.Offer) bool { return o.Agent == m.Agent })
		want, without := offer.Evaluate(req, others)
		if diff := cmp.Diff(want, next); diff != "" || (refusal == nil) != (without == nil) {
			t.Fatalf("%s, %v and %v", diff, refusal, without)
		}
		if refusal != nil && refusal.Of(m.Agent)[0].String() != "its CPU is another" {
			t.Fatal(refusal)
		}
	})
}

// told is all that a refusal tells, nothing of none.
func told(r *offer.Refusal) any {
	if r == nil {
		return nil
	}
	return struct {
		Text   string
		Agents []offer.AgentRefusal
	}{r.String(), r.Agents()}
}

func TestOrderOfOffersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		m, refusal := offer.Evaluate(req, all)
		m2, refusal2 := offer.Evaluate(req, rapid.Permutation(all).Draw(t, "permuted"))
		if diff := cmp.Diff(m, m2) + cmp.Diff(told(refusal), told(refusal2)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestReturn gives an instance back what it had, as the master merges it, and whatever else is
// offered it takes exactly that.
func TestReturn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		first, refusal := offer.Evaluate(req, all)
		if refusal != nil {
			return
		}
		back := comeBack(t, all, first)
		req.Kept = keep(first)
		others := slices.DeleteFunc(all, func(o mesos.Offer) bool { return o.ID == first.Offer })
		again, refusal := offer.Evaluate(req, append(others, back))
		if refusal != nil {
			t.Fatal(refusal)
		}
		diff := cmp.Diff(first.Executor, again.Executor) + cmp.Diff(first.Sets, again.Sets)
		if diff != "" || again.Offer != back.ID || len(offer.Operations(again)) > 0 ||
			!again.Remaining.Equal(first.Remaining) {
			t.Fatalf("at first %+v, then %+v\n%s", first, again, diff)
		}
		if _, refusal = offer.Evaluate(req, others); refusal == nil || refusal.String() == "" {
			t.Fatal("it went elsewhere")
		}
	})
}

// TestRefusalIsHonest checks that all agents are refused with reasons, that each would be alone,
// and that adding just what is said to be missing makes the instance fit.
func TestRefusalIsHonest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		_, refusal := offer.Evaluate(req, all)
		fits := 0
		for _, o := range all {
			_, alone := offer.Evaluate(req, []mesos.Offer{o})
			if alone == nil {
				fits++
				continue
			}
			checkShortage(t, needing{req, nil}, o, alone.Agents()[0].Reasons)
		}
		if (refusal == nil) != (fits > 0) {
			t.Fatalf("%d offers fit alone, together: %v", fits, refusal)
		}
		if refusal == nil {
			return
		}
		if len(refusal.Agents()) != len(all) || refusal.String() == "" {
			t.Fatalf("%d offers: %+v", len(all), refusal)
		}
	})
}
