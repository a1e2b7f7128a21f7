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
//	evaluate                                  one offer a line, see story.offer
//	keep                                      the instance holds what was last found
//	return                                    the last offer comes back after the launch ended
//
// Resources are written as resource.ParseList reads them; principals are left out.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("finding the stories: %d, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := &story{}
			datadriven.RunTest(t, path, s.run)
		})
	}
}

// story is what the commands of one file work on.
type story struct {
	req    offer.Requirement
	offers []mesos.Offer
	match  offer.Match
}

// run carries out one command and gives what it prints.
func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "pod":
		s.pod(t, d)
		return ""
	case "evaluate":
		s.offers = nil
		for _, line := range lines(d.Input) {
			s.offers = append(s.offers, s.offer(t, line))
		}
		return s.evaluate()
	case "keep":
		s.req.Kept = keep(s.match)
		return ""
	case "return":
		s.offers = []mesos.Offer{comeBack(s.offers, s.match)}
		return s.offers[0].Resources.String() + "\n" + s.evaluate()
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
//	task broker cpus=1 mem=2048
//	port client 9092                     0 is dynamic, ranges may follow: 0 [31000-31005]
//	volume ROOT kafka-data 5000 vol-1    and profiles; before any task it is the executor's
//	placement hostname:MAX_PER:1
//	peer 127.0.0.1 [ZONE]
func (s *story) pod(t *testing.T, d *datadriven.TestData) {
	id := "res-1"
	s.req = offer.Requirement{Pod: d.CmdArgs[0].Key, Role: role, Principal: principal}
	d.MaybeScanArgs(t, "id", &id)
	d.MaybeScanArgs(t, "role", &s.req.Role)
	s.req.Labels = []resource.Label{{Key: resource.ResourceID, Value: id}}
	for _, line := range lines(d.Input) {
		words := strings.Fields(line)
		switch words[0] {
		case "executor":
			s.req.Executor = scalars(t, words[1:])
		case "task":
			s.req.Sets = append(s.req.Sets, offer.SetNeed{
				Name: words[1], Scalars: scalars(t, words[2:]),
			})
		case "port":
			task := &s.req.Sets[len(s.req.Sets)-1]
			p := servicespec.Port{Name: words[1], Port: int(number(t, words[2]))}
			if len(words) > 3 {
				p.Ranges = ranges(t, words[3])
			}
			task.Ports = append(task.Ports, p)
		case "volume":
			volumes := &s.req.Volumes
			if n := len(s.req.Sets); n > 0 {
				volumes = &s.req.Sets[n-1].Volumes
			}
			*volumes = append(*volumes, offer.VolumeNeed{
				Volume: servicespec.Volume{
					Type: words[1], Path: words[2], Profiles: words[5:],
					Size: resource.MiB(number(t, words[3])),
				},
				ID: mesos.PersistenceID(words[4]),
			})
		case "placement":
			rule, err := placement.Parse(strings.TrimPrefix(line, "placement "))
			if err != nil {
				t.Fatal(err)
			}
			s.req.Rule = rule
		case "peer":
			peer := placement.Agent{Hostname: words[1]}
			if len(words) > 2 {
				peer.Zone = words[2]
			}
			s.req.Peers = append(s.req.Peers, peer)
		default:
			t.Fatalf("%s: unknown line %q", d.Pos, line)
		}
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

// offer reads "OFFER@AGENT HOST [zone=Z] [attr=NAME:VALUE] [maintenance] [role=R] RESOURCES".
func (s *story) offer(t *testing.T, line string) mesos.Offer {
	words := strings.Fields(line)
	id, agent, _ := strings.Cut(words[0], "@")
	o := mesos.Offer{
		ID: mesos.OfferID(id), Agent: mesos.AgentID(agent), Hostname: words[1], Role: s.req.Role,
	}
	for _, word := range words[2 : len(words)-1] {
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
	list, err := resource.ParseList(words[len(words)-1])
	if err != nil {
		t.Fatal(err)
	}
	o.Resources = list.WithRole(o.Role).WithPrincipal(principal)
	return o
}

// evaluate prints the match, or the refusal as a sentence and agent by agent.
func (s *story) evaluate() string {
	var b strings.Builder
	match, refusal := offer.Evaluate(s.req, s.offers)
	if refusal != nil {
		fmt.Fprintln(&b, refusal)
		for _, a := range refusal.Agents {
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
		case mesos.Reserve:
			fmt.Fprintf(&b, "reserve   %s\n", op.Resources)
		case mesos.Create:
			fmt.Fprintf(&b, "create    %s\n", op.Volumes)
		}
	}
	fmt.Fprintf(&b, "executor  %s\n", orNothing(match.Executor))
	for _, task := range match.Sets {
		fmt.Fprintf(&b, "task      %s %s", task.Name, orNothing(task.Resources))
		for _, p := range task.Ports {
			fmt.Fprintf(&b, " %s=%d", p.Name, p.Number)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "remaining %s\n", orNothing(match.Remaining))
	return b.String()
}

func orNothing(l resource.List) string {
	if len(l) == 0 {
		return "nothing"
	}
	return l.String()
}

// keep gives the reservation that the match made.
func keep(m offer.Match) *offer.Kept {
	return &offer.Kept{Agent: m.Agent, Executor: m.Executor, Sets: m.Sets}
}

// comeBack gives the offer that the master makes once an instance launched with the match has
// ended: all is there again, what was reserved is reserved, and what is addable is added up.
func comeBack(offers []mesos.Offer, m offer.Match) mesos.Offer {
	for _, o := range offers {
		if o.ID != m.Offer {
			continue
		}
		held := keep(m)
		list := m.Remaining.Add(held.Executor.WithRole(o.Role)...)
		for _, task := range held.Sets {
			list = list.Add(task.Resources.WithRole(o.Role)...)
		}
		o.ID += "'"
		o.Resources = list
		return o
	}
	panic("the match is of no offer")
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
