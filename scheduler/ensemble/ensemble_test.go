package ensemble

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// facts reads servers as "a leader stops, b follower, c silent".
func facts(t *testing.T, text string) Facts {
	t.Helper()
	f := Facts{Asked: now}
	for part := range strings.SplitSeq(text, ", ") {
		words := strings.Fields(part)
		s := Server{Name: words[0], Role: Role(words[1]),
			Stops: len(words) > 2 && words[2] == "stops", Unheard: words[1] == "unheard"}
		if s.Role == "silent" || s.Unheard {
			s.Role = Silent
		}
		if len(words) > 2 && words[2] == "ended" {
			s.Missing = "it has ended"
		}
		f.Servers = append(f.Servers, s)
	}
	return f
}

func TestMayStop(t *testing.T) {
	for _, c := range []struct{ servers, stop, replace string }{
		{"a standalone", "", "a is the only server, and its data would be lost for ever"},
		{"a silent", "", "a is the only server, and its data would be lost for ever"},
		{"a standalone, b idle", "", "b does not serve"},
		{"a standalone, b silent", "b is not up yet", "b does not serve"},
		{"a follower, b follower, c leader", "", ""},
		{"a leader, b follower, c follower", "", ""},
		{"a leader, b follower stops, c follower", "a leads the ensemble, and b goes first", ""},
		{"a follower stops, b leader stops, c follower stops", "", ""},
		{"a follower, b leader, c silent", "c does not serve", "c does not serve"},
		{"a follower, b leader, c idle", "c does not serve", "c does not serve"},
		{"a follower, b follower ended, c leader", "b does not serve: it has ended",
			"b does not serve: it has ended"},
		{"a idle, b idle, c silent", "", "b does not serve"},
		{"a silent, b follower, c leader", "", ""},
		{"a silent, b silent, c silent", "b does not serve", "b does not serve"},
		{"a follower, b leader, c follower, d follower, e silent", "e does not serve",
			"e does not serve"},
	} {
		f := facts(t, c.servers)
		if got := f.MayStop("a", now); got != c.stop {
			t.Errorf("%s: stop: %q, not %q", c.servers, got, c.stop)
		}
		if got := f.MayReplace("a", now); got != c.replace {
			t.Errorf("%s: replace: %q, not %q", c.servers, got, c.replace)
		}
	}
}

// Facts that are old, or were never asked for, permit nothing.
func TestOldFactsPermitNothing(t *testing.T) {
	f := facts(t, "a follower, b leader, c follower")
	for _, asked := range []time.Time{{}, now.Add(-MaxAge - 1)} {
		f.Asked = asked
		if f.MayStop("a", now) == "" || f.MayReplace("a", now) == "" || f.Complete(now) == "" {
			t.Errorf("facts of %v count at %v", asked, now)
		}
	}
	f.Asked = now.Add(-MaxAge)
	if got := f.MayStop("a", now) + f.Complete(now); got != "" {
		t.Errorf("facts at the limit do not count: %s", got)
	}
}

func TestLeader(t *testing.T) {
	if got := facts(t, "a follower, b leader, c follower").Leader(); got != "b" {
		t.Errorf("the leader is %q", got)
	}
	if got := facts(t, "a follower, b silent, c idle").Leader(); got != "" {
		t.Errorf("the leader is %q, and there is none", got)
	}
}

// TestRolls rolls ensembles that answer truthfully, with servers that fail meanwhile: never do we
// take one down while another is missing, the first leader is stopped last unless it lost the
// lead, and every roll ends once failures do.
func TestRolls(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(rng, []int{3, 5}[rng.IntN(2)])
		for step := 0; !w.done(); step++ {
			if step > 500 {
				t.Fatalf("seed %d: the roll does not end: %+v", seed, w.servers)
			}
			if why := w.step(rng, step < 60); why != "" {
				t.Fatalf("seed %d, step %d: %s: %+v", seed, step, why, w.servers)
			}
		}
	}
}

