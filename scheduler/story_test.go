package scheduler

import (
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestStories runs the scenarios in testdata: a command line, its arguments, what the machine
// answers. `go test ./scheduler -run Stories -rewrite` writes the answers anew.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := &story{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		datadriven.RunTest(t, path, s.run)
	})
}

// TestStoriesSurviveACrashAnywhere runs each story once as it is, and then again with a crash and
// a new subscription after each of its commands: what is stored in the end must be the same (F1).
// In those that are named anew-, a wait is told of that begins anew with each process.
func TestStoriesSurviveACrashAnywhere(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		name := filepath.Base(path)
		if strings.HasPrefix(name, recordedStories) || strings.HasPrefix(name, "anew-") {
			return
		}
		total, want := tell(t, path, -1)
		for crash := 1; crash < total; crash++ {
			if _, got := tell(t, path, crash); got != want {
				t.Errorf("after a crash behind command %d:\n%s\nwithout:\n%s", crash, got, want)
			}
		}
	})
}

// tell runs a story, crashing after the n-th command if there is one, and gives how many
// commands it has and what is stored in the end.
func tell(t *testing.T, path string, crash int) (int, string) {
	s := &story{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	n := 0
	datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
		s.run(t, d)
		if n++; n == crash && s.machine != nil {
			connected := s.machine.connected
			s.machine = Restore(s.cfg, s.stored.clone())
			s.step(Tick{})
			if connected {
				s.step(FromMesos{mesos.Subscribed{
					Framework: s.stored.Framework, Master: "m:5050"}})
			}
			if s.seen != nil && connected {
				s.step(FromMesos{*s.seen})
			}
			if s.facts != nil { // Kafka says the same when it is asked again
				s.step(s.again())
			}
			s.sameRoles()
			s.sameNodes()
		}
		return d.Expected
	})
	return n, hardText(s.stored)
}

// hardText prints what a store holds, pointers followed and maps sorted.
func hardText(h Hard) string {
	lines := []string{WriteText(WriteFramework{h.Framework}), WriteText(WriteIntent{h.Intent}),
		WriteText(WriteKafka{h.Kafka}), WriteText(WriteOverrides{h.Overrides})}
	var entries []string
	for _, p := range h.Pods {
		text := shorten(WriteText(WritePod{p})) + " " + string(p.Executor.ID)
		for _, t := range p.Tasks {
			text += fmt.Sprint(" ", t.Launch, t.Params)
		}
		entries = append(entries, text)
	}
	if h.Rebalancing.Number > 0 {
		entries = append(entries, WriteText(WriteRebalancing{h.Rebalancing}))
	}
	if h.Campaign.Number > 0 {
		entries = append(entries, fmt.Sprint(WriteText(WriteCampaign{h.Campaign}),
			h.Campaign.Phases, h.Kafka.Archives))
	}
	for _, l := range h.Leftovers {
		entries = append(entries, shorten(WriteText(WriteLeftover{l})))
	}
	for plan, run := range h.Runs {
		entries = append(entries, WriteText(WriteRun{plan, run}))
	}
	for _, e := range h.Earlier {
		entries = append(entries, WriteText(WriteEarlier{e}))
	}
	for name, run := range h.Actions {
		entries = append(entries, WriteText(WriteAction{name, run}))
	}
	for _, a := range h.Agents {
		entries = append(entries, WriteText(WriteAgent{a}))
	}
	for name, content := range h.Files {
		entries = append(entries, WriteText(WriteFile{name, content}))
	}
	sort.Strings(entries)
	return strings.Join(append(lines, entries...), "\n")
}

