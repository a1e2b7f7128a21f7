package loop

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Events that wait share one transaction, behind which all of their calls leave.
func TestEventsThatWaitShareATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		b.recorded()
		const events = 100
		wait := make(chan struct{})
		transactions := b.atFirst(func() { <-wait }) // so that the others come meanwhile
		ready := false
		for range events {
			b.loop.Deliver(status(task, mesos.Running, ready))
			ready = !ready
			synctest.Wait()
		}
		close(wait)
		synctest.Wait()
		b.onApply = nil
		lines := strings.Join(b.recorded(), "\n")
		if acks := strings.Count(lines, "call acknowledge"); acks != events {
			t.Errorf("%d acknowledgements", acks)
		}
		if *transactions != 2 {
			t.Errorf("%d transactions for %d events", *transactions, events)
		}
		b.end()
	})
}

// A tick that the machine wants at once comes although events go on coming.
func TestEventsDoNotPutOffATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		b.recorded()
		began := time.Now()
		for time.Since(began) < 50*time.Millisecond {
			b.loop.Deliver(status(task, mesos.Running, time.Now().UnixMilli()%2 == 0))
			time.Sleep(soonest / 4)
		}
		if ticks := strings.Count(strings.Join(b.recorded(), "\n"), "event tick"); ticks < 20 {
			t.Errorf("%d ticks in 50 ms", ticks)
		}
		b.end()
	})
}

// What a tick makes of an event is stored with the event, if the tick is due by then.
func TestATickSharesTheTransactionOfWhatCameBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		b.recorded()
		transactions := b.atFirst(func() { // so that the tick which it wants is due
			time.Sleep(time.Second)
		})
		b.loop.Deliver(status(task, mesos.Running, false))
		synctest.Wait()
		b.loop.Deliver(status(task, mesos.Running, true))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		b.onApply = nil
		if lines := strings.Join(b.recorded(), "\n"); *transactions != 2 ||
			!strings.Contains(lines, "write run deploy#1 COMPLETE") {
			t.Errorf("%d transactions:\n%s", *transactions, lines)
		}
		b.end()
	})
}

// A command is answered behind the picture of its effect, whatever it shares a batch with.
func TestAReplyHasItsPictureInABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		wait := make(chan struct{})
		b.atFirst(func() { <-wait })
		b.loop.Deliver(status(task, mesos.Running, false))
		synctest.Wait()
		for range 10 {
			b.loop.Deliver(status(task, mesos.Running, true))
		}
		done := make(chan scheduler.Reply)
		go func() {
			r, err := b.loop.Do(t.Context(), scheduler.ServiceStop{}, someone)
			if err != nil || b.loop.View().Intent != scheduler.Stop {
				t.Errorf("%v, and the picture shows %s", err, b.loop.View().Intent)
			}
			done <- r
		}()
		synctest.Wait()
		close(wait)
		if r := <-done; r.Problem != nil {
			t.Error(r.Problem)
		}
		synctest.Wait()
		b.end()
	})
}

// Offers are looked at together, also when tasks come up in between, and nothing else.
func TestOffersAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		task := b.deploy("web")
		time.Sleep(time.Second)
		b.recorded()
		wait := make(chan struct{})
		b.atFirst(func() { <-wait })
		b.loop.Deliver(status(task, mesos.Running, false))
		synctest.Wait()
		for _, id := range []string{"web-a", "web-b", "web-c"} {
			b.loop.Deliver(offer(t, id))
			b.loop.Deliver(status(task, mesos.Running, id == "web-c"))
		}
		b.loop.Deliver(mesos.Rescinded{Offer: "web-d"}) // not before offers that came before
		b.loop.Deliver(offer(t, "web-d"))
		close(wait)
		synctest.Wait()
		lines := strings.Join(b.recorded(), "\n")
		if !strings.Contains(lines, "call decline web-a,web-b,web-c") {
			t.Errorf("not one DECLINE of all:\n%s", lines)
		}
		rescinded := strings.Index(lines, "event rescinded")
		if joined := strings.Index(lines, "event offers web-a"); joined < 0 ||
			rescinded < joined || strings.LastIndex(lines, "event offers") < rescinded {
			t.Errorf("offers and what concerns them changed places:\n%s", lines)
		}
		b.end()
	})
}

// A store that takes ten seconds for each write (F10) delays the answers and nothing else:
// who asks sees the picture of before meanwhile, nothing leaves before it is stored, and the
// service is deployed in the end.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, webSpec, store.NewMemory())
		b.start()
		b.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
		synctest.Wait()
		b.onApply = func() { time.Sleep(10 * time.Second) }
		b.loop.Deliver(offer(t, "web-offer"))
		began := time.Now()
		before := b.loop.View()
		if time.Since(began) > 0 || before == nil {
			t.Errorf("who asks waits for %v", time.Since(began))
		}
		time.Sleep(5 * time.Second)
		if b.launched().ID != "" {
			t.Error("it launches what is not stored")
		}
		time.Sleep(time.Minute)
		task := b.launched().ID
		if task == "" {
			t.Fatalf("nothing was launched:\n%s", strings.Join(b.recorded(), "\n"))
		}
		b.loop.Deliver(status(task, mesos.Running, true))
		time.Sleep(time.Minute)
		if acks := strings.Count(strings.Join(b.recorded(), "\n"), "call acknowledge"); acks != 1 {
			t.Errorf("%d acknowledgements", acks)
		}
		b.end()
	})
}
