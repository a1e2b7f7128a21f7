//go:build e2e && long

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rolled is a node's part of a roll, as the scheduler's recording tells it: when it was told to
// stop, had ended, was launched anew, its process began, it served, and it was back in all that
// it was in before.
type rolled struct {
	pod                                          string
	stop, ended, launched, began, served, isBack time.Time
}

// note takes in what was stored of the node at a moment; it reports whether its turn is over.
func (r *rolled) note(at time.Time, down bool, task string) bool {
	_, said, _ := strings.Cut(task, ":")
	words := strings.Split(said, ":")
	state, ready := words[0], slices.Contains(words, "ready=true")
	steps := []struct {
		when *time.Time
		is   bool
	}{
		{&r.stop, down},
		{&r.ended, state != "RUNNING" && state != "KILLING"},
		{&r.launched, state == "STAGING"},
		{&r.began, state == "STARTING" || state == "RUNNING"},
		{&r.served, ready},
		{&r.isBack, !down},
	}
	for _, step := range steps {
		switch {
		case !step.when.IsZero():
			continue
		case !step.is:
			return false
		}
		*step.when = at
	}
	return true
}

// rolledNodes are those that the recordings of the scheduler hold, in their order.
func (c *cluster) rolledNodes() (list []rolled) {
	c.t.Helper()
	segments, err := filepath.Glob(filepath.Join(c.home, c.name, "scheduler", "recording",
		"*.rec.gz"))
	if err != nil || len(segments) == 0 {
		c.t.Fatalf("recordings: %v, %v", segments, err)
	}
	slices.Sort(segments)
	under := map[string]*rolled{}
	var at time.Time
	for _, path := range segments {
		out, _, _ := c.run(5*time.Minute, "debug", "replay", path)
		for line := range strings.Lines(out) {
			words := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "#") && len(words) > 1:
				if at, err = time.Parse(time.RFC3339Nano, words[1]); err != nil {
					c.t.Fatalf("a step of %s: %v", path, err)
				}
			case strings.HasPrefix(line, "  write pod ") && len(words) > 3:
				pod, _, _ := strings.Cut(words[2], "#")
				if under[pod] == nil {
					under[pod] = &rolled{pod: pod}
				}
				down, task := slices.Contains(words, "down"), words[len(words)-1]
				if under[pod].note(at, down, task) {
					list = append(list, *under[pod])
					delete(under, pod)
				}
			}
		}
	}
	return list
}

// tellSplit logs what a roll took between two moments: what of it Kafka itself needed, to stop,
// to start and to catch up, and what is of the scheduler and of Mesos.
func (c *cluster) tellSplit(what string, from, to time.Time) {
	c.t.Helper()
	var stop, offer, fetch, start, catchUp time.Duration
	nodes := 0
	for _, r := range c.rolledNodes() {
		if r.stop.Before(from) || r.isBack.After(to) {
			continue
		}
		nodes++
		stop += r.ended.Sub(r.stop)
		offer += r.launched.Sub(r.ended)
		fetch += r.began.Sub(r.launched)
		start += r.served.Sub(r.began)
		catchUp += r.isBack.Sub(r.served)
		c.t.Logf("%s: stopped in %s, launched after %s, fetched in %s, started in %s, "+
			"back after %s", r.pod, tenths(r.ended.Sub(r.stop)), tenths(r.launched.Sub(r.ended)),
			tenths(r.began.Sub(r.launched)), tenths(r.served.Sub(r.began)),
			tenths(r.isBack.Sub(r.served)))
	}
	if nodes == 0 {
		c.t.Errorf("%s: the recordings tell of no node between %v and %v", what, from, to)
		return
	}
	all, kafka := to.Sub(from), stop+start+catchUp
	c.t.Logf("%s: %d nodes in %s. Kafka's own: %s (stop %s, start %s, in sync again %s). "+
		"Ours: %s (offers %s, fetching %s, before, between and behind the nodes %s)", what,
		nodes, tenths(all), tenths(kafka), tenths(stop), tenths(start), tenths(catchUp),
		tenths(all-kafka),
		tenths(offer), tenths(fetch), tenths(all-kafka-offer-fetch))
}

func tenths(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// TestRolled takes the stored records of a node that is rolled once.
func TestRolled(t *testing.T) {
	begin := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var r rolled
	for i, s := range []struct {
		down bool
		task string
	}{
		{false, "broker:RUNNING:ready=true"}, {true, "broker:RUNNING:ready=true"},
		{true, "broker:KILLING:deployed=a"}, {true, "broker:KILLED:deployed=a"},
		{true, "broker:STAGING:deployed=restarted"},
		{true, "broker:RUNNING:ready=false"}, {true, "broker:RUNNING:ready=true"},
		{true, "broker:RUNNING:ready=true:deployed=b"}, {false, "broker:RUNNING:ready=true"},
	} {
		at := begin.Add(time.Duration(i) * time.Second)
		if over := r.note(at, s.down, s.task); over != (i == 8) {
			t.Errorf("after record %d it is over: %v, %+v", i, over, r)
		}
	}
	if r.isBack.Sub(r.stop) != 7*time.Second || r.ended.Sub(r.stop) != 2*time.Second ||
		r.served.Sub(r.began) != time.Second {
		t.Errorf("%+v", r)
	}
}