// story is one scenario under way: a machine and what the store would hold.
type story struct {
	t       *testing.T
	cfg     Config
	machine *Machine
	stored  Hard
	now     time.Time
	ids     byte
	last    Output
	began   time.Time         // of a recorded story
	count   uint64            // of its ids
	facts   *KafkaFacts       // the latest
	beyond  wholeMore         // likewise
	seen    *mesos.AgentsSeen // likewise
	roles   *ZooKeeperFacts   // likewise
	nodes   *MigrationFacts   // likewise
	change  KafkaChange       // the latest that was asked for
	before  []KafkaChange     // those before it
	wish    MoveWish          // likewise
	asked   AskConfigs        // likewise
	drift   bool              // the story is about what is declared
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	s.t = t
	switch d.Cmd {
	case "start":
		return s.start(d)
	case "crash":
		return s.crash(d)
	case "subscribe":
		return s.step(FromMesos{mesos.Subscribed{
			Framework: mesos.FrameworkID(d.CmdArgs[0].Key), Master: "m:5050"}})
	case "disconnect":
		return s.step(FromMesos{mesos.Disconnected{Reason: "gone"}})
	case "offers":
		return s.offers(d)
	case "status":
		return s.step(s.status(d))
	case "burst-status": // another event comes before the machine gets its tick
		return s.single(s.status(d))
	case "operation":
		return s.operation(d)
	case "at":
		return s.recorded(d)
	case "rescinded":
		return s.step(FromMesos{mesos.Rescinded{Offer: mesos.OfferID(d.CmdArgs[0].Key)}})
	case "failed":
		return s.failed(d)
	case "refused":
		return s.refused(d)
	case "kafka":
		return s.kafka(d)
	case "zookeeper", "migration":
		return s.fromEnsemble(d)
	case "changed":
		return s.changed(d)
	case "moves":
		return s.moves(d)
	case "configs":
		return s.configs(d)
	case "command":
		return s.command(d)
	case "wait":
		wait, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(wait)
		return s.step(Tick{})
	case "inverse-offers":
		return s.inverse(d)
	case "agents":
		return s.agents(d)
	case "held", "plans", "declared", "drift":
		return shown[d.Cmd](s.machine.view())
	case "endpoints":
		return fmt.Sprintln(s.machine.view().Endpoints)
	case "fetches":
		return s.fetches(d)
	case "order":
		return s.order(d)
	default:
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	}
}

// shown are what the picture shows, by the commands that ask for it.
var shown = map[string]func(*View) string{"held": agentsText, "plans": plansText,
	"declared": declaredText, "drift": driftText}

func (s *story) start(d *datadriven.TestData) string {
	service, problems := servicespec.Parse("spec.yml", []byte(d.Input), nil)
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	s.cfg = Config{
		Target:      Target{ID: "target-1", Service: service},
		ExecutorURI: "http://s/executor", KafkaURI: "http://s/kafka.tgz",
		UUID: func() [16]byte {
			s.ids++
			return [16]byte{15: s.ids}
		},
	}
	for _, a := range d.CmdArgs { // binaries=(linux/amd64, linux/arm64)
		for _, platform := range a.Vals {
			system, arch, _ := strings.Cut(platform, "/")
			s.cfg.Binaries = append(s.cfg.Binaries, Binary{system, arch,
				"http://s/kafka-sched-" + arch, "digest-of-" + arch})
		}
	}
	for _, p := range service.Pods {
		s.drift = s.drift || p.Kafka != nil && (p.Kafka.Drift != "" || len(p.Kafka.Topics) > 0)
	}
	s.machine = Restore(s.cfg, Hard{})
	return s.step(Tick{})
}

// crash has the next process begin: "crash [release=VERSION] [java=VERSION]", of another release,
// or with another Java runtime for the agents.
func (s *story) crash(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "release":
			s.release(a.Vals[0])
		case "java":
			s.cfg.JavaURI = "http://s/jre-" + a.Vals[0] + ".tgz"
		}
	}
	s.machine = Restore(s.cfg, s.stored.clone())
	return s.step(Tick{})
}

// release makes the scheduler, and the executors that it has, those of a release.
func (s *story) release(version string) {
	s.cfg.Version, s.cfg.Binaries = version, slices.Clone(s.cfg.Binaries)
	for i := range s.cfg.Binaries {
		b := &s.cfg.Binaries[i]
		b.Digest = "digest-of-" + b.Arch + "-" + version
	}
}

