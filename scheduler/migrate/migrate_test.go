package migrate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

const origin = `
name: kafka
scheduler: {user: nobody}
pods:
  zk:
    count: 3
    zookeeper: {heap: 256}
    tasks:
      server:
        goal: RUNNING
        cpus: 0.5
        memory: 512
        ports: {client: {port: 0}, quorum: {port: 0}, election: {port: 0}}
        volume: {path: zk-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: client}, interval: 1, timeout: 5}
  kafka:
    count: 3
    kafka:
      {version: 3.9.1, zookeeper: zk, heap: 256, properties: {zookeeper.session.timeout.ms: 9000}}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports: {broker: {port: 0}}
        volume: {path: data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
`

// final is origin with what a migration makes of it.
var final = strings.NewReplacer("zookeeper: zk, heap: 256, properties: "+
	"{zookeeper.session.timeout.ms: 9000}", "process: broker, heap: 256").Replace(origin) + `
  controller:
    count: 3
    kafka: {version: 3.9.1, process: controller, heap: 256}
    tasks:
      node:
        goal: RUNNING
        cpus: 0.5
        memory: 512
        ports: {controller: {port: 0}}
        volume: {path: quorum, type: ROOT, size: 500}
        readiness-check: {tcp: {port: controller}, interval: 1, timeout: 5}
`

func parse(t *testing.T, text string) servicespec.Service {
	t.Helper()
	s, errs := servicespec.Parse("test.yml", []byte(text), nil)
	for _, err := range errs {
		t.Fatal(err.Error())
	}
	return s
}

