package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// line is an event in short.
func line(e api.Event) string {
	what := []string{e.Type}
	for _, part := range []string{e.Plan, e.Phase, e.Step, e.Task} {
		if part != "" {
			what = append(what, part)
		}
	}
	if e.Entry != nil {
		return strings.Join(append(what, fmt.Sprint(e.Entry.Number)), " ")
	}
	return strings.Join(what, " ") + ": " + e.From + " > " + e.To
}

func told(events []api.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, line(e))
	}
	return strings.Join(all, "\n")
}

// TestDifferences changes views in one way each.
func TestDifferences(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scheduler.View)
		want   string
	}{
		{"nothing", func(v *scheduler.View) { v.At = v.At.Add(time.Hour) }, ""},
		{"a step", func(v *scheduler.View) {
			v.Plans[0].Status = plans.Complete
			v.Plans[0].Phases[0].Status = plans.Waiting
			v.Plans[0].Phases[0].Steps[2].Status = plans.Starting
		}, "plan deploy: IN_PROGRESS > COMPLETE\nphase deploy broker: IN_PROGRESS > WAITING\n" +
			"step deploy broker kafka-2:[broker]: PENDING > STARTING"},
		{"tasks", func(v *scheduler.View) {
			v.Pods[0].Tasks[0].State = mesos.Failed
			v.Pods[1].Tasks[0].Override = ""
			v.Pods[2].Tasks[0].State, v.Pods[2].Tasks[0].ID = mesos.Staging, "new"
		}, "task kafka-0-broker: RUNNING > FAILED\ntask kafka-1-broker: PAUSED > RUNNING\n" +
			"task kafka-2-broker:  > STAGING"},
		{"another launch", func(v *scheduler.View) { v.Pods[0].Tasks[0].ID = "other" },
			"task kafka-0-broker: RUNNING > RUNNING"},
		{"the journal", func(v *scheduler.View) {
			v.Journal = append(v.Journal[2:], scheduler.JournalEntry{Number: 17, Kind: "command",
				Plan: "deploy"})
		}, "journal deploy 17"},
		{"what is new", func(v *scheduler.View) {
			v.Plans = append(v.Plans, scheduler.PlanView{Name: "x", Status: plans.Pending,
				Phases: []scheduler.PhaseView{{Name: "p", Status: plans.Pending,
					Steps: []scheduler.StepView{{Name: "s", Status: plans.Pending}}}}})
			v.Pods = append(v.Pods[:1:1], v.Pods[2])
		}, "plan x:  > PENDING\nphase x p:  > PENDING\nstep x p s:  > PENDING\n" +
			"task kafka-1-broker: PAUSED > "},
		{"what is gone", func(v *scheduler.View) {
			v.Plans[0].Phases[0].Steps = v.Plans[0].Phases[0].Steps[1:]
			v.Plans = v.Plans[:1]
		}, "step deploy broker kafka-0:[broker]: COMPLETE > \nplan recovery: COMPLETE > "},
		{"a phase", func(v *scheduler.View) { v.Plans[0].Phases = nil },
			"phase deploy broker: IN_PROGRESS > "},
	} {
		now := richView()
		c.change(now)
		if got := told(differences(richView(), now)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// source publishes views.
type source struct {
	mu      sync.Mutex
	view    *scheduler.View
	changed chan struct{}
}

func newSource(v *scheduler.View) *source { return &source{view: v, changed: make(chan struct{})} }

func (s *source) watch() (*scheduler.View, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view, s.changed
}

// publish shows a changed copy of the view.
func (s *source) publish(change func(*scheduler.View)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := richView()
	if s.view != nil {
		*next = *s.view
		next.Plans = append([]scheduler.PlanView(nil), next.Plans...)
	}
	change(next)
	s.view = next
	close(s.changed)
	s.changed = make(chan struct{})
}

// status makes a change of the status of a view's last plan.
func status(to plans.Status) func(*scheduler.View) {
	return func(v *scheduler.View) { v.Plans[len(v.Plans)-1].Status = to }
}

// fed runs a feed on a source until the returned function is called.
func fed(s *source) (*Feed, func()) {
	f := NewFeed()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx, s.watch)
	}()
	return f, func() {
		cancel()
		<-ended
	}
}

// The feed begins with the first view, passes over what comes and goes between two looks, and
// never misses the last.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource(nil)
		f, stop := fed(s)
		defer stop()
		synctest.Wait()
		s.publish(func(*scheduler.View) {})
		time.Sleep(time.Second)
		_, next, changed, _ := f.from(f.end())
		for i, to := range []plans.Status{plans.Pending, plans.Starting, plans.Started} {
			s.publish(status(to))
			if i == 0 {
				<-changed
			}
		}
		time.Sleep(time.Second)
		events, _, _, missed := f.from(next)
		want := "plan recovery: COMPLETE > PENDING\nplan recovery: PENDING > STARTED"
		if got := told(events); got != want || missed {
			t.Errorf("%s, missed %v", got, missed)
		}
		for i, e := range events {
			if after, ok := f.after(e.ID); !ok || after != next+uint64(i)+1 {
				t.Errorf("after %s comes %d, %v", e.ID, after, ok)
			}
		}
		for _, id := range []string{"", "x", "1", f.life + ".", f.life + ".x", f.life + ".99",
			f.life + ".-1", "00000000.1"} {
			if _, ok := f.after(id); ok {
				t.Errorf("%q is taken for an ID", id)
			}
		}
	})
}

// However much happens only so much is kept, and who comes late is told so.
func TestFeedIsBounded(t *testing.T) {
	f := NewFeed()
	for range 3 {
		f.add(make([]api.Event, keptEvents/2))
	}
	if len(f.events) != keptEvents {
		t.Errorf("%d events are kept", len(f.events))
	}
	events, next, _, missed := f.from(1)
	if !missed || len(events) != mostEvents || next != uint64(keptEvents/2+1+mostEvents) {
		t.Errorf("%d events, next %d, missed %v", len(events), next, missed)
	}
	if events, _, _, missed = f.from(f.end()); len(events) != 0 || missed {
		t.Errorf("%d events, missed %v", len(events), missed)
	}
}