// step gives the machine an event and, if it wants that at once, a tick.
func (s *story) step(ev Event) string {
	text := s.single(ev)
	if wake := s.machine.NextWake(); !wake.IsZero() && !wake.After(s.now) {
		text += s.single(Tick{})
	}
	if s.askedForAll() && s.facts != nil { // and Kafka says what it said before
		text += s.single(s.again()) + s.single(Tick{})
	}
	if text == "" {
		return "nothing\n"
	}
	return text
}

// askedForAll reports whether the latest event had Kafka asked for each partition.
func (s *story) askedForAll() bool {
	return slices.ContainsFunc(s.last.Calls, func(c Call) bool {
		ask, is := c.(AskKafka)
		return is && ask.All
	})
}

// again is what Kafka said last, said anew, of each partition too.
func (s *story) again() Event {
	s.facts.Asked = s.now.Add(time.Millisecond / 2)
	s.facts.Rolling = wholeOf(*s.facts, s.beyond)
	return FromKafka{*s.facts}
}

// knowsItsTasks demands that the machine looks for the launches that its records have, and for no
// others: those that came to an end would become more and more.
func (s *story) knowsItsTasks() {
	launches, executors := 0, 0
	for _, p := range s.machine.hard.Pods { //tidy:unordered a count
		if p.Executor.ID != "" {
			executors++
		}
		for _, t := range p.Tasks {
			if t.ID != "" {
				launches++
			}
		}
	}
	if len(s.machine.taskAt) != launches || len(s.machine.executorAt) != executors {
		s.t.Fatalf("%d launches and %d executors are noted, of %d and %d",
			len(s.machine.taskAt), len(s.machine.executorAt), launches, executors)
	}
}

// single runs one event a moment after the last, keeps what would be stored, and prints what the
// machine wants.
func (s *story) single(ev Event) string {
	s.now = s.now.Add(time.Millisecond) // nothing happens at the same moment as something else
	was := EventText(ev)
	out := s.machine.Step(s.now, ev)
	if now := EventText(ev); now != was { // others read it meanwhile
		s.t.Fatalf("the machine changed an event from\n%s\nto\n%s", was, now)
	}
	s.last = out
	s.knowsItsTasks()
	var b strings.Builder
	for _, w := range out.Writes {
		s.stored.Apply(w)
		fmt.Fprintln(&b, shorten(WriteText(w)))
	}
	for _, c := range out.Calls {
		if ask, is := c.(AskConfigs); is {
			s.asked = ask
			if !s.drift {
				continue // every service asks that from time to time
			}
		}
		fmt.Fprintln(&b, shorten(CallText(c)))
		switch c := c.(type) {
		case ChangeKafka:
			s.before, s.change = append(s.before, s.change), c.Change
		case AskMoves:
			s.wish = c.Wish
		}
	}
	for _, r := range out.Replies {
		if r.Problem != nil {
			fmt.Fprintf(&b, "refused %s: %s\n", r.Problem.Code, r.Problem.Message)
		} else {
			fmt.Fprintf(&b, "reply %s %v\n", r.Message, r.Tasks)
			for _, step := range r.Preview {
				fmt.Fprintf(&b, "would %s %s: %s\n", step.Action, step.Step,
					strings.Join(step.Reasons, "; "))
			}
		}
	}
	if got, want := hardText(s.stored), hardText(s.machine.hard); got != want {
		s.t.Fatalf("the store and the machine differ:\n%s\n%s", got, want)
	}
	return b.String()
}

// shorten makes the ids of a story legible: the counter alone is left of a UUID.
func shorten(text string) string {
	const head = "00000000-0000-4000-8000-0000000000"
	return strings.ReplaceAll(text, head, "u")
}

func lengthen(text string) string {
	var b strings.Builder
	for i, word := range strings.Split(text, "(kafka-role:u") {
		if i > 0 {
			b.WriteString("(kafka-role:00000000-0000-4000-8000-0000000000")
		}
		b.WriteString(strings.ReplaceAll(word, "[u", "[00000000-0000-4000-8000-0000000000"))
	}
	return b.String()
}

