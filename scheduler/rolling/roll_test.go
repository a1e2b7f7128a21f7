package rolling_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// line is one broker's way down and up, told second by second.
type line struct {
	t       *testing.T
	rollout rolling.Rollout
	now     time.Time
	text    string // of the facts
	nodes   map[rolling.NodeID]rolling.Condition
}

func newLine(t *testing.T, todo ...rolling.NodeID) *line {
	return &line{t: t, now: start, text: healthy, rollout: rolling.Rollout{Todo: todo},
		nodes: make(map[rolling.NodeID]rolling.Condition)}
}

// step lets a time go by, and says what is wanted with facts of that moment.
func (l *line) step(d time.Duration, text string) string {
	l.t.Helper()
	l.now = l.now.Add(d)
	facts := shifted(l.t, text, l.now)
	var said []string
	for _, a := range l.rollout.Step(rolling.Sight{Now: l.now, Facts: facts, Nodes: l.nodes}) {
		said = append(said, fmt.Sprintf("%s %d", a.Kind, a.Node))
	}
	return strings.Join(said, ", ")
}

// shifted makes facts of another time.
func shifted(t *testing.T, text string, now time.Time) *rolling.Facts {
	defer func(was time.Time) { start = was }(start)
	start = now
	return cluster(t, text)
}

func (l *line) expect(got, want string) {
	l.t.Helper()
	if got != want {
		l.t.Fatalf("at %s: got %q, want %q; %+v", l.now.Sub(start), got, want, l.rollout)
	}
}

// phase is the phase and the reason of the only roll.
func (l *line) phase() string {
	if len(l.rollout.Rolls) == 0 {
		return "none"
	}
	r := l.rollout.Rolls[0]
	return string(r.Phase) + ": " + r.Reason
}

const (
	moved = `
brokers 0@a 1@b 2@c 3@a
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 1+2+3+`
	led = `
brokers 0@a 1@b 2@c 3@a
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 3+1+2+`
	away = `
brokers 0@a 1@b 2@c 3@a
fenced 3
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 3-1+2+`
	behind = `
brokers 0@a 1@b 2@c 3@a
voters 0 1 2 leader 0
topic t min 2: 0+1+2+
topic t min 2: 3-1+2+
topic t min 2: 3-1+2+`
)

func TestOneRoll(t *testing.T) {
	l := newLine(t, 3)
	l.expect(l.step(0, led), "")
	l.expect(l.phase(), "draining: its leaders move away")
	l.expect(l.step(time.Second, led), "hand-over 3")
	l.expect(l.phase(), "draining: 1 of its leaders move away")
	l.expect(l.step(time.Second, moved), "stop 3")
	l.expect(l.step(time.Second, away), "")
	l.nodes[3] = rolling.Condition{Ended: true}
	l.expect(l.step(time.Second, away), "start 3")
	l.nodes[3] = rolling.Condition{}
	l.expect(l.step(time.Second, away), "")
	l.expect(l.step(time.Second, away), "")
	l.expect(l.phase(), "catching-up: it is fenced")
	l.expect(l.step(time.Second, behind), "")
	l.expect(l.phase(), "catching-up: it is not in the ISR of 2 of its 2 partitions")
	l.expect(l.step(time.Second, led), "")
	if !l.rollout.Complete() || len(l.rollout.Done) != 1 {
		t.Errorf("%+v", l.rollout)
	}
}

// The verdict is asked again at the moment of the stop.
func TestStaysWhenSomebodyFailsWhileItDrains(t *testing.T) {
	l := newLine(t, 3)
	l.step(0, led)
	l.expect(l.step(time.Second, led), "hand-over 3")
	l.expect(l.step(time.Second, moved+"\nsilent 1"), "")
	l.expect(l.phase(), "none")
	l.expect(l.rollout.Blocked.Sentence(), "node 3 has to stay: node 1 did not answer just now")
	l.step(time.Second, moved)
	l.expect(l.step(time.Second, moved), "stop 3")
}

// Log recovery extends the patience as long as it goes on, and no longer (F44, C5).
func TestRecoveryExtendsPatience(t *testing.T) {
	l := newLine(t, 3, 1)
	l.down(3)
	for left := 100; left > 0; left -= 10 {
		l.nodes[3] = rolling.Condition{Segments: left}
		l.expect(l.step(9*time.Minute, away), "")
		if l.rollout.Halted() != "" {
			t.Fatalf("halted with %d left: %s", left, l.rollout.Halted())
		}
	}
	l.expect(l.phase(), "catching-up: recovers its logs: 0 logs and 10 segments are left")
	l.step(11*time.Minute, away)
	l.expect(l.rollout.Halted(), "node 3: recovers its logs: 0 logs and 10 segments are left, "+
		"for 11m0s")
	l.nodes[3] = rolling.Condition{Segments: 5}
	l.step(time.Second, away)
	l.expect(l.rollout.Halted(), "")
}