// TestRefusals has, for each thing that is in the way, specs that differ in that alone.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name               string
		was, is, was2, is2 string // a replacement in origin, and one in final
		both               bool   // the first one is made in both
		want               string
	}{
		{name: "nothing"},
		{name: "an older Kafka", was: "3.9.1", is: "3.8.1", both: true,
			want: "it runs Kafka 3.8.1, and a migration is made with 3.9: upgrade first"},
		{name: "an older protocol", was: "zookeeper.session.timeout.ms: 9000",
			is:   "inter.broker.protocol.version: '3.8'",
			want: "inter.broker.protocol.version is 3.8: raise it to 3.9 first"},
		{name: "the protocol stays", was2: "process: broker, heap: 256",
			is2:  "process: broker, heap: 256, properties: {inter.broker.protocol.version: '3.9'}",
			want: "inter.broker.protocol.version has to go"},
		{name: "nodes that ZooKeeper protects", was: "zookeeper.session.timeout.ms: 9000",
			is: "zookeeper.set.acl: 'true'", want: "unset it first"},
		{name: "an ensemble that lets nobody in", was: "zookeeper: {heap", both: true,
			is: "zookeeper: {jaas: x, heap", want: "pod zk: its servers have zookeeper.tls or"},
		{name: "more brokers at once", was2: "  kafka:\n    count: 3",
			is2:  "  kafka:\n    count: 4",
			want: "pod kafka: a migration changes kafka.process"},
		{name: "another ensemble at once", was2: "zookeeper: {heap: 256}",
			is2: "zookeeper: {heap: 300}", want: "pod zk differs"},
		{name: "two controllers", was2: "controller:\n    count: 3",
			is2: "controller:\n    count: 2", want: "has 2 controllers"},
		{name: "rules that stay in ZooKeeper", was: "zookeeper.session.timeout.ms: 9000",
			is:   "authorizer.class.name: kafka.security.authorizer.AclAuthorizer",
			want: "authorizer.class.name is missing: everybody would be allowed everything"},
	} {
		before, after := origin, final
		if c.was != "" {
			before = strings.Replace(before, c.was, c.is, 1)
		}
		if c.both {
			other := strings.NewReplacer(c.was, c.is,
				"{heap: 256}", "{heap: 256, kafka-version: "+c.is+"}")
			before, after = other.Replace(origin), other.Replace(final)
		}
		if c.was2 != "" {
			after = strings.Replace(after, c.was2, c.is2, 1)
		}
		got := strings.Join(Specs{parse(t, before), parse(t, after)}.Refusals(), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	same := Specs{parse(t, origin), parse(t, origin)}
	if got := strings.Join(same.Refusals(), "\n"); !strings.Contains(got, "no pod of controllers") {
		t.Errorf("the same spec: %q", got)
	}
	done := Specs{parse(t, final), parse(t, final)}
	if got := strings.Join(done.Refusals(), "\n"); !strings.Contains(got, "no metadata in Zoo") {
		t.Errorf("a cluster that migrated: %q", got)
	}
	bare := parse(t, final)
	bare.Pods = slices.DeleteFunc(bare.Pods,
		func(p servicespec.Pod) bool { return p.Type == "kafka" })
	got := strings.Join(Specs{parse(t, origin), bare}.Refusals(), "\n")
	if !strings.Contains(got, "pod kafka is missing: a migration takes nothing away") {
		t.Errorf("the brokers are taken away: %q", got)
	}
	bare.Pods = slices.DeleteFunc(bare.Pods,
		func(p servicespec.Pod) bool { return p.Kafka != nil })
	got = strings.Join(Specs{bare, bare}.Refusals(), "\n")
	if !strings.Contains(got, "no pod runs Kafka") {
		t.Errorf("no brokers: %q", got)
	}
}

// TestPhases shows what nodes are in each phase, and that only the last has no way back.
func TestPhases(t *testing.T) {
	s := Specs{parse(t, origin), parse(t, final)}
	var got []string
	for _, phase := range s.Phases() {
		line := phase.Name
		if phase.Undo == "" {
			line += " (for ever)"
		}
		if phase.Waits {
			line += " (waits)"
		}
		for _, pod := range phase.Pods {
			k := pod.Kafka
			line += fmt.Sprintf(" %s:%s,zookeeper=%s,migrates=%t,timeout=%s", pod.Type, k.Process,
				k.ZooKeeper, k.Migrates, k.Properties["zookeeper.session.timeout.ms"])
		}
		got = append(got, line)
	}
	want := []string{
		"controllers controller:controller,zookeeper=zk,migrates=true,timeout=9000",
		"enter kafka:broker,zookeeper=zk,migrates=true,timeout=9000",
		"dual-write",
		"brokers kafka:broker,zookeeper=,migrates=false,timeout=",
		"stay (waits)",
		"finalize (for ever) controller:controller,zookeeper=,migrates=false,timeout=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if now := s.Origin.Pods[1].Kafka; now.Migrates || s.Final.Pods[2].Kafka.Migrates {
		t.Error("the specs were changed")
	}
}

// TestLacks goes through what a phase waits for.
func TestLacks(t *testing.T) {
	ready := Facts{Wanted: []int{10000, 10001, 10002}, Voters: []int{10000, 10001, 10002},
		Leader: 10001, Told: []int{10000, 10001, 10002}, Takes: []int{10000, 10001, 10002},
		ZooKeeper: &Nodes{Controller: 10001, KRaft: true, Migration: true, Offset: 412}}
	with := func(change func(*Facts)) Facts {
		f := ready
		change(&f)
		return f
	}
	for _, c := range []struct {
		phase string
		facts Facts
		want  string
	}{
		{Controllers, ready, ""},
		{Controllers, with(func(f *Facts) { f.Leader = -1 }), "the controllers have no leader yet"},
		{Controllers, with(func(f *Facts) { f.Voters = f.Voters[:2] }),
			"controller 10002 does not vote yet"},
		{Controllers, with(func(f *Facts) { f.Leader = 1 }),
			"node 1 leads the controllers, and is none of them"},
		{Controllers, with(func(f *Facts) { f.Takes = f.Takes[:1] }),
			"controller 10001 does not tell that it takes part in the migration"},
		{Controllers, with(func(f *Facts) { f.ZooKeeper = nil }), ""},
		{Enter, ready, ""},
		{Enter, with(func(f *Facts) { f.ZooKeeper = nil }),
			"ZooKeeper does not tell how far the migration is"},
		{Enter, with(func(f *Facts) { f.ZooKeeper = &Nodes{Controller: -1, Offset: -1} }),
			"ZooKeeper knows no controller"},
		{Enter, with(func(f *Facts) {
			f.ZooKeeper = &Nodes{Controller: 2, Migration: true, Offset: -1}
		}), "broker 2 is still the controller: not all brokers have registered with the " +
			"controllers yet"},
		{DualWrite, with(func(f *Facts) {
			f.ZooKeeper = &Nodes{Controller: 10001, KRaft: true, Migration: true, Offset: -1}
		}), "the controllers are copying the metadata"},
		{Brokers, ready, ""},
		{Brokers, with(func(f *Facts) { f.Voters = f.Voters[1:] }),
			"controller 10000 does not vote yet"},
		{Stay, ready, ""},
		{Finalize, ready, "controller 10000 does not tell that it has left the migration"},
		{Finalize, with(func(f *Facts) { f.Takes, f.Told = nil, f.Told[:2] }),
			"controller 10002 does not tell that it has left the migration"},
		{Finalize, with(func(f *Facts) { f.Takes, f.ZooKeeper = nil, nil }), ""},
	} {
		if got := c.facts.Lacks(c.phase); got != c.want {
			t.Errorf("%s: %q, want %q", c.phase, got, c.want)
		}
	}
}

// TestWayBack shows when the controllers are gone, what is deleted, and when a broker is the
// controller again.
func TestWayBack(t *testing.T) {
	for _, c := range []struct {
		runs               []int
		nodes              *Nodes
		withdrawn, deletes string
		handed             string
	}{
		{[]int{10000, 10002}, nil, "waits for the end of controller 10000, 10002", "",
			"ZooKeeper does not tell who is the controller"},
		{nil, &Nodes{Controller: 10001, KRaft: true, Migration: true, Offset: 412}, "",
			"/controller /migration", "waits until ZooKeeper has forgotten the migration: " +
				"/controller, /migration"},
		{nil, &Nodes{Controller: 1, Migration: true, Offset: -1}, "", "/migration",
			"waits until ZooKeeper has forgotten the migration: /migration"},
		{nil, &Nodes{Controller: -1, Offset: -1}, "", "", "no broker is the controller yet"},
		{nil, &Nodes{Controller: 1, Offset: -1}, "", "", ""},
	} {
		f := Facts{Runs: c.runs, ZooKeeper: c.nodes}
		deletes := ""
		if c.nodes != nil {
			deletes = strings.Join(c.nodes.Deletes(), " ")
		}
		if f.Withdrawn() != c.withdrawn || f.HandedBack() != c.handed || deletes != c.deletes {
			t.Errorf("%+v: %q, %q, %q", c, f.Withdrawn(), f.HandedBack(), deletes)
		}
	}
	for _, phase := range (Specs{parse(t, origin), parse(t, final)}).Phases() {
		want := phase.Name == Controllers || phase.Name == Enter
		if Withdraws(phase.Name) != want {
			t.Errorf("phase %s", phase.Name)
		}
	}
}

// TestChecks has a cluster that can migrate, and one for each thing that may be wrong.
func TestChecks(t *testing.T) {
	good := func() Live {
		return Live{Brokers: []int{0, 1}, Registered: []int{0, 1},
			Protocols:   map[int]string{0: "3.9-IV0", 1: "3.9"},
			Authorizers: map[int]string{0: "", 1: ""}, Directories: true,
			ZooKeeper: &Nodes{Controller: 1, Offset: -1}}
	}
	for _, c := range []struct {
		name   string
		change func(*Live)
		want   string
	}{
		{"", func(*Live) {}, ""},
		{"brokers", func(l *Live) { l.Registered = []int{0} }, "broker 1 is not registered"},
		{"brokers", func(l *Live) { l.Registered = []int{0, 1, 7} },
			"broker 7 is registered and none of this service's"},
		{"protocol", func(l *Live) { l.Protocols[1] = "3.8-IV0" },
			"broker 1 has inter.broker.protocol.version=3.8-IV0: raise it to 3.9 first"},
		{"protocol", func(l *Live) { delete(l.Protocols, 0) }, "broker 0 does not tell"},
		{"authorizer", func(l *Live) { l.Authorizers[0] = "com.example.Own" },
			"whose rules do not migrate"},
		{"replicas", func(l *Live) { l.Behind = 2 }, "2 replicas are not in sync"},
		{"replicas", func(l *Live) { l.Offline = 1 }, "1 partitions have no leader"},
		{"log directories", func(l *Live) { l.Failed = []string{"/d of broker 1: KAFKA_STORAGE"} },
			"cannot be used: /d of broker 1"},
		{"log directories", func(l *Live) { l.Directories = false }, "do not tell"},
		{"ZooKeeper", func(l *Live) { l.ZooKeeper, l.Silent = nil, "no ZooKeeper answers" },
			"no ZooKeeper answers"},
		{"ZooKeeper", func(l *Live) { l.ZooKeeper.KRaft = true }, "another migration was begun"},
		{"ZooKeeper", func(l *Live) { l.ZooKeeper.Migration, l.ZooKeeper.Offset = true, 9 },
			"delete the node"},
		{"ZooKeeper", func(l *Live) { l.ZooKeeper.Controller = -1 }, "knows no controller"},
	} {
		l := good()
		c.change(&l)
		checks := l.Checks()
		wrong := Wrong(checks)
		if c.want == "" && len(wrong) > 0 || c.want != "" &&
			(len(wrong) != 1 || !strings.Contains(wrong[0], c.want)) {
			t.Errorf("%s: %q, want %q", c.name, wrong, c.want)
		}
		for _, check := range checks {
			if check.OK == (check.Name == c.name) || check.Text == "" {
				t.Errorf("%s: %+v", c.name, check)
			}
		}
	}
}

// TestInventory compares what was there with what is there, also of a kind that is too large to be
// kept as it is.
func TestInventory(t *testing.T) {
	before := Inventory{}
	before.Add(KindTopics, "orders", "3 partitions retention.ms=1000")
	before.Add(KindACLs, "User:a READ", "ALLOW")
	before.Add(KindOffsets, "g of orders-0", "100")
	before.Add(KindOffsets, "g of orders-1", "100")
	for i := range 9000 {
		before.Add(KindQuotas, fmt.Sprintf("producer_byte_rate of user %q", fmt.Sprint(i)), "1000")
	}
	kept, err := DecodeInventory(before.Encode())
	if err != nil || len(before.Encode()) > most || len(kept[KindQuotas]) != 1 {
		t.Fatalf("kept %d bytes, %d quotas, %v", len(before.Encode()), len(kept[KindQuotas]), err)
	}
	if list := kept.Differences(before); len(list) > 0 {
		t.Errorf("nothing changed: %v", list)
	}
	if kept.Count(KindQuotas) != 9000 || kept.Count(KindOffsets) != 2 {
		t.Errorf("counts %d and %d", kept.Count(KindQuotas), kept.Count(KindOffsets))
	}
	now := Inventory{}
	now.Add(KindTopics, "orders", "3 partitions")
	now.Add(KindTopics, "new", "1 partitions")
	now.Add(KindOffsets, "g of orders-0", "150")
	now.Add(KindOffsets, "g of orders-1", "99")
	list := kept.Differences(now)
	for i := range list {
		if list[i].Kind == KindQuotas {
			list[i].Before, list[i].Now = "", ""
		}
	}
	want := []Difference{
		{KindTopics, "orders", "3 partitions retention.ms=1000", "3 partitions"},
		{KindACLs, "User:a READ", "ALLOW", ""},
		{KindQuotas, summary, "", ""},
		{KindOffsets, "g of orders-1", "100", "99"},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := DecodeInventory("{"); err == nil {
		t.Error("what is damaged was read")
	}
}