// offers reads lines of "id[!window] agent host[@zone] [role=ROLE] [arch=CPU] resources"; in
// these "kept=POD" stands for all that an instance holds, "leftover=POD" for what is left of it,
// "half=" and "bare=" for that without its volumes, "stray=" for a copy of it under another id, and
// "unseen=" for a part of what is left of it that no record has; "more=" is as Story.more has it.
// A window says in how long an hour of maintenance begins.
func (s *story) offers(d *datadriven.TestData) string {
	var ev mesos.Offers
	for _, line := range strings.Split(d.Input, "\n") {
		parts := strings.SplitN(line, " ", 4)
		if len(parts) != 4 {
			s.t.Fatalf("an offer is: id agent host resources; got %q", line)
		}
		host, zone, _ := strings.Cut(parts[2], "@")
		id, window, windowed := strings.Cut(parts[0], "!")
		o := mesos.Offer{ID: mesos.OfferID(id), Agent: mesos.AgentID(parts[1]),
			Hostname: host, IP: host, Role: "kafka-role", Domain: mesos.Domain{Zone: zone}}
		if rest, ok := strings.CutPrefix(parts[3], "role="); ok {
			o.Role, parts[3], _ = strings.Cut(rest, " ")
		}
		if rest, ok := strings.CutPrefix(parts[3], "arch="); ok {
			arch, rest, _ := strings.Cut(rest, " ")
			o.Attributes, parts[3] = []mesos.Attribute{{Name: "arch", Value: arch}}, rest
		}
		o.Resources = s.offered(parts[3]).WithRole(o.Role)
		if windowed {
			o.Unavailable = s.window(window)
		}
		ev.Offers = append(ev.Offers, o)
	}
	return s.step(FromMesos{ev})
}

func (s *story) offered(text string) resource.List {
	var list resource.List
	for _, part := range strings.Fields(text) {
		if pod, ok := strings.CutPrefix(part, "kept="); ok {
			place := s.pod(pod).Place
			list = append(list, placeResources(*place)...)
			continue
		}
		if more, ok := strings.CutPrefix(part, "more="); ok { // so much more of what it holds
			list = append(list, s.more(more)...)
			continue
		}
		if pod, ok := strings.CutPrefix(part, "stray="); ok {
			list = append(list, s.stray(pod)...)
			continue
		}
		if pod, ok := strings.CutPrefix(part, "unseen="); ok {
			list = append(list, s.unseen(pod)...)
			continue
		}
		if pod, ok := strings.CutPrefix(part, "half="); ok {
			list = append(list, placeResources(*s.pod(pod).Place).WithoutVolumes()...)
			continue
		}
		if pod, ok := strings.CutPrefix(part, "bare="); ok {
			list = append(list, s.leftover(pod).Resources.WithoutVolumes()...)
			continue
		}
		if id, ok := strings.CutPrefix(part, "leftover="); ok {
			for _, l := range s.stored.Leftovers {
				if l.Pod.String() == id {
					list = append(list, l.Resources...)
				}
			}
			continue
		}
		parsed, err := resource.ParseList(lengthen(part))
		if err != nil {
			s.t.Fatal(err)
		}
		list = append(list, parsed...)
	}
	return list.Merged()
}

// more is "POD:RESOURCE:AMOUNT" as it is reserved beside what an instance holds.
func (s *story) more(text string) resource.List {
	words := strings.Split(text, ":")
	amount, err := resource.ParseList(words[1] + ":" + words[2])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, set := range s.pod(words[0]).Place.Sets {
		for _, r := range set.Resources {
			if r.Name == words[1] && r.DiskInfo().PersistenceID == "" {
				r.Scalar = amount[0].Scalar
				return resource.List{r}
			}
		}
	}
	s.t.Fatalf("%s has no %s", words[0], words[1])
	return nil
}

func (s *story) leftover(pod string) Leftover {
	for _, l := range s.stored.Leftovers {
		if l.Pod.String() == pod {
			return l
		}
	}
	s.t.Fatalf("no leftover of %s", pod)
	return Leftover{}
}

