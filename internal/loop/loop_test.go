package loop

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// someone is who commands things here.
var someone = scheduler.Caller{Who: "test"}

// steps splits a record into what each event brought about.
func steps(lines []string) [][]string {
	var list [][]string
	for _, line := range lines {
		if strings.HasPrefix(line, "event ") {
			list = append(list, nil)
		}
		last := len(list) - 1
		list[last] = append(list[last], line)
	}
	return list
}

// rank is the place of a line in the contract of scheduler.Output.
func rank(line string) int {
	word, _, _ := strings.Cut(line, " ")
	return map[string]int{"event": 0, "stored": 1, "call": 2, "observed": 3, "count": 4}[word]
}

// What a step writes is stored before any of its calls leaves, and the rest keeps its order.
func TestStoredBeforeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		lines := b.recorded()
		var calls int
		for _, step := range steps(lines) {
			for i, line := range step {
				if strings.HasPrefix(line, "call ") {
					calls++
				}
				if i > 0 && rank(line) < rank(step[i-1]) {
					t.Errorf("out of order:\n%s", strings.Join(step, "\n"))
				}
			}
		}
		if calls < 5 { // revive, reconcile, accept, two acknowledgements
			t.Errorf("%d calls", calls)
		}
		all := strings.Join(lines, "\n")
		stored := strings.Index(all, "stored write pod web-0#1")
		sent := strings.Index(all, "call accept")
		if stored < 0 || sent < stored || !strings.Contains(all[stored:sent], string(task)) {
			t.Errorf("%s was not stored before it was launched:\n%s", task, all)
		}
		b.end()
	})
}

// A write that fails ends Run with the error, wherever it happens: nothing of that step leaves,
// nothing after it is done, and the store is as it was before the step.
func TestAFailedWriteEndsAll(t *testing.T) {
	last := 0
	for n := 1; ; n++ {
		failed := false
		synctest.Test(t, func(t *testing.T) { failed = failAt(t, n) })
		if t.Failed() || !failed {
			break
		}
		last = n
	}
	if last < 5 { // target, framework, launch, starting, running
		t.Errorf("only %d writes could fail", last)
	}
}

// failAt lets the n-th write of a deployment fail; it is false if there are fewer.
func failAt(t *testing.T, n int) bool {
	kept := store.NewMemory()
	b := newBench(t, webSpec, kept)
	var before map[string][]byte
	b.onApply = func() { before = kept.Entries() }
	kept.FailApply(n)
	b.start()
	synctest.Wait()
	b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
	synctest.Wait()
	b.loop.Deliver(offer(t, "web-offer"))
	synctest.Wait()
	if task := b.launched().ID; task != "" {
		b.loop.Deliver(status(task, mesos.Starting, false))
		synctest.Wait()
		b.loop.Deliver(status(task, mesos.Running, true))
	}
	synctest.Wait()
	select {
	case <-b.ended:
	default:
		b.end()
		return false
	}
	if b.exit != nil || !errors.Is(b.err, store.ErrInjected) {
		t.Errorf("write %d failed, and Run gives %v, %v", n, b.exit, b.err)
	}
	lines := b.recorded()
	if end := lines[len(lines)-1]; !strings.HasPrefix(end, "not stored: ") {
		t.Errorf("after write %d failed:\n%s", n, strings.Join(lines, "\n"))
	}
	if !maps.EqualFunc(before, kept.Entries(), func(a, b []byte) bool {
		return string(a) == string(b)
	}) {
		t.Errorf("write %d failed and changed the store", n)
	}
	b.loop.Deliver(offer(t, "web-late")) // is dropped, and does not block
	_, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone)
	if !errors.Is(err, ErrStopped) {
		t.Errorf("after the end Do gives %v", err)
	}
	return true
}

// A process that ends between any write and its calls goes on from the store.
func TestRestartFromTheStore(t *testing.T) {
	kept := store.NewMemory()
	var task mesos.TaskID
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, kept)
		b.start()
		task = b.deploy("web")
		b.end()
	})
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, kept)
		b.start()
		synctest.Wait()
		v := b.loop.View()
		if v == nil || v.Framework != "fw-1" || len(v.Pods) != 1 || v.Pods[0].Tasks[0].ID != task {
			t.Errorf("the first view after a restart: %+v", v)
		}
		b.end()
	})
}

// The command that a failed write belongs to has no reply; its caller learns that all is over.
func TestACommandThatCannotBeStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		synctest.Wait()
		b.store.FailApply(1)
		r, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone)
		if !errors.Is(err, ErrStopped) {
			t.Errorf("Do gives %+v, %v", r, err)
		}
		<-b.ended
		if !errors.Is(b.err, store.ErrInjected) {
			t.Errorf("Run gives %v", b.err)
		}
	})
}

