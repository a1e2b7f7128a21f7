package brokers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPresent shows which voters are present: a node that was replaced is a voter under its old
// directory until the new one has joined, and does not fetch.
func TestPresent(t *testing.T) {
	at := func(id int, fetched int64) replica { return replica{id: id, fetched: fetched} }
	for _, c := range []struct {
		name   string
		voters []replica
		want   []int
	}{
		{"all fetch", []replica{at(0, 10_000), at(1, 9_600), at(2, 9_900)}, []int{0, 1, 2}},
		{"one was replaced", []replica{at(0, 10_000), at(1, 4_000), at(2, 9_900)}, []int{0, 2}},
		{"one never fetched", []replica{at(0, 10_000), at(1, -1)}, []int{0}},
		{"an answer without times", []replica{at(0, 0), at(1, 0)}, []int{0, 1}},
	} {
		q := quorum{leader: 0}
		q.take(c.voters)
		if diff := cmp.Diff(c.want, q.present); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
