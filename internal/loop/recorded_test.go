package loop

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// tape is a Recorder that notes what it is told among what the bench does.
type tape struct {
	unrecorded
	b    *bench
	full bool
	made *scheduler.Machine // the latest of Anew
}

func (r *tape) Given(at time.Time, ev scheduler.Event) {
	if _, tick := ev.(scheduler.Tick); !tick {
		r.b.record("given %s", scheduler.EventText(ev))
	}
}

func (r *tape) Keep()           { r.b.record("kept") }
func (r *tape) Full() bool      { return r.full }
func (r *tape) Crashed(why any) { r.b.record("crashed: %v", why) }

func (r *tape) Anew() *scheduler.Machine {
	r.full = false
	r.b.record("anew")
	hard := r.b.loop.cfg.Machine.Hard()
	r.made = scheduler.Restore(scheduler.Config{ExecutorURI: "http://s/executor",
		UUID: func() [16]byte { return [16]byte{1} }}, hard)
	return r.made
}

// TestRecorder says that events are recorded before they are acted on, that writes are stored after
// the recording is kept, and that a new recording gets a machine that learns of the connection.
func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		r := &tape{b: b}
		b.loop.cfg.Recorder = r
		b.start()
		synctest.Wait()
		b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
		synctest.Wait()
		lines := strings.Join(b.recorded(), "\n")
		given, kept := strings.Index(lines, "given subscribed"), strings.LastIndex(lines, "kept")
		if stored := strings.Index(lines, "stored write framework"); given < 0 || kept < given ||
			stored < kept {
			t.Errorf("the order is\n%s", lines)
		}
		before := b.loop.cfg.Machine
		r.full = true
		b.loop.Deliver(mesos.Rescinded{Offer: "o1"})
		time.Sleep(time.Second)
		synctest.Wait()
		lines = strings.Join(b.recorded(), "\n")
		rescinded, anew := strings.Index(lines, "given rescinded"), strings.Index(lines, "anew")
		again := strings.LastIndex(lines, "given subscribed fw-1 master=m:5050")
		if rescinded < 0 || anew < rescinded || again < anew {
			t.Errorf("the new recording is\n%s", lines)
		}
		if v := b.loop.View(); b.loop.cfg.Machine == before || b.loop.cfg.Machine != r.made ||
			!v.Connected || v.Framework != "fw-1" || v.Master != "m:5050" {
			t.Errorf("it is connected: %v, to %s as %s", v.Connected, v.Master, v.Framework)
		}
		b.end()
	})
}

// TestCrashRecorded says that a panic of the machine is recorded, and goes on.
func TestCrashRecorded(t *testing.T) {
	b := newBench(t, webSpec, store.NewMemory())
	b.loop.cfg.Recorder = &tape{b: b}
	b.loop.cfg.Machine = nil
	defer func() {
		why := recover()
		lines := strings.Join(b.recorded(), "\n")
		if why == nil || !strings.Contains(lines, "crashed: runtime error: invalid memory") {
			t.Errorf("%v was recorded as %s", why, lines)
		}
	}()
	b.loop.Run(t.Context())
}

// TestClock sets the machine's clock forth and back: the time never goes back, and goes on.
func TestClock(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		shown, want time.Duration
	}{
		{time.Second, time.Second}, {0, time.Second}, {-time.Hour, time.Second},
		{1050 * time.Millisecond, 1050 * time.Millisecond}, {time.Hour, 1100 * time.Millisecond},
	} {
		if got := next(noon, noon.Add(c.shown), time.Second); !got.Equal(noon.Add(c.want)) {
			t.Errorf("when the clock shows %s more, it is %s", c.shown, got)
		}
	}
	if got := next(noon, noon.Add(-time.Second), -time.Second); !got.Equal(noon) {
		t.Errorf("it is %s", got)
	}
	c := new(Clock)
	first := c.Now()
	if second := c.Now(); second.Before(first) || first != first.Round(0) ||
		first.Location() != time.UTC {
		t.Errorf("%v and %v", first, second)
	}
}

// The machine's clock is set forth by an hour, and back, while an agent is silent whose instance is
// to be replaced after ten minutes (F29): it is replaced after about ten minutes, and not before.
func TestClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := strings.Replace(webSpec, "    count: 1\n", "    count: 1\n"+
			"    fault-policy: {unreachable-timeout: 600, action: replace}\n", 1)
		b := newBench(t, spec, store.NewMemory())
		var ahead atomic.Int64
		b.loop.cfg.Clock = &Clock{Machine: func() time.Time {
			return time.Now().Add(time.Duration(ahead.Load()))
		}}
		b.start()
		task := b.deploy("web")
		incarnation := func() int { return b.loop.View().Pods[0].Incarnation }
		first := incarnation()
		b.loop.Deliver(status(task, mesos.Unreachable, false))
		for _, jump := range []time.Duration{time.Hour, 0, -time.Hour, 2 * time.Hour} {
			ahead.Store(int64(jump))
			time.Sleep(2 * time.Minute)
			if now := incarnation(); now != first {
				t.Fatalf("it is replaced when the clock is set by %s", jump)
			}
		}
		time.Sleep(4 * time.Minute)
		if now := incarnation(); now != first+1 {
			t.Errorf("it is in its place number %d after twelve minutes", now)
		}
		b.end()
	})
}
