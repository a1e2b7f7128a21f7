package resource_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// numbers draws ranges of small numbers, where overlaps and neighbours are common.
func numbers() *rapid.Generator[resource.Ranges] {
	return rapid.Custom(func(t *rapid.T) resource.Ranges {
		var rs []resource.Range
		for range rapid.IntRange(0, 4).Draw(t, "ranges") {
			begin := rapid.Uint64Range(0, 30).Draw(t, "begin")
			rs = append(rs, resource.Range{
				Begin: begin, End: begin + rapid.Uint64Range(0, 9).Draw(t, "more"),
			})
		}
		return resource.NewRanges(rs...)
	})
}

// TestRangesAreSets compares every operation with a plain set of numbers.
func TestRangesAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		sum, both := a.Add(b), a.Intersect(b)
		rest, contained := a.Sub(b)
		var count uint64
		subset := true
		for n := range uint64(50) {
			if sum.Has(n) != (a.Has(n) || b.Has(n)) || both.Has(n) != (a.Has(n) && b.Has(n)) {
				t.Fatalf("%d: sum %v, both %v", n, sum, both)
			}
			if contained && rest.Has(n) != (a.Has(n) && !b.Has(n)) {
				t.Fatalf("%d: rest %v", n, rest)
			}
			if a.Has(n) {
				count++
			}
			subset = subset && (a.Has(n) || !b.Has(n))
		}
		if contained != subset || a.Count() != count {
			t.Fatalf("contained %v, want %v; count %d, want %d",
				contained, subset, a.Count(), count)
		}
		for _, rs := range []resource.Ranges{a, sum, both, rest} {
			if !slices.Equal(rs, resource.NewRanges(rs...)) {
				t.Fatalf("%v is not normal", rs)
			}
		}
	})
}

func TestMilliTextIsInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := resource.Milli(rapid.Int64Range(0, 1<<52).Draw(t, "m"))
		got, err := resource.ParseMilli(m.String())
		if err != nil || got != m {
			t.Fatalf("%d printed %s, read as %d, %v", m, m, got, err)
		}
		if back := resource.FromFloat(m.Float()); m < 1<<43 && back != m {
			t.Fatalf("%d became %d as a float", m, back)
		}
	})
}

// word draws names with and without characters that the text form must escape.
func word() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[a-z0-9/_.-]{1,6}`), rapid.StringN(1, 5, -1))
}

// list draws resources of every kind and identity. What ranges and sets hold is never held twice
// by one list, nor by two lists of different marks, as no port of an agent is there twice.
func list(mark string, base uint64) *rapid.Generator[resource.List] {
	return rapid.Custom(func(t *rapid.T) resource.List {
		var out resource.List
		for i := range rapid.Uint64Range(0, 6).Draw(t, "resources") {
			r := identity(t)
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				r.Kind, r.Disk = resource.RangesKind, nil
				at := base + i*10 + rapid.Uint64Range(0, 5).Draw(t, "at")
				more := rapid.Uint64Range(0, 4).Draw(t, "more")
				r.Ranges = resource.NewRanges(resource.Range{Begin: at, End: at + more})
			case 1:
				r.Kind, r.Disk = resource.SetKind, nil
				r.Set = []string{fmt.Sprint(mark, i)}
			default:
				r.Scalar = resource.Milli(rapid.Int64Range(1, 5000).Draw(t, "quantity"))
			}
			out = append(out, r)
		}
		return out
	})
}

func identity(t *rapid.T) resource.Resource {
	names := rapid.SampledFrom([]string{"cpus", "disk", "a:b c"})
	r := resource.Resource{Name: names.Draw(t, "name")}
	for range rapid.IntRange(0, 2).Draw(t, "reservations") {
		res := resource.Reservation{Role: rapid.SampledFrom([]string{"r", "(s)"}).Draw(t, "role")}
		if res.Dynamic = rapid.Bool().Draw(t, "dynamic"); res.Dynamic {
			for range rapid.IntRange(0, 2).Draw(t, "labels") {
				res.Labels = append(res.Labels, resource.Label{
					Key:   rapid.SampledFrom([]string{resource.ResourceID, "k", ""}).Draw(t, "key"),
					Value: rapid.OneOf(rapid.Just(""), word()).Draw(t, "value"),
				})
			}
		}
		r.Reservations = append(r.Reservations, res)
	}
	if rapid.IntRange(0, 2).Draw(t, "disk") == 0 {
		r.Disk = &resource.DiskInfo{
			PersistenceID: rapid.SampledFrom([]string{"", "v1", "v2"}).Draw(t, "id"),
			Source: rapid.SampledFrom(
				[]string{"", "PATH", "MOUNT", "RAW"}).Draw(t, "source"),
			Profile: rapid.OneOf(rapid.Just(""), word()).Draw(t, "profile"),
		}
	}
	r.Revocable = rapid.IntRange(0, 5).Draw(t, "revocable") == 0
	r.Provider = rapid.SampledFrom([]string{"", "", "", "p=1"}).Draw(t, "provider")
	return r
}

func TestAddThenSubGivesTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := list("a", 0).Draw(t, "a").Merged()
		b := list("b", 1000).Draw(t, "b")
		got, err := a.Add(b...).Sub(b)
		if err != nil || !got.Equal(a) {
			t.Fatalf("(%s + %s) - b = %s, %v", a, b, got, err)
		}
	})
}

func TestSubIsRefusedExactlyWhenNotContained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := list("a", 0).Draw(t, "a").Merged(), list("a", 0).Draw(t, "b").Merged()
		rest, err := a.Sub(b)
		if (err == nil) != a.Contains(b) {
			t.Fatalf("Contains says %v, Sub %v", a.Contains(b), err)
		}
		if err != nil {
			return
		}
		for _, r := range rest {
			if r.Empty() || r.Scalar < 0 {
				t.Fatalf("%s is left", r)
			}
		}
		if !rest.Add(b...).Equal(a) {
			t.Fatalf("%s + %s is not %s", rest, b, a)
		}
	})
}

func TestOrderAndSplittingDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := list("a", 0).Draw(t, "a")
		shuffled := resource.List(rapid.Permutation(a).Draw(t, "shuffled"))
		if !a.Equal(shuffled) || !a.Merged().Equal(a) {
			t.Fatalf("%s is not %s", a, shuffled)
		}
	})
}

func TestListTextIsInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := list("a", 0).Draw(t, "l")
		got, err := resource.ParseList(l.String())
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		if diff := cmp.Diff(l, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", l, diff)
		}
	})
}

func FuzzParseList(f *testing.F) {
	f.Add("cpus:1;mem:2048;disk:5000(kafka-role:res-1)[vol-1:kafka-data];ports:[31000-31001]")
	f.Add(`a\:b:{x,y}(s)(s/t:k=v){revocable,shared,provider=p}`)
	f.Add("disk:5<MOUNT:/mnt/1,profile=fast,id=1,vendor=v>[v:p]")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := resource.ParseList(s)
		if err != nil {
			return
		}
		again, err := resource.ParseList(l.String())
		if err != nil || again.String() != l.String() {
			t.Fatalf("%q printed %q, read again as %q, %v", s, l, again, err)
		}
	})
}
