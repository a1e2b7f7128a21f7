package zkstore

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// follow has somebody stand by: the copy is kept up until the function that it gives is called.
func (r *rig) follow() (c *Copy, stop func()) {
	r.Helper()
	c = NewCopy(r.dial(0), slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var follower sync.WaitGroup
	follower.Go(func() { c.Follow(ctx) })
	stop = func() {
		cancel()
		follower.Wait()
	}
	r.Cleanup(stop)
	return c, stop
}

// read waits until a copy has read all that it was told of.
func (r *rig) read(c *Copy) {
	r.Helper()
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		c.mu.Lock()
		done := len(c.stale) == 0 && len(c.held) > 0
		c.mu.Unlock()
		if done {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			r.Fatal("the copy is never up to date")
		}
	}
}

// takeOver opens the state by a copy and compares it with what should be there.
func (r *rig) takeOver(c *Copy, stop func()) *Store {
	r.Helper()
	stop()
	s, err := c.Open("standby", false)
	for began := time.Now(); zk.Retriable(err) && time.Since(began) < time.Minute; {
		if err = c.session.Connected(r.Context()); err == nil { // it was cut off a moment ago
			s, err = c.Open("standby", false)
		}
	}
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff(r.want(), s.hard); diff != "" {
		r.Fatalf("what the standby has (-want +got):\n%s", diff)
	}
	return s
}

// TestCopy has a standby follow from before there is a state: what it has in the end is the state,
// and it goes on with it as with one that it had read.
func TestCopy(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	c, stop := r.follow()
	s := r.open()
	r.apply(s, scheduler.WriteFramework{ID: "fw-1"}, file("a", 10, 1), file("gone", 10, 2))
	r.read(c)
	r.apply(s, file("a", 20, 3), file("large", 3<<20, 4), instance(1, "TASK_RUNNING"),
		instance(2, "TASK_STAGING"))
	r.apply(s, file("large", 1<<20, 5), instance(2, "TASK_RUNNING"),
		scheduler.DeletePod{Name: scheduler.PodName{Type: "web", Index: 1}})
	r.read(c)
	r.apply(s, file("a", 30, 6), instance(3, "TASK_RUNNING"))
	next := r.takeOver(c, stop)
	if !next.Copied() {
		t.Error("it was read anew")
	}
	if err := s.Apply([]scheduler.Write{file("a", 1, 1)}); !errors.Is(err, ErrDeposed) {
		t.Errorf("the first may still write: %v", err)
	}
	r.apply(next, file("a", 5, 7), file("large", 5, 7), instance(3, "TASK_FAILED"),
		instance(4, "TASK_RUNNING"))
	r.check()
}

// A copy that was not told of a change is not believed (F28).
func TestStaleCopy(t *testing.T) {
	server := zktest.Start(t).Address
	for name, missed := range map[string]scheduler.Write{
		"changed": instance(1, "TASK_LOST"), "new": file("b", 11, 2),
		"gone": scheduler.DeletePod{Name: scheduler.PodName{Type: "web", Index: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, server)
			s := r.open()
			r.apply(s, file("a", 10, 1), instance(1, "TASK_RUNNING"))
			c, stop := r.follow()
			r.read(c)
			c.session.OnChange(nil)
			r.apply(s, missed)
			if r.takeOver(c, stop).Copied() {
				t.Error("what is stale was believed")
			}
			r.check()
		})
	}
}

// A node that somebody else changed or removed is found by the copy as well (F8).
func TestMeddledCopy(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	r.apply(r.open(), file("a", 10, 1), file("b", 20, 2))
	c, stop := r.follow()
	r.read(c)
	path := paths(c.session.Path).key("file/b")
	if err := c.session.Conn.Delete(path, -1); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := c.Open("standby", false); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("opened with %v", err)
	}
}
