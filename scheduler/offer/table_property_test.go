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
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// TestSplittingOffersDoesNotMatter lets each agent make several offers instead of one, in any
// order, which together hold the same.
func TestSplittingOffersDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		req, all := requirements().Draw(t, "req"), offers().Draw(t, "offers")
		var parts []mesos.Offer
		for _, o := range all {
			parts = append(parts, split(t, o)...)
		}
		m, refusal := offer.Evaluate(req, all)
		m2, refusal2 := offer.Evaluate(req, rapid.Permutation(parts).Draw(t, "permuted"))
		if diff := cmp.Diff(told(refusal), told(refusal2)); diff != "" {
			t.Fatal(diff)
		}
		if refusal != nil {
			return
		}
		if m.Agent != m2.Agent || !whole(m).Equal(whole(m2)) ||
			!m.Remaining.Equal(m2.Remaining) || !m.Used.Equal(m2.Used) ||
			!m.Reserve.Equal(m2.Reserve) || !m.Create.Equal(m2.Create) {
			t.Fatalf("%+v became %+v", m, m2)
		}
		for _, o := range parts {
			if slices.Contains(m2.Offers, o.ID) != (o.Agent == m.Agent) {
				t.Fatalf("%v are not the offers of %s", m2.Offers, m.Agent)
			}
		}
	})
}

// split makes one to three offers of one.
func split(t *rapid.T, o mesos.Offer) []mesos.Offer {
	parts := make([]mesos.Offer, rapid.IntRange(1, 3).Draw(t, "parts"))
	for i := range parts {
		parts[i] = o
		parts[i].ID = mesos.OfferID(fmt.Sprintf("%s-%d", o.ID, i))
		parts[i].Resources = nil
	}
	give := func(r resource.Resource) {
		part := &parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
		part.Resources = part.Resources.Add(r)
	}
	for _, r := range o.Resources {
		switch {
		case r.Whole():
		case r.Kind == resource.Scalar:
			half := r
			half.Scalar = resource.Milli(rapid.Int64Range(0, int64(r.Scalar)).Draw(t, "amount"))
			r.Scalar -= half.Scalar
			give(half)
		case r.Kind == resource.RangesKind && len(r.Ranges) > 1:
			first := r
			first.Ranges, r.Ranges = r.Ranges[:1], r.Ranges[1:]
			give(first)
		}
		give(r)
	}
	return parts
}

// TestTableRemembersRightly places one instance after the other by one table, and asks each time
// a new one too, which remembers nothing: they must agree in all. What is offered is either used
// or left, always.
func TestTableRemembersRightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := offers().Draw(t, "offers")
		table := offer.NewTable(all)
		kinds := make([]offer.Requirement, rapid.IntRange(1, 3).Draw(t, "kinds"))
		for i := range kinds {
			kinds[i] = requirements().Draw(t, "kind")
			kinds[i].Prefer = drawPreferences(t)
		}
		offered, used := resources(offer.NewTable(all)), resource.List{}
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			req := rapid.SampledFrom(kinds).Draw(t, "of kind")
			req.Pod = fmt.Sprintf("kafka-%d", i)
			before := resources(table)
			m, refusal := table.Evaluate(req)
			fresh := req
			fresh.Peers = req.Peers.Clone()
			m2, refusal2 := offer.Evaluate(fresh, offersIn(table))
			m2.Offers = m.Offers
			if diff := cmp.Diff(m, m2) + cmp.Diff(told(refusal), told(refusal2)); diff != "" {
				t.Fatal(diff)
			}
			if refusal != nil {
				continue
			}
			at := offer.Place(table.Get(m).Offer)
			table.Take(m)
			used = used.Add(m.Used...)
			if !resources(table).Add(m.Used...).Equal(before) ||
				!resources(table).Add(used...).Equal(offered) {
				t.Fatalf("%s used and %s left are not %s", used, resources(table), offered)
			}
			if rapid.Bool().Draw(t, "becomes a peer") {
				req.Peers.Add(at)
			}
		}
	})
}

func drawPreferences(t *rapid.T) []placement.Preference {
	rules := []string{"hostname:MAX_PER:1", "hostname:IS:h1", "@zone:GROUP_BY:2"}
	var out []placement.Preference
	for range rapid.IntRange(0, 2).Draw(t, "preferences") {
		expr, err := placement.ParseExpr(rapid.SampledFrom(rules).Draw(t, "prefer"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, placement.Preference{Placement: expr, Weight: 5})
	}
	return out
}

func offersIn(table *offer.Table) []mesos.Offer {
	var out []mesos.Offer
	for i := range table.Len() {
		out = append(out, table.Bundle(i).Offer)
	}
	return out
}

// resources is all that is left in a table, each agent's marked as such.
func resources(table *offer.Table) (sum resource.List) {
	for _, o := range offersIn(table) {
		sum = sum.Add(o.Resources...)
	}
	return sum
}

// TestRefusalsKeep reads refusals only once the table has become another one: they tell of the
// moment that they are from.
func TestRefusalsKeep(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := offers().Draw(t, "offers")
		table := offer.NewTable(all)
		req := requirements().Draw(t, "req")
		var refusals []*offer.Refusal
		var want []any
		for range 8 {
			m, refusal := table.Evaluate(req)
			if refusal != nil {
				fresh := req
				fresh.Peers = req.Peers.Clone()
				_, same := offer.Evaluate(fresh, offersIn(table))
				refusals, want = append(refusals, refusal), append(want, told(same))
				req.Peers.Add(drawAgent(t))
				continue
			}
			req.Peers.Add(offer.Place(table.Get(m).Offer))
			table.Take(m)
		}
		for i, refusal := range refusals {
			if diff := cmp.Diff(want[i], told(refusal)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