// Whoever has the reply to a command sees its effect: the view is published first.
func TestViewBeforeReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.deploy("web")
		hold := make(chan struct{})
		b.onObserve = func() { <-hold }
		replied := make(chan struct{})
		go func() {
			defer close(replied)
			_, err := b.loop.Do(t.Context(), scheduler.PodRestart{Pod: "web-0"}, someone)
			if err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		if v := b.loop.View(); v.Pods[0].Request != scheduler.Restart {
			t.Errorf("while it is observed, the view is still the old one: %+v", v.Pods[0])
		}
		select {
		case <-replied:
			t.Error("the reply came before the view was out")
		default:
		}
		close(hold)
		<-replied
		b.end()
	})
}

// Do gives up when its context does: before the loop takes the command, and after.
func TestDoEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		short := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := b.loop.Do(ctx, scheduler.ServiceStop{}, someone)
			return err
		}
		if err := short(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before Run, Do gives %v", err)
		}
		b.start()
		synctest.Wait()
		hold := make(chan struct{})
		b.onApply = func() { <-hold }
		if err := short(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while it is stored, Do gives %v", err)
		}
		close(hold)
		// The command was taken all the same, and the reply that nobody awaits blocks nobody.
		r, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone)
		if err != nil || r.Problem == nil || r.Problem.Code != scheduler.AlreadyDone {
			t.Errorf("the next command: %+v, %v", r, err)
		}
		b.end()
		if _, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone); !errors.Is(
			err, ErrStopped) {
			t.Errorf("after the end, Do gives %v", err)
		}
	})
}

// Exit ends Run after the calls of its step, and the command that led to it has its reply.
func TestExit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
		synctest.Wait()
		b.recorded()
		r, err := b.loop.Do(t.Context(), scheduler.ServiceUninstall{}, someone)
		if err != nil || r.Problem != nil {
			t.Errorf("Do gives %+v, %v", r, err)
		}
		<-b.ended
		if b.err != nil || b.exit == nil || b.exit.Code != 0 || b.exit.Reason != "uninstalled" {
			t.Errorf("Run gives %v, %v", b.exit, b.err)
		}
		lines := strings.Join(b.recorded(), "\n")
		stored := strings.Index(lines, "stored write intent uninstalled")
		if sent := strings.Index(lines, "call teardown"); stored < 0 || sent < stored {
			t.Errorf("what was done:\n%s", lines)
		}
		if v := b.loop.View(); v.Intent != scheduler.Uninstalled {
			t.Errorf("the last view says %s", v.Intent)
		}
	})
}

// A master that refuses the framework ends Run with another code (F22, F23).
func TestExitWhenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.loop.Deliver(mesos.Refused{Message: "Framework has been removed"})
		<-b.ended
		if b.err != nil || b.exit == nil || b.exit.Code != 1 ||
			!strings.Contains(b.exit.Reason, "Framework has been removed") {
			t.Errorf("Run gives %v, %v", b.exit, b.err)
		}
	})
}

// The machine is woken when it asked to be: a launch that failed is tried again after its
// back-off, and not a moment before.
func TestWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
		b.loop.Deliver(offer(t, "web-offer"))
		synctest.Wait()
		for failures, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			task := b.launched().ID
			b.loop.Deliver(status(task, mesos.Failed, false))
			synctest.Wait()
			b.recorded()
			time.Sleep(wait - time.Millisecond)
			if early := b.recorded(); strings.Contains(strings.Join(early, "\n"), "call revive") {
				t.Errorf("failure %d: revived too early", failures+1)
			}
			time.Sleep(2 * time.Millisecond)
			synctest.Wait()
			if lines := strings.Join(b.recorded(), "\n"); !strings.Contains(lines, "event tick") ||
				!strings.Contains(lines, "call revive") {
				t.Errorf("failure %d, after %s:\n%s", failures+1, wait, lines)
			}
			b.loop.Deliver(kept(b, fmt.Sprintf("web-%d", failures)))
			synctest.Wait()
			if b.launched().ID == task {
				t.Fatalf("failure %d: not launched again", failures+1)
			}
		}
		b.end()
	})
}

// kept is an offer of what the launched instance had reserved.
func kept(b *bench, id string) mesos.Event {
	task := b.launched()
	o := mesos.Offer{ID: mesos.OfferID(id), Agent: "agent-1", Hostname: "one.test",
		IP: "127.0.0.1", Role: "web-role"}
	o.Resources = append(o.Resources, task.Resources...)
	o.Resources = append(o.Resources, task.Executor.Resources...)
	return mesos.Offers{Offers: []mesos.Offer{o}}
}

// A deployed service that nobody disturbs wakes for nothing but the reconciliation every
// quarter of an hour.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.deploy("web")
		time.Sleep(time.Second) // for the tick that follows the last event
		b.recorded()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		events := 0
		for _, line := range b.recorded() {
			switch {
			case strings.HasPrefix(line, "event "):
				events++
			case strings.HasPrefix(line, "stored "):
				t.Errorf("idle, %s", line)
			}
		}
		if want := 24 * 4; events < want || events > want+24+1 {
			t.Errorf("%d events in a day", events)
		}
		b.end()
	})
}