func (s *story) pod(name string) Pod {
	for n, p := range s.stored.Pods {
		if n.String() == name {
			return p
		}
	}
	s.t.Fatalf("no pod %s", name)
	return Pod{}
}

// status reports on the newest task of a full name, or with task=ID on any.
func (s *story) status(d *datadriven.TestData) Event {
	st := mesos.Status{State: mesos.TaskState(d.CmdArgs[1].Key), UUID: []byte{1}}
	name := d.CmdArgs[0].Key
	for n, p := range s.stored.Pods {
		for _, t := range p.Tasks {
			if n.fullName(t.Name) == name && p.Place != nil {
				st.Task, st.Agent = t.ID, p.Place.Agent
			}
		}
	}
	for _, a := range d.CmdArgs[2:] {
		switch a.Key {
		case "ready":
			ready := a.Vals[0] == "true"
			st.Ready = &ready
		case "healthy":
			healthy := a.Vals[0] == "true"
			st.Healthy = &healthy
		case "message":
			st.Message = strings.Join(a.Vals, " ")
		case "reason":
			st.Reason = a.Vals[0]
		case "task":
			st.Task = mesos.TaskID(a.Vals[0])
		case "source":
			st.Source = a.Vals[0]
		case "agent":
			st.Agent = mesos.AgentID(a.Vals[0])
		case "noack":
			st.UUID = nil
		}
	}
	if st.Task == "" {
		s.t.Fatalf("no task %s", name)
	}
	return FromMesos{mesos.Updated{Status: st}}
}

// kafka reports facts: "kafka voters=0,1 brokers=0,1 fenced=1 behind=0", or "kafka error".
func (s *story) kafka(d *datadriven.TestData) string {
	f := KafkaFacts{Asked: s.now.Add(time.Millisecond / 2),
		ClusterID: s.stored.Kafka.ID, Leader: -1}
	numbers := func(vals []string) (list []int) {
		for _, v := range vals {
			n, err := strconv.Atoi(v)
			if err != nil {
				s.t.Fatal(err)
			}
			list = append(list, n)
		}
		return list
	}
	s.beyond = wholeMore{}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "cluster":
			f.ClusterID = a.Vals[0]
		case "follows":
			s.beyond.follows = true
		case "single":
			s.beyond.single = numbers(a.Vals)
		case "racks": // of the brokers from 0 on
			s.beyond.racks = map[int]string{}
			for id, rack := range a.Vals {
				s.beyond.racks[id] = rack
			}
		case "error":
			f.Error = "connection refused"
		case "voters":
			f.Voters = numbers(a.Vals)
			f.Present = f.Voters
		case "present":
			f.Present = numbers(a.Vals)
		case "replicas":
			f.Replicas = replicasOf(numbers, a.Vals)
		case "offline":
			f.OfflinePartitions = numbers(a.Vals)[0]
		case "controllers", "migrating", "features", "joins":
			s.kafkaBeside(a, &f, numbers)
		case "leader":
			f.Leader = numbers(a.Vals)[0]
		case "brokers":
			for _, id := range numbers(a.Vals) {
				f.Brokers = append(f.Brokers, BrokerFacts{ID: id, Hosted: 5,
					Address: fmt.Sprintf("b%d:9092", id)})
			}
		case "cordons":
			f.Cordons = true
		case "fenced", "behind", "empty", "cordoned", "failed":
			for _, id := range numbers(a.Vals) {
				b := f.broker(id)
				b.Fenced = b.Fenced || a.Key == "fenced"
				b.Cordoned = b.Cordoned || a.Key == "cordoned"
				if a.Key == "failed" {
					b.Failed = []string{"/kafka-data-2/logs"}
				}
				if a.Key == "empty" {
					b.Hosted = 0
				}
				if a.Key == "behind" {
					b.NotInSync = 2
				}
			}
		}
	}
	f.Rolling, f.Features = wholeOf(f, s.beyond), s.features(d)
	s.facts = &f
	return s.step(FromKafka{f})
}