type world struct{ servers []Server }

func newWorld(rng *rand.Rand, size int) *world {
	w := &world{}
	for i := range size {
		w.servers = append(w.servers, Server{Name: string(rune('a' + i)), Role: Follower,
			Stops: true})
	}
	w.servers[rng.IntN(size)].Role = Leader
	return w
}

func (w *world) done() bool {
	for _, s := range w.servers {
		if s.Stops || !s.Role.Serves() {
			return false
		}
	}
	return true
}

// step stops what may be stopped, lets one server fail or come back, and has a leader elected.
func (w *world) step(rng *rand.Rand, failures bool) string {
	f := Facts{Asked: now, Servers: append([]Server(nil), w.servers...)}
	for _, i := range rng.Perm(len(w.servers)) {
		s := &w.servers[i]
		if !s.Stops || s.Role == Silent || f.MayStop(s.Name, now) != "" {
			continue
		}
		for _, o := range w.servers {
			if o.Name != s.Name && s.Role.Serves() && !o.Role.Serves() {
				return s.Name + " is stopped while " + o.Name + " is missing"
			}
			if s.Role == Leader && o.Name != s.Name && o.Stops {
				return s.Name + " leads and does not go last"
			}
		}
		s.Role, s.Stops = Silent, false
		break
	}
	i := rng.IntN(len(w.servers))
	switch s := &w.servers[i]; {
	case failures && rng.IntN(10) == 0:
		s.Role = Silent
	case s.Role == Silent:
		s.Role = Idle
	case s.Role == Idle && w.leads():
		s.Role = Follower
	}
	w.elect()
	return ""
}

func (w *world) leads() bool { return Facts{Servers: w.servers}.Leader() != "" }

// elect has the last of those that run lead, if they are a majority and nobody does.
func (w *world) elect() {
	running, last := 0, -1
	for i, s := range w.servers {
		if s.Role != Silent {
			running, last = running+1, i
		}
	}
	if 2*running <= len(w.servers) {
		for i := range w.servers {
			if w.servers[i].Role != Silent {
				w.servers[i].Role = Idle
			}
		}
	} else if !w.leads() {
		w.servers[last].Role = Leader
	}
}

func TestMayStart(t *testing.T) {
	second := "b follows a server that was replaced and runs on where nobody can reach it: " +
		"beside that one a would have another leader"
	untold := "b does not tell whether it follows a server that was replaced and runs on where " +
		"nobody can reach it: beside that one a would have another leader"
	for servers, want := range map[string]string{
		"a silent, b follower, c leader":                       "",
		"a silent, b idle, c idle":                             "",
		"a silent, b follower, c follower":                     "",
		"a silent, b follower, c idle":                         second,
		"a silent, b follower, c silent":                       second,
		"a leader, b follower, c idle":                         second, // it has ended since
		"a silent, b follower, c follower, d idle, e follower": "",
		"a silent, b follower, c idle, d idle, e idle":         second,
		"a silent":                                          "",
		"a silent, b unheard, c leader":                     "",
		"a silent, b unheard, c idle":                       untold,
		"a silent, c unheard, b unheard":                    untold, // one of them may follow it
		"a silent, c unheard, b follower":                   second,
		"a silent, b unheard, c idle, d idle, e idle":       "", // two are no majority of five
		"a silent, c unheard, b unheard, d idle, e idle":    untold,
		"a silent, c unheard, d unheard, b unheard, e idle": untold,
	} {
		f := facts(t, servers)
		f.Beside = 1
		if got := f.MayStart("a", now); got != want {
			t.Errorf("%s: %q, not %q", servers, got, want)
		}
	}
	stale := "ZooKeeper has not been asked yet who leads"
	if got := facts(t, "a silent, b idle").MayStart("a", now.Add(2*MaxAge)); got != stale {
		t.Errorf("stale: %q", got)
	}
}