// What Kafka answers comes back as an event; a question under way ends with Run.
func TestKafka(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, kafkaSpec, store.NewMemory())
		b.onAsk = func(ctx context.Context, addresses []string) scheduler.KafkaFacts {
			asked := time.Now()
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return scheduler.KafkaFacts{Asked: asked, Error: ctx.Err().Error()}
			}
			return scheduler.KafkaFacts{Asked: asked, Leader: 0, Voters: []int{0},
				Present:   []int{0},
				ClusterID: b.loop.View().Kafka.ClusterID,
				Brokers:   []scheduler.BrokerFacts{{ID: 0, Address: addresses[0]}}}
		}
		b.start()
		b.deploy("kafka")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		v := b.loop.View()
		if v.Kafka.Facts == nil || !v.Kafka.Founded || v.Pods[0].Broker == nil ||
			v.Pods[0].Broker.Address != "one.test:31000" {
			t.Errorf("after ten seconds: %+v %+v", v.Kafka, v.Pods[0].Broker)
		}
		lines := strings.Join(b.recorded(), "\n")
		if asks := strings.Count(lines, "ask ["); asks == 0 ||
			asks != strings.Count(lines, "event kafka ") {
			t.Errorf("questions and answers:\n%s", lines)
		}
		// Run ends in the middle of a question; the bubble fails if that goes on.
		for !strings.Contains(strings.Join(b.recorded(), "\n"), "ask [") {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		b.end()
	})
}

// An inbox that is full makes who brings events wait, and loses none of them.
func TestFullInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		const events = inboxSize + 100
		delivered := make(chan struct{})
		go func() {
			defer close(delivered)
			for i := range events {
				b.loop.Deliver(mesos.Rescinded{Offer: mesos.OfferID(fmt.Sprint(i))})
			}
		}()
		synctest.Wait()
		select {
		case <-delivered:
			t.Error("the inbox has no bound")
		default:
		}
		b.start()
		<-delivered
		synctest.Wait()
		next := 0
		for _, line := range b.recorded() {
			if strings.HasPrefix(line, "event rescind") {
				next++
			}
		}
		if next != events {
			t.Errorf("%d events of %d came", next, events)
		}
		b.end()
	})
}

// Many callers and many events at once: each caller has exactly its own reply (F35).
func TestManyAtOnce(t *testing.T) {
	b := newBench(t, webSpec, store.NewMemory())
	b.start()
	b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 25 {
				pod := fmt.Sprintf("none-%d-%d", worker, i)
				r, err := b.loop.Do(t.Context(), scheduler.PodRestart{Pod: pod}, someone)
				if err != nil || r.Problem == nil || !strings.Contains(r.Problem.Message, pod) {
					t.Errorf("the reply for %s: %+v, %v", pod, r, err)
				}
				if v := b.loop.View(); v == nil || v.Service != "web" {
					t.Errorf("the view: %+v", v)
				}
			}
		})
		all.Go(func() {
			for i := range 50 {
				b.loop.Deliver(mesos.Rescinded{
					Offer: mesos.OfferID(fmt.Sprintf("o-%d-%d", worker, i))})
			}
		})
	}
	all.Wait()
	b.end()
	lines := strings.Join(b.recorded(), "\n")
	if n := strings.Count(lines, "event command "); n != 8*25 {
		t.Errorf("%d commands were taken", n)
	}
}

// Callers who wait while the loop ends all hear of it, at whatever moment that is.
func TestEndUnderLoad(t *testing.T) {
	b := newBench(t, webSpec, store.NewMemory())
	b.start()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				r, err := b.loop.Do(t.Context(), scheduler.ServiceStart{}, someone)
				switch {
				case errors.Is(err, ErrStopped):
					return
				case err != nil || r.ID == 0:
					t.Errorf("Do gives %+v, %v", r, err)
					return
				}
			}
		})
		all.Go(func() {
			for i := range 100 {
				b.loop.Deliver(mesos.Rescinded{Offer: mesos.OfferID(fmt.Sprint(i))})
			}
		})
	}
	b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
	if _, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone); err != nil {
		t.Error(err)
	}
	b.end()
	all.Wait()
}

// Who watches is told of a later view once it is there, and is never told twice.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		none, first := b.loop.Watch()
		if none != nil {
			t.Error("there is a view before the first step")
		}
		b.start()
		<-first
		v, next := b.loop.Watch()
		if v == nil || v != b.loop.View() {
			t.Errorf("the first view is %v", v)
		}
		synctest.Wait()
		select {
		case <-next:
			t.Error("told of a view that is not there")
		default:
		}
		b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
		<-next
		if later, _ := b.loop.Watch(); later == v || later.Framework != "fw-1" {
			t.Errorf("the later view is %+v", later)
		}
		b.end()
	})
}