// inverse reads lines of "id agent window".
func (s *story) inverse(d *datadriven.TestData) string {
	var ev mesos.InverseOffers
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		ev.Offers = append(ev.Offers, mesos.InverseOffer{ID: mesos.OfferID(words[0]),
			Agent: mesos.AgentID(words[1]), Unavailable: *s.window(words[2])})
	}
	return s.step(FromMesos{ev})
}

// agents says what the operator API shows: lines of "id host" and then any of inactive, draining,
// drained, mark-gone, deactivated, able (to report on operations), unavailable=DURATION, which is
// when the window begins, and reserved=RESOURCES; and "removed id".
func (s *story) agents(d *datadriven.TestData) string {
	var ev mesos.AgentsSeen
	for _, line := range strings.Split(d.Input, "\n") {
		words := strings.Fields(line)
		if words[0] == "removed" {
			ev.Removed = append(ev.Removed, mesos.AgentID(words[1]))
			continue
		}
		a := mesos.SeenAgent{ID: mesos.AgentID(words[0]), Hostname: words[1], Active: true}
		drain := mesos.Drain{}
		for _, word := range words[2:] {
			after, isWindow := strings.CutPrefix(word, "unavailable=")
			reserved, isReserved := strings.CutPrefix(word, "reserved=")
			switch {
			case isWindow:
				a.Unavailable = s.window(after)
			case isReserved:
				a.Reserved = append(a.Reserved, s.offered(reserved).WithoutRole()...)
			case strings.Contains(word, "="):
				name, value, _ := strings.Cut(word, "=")
				a.Attributes = append(a.Attributes, mesos.Attribute{Name: name, Value: value})
			case strings.HasPrefix(word, "@"):
				a.Domain = mesos.Domain{Zone: word[1:]}
			case word == "able":
				a.Capabilities = []string{mesos.CapabilityFeedback, mesos.CapabilityProvider}
			case word == "inactive":
				a.Active = false
			case word == "deactivated":
				a.Active, a.Deactivated = false, true
			default:
				drain.Draining = drain.Draining || word == "draining"
				drain.Drained = drain.Drained || word == "drained"
				drain.MarkGone = drain.MarkGone || word == "mark-gone"
				a.Drain, a.Active, a.Deactivated = &drain, false, true
			}
		}
		ev.Agents = append(ev.Agents, a)
	}
	s.seen = &ev
	return s.step(FromMesos{ev})
}

// window is an hour of maintenance that begins after some time.
func (s *story) window(after string) *mesos.Unavailability {
	wait, err := time.ParseDuration(after)
	if err != nil {
		s.t.Fatal(err)
	}
	return &mesos.Unavailability{Start: s.now.Truncate(time.Minute).Add(wait),
		Duration: time.Hour}
}

// agentsText draws the agents that something is held on.
func agentsText(v *View) string {
	var b strings.Builder
	for _, a := range v.Agents() {
		fmt.Fprintf(&b, "%s on %s %s", a.ID, a.Hostname, a.State)
		if !a.Since.IsZero() {
			fmt.Fprintf(&b, " since %s", a.Since.UTC().Format(time.RFC3339))
		}
		fmt.Fprintf(&b, " pods=%v leftovers=%d volumes=%v", a.Pods, len(a.Leftovers),
			a.Volumes)
		if a.Note != "" {
			fmt.Fprintf(&b, ": %s", a.Note)
		}
		b.WriteString("\n")
	}
	return shorten(b.String())
}

