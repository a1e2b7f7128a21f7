package store

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// A state that grows entry by entry is the one that all entries together are, whatever comes and
// goes in between.
func TestGrowing(t *testing.T) {
	golden := goldenEntries(t)
	keys := slices.Sorted(maps.Keys(golden))
	chance := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		g, entries := NewGrowing(), map[string][]byte{}
		for range 3 * len(keys) {
			c := Change{Key: keys[chance.IntN(len(keys))]}
			delete(entries, c.Key)
			if chance.IntN(3) > 0 {
				c.Value = golden[c.Key]
				entries[c.Key] = c.Value
			}
			if err := g.Change(c); err != nil {
				t.Fatal(err)
			}
		}
		want, err := Decode(entries)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Hard()
		if diff := same(want, got); diff != "" || err != nil {
			t.Fatalf("of %d entries, error %v:\n%s", len(entries), err, diff)
		}
	}
	if err := NewGrowing().Change(Change{Key: "pod/web-0", Value: []byte("{")}); err == nil {
		t.Error("half an entry is taken")
	}
}
