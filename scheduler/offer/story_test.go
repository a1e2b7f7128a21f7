package offer_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

const (
	role      = "kafka-role"
	principal = "kafka-principal"
)

// TestStories runs the stories in testdata. Their commands are
//
//	pod NAME [id=RESERVATION] [role=ROLE]     the instance to place, from now on
//	pod NAME kept [runs] [drop=SET] [unseen=SET]
//	                                          new needs of the instance, which holds what it
//	                                          held; runs: its executor is running
//	evaluate                                  one offer a line, see story.offer
//	keep                                      the instance holds what was last found
//	return                                    the last offer comes back after the launch ended
//	lost                                      the last offer comes back as it was
//
// Resources are written as resource.ParseList reads them, one or more a line; principals are
// left out, and the ids of reserved resources are written RESERVATION/SET/NAME.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("finding the stories: %d, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := &story{ids: readableIDs{}}
			datadriven.RunTest(t, path, s.run)
		})
	}
}

// story is what the commands of one file work on.
type story struct {
	need   needing
	offers []mesos.Offer
	match  offer.Match
	ids    readableIDs
}

// run carries out one command and gives what it prints.
func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "pod":
		s.pod(t, d)
		return ""
	case "evaluate":
		s.offers = nil
		for _, line := range lines(strings.ReplaceAll(d.Input, "\n ", " ")) {
			s.offers = append(s.offers, s.offer(t, line))
		}
		return s.evaluate()
	case "keep":
		s.need.Kept = keep(s.match)
		return ""
	case "return":
		s.offers = []mesos.Offer{comeBack(t, s.offers, s.match)}
		return s.print("offered", s.offers[0].Resources) + s.evaluate()
	case "lost":
		return s.print("offered", s.offers[0].Resources) + s.evaluate()
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// pod reads a requirement, line by line:
//
//	executor cpus=0.1 mem=32 disk=10
//	set broker cpus=1 mem=2048
//	port client 9092                     0 is dynamic, ranges may follow: 0 [31000-31005]
//	volume ROOT kafka-data 5000 vol-1    and profiles; before any set it is the executor's
//	placement hostname:MAX_PER:1
//	prefer 10 disk:IS:ssd                the weight, and a rule or an expression
//	peer 127.0.0.1 [ZONE]
//	taken HOST [9092,31000-31005]
func (s *story) pod(t *testing.T, d *datadriven.TestData) {
	id, kept := "res-1", s.need.Kept
	s.need = needing{Requirement: offer.Requirement{
		Pod: d.CmdArgs[0].Key, Role: role, Principal: principal, Peers: placement.NewCrowd(),
	}}
	d.MaybeScanArgs(t, "id", &id)
	d.MaybeScanArgs(t, "role", &s.need.Role)
	s.need.Reservation = mesos.ReservationID(id)
	if d.HasArg("kept") {
		now := *kept
		now.ExecutorRuns, now.Drop, now.Unseen = d.HasArg("runs"), nil, nil
		if d.HasArg("drop") {
			now.Drop = make([]string, 1)
			d.ScanArgs(t, "drop", &now.Drop[0])
		}
		if d.HasArg("unseen") {
			now.Unseen = make([]string, 1)
			d.ScanArgs(t, "unseen", &now.Unseen[0])
		}
		s.need.Kept = &now
	}
	for _, line := range lines(d.Input) {
		s.line(t, strings.Fields(line))
	}
	s.ids.of(s.need.Requirement)
}

// line reads one line of a requirement.
func (s *story) line(t *testing.T, words []string) {
	volumes := &s.need.Volumes
	var set *offer.SetNeed
	if n := len(s.need.Sets); n > 0 {
		set = &s.need.Sets[n-1]
		volumes = &set.Volumes
	}
	switch words[0] {
	case "executor":
		s.need.Executor = scalars(t, words[1:])
	case "set":
		s.need.Sets = append(s.need.Sets, offer.SetNeed{
			Name: words[1], Scalars: scalars(t, words[2:]),
		})
	case "port":
		p := servicespec.Port{Name: words[1], Port: int(number(t, words[2]))}
		if len(words) > 3 {
			p.Ranges = ranges(t, words[3])
		}
		set.Ports = append(set.Ports, p)
	case "volume":
		*volumes = append(*volumes, offer.VolumeNeed{
			Volume: servicespec.Volume{
				Type: words[1], Path: words[2], Profiles: words[5:],
				Size: resource.MiB(number(t, words[3])),
			},
			ID: mesos.PersistenceID(words[4]),
		})
	case "placement":
		rule, err := placement.Parse(strings.Join(words[1:], " "))
		if err != nil {
			t.Fatal(err)
		}
		s.need.Rule = rule
	case "prefer":
		expr, err := placement.ParseExpr(strings.Join(words[2:], " "))
		if err != nil {
			t.Fatal(err)
		}
		s.need.Prefer = append(s.need.Prefer, placement.Preference{
			Placement: expr, Weight: int(number(t, words[1]))})
	case "peer":
		peer := placement.Agent{Hostname: words[1]}
		if len(words) > 2 {
			peer.Zone = words[2]
		}
		s.need.Peers.Add(peer)
	case "taken":
		s.need.taken = append(s.need.taken, takenPorts{words[1], ranges(t, words[2])})
	default:
		t.Fatalf("unknown line %q", words)
	}
}