func (s *story) command(d *datadriven.TestData) string {
	arg := func(i int) string {
		if i < len(d.CmdArgs) {
			return d.CmdArgs[i].Key
		}
		return ""
	}
	var c Command
	switch arg(0) {
	case "restart":
		c = PodRestart{arg(1), arg(2) == "force"}
	case "replace":
		c = PodReplace{arg(1), arg(2) == "force"}
	case "move":
		c = s.podMove(d)
	case "stop":
		c = ServiceStop{}
	case "start":
		c = ServiceStart{}
	case "uninstall":
		c = ServiceUninstall{}
	case "pause":
		c = PodPause{arg(1), d.CmdArgs[1].Vals}
	case "resume":
		c = PodResume{arg(1), d.CmdArgs[1].Vals}
	case "reset-backoff":
		c = BackoffReset{arg(1)}
	case "rollback":
		c = Rollback{ID: arg(1)}
	case "plan":
		plan := PlanCommand{Verb: PlanVerb(arg(1)), Plan: arg(2), Params: map[string]string{}}
		for i, part := range []*string{&plan.Phase, &plan.Step} {
			if a := arg(3 + i); a != "" && len(d.CmdArgs[3+i].Vals) == 0 {
				*part = strings.ReplaceAll(a, "_", " ")
			}
		}
		for _, a := range d.CmdArgs[3:] {
			if len(a.Vals) > 0 {
				plan.Params[a.Key] = a.Vals[0]
			}
		}
		c = plan
	case "target":
		service, problems := servicespec.Parse("spec.yml", []byte(d.Input), nil)
		if len(problems) > 0 {
			s.t.Fatal(problems)
		}
		target := SetTarget{ID: arg(1), Service: service}
		for _, a := range d.CmdArgs[2:] {
			target.Fits = target.Fits || a.Key == "fits"
			target.Preview = target.Preview || a.Key == "preview"
			target.Live = append(target.Live, a.Vals...)
		}
		c = target
	case "rebalance":
		c = s.rebalance(d)
	case "migrate":
		c = s.migrate(d)
	case "upgrade":
		c = s.upgrade(d)
	case "roll-executors":
		c = RollExecutors{}
	case "abandon":
		c = AgentAbandon{Agent: arg(1), Force: arg(2) == "force"}
	default:
		s.t.Fatalf("unknown operator's command %q", arg(0))
	}
	return s.step(Commanded{ID: 1, Command: c, Caller: Caller{Who: "test"}})
}

// order prints what the latest launch tells the executor of a task.
func (s *story) order(d *datadriven.TestData) string {
	for _, c := range s.last.Calls {
		to, _ := c.(ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			launch, _ := op.(mesos.Launch)
			for _, task := range launch.Tasks {
				if task.Name == d.CmdArgs[0].Key {
					return orderText(s.t, task)
				}
			}
		}
	}
	return "not launched\n"
}

// orderText prints an order as an operator would want to read it.
func orderText(t *testing.T, task mesos.TaskInfo) string {
	o, err := executor.DecodeOrder(task.Data)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if command := task.Executor.Command; strings.HasPrefix(command.Value, "case ") {
		for _, u := range command.URIs {
			fmt.Fprintf(&b, "the agent fetches %s\n", u.Value)
		}
		fmt.Fprintf(&b, "the agent runs %s\n", command.Value)
	}
	for _, e := range task.Executor.Command.Env {
		fmt.Fprintf(&b, "the agent sets %s to %s\n", e.Name, e.Secret)
	}
	for _, s := range task.Executor.Secrets {
		fmt.Fprintf(&b, "the agent makes %s of %s\n", s.Path, s.Secret)
	}
	for _, e := range o.Env {
		fmt.Fprintf(&b, "env %s=%s\n", e.Name, shorten(e.Value))
	}
	for _, f := range o.Files {
		if f.Path == "server.properties" || f.Path == "zoo.cfg" {
			b.WriteString(sortedLines(f.Text))
		}
	}
	return b.String()
}

// plansText draws plans as an operator sees them.
func plansText(v *View) string {
	var b strings.Builder
	for _, p := range v.Plans {
		fmt.Fprintf(&b, "%s (%s) %s\n", p.Name, p.Strategy, p.Status)
		for _, ph := range p.Phases {
			fmt.Fprintf(&b, "  %s (%s) %s\n", ph.Name, ph.Strategy, ph.Status)
			for _, st := range ph.Steps {
				fmt.Fprintf(&b, "    %s %s", shorten(st.Name), st.Status)
				if st.Reason != "" {
					fmt.Fprintf(&b, ": %s", shorten(st.Reason))
				}
				b.WriteString("\n")
			}
		}
	}
	return b.String()
}

func sortedLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	sort.Strings(lines)
	return strings.Join(lines, "\n") + "\n"
}
