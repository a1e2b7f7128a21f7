package placement_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

func drawPlace(t *rapid.T) placement.Agent {
	one := func(name string, values ...string) string {
		return rapid.SampledFrom(values).Draw(t, name)
	}
	a := placement.Agent{Hostname: one("host", "h1", "h2", "h3"),
		Region: one("region", "", "r1", "r2"), Zone: one("zone", "", "z1", "z2")}
	for range rapid.IntRange(0, 3).Draw(t, "attributes") {
		a.Attributes = append(a.Attributes, placement.Attribute{
			Name:  one("attribute", "rack", "disk", "hostname"),
			Value: one("value", "1", "1.0", "2", "")})
	}
	return a
}

// TestCrowdCounts lets places come and go, and asks a judge and seats that were made before: they
// must say what a judge does that counts all of them anew.
func TestCrowdCounts(t *testing.T) {
	rules := []string{"hostname:UNIQUE", "rack:MAX_PER:2", "@zone:GROUP_BY:2", "rack:GROUP_BY:3",
		"disk:IS:1", "@region:GROUP_BY:2", "hostname:MAX_PER:2,rack:UNIQUE,disk:UNLIKE:2",
		"hostname:GROUP_BY", "rack:IS_NOT:1,@zone:MAX_PER:3"}
	rapid.Check(t, func(t *rapid.T) {
		rule, err := placement.Parse(rapid.SampledFrom(rules).Draw(t, "rule"))
		if err != nil {
			t.Fatal(err)
		}
		crowd, agents := placement.NewCrowd(), make([]placement.Agent, 4)
		judge, seats := rule.JudgeIn(crowd), make([]placement.Seats, len(agents))
		for i := range agents {
			agents[i] = drawPlace(t)
			seats[i] = judge.Seats(agents[i])
		}
		var peers []placement.Agent
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if n := len(peers); n > 0 && rapid.IntRange(0, 2).Draw(t, "goes") == 0 {
				crowd.Remove(peers[n-1])
				peers = peers[:n-1]
			} else {
				peers = append(peers, drawPlace(t))
				crowd.Add(peers[len(peers)-1])
			}
			for i, a := range agents {
				want, clone := rule.Evaluate(a, peers), rule.JudgeIn(crowd.Clone()).Evaluate(a)
				got, free := judge.Evaluate(a), judge.AllowsAlone(a) && seats[i].Free()
				if got != want || clone != want || free != want.Allowed {
					t.Fatalf("%+v with %+v: want %+v, got %+v, of a clone %+v, free %v",
						a, peers, want, got, clone, free)
				}
			}
			if crowd.Size() != len(peers) {
				t.Fatalf("%d of %d", crowd.Size(), len(peers))
			}
		}
	})
}