func scalars(t *testing.T, words []string) offer.Scalars {
	var s offer.Scalars
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		m, err := resource.ParseMilli(value)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case resource.CPUs:
			s.CPUs = m
		case resource.GPUs:
			s.GPUs = m
		case resource.Mem:
			s.Mem = m.MiB()
		case resource.Disk:
			s.Disk = m.MiB()
		default:
			t.Fatalf("unknown scalar %q", word)
		}
	}
	return s
}

// offer reads "OFFER@AGENT HOST [zone=Z] [attr=NAME:VALUE] [maintenance] [role=R] RESOURCES ..."
func (s *story) offer(t *testing.T, line string) mesos.Offer {
	words := strings.Fields(line)
	id, agent, _ := strings.Cut(words[0], "@")
	o := mesos.Offer{
		ID: mesos.OfferID(id), Agent: mesos.AgentID(agent), Hostname: words[1], Role: s.need.Role,
	}
	var resources []string
	for _, word := range words[2:] {
		if i := strings.IndexAny(word, ":="); i >= 0 && word[i] == ':' {
			resources = append(resources, word)
			continue
		}
		switch key, value, _ := strings.Cut(word, "="); key {
		case "zone":
			o.Domain.Zone = value
		case "role":
			o.Role = value
		case "maintenance":
			o.Unavailable = &mesos.Unavailability{}
		case "attr":
			name, value, _ := strings.Cut(value, ":")
			o.Attributes = append(o.Attributes, mesos.Attribute{Name: name, Value: value})
		default:
			t.Fatalf("unknown word %q of an offer", word)
		}
	}
	list, err := resource.ParseList(strings.Join(resources, ";"))
	if err != nil {
		t.Fatal(err)
	}
	o.Resources = s.ids.parsed(list).WithRole(o.Role).WithPrincipal(principal)
	return o
}

// evaluate prints the match, or the refusal as a sentence and agent by agent.
func (s *story) evaluate() string {
	var b strings.Builder
	match, refusal := s.need.evaluate(s.offers)
	if refusal != nil {
		fmt.Fprintln(&b, refusal)
		for _, a := range refusal.Agents() {
			for _, r := range a.Reasons {
				fmt.Fprintf(&b, "  %s %s: %s\n", a.Hostname, r.Code, r)
			}
		}
		return b.String()
	}
	s.match = match
	fmt.Fprintf(&b, "%s@%s\n", match.Offer, match.Agent)
	for _, op := range offer.Operations(match) {
		switch op := op.(type) {
		case mesos.Destroy:
			b.WriteString(s.print("destroy", op.Volumes))
		case mesos.Unreserve:
			b.WriteString(s.print("unreserve", op.Resources))
		case mesos.Reserve:
			b.WriteString(s.print("reserve", op.Resources))
		case mesos.Create:
			b.WriteString(s.print("create", op.Volumes))
		}
	}
	b.WriteString(s.print("executor", match.Executor))
	for _, set := range match.Sets {
		fmt.Fprintf(&b, "set       %s", set.Name)
		for _, p := range set.Ports {
			fmt.Fprintf(&b, " %s=%d", p.Name, p.Number)
		}
		b.WriteString("\n" + s.print("", set.Resources))
	}
	b.WriteString(s.print("remaining", match.Remaining))
	return b.String()
}

// print gives a list with a title, one resource a line, but those that nobody has reserved on
// one.
func (s *story) print(title string, l resource.List) string {
	var b strings.Builder
	line := func(l resource.List) {
		fmt.Fprintf(&b, "%-9s %s\n", title, s.ids.printed(l))
		title = ""
	}
	free := l.Filter(func(r resource.Resource) bool { return len(r.Reservations) == 0 })
	if len(free) > 0 {
		line(free)
	}
	for _, r := range l {
		if len(r.Reservations) > 0 {
			line(resource.List{r})
		}
	}
	if len(l) == 0 {
		fmt.Fprintf(&b, "%-9s nothing\n", title)
	}
	return b.String()
}

// keep gives the reservation that the match made.
func keep(m offer.Match) *offer.Kept {
	return &offer.Kept{Agent: m.Agent, Executor: m.Executor, Sets: m.Sets}
}

func number(t *testing.T, s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func ranges(t *testing.T, s string) resource.Ranges {
	rs, err := resource.ParseRanges(s)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}
