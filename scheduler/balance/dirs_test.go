package balance_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// shelves makes one broker with directories of some standings, and replicas of sizes in them.
func shelves(standings []balance.Standing, sizes ...[]int64) *balance.Cluster {
	b := balance.Broker{ID: 7}
	c := &balance.Cluster{}
	for dir, s := range standings {
		b.Dirs = append(b.Dirs, balance.Dir{Path: "/" + string(rune('a'+dir)), Standing: s})
		for _, size := range sizes[dir] {
			c.Partitions = append(c.Partitions, balance.Partition{Topic: "t",
				ID: int32(len(c.Partitions)), Replicas: []balance.Replica{
					{Broker: 7, Dir: dir, Bytes: size * mib}}})
		}
	}
	c.Brokers = []balance.Broker{b}
	return c
}

func TestDirs(t *testing.T) {
	in, added, leaving, down := balance.InService, balance.Added, balance.Leaving, balance.Down
	full := shelves([]balance.Standing{leaving, in}, []int64{60}, []int64{40})
	full.Brokers[0].Dirs[1].Capacity = 100 * mib
	for _, c := range []struct {
		name    string
		cluster *balance.Cluster
		want    string
	}{
		{"even already", shelves([]balance.Standing{in, in}, []int64{9}, []int64{9}), ""},
		{"a new disk", shelves([]balance.Standing{in, added}, []int64{9, 9, 9, 9}, nil),
			"0 /a>/b, 1 /a>/b"},
		{"a disk that leaves", shelves([]balance.Standing{leaving, in, in}, []int64{9, 5},
			[]int64{2}, []int64{9}), "0 /a>/b, 1 /a>/c"},
		{"a disk that failed", shelves([]balance.Standing{down, in}, []int64{9}, []int64{9}),
			"0: its log directory /a is down"},
		{"no room", full, "0: no other log directory of the broker has room for it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			moves, left := balance.Dirs(c.cluster, balance.Options{})
			var got []string
			for _, m := range moves {
				got = append(got, fmt.Sprintf("%d %s>%s", m.Partition, m.From, m.To))
			}
			for _, l := range left {
				got = append(got, fmt.Sprintf("%d: %s", l.Partition, l.Reason))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
}

// Whatever lies where: leaving directories are emptied, a replica moves at most once, and no
// directory gets farther from its due.
func TestDirsAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		standings := rapid.SliceOfN(rapid.SampledFrom([]balance.Standing{balance.InService,
			balance.InService, balance.Leaving, balance.Down}), 1, 5).Draw(t, "dirs")
		sizes := make([][]int64, len(standings))
		takers := 0
		for i, s := range standings {
			sizes[i] = rapid.SliceOfN(rapid.Int64Range(0, 50), 0, 12).Draw(t, "sizes")
			if s == balance.InService {
				takers++
			}
		}
		c := shelves(standings, sizes...)
		moves, left := balance.Dirs(c, balance.Options{})
		at := make(map[int32]string)
		for _, p := range c.Partitions {
			at[p.ID] = c.Brokers[0].Dirs[p.Replicas[0].Dir].Path
		}
		moved := make(map[int32]bool)
		for _, m := range moves {
			if at[m.Partition] != m.From || m.From == m.To || moved[m.Partition] {
				t.Fatalf("%+v, and it is at %s", m, at[m.Partition])
			}
			at[m.Partition], moved[m.Partition] = m.To, true
		}
		for _, p := range c.Partitions {
			dir := strings.Index("abcde", at[p.ID][1:])
			told := false
			for _, l := range left {
				told = told || l.Partition == p.ID
			}
			if s := standings[dir]; (s != balance.InService) != told ||
				s == balance.Leaving && takers > 0 {
				t.Fatalf("%d is left on %s, told %v", p.ID, at[p.ID], told)
			}
		}
	})
}
