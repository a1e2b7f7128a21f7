package offer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestChanges lets the needs of an instance change again and again, while parts of it run and
// ACCEPTs are lost, and checks each match and each refusal on the way.
func TestChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		if l == nil {
			return
		}
		for step := range rapid.IntRange(1, 5).Draw(t, "steps") {
			l.change(step)
			l.evaluate()
		}
	})
}

// TestExchange lets two sets exchange what they need on an agent where nothing is free: each has
// what the other gives back.
func TestExchange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		if l == nil || len(l.spec.Sets) < 2 {
			return
		}
		for i := range l.spec.Sets {
			for k := range l.spec.Sets[i].Ports {
				if len(l.spec.Sets[i].Ports[k].Ranges) > 0 {
					return // there the lowest number is taken, though another may need it
				}
			}
		}
		l.req.Requirement = l.spec
		a, b := l.spec.Sets[0], l.spec.Sets[1]
		a.Scalars, b.Scalars = b.Scalars, a.Scalars
		a.Ports, b.Ports = b.Ports, a.Ports
		l.req.Sets = []offer.SetNeed{a, b}
		l.req.Kept = &l.kept
		l.req.taken = []takenPorts{{"h", l.recordedPorts()}}
		l.agent.Resources = l.agent.Resources.Filter(func(r resource.Resource) bool {
			return r.Label(resource.ResourceID) != ""
		})
		m, refusal := l.req.evaluate([]mesos.Offer{l.agent})
		if refusal != nil {
			t.Fatal(refusal)
		}
		after := carryOut(t, l.agent.Resources, offer.Operations(m))
		l.checkExact(l.agent, m, after)
		if len(after.Filter(free)) > 0 {
			t.Fatalf("%s came of %s", after, l.agent.Resources)
		}
	})
}

// TestBeside secures what an instance wants more while all of it runs, so that nothing it holds is
// offered: once that is done, and it was stopped, it gets what it wants and nothing else has to
// be reserved.
func TestBeside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		if l == nil {
			return
		}
		l.change(1)
		l.hidden = nil
		l.hide(l.kept.Executor)
		for _, s := range l.kept.Sets {
			l.hide(s.Resources)
		}
		o := l.agent
		var err error
		if o.Resources, err = o.Resources.Sub(l.hidden); err != nil {
			t.Fatal(err)
		}
		beside := l.kept
		beside.Beside, beside.ExecutorRuns = true, true
		l.req.Kept = &beside
		m, refusal := l.req.evaluate([]mesos.Offer{o})
		if refusal != nil {
			checkShortage(t, l.req, o, refusal.Agents()[0].Reasons)
			return
		}
		if len(m.Unreserve)+len(m.Destroy) > 0 || !m.Remaining.Add(m.Used...).Equal(o.Resources) ||
			!m.Used.Equal(m.Reserve.PopReservation()) {
			t.Fatalf("beside what runs: %+v", m)
		}
		l.agent.Resources = carryOut(t, o.Resources, offer.Operations(m)).Add(l.hidden...)
		stopped := *keep(m)
		stopped.ExecutorRuns, stopped.Executor = true, l.kept.Executor
		stopped.Drop = l.kept.Drop
		l.hidden = nil
		l.hide(stopped.Executor)
		after := l.agent
		if after.Resources, err = after.Resources.Sub(l.hidden); err != nil {
			t.Fatal(err)
		}
		l.req.Kept = &stopped
		again, refusal := l.req.evaluate([]mesos.Offer{after})
		if refusal != nil || len(again.Reserve)+len(again.Create) > 0 {
			t.Fatalf("once %+v was secured: %+v, %v", m, again, refusal)
		}
	})
}

// life is an instance with its agent: what the spec wants, what is on record, what is there.
type life struct {
	t      *rapid.T
	spec   offer.Requirement // all sets that the spec has
	req    needing           // what is to be launched
	kept   offer.Kept
	agent  mesos.Offer   // all of the agent, as if nothing ran
	hidden resource.List // what runs, or others have
}