// down brings a node down and lets its process begin.
func (l *line) down(id rolling.NodeID) {
	l.t.Helper()
	l.step(0, moved)
	l.expect(l.step(time.Second, moved), fmt.Sprint("stop ", id))
	l.nodes[id] = rolling.Condition{Ended: true}
	l.expect(l.step(time.Second, away), fmt.Sprint("start ", id))
	l.nodes[id] = rolling.Condition{}
	l.expect(l.step(time.Second, away), "")
}

// A node that does not come back halts the others, and its return ends the halt.
func TestFailedNodeHaltsTheRest(t *testing.T) {
	l := newLine(t, 3, 1, 2)
	l.down(3)
	for range 2 {
		l.nodes[3] = rolling.Condition{Ended: true}
		l.expect(l.step(time.Second, away), "start 3")
		l.nodes[3] = rolling.Condition{}
		l.expect(l.step(time.Second, away), "")
	}
	l.nodes[3] = rolling.Condition{Ended: true}
	l.expect(l.step(time.Second, away), "")
	l.expect(l.rollout.Halted(), "node 3 ended 3 times while it came back")
	for range 100 {
		l.expect(l.step(time.Hour, away), "")
	}
	if l.rollout.Down() != 1 || len(l.rollout.Rolls) != 1 {
		t.Errorf("%+v", l.rollout)
	}
	l.nodes[3] = rolling.Condition{} // somebody mended it
	l.step(time.Second, away)
	l.expect(l.step(time.Second, led), "")
	l.expect(l.rollout.Halted(), "")
	l.expect(l.step(time.Second, led), "stop 1")
}

// A voter that was just stopped does not look far behind: that counts for nothing.
func TestVoterIsBackOnlyAfterItsStart(t *testing.T) {
	l := newLine(t, 2)
	l.rollout.Policy.MaxBehind = time.Minute
	l.down(2)
	late := strings.Replace(moved, "leader 0", "leader 0\nlagging 2", 1)
	l.expect(l.step(time.Second, late), "")
	l.expect(l.phase(), "catching-up: it has not caught up with the other controllers")
	l.step(time.Second, moved)
	if !l.rollout.Complete() {
		t.Errorf("%+v", l.rollout)
	}
}

// Who leads the quorum goes last, whoever that is by then.
func TestLeaderGoesLast(t *testing.T) {
	l := newLine(t, 0, 1)
	l.step(0, moved+"\nmoving t 1")
	l.expect(l.phase(), "none") // 1 waits for a reassignment, and 0 for 1
	l.expect(l.rollout.Blocked.Sentence(),
		"node 1 has to stay: partition t-1 being reassigned")
	l.step(time.Second, strings.Replace(moved, "leader 0", "leader 1", 1))
	if l.rollout.Rolls[0].Node != 0 {
		t.Errorf("%+v", l.rollout)
	}
}

// Facts from before the start say nothing of it (F40).
func TestOldFactsDoNotCount(t *testing.T) {
	l := newLine(t, 3)
	l.down(3)
	before := shifted(t, led, l.now)
	l.now = l.now.Add(time.Second)
	l.rollout.Step(rolling.Sight{Now: l.now, Facts: before, Nodes: l.nodes})
	l.expect(l.phase(), "catching-up: Kafka has not told of it yet")
}

// Leaders that do not move away keep nobody for more than a minute; Kafka moves them at the stop.
func TestDrainIsBounded(t *testing.T) {
	l := newLine(t, 3)
	l.step(0, led)
	for range 59 {
		l.expect(l.step(time.Second, led), "hand-over 3")
	}
	l.expect(l.step(time.Second, led), "stop 3")
}

// Where it is left to the controlled shutdown, nothing is waited for.
func TestNoDrain(t *testing.T) {
	l := newLine(t, 3)
	l.rollout.Limits.Drain = -1
	l.step(0, led)
	l.expect(l.step(time.Second, led), "stop 3")
}

// A partition without a leader, or on its way elsewhere, keeps no node from being back.
func TestWhatCannotCatchUpIsNotWaitedFor(t *testing.T) {
	l := newLine(t, 3)
	l.down(3)
	l.step(time.Second, `
brokers 0@a 1@b 2@c 3@a 4@a
fenced 4
voters 0 1 2 leader 0
topic t min 2: 3+1+2+
topic t min 2: 1+2+3-
topic u min 1: 4+3-
moving t 1`)
	if !l.rollout.Complete() {
		t.Errorf("%+v", l.rollout)
	}
}

// A halted node holds up others even where more than one may be down.
func TestHaltHoldsARackUp(t *testing.T) {
	const rack = `
brokers 0@a 1@b 2@c 3@a 4@a
voters 10 11 12 leader 10
topic t min 2: 0+1+2+
topic t min 2: 1+2+3-`
	l := newLine(t, 3)
	l.rollout.Policy.MaxUnavailable = 2
	l.down(3)
	l.step(time.Second, rack)
	l.step(11*time.Minute, rack)
	l.expect(l.rollout.Halted(), "node 3: it is not in the ISR of 1 of its 1 partitions, "+
		"for 11m0s")
	l.rollout.Todo = []rolling.NodeID{4, 0}
	l.expect(l.step(time.Second, rack), "")
	if len(l.rollout.Rolls) != 1 {
		t.Errorf("%+v", l.rollout)
	}
}