// newLife places an instance on a large agent; it is nil where the spec cannot be placed.
func newLife(t *rapid.T) *life {
	list, err := resource.ParseList("cpus:9;mem:3000;disk:2000;ports:[80-443,31000-31009];" +
		"cpus:1{revocable};cpus:1(other);disk:50(kafka-role:other/set/vol)[v:p];" +
		"disk:150<MOUNT:/mnt/1>;disk:200<MOUNT:/mnt/2>;disk:300<MOUNT:/mnt/3>;" +
		"disk:900<PATH:/mnt/5>")
	if err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, spec: requirements().Draw(t, "spec")}
	l.spec.Rule.Constraints, l.spec.Where = nil, nil
	if rapid.Bool().Draw(t, "reserved above") {
		l.spec.Role = "infra/kafka"
		above, err := resource.ParseList("cpus:2(infra);mem:700(infra);ports:[31010](infra);" +
			"disk:100<MOUNT:/mnt/4>(infra);disk:300<PATH:/mnt/6>(infra)")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, above...)
	}
	l.agent = mesos.Offer{
		ID: "o", Agent: "a", Hostname: "h", Role: l.spec.Role,
		Resources: list.WithRole(l.spec.Role).WithPrincipal(principal),
	}
	m, refusal := offer.Evaluate(l.spec, []mesos.Offer{l.agent})
	if refusal != nil {
		return nil
	}
	l.kept = *keep(m)
	l.agent.Resources = carryOut(t, l.agent.Resources, offer.Operations(m))
	return l
}

// change draws new needs, and what runs of the instance.
func (l *life) change(step int) {
	l.req, l.hidden = needing{Requirement: l.spec}, nil
	l.req.Sets = nil
	version := fmt.Sprintf("-step-%d", step)
	if rapid.IntRange(0, 2).Draw(l.t, "executor") == 0 {
		l.spec.Executor = drawScalars(l.t)
		l.spec.Volumes = drawVolumes(l.t, "executor"+version)
	}
	l.req.Executor, l.req.Volumes = l.spec.Executor, l.spec.Volumes
	var sets []offer.SetNeed
	for i := range 3 {
		if set, launch, ok := l.changeSet(i, version); ok {
			sets = append(sets, set)
			if launch {
				l.req.Sets = append(l.req.Sets, set)
			}
		}
	}
	l.spec.Sets = sets
	l.kept.ExecutorRuns = rapid.Bool().Draw(l.t, "executor runs")
	if l.kept.ExecutorRuns {
		l.hide(l.kept.Executor)
	}
	l.kept.Drop = nil
	for _, s := range l.kept.Sets {
		has := func(n offer.SetNeed) bool { return n.Name == s.Name }
		if !slices.ContainsFunc(l.spec.Sets, has) {
			l.kept.Drop = append(l.kept.Drop, s.Name)
		}
		runs := rapid.IntRange(0, 9).Draw(l.t, "runs")
		if runs == 0 || runs < 5 && !slices.ContainsFunc(l.req.Sets, has) {
			l.hide(s.Resources)
		}
	}
	for _, r := range l.agent.Resources {
		if len(r.Reservations) == 0 && rapid.IntRange(0, 7).Draw(l.t, "others have") == 0 {
			l.hidden = append(l.hidden, r)
		}
	}
	l.req.taken = []takenPorts{{"h", l.recordedPorts()}}
	if rapid.Bool().Draw(l.t, "foreign ports") {
		foreign := resource.Ranges{{Begin: 31003, End: 31003}}
		l.req.taken = append(l.req.taken, takenPorts{"h", foreign})
	}
}

// changeSet draws what becomes of the set with a number, if there is one: whether something is
// to be launched with it, and how.
func (l *life) changeSet(i int, version string) (set offer.SetNeed, launch, ok bool) {
	fresh := drawSet(l.t, i, version)
	at := slices.IndexFunc(l.spec.Sets, func(n offer.SetNeed) bool { return n.Name == fresh.Name })
	how := rapid.IntRange(0, 5).Draw(l.t, "how "+fresh.Name)
	if at < 0 {
		return fresh, true, how == 5
	}
	set = l.spec.Sets[at]
	switch how {
	case 0:
		return set, false, false
	case 1:
		return set, false, true
	case 2:
		set.Scalars = fresh.Scalars
	case 3:
		set.Ports = fresh.Ports
	case 4:
		set = fresh
	}
	return set, true, true
}

// hide takes what is there of a list out of the next offer.
func (l *life) hide(held resource.List) {
	l.hidden = append(l.hidden, sameIDs(l.agent.Resources, held)...)
}

func (l *life) recordedPorts() (out resource.Ranges) {
	for _, set := range l.kept.Sets {
		out = out.Add(portsOf(set.Resources))
	}
	return out
}

// evaluate makes the offer and checks what comes of it.
func (l *life) evaluate() {
	o := l.agent
	var err error
	if o.Resources, err = o.Resources.Sub(l.hidden); err != nil {
		l.t.Fatal(err)
	}
	kept := l.kept
	l.req.Kept = &kept
	m, refusal := l.req.evaluate([]mesos.Offer{o})
	if refusal != nil {
		if refusal.String() == "" || refusal.Kept != "a" {
			l.t.Fatalf("refused without words: %+v", refusal)
		}
		checkShortage(l.t, l.req, o, refusal.Agents()[0].Reasons)
		return
	}
	after := carryOut(l.t, o.Resources, offer.Operations(m))
	l.checkExact(o, m, after)
	l.checkVolumes(o, after)
	l.checkPortsKept(o, m)
	l.checkIdempotent(o, m, after)
	l.record(m)
	if rapid.IntRange(0, 2).Draw(l.t, "lost") > 0 {
		l.deliver(m, after)
	}
	l.sweep()
}

// checkExact checks that the match uses no more than is offered, and that each part that is to
// be launched holds what it needs, and nothing else is held for it.
func (l *life) checkExact(o mesos.Offer, m offer.Match, after resource.List) {
	t := l.t
	if !m.Remaining.Add(m.Used...).Equal(o.Resources) {
		t.Fatalf("%s and %s are not %s", m.Used, m.Remaining, o.Resources)
	}
	var launched resource.List
	if l.kept.ExecutorRuns {
		if diff := cmp.Diff(l.kept.Executor, m.Executor); diff != "" {
			t.Fatalf("the executor runs, but is changed: %s", diff)
		}
	} else {
		checkOwner(t, "", m.Executor, l.req.Executor, l.req.Volumes)
		launched = m.Executor
	}
	seen := map[int]bool{}
	for _, need := range l.req.Sets {
		set := setNamed(m.Sets, need.Name)
		checkOwner(t, need.Name, set.Resources, need.Scalars, need.Volumes)
		checkPorts(t, set, need.Ports, seen)
		launched = append(launched, set.Resources...)
	}
	launched = launched.WithRole(o.Role)
	if held := sameIDs(after, launched); !held.Equal(launched) {
		t.Fatalf("launched with %s, held is %s", launched, held)
	}
	freed := m.Unreserve.PopReservation()
	if all := launched.Add(m.Remaining...).Add(freed...); len(m.Reserve) == 0 &&
		!all.Equal(after) {
		t.Fatalf("launched %s, left %s, freed %s of %s", launched, m.Remaining, freed, after)
	}
	l.checkOthers(m)
}

// checkOthers checks that sets that nothing is launched with are as they were, or dropped.
func (l *life) checkOthers(m offer.Match) {
	for _, had := range l.kept.Sets {
		if setNamed(l.needs(), had.Name).Name != "" {
			continue
		}
		set := setNamed(m.Sets, had.Name)
		if set.Name == "" && slices.Contains(l.kept.Drop, had.Name) {
			continue
		}
		if diff := cmp.Diff(had, set); diff != "" {
			l.t.Fatalf("%s was changed: %s", had.Name, diff)
		}
	}
}

// needs are the sets to be launched with, by their names alone.
func (l *life) needs() (names []offer.SetResources) {
	for _, need := range l.req.Sets {
		names = append(names, offer.SetResources{Name: need.Name})
	}
	return names
}

func setNamed(sets []offer.SetResources, name string) offer.SetResources {
	for _, s := range sets {
		if s.Name == name {
			return s
		}
	}
	return offer.SetResources{}
}

// checkVolumes checks that a volume is destroyed only when its set is dropped or its path is
// wanted no more, and that nothing takes the place of one that is missing.
func (l *life) checkVolumes(o mesos.Offer, after resource.List) {
	doomed := map[string]bool{}
	judge := func(had resource.List, need []offer.VolumeNeed, seen bool) {
		for _, v := range had.Volumes() {
			wanted := slices.ContainsFunc(need, func(n offer.VolumeNeed) bool {
				return n.Volume.Path == v.Disk.ContainerPath
			})
			doomed[v.Disk.PersistenceID] = !wanted
			if wanted && seen && !after.Contains(resource.List{v}.WithRole(o.Role)) {
				l.t.Fatalf("it is launched without %s", v)
			}
		}
	}
	if !l.kept.ExecutorRuns {
		judge(l.kept.Executor, l.req.Volumes, true)
	}
	for _, had := range l.kept.Sets {
		for _, need := range l.req.Sets {
			if need.Name == had.Name {
				judge(had.Resources, need.Volumes, !slices.Contains(l.kept.Unseen, had.Name))
			}
		}
		if slices.Contains(l.kept.Drop, had.Name) {
			judge(had.Resources, nil, true)
		}
	}
	for _, v := range o.Resources.Volumes() {
		if !doomed[v.Disk.PersistenceID] && !after.Contains(resource.List{v}) {
			l.t.Fatalf("%s was destroyed", v)
		}
	}
}

// checkPortsKept checks that a dynamic port keeps its number if it has it and may.
func (l *life) checkPortsKept(o mesos.Offer, m offer.Match) {
	fixed := func(number int) bool {
		return slices.ContainsFunc(l.req.Sets, func(n offer.SetNeed) bool {
			return slices.ContainsFunc(n.Ports, func(p servicespec.Port) bool {
				return p.Port == number
			})
		})
	}
	for _, need := range l.req.Sets {
		had, got := setNamed(l.kept.Sets, need.Name), setNamed(m.Sets, need.Name)
		held := portsOf(sameIDs(o.Resources, had.Resources))
		for i, want := range need.Ports {
			for _, p := range had.Ports {
				if p.Name == want.Name && want.Port == 0 && fitsPort(want, p.Number) &&
					!fixed(p.Number) && held.Has(uint64(p.Number)) && got.Ports[i] != p {
					l.t.Fatalf("%v became %v", p, got.Ports[i])
				}
			}
		}
	}
}

// checkIdempotent checks that what the match makes is all that the instance ever needs.
func (l *life) checkIdempotent(o mesos.Offer, m offer.Match, after resource.List) {
	again := *keep(m)
	again.ExecutorRuns, again.Drop = l.kept.ExecutorRuns, l.kept.Drop
	req := l.req
	req.Kept = &again
	o.Resources = after
	same, refusal := req.evaluate([]mesos.Offer{o})
	if refusal != nil {
		l.t.Fatalf("after %+v: %s", m, refusal)
	}
	if ops := offer.Operations(same); len(ops) > 0 {
		l.t.Fatalf("after %+v there is still to do %v", m, ops)
	}
	byText := cmp.Transformer("sorted", func(l resource.List) []string {
		var out []string
		for _, r := range l {
			out = append(out, r.String())
		}
		slices.Sort(out)
		return out
	})
	diff := cmp.Diff(m.Executor, same.Executor, byText) + cmp.Diff(m.Sets, same.Sets, byText)
	if diff != "" {
		l.t.Fatalf("the same needs give something else: %s", diff)
	}
}

// record keeps what was meant; sets that are new were seen by nobody.
func (l *life) record(m offer.Match) {
	unseen := l.kept.Unseen
	for _, need := range l.req.Sets {
		if setNamed(l.kept.Sets, need.Name).Name == "" {
			unseen = append(slices.Clip(unseen), need.Name)
		}
	}
	l.kept = *keep(m)
	l.kept.Unseen = slices.DeleteFunc(slices.Clone(unseen), func(name string) bool {
		return setNamed(l.kept.Sets, name).Name == ""
	})
}

// deliver has the master carry out the match, and the tasks run for a while.
func (l *life) deliver(m offer.Match, after resource.List) {
	l.agent.Resources = after.Add(l.hidden...)
	l.kept.Unseen = slices.DeleteFunc(slices.Clone(l.kept.Unseen), func(name string) bool {
		return setNamed(l.needs(), name).Name != ""
	})
}

// sweep frees what is reserved for the instance and not on record, as the scheduler does with
// strays.
func (l *life) sweep() {
	known := slices.Clone(l.kept.Executor)
	for _, set := range l.kept.Sets {
		known = append(known, set.Resources...)
	}
	mine := l.agent.Resources.Filter(func(r resource.Resource) bool {
		return len(r.Reservations) > 0 &&
			slices.Contains(r.Reservations[len(r.Reservations)-1].Labels, l.spec.Labels[0])
	})
	strays := mine.Filter(func(r resource.Resource) bool {
		return len(sameIDs(resource.List{r}, known)) == 0
	})
	var ops []mesos.Operation
	if volumes := strays.Volumes(); len(volumes) > 0 {
		ops = append(ops, mesos.Destroy{Volumes: volumes})
	}
	ops = append(ops, mesos.Unreserve{Resources: strays.WithoutVolumes()})
	l.agent.Resources = carryOut(l.t, l.agent.Resources, ops)
}
