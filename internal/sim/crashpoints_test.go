package sim

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

var everyPoint = flag.Bool("every-point", false, "crash at each point, and at pairs of them")

// course is one of the main things that happen to a service, in a world without other faults.
type course struct {
	name  string
	shape shape
	// do is what the operator does once the service is deployed, nil for nothing.
	do func(*world)
	// pairs says that two crashes in one run are tried, too.
	pairs bool
	// long says that it has many points, of which fewer are tried in a sample.
	long bool
}

func courses() []course {
	kafka := shape{brokers: 3}
	zoo := shape{metadata: inZooKeeper, brokers: 2, controllers: 1, servers: 1}
	mixed := shape{nodes: 2, data: 2, agent: true, order: "serial", nodeOrder: "serial",
		dataOrder: "parallel"}
	target := func(change func(*shape)) func(*world) {
		return func(w *world) {
			next := w.scenario.shape
			change(&next)
			w.operator.leaves(next) // whatever becomes of the command
			w.insist(scheduler.SetTarget{ID: "target-2", Service: next.service()},
				func() bool { return w.store.hard.Target.ID == "target-2" })
			w.operator.shape = next
		}
	}
	return []course{
		{name: "deploy", shape: shape{brokers: 1}, pairs: true},
		{name: "deploy three brokers", shape: kafka},
		{name: "update", shape: kafka, do: target(func(s *shape) { s.revision = 1 })},
		{name: "update in place", shape: mixed, do: target(func(s *shape) { s.large = true })},
		{name: "grow", shape: mixed, do: target(func(s *shape) { s.data = 3 })},
		{name: "decommission", shape: mixed, do: target(func(s *shape) { s.nodes = 1 })},
		{name: "restart", shape: kafka, do: func(w *world) {
			w.insist(scheduler.PodRestart{Pod: "kafka-1"}, nil)
		}},
		{name: "replace", shape: kafka, do: func(w *world) {
			pod := scheduler.PodName{Type: "kafka", Index: 1}
			w.operator.note(pod)
			w.insist(scheduler.PodReplace{Pod: pod.String()},
				func() bool { return w.store.hard.Pods[pod].Replacing })
		}},
		{name: "master fails over", shape: kafka, do: func(w *world) { w.master.failover() }},
		{name: "agent cut off", shape: mixed, do: func(w *world) {
			w.master.agents[0].cutFor(90 * time.Second)
		}},
		{name: "upgrade", shape: shape{brokers: 3, former: true}, long: true, do: func(w *world) {
			w.campaign(w.operator.upgradeTo(true))
		}},
		{name: "migrate", shape: zoo, long: true, do: func(w *world) {
			w.migrate(scheduler.CampaignFinalize)
		}},
		{name: "migrate and back", shape: zoo, long: true, do: func(w *world) {
			w.migrate(scheduler.CampaignRollback)
		}},
	}
}

// campaign has a campaign begun.
func (w *world) campaign(c scheduler.Command) {
	w.insist(c, func() bool { return w.store.hard.Campaign.Number > 0 })
	if w.store.hard.Campaign.Number == 0 {
		w.fail("liveness", "a campaign does not begin")
	}
}

// migrate has a migration begun, and, when it waits, go forwards or backwards from there.
func (w *world) migrate(verb scheduler.CampaignVerb) {
	next := w.scenario.shape
	next.metadata = migrated
	w.campaign(scheduler.Migrate{Service: next.service(), Before: "{}"})
	waits := func() bool { return w.store.hard.Campaign.Waiting() }
	w.run(w.now.Add(mostSettle), waits)
	if !waits() {
		w.fail("liveness", "the migration does not wait: %s", w.store.hard.Campaign)
	}
	w.insist(scheduler.CampaignCommand{Kind: scheduler.Migrating, Verb: verb},
		func() bool { return !waits() })
}

// leaves keeps in mind who a configuration does not want.
func (o *operator) leaves(next shape) {
	o.noteLeft()
	for _, p := range next.service().Pods {
		for name := range o.w.store.hard.Pods {
			if name.Type == p.Type && name.Index >= p.Count {
				o.leave(name)
			}
		}
	}
}

// insist commands until the scheduler has lived long enough to take it, or it was taken by one
// that died then.
func (w *world) insist(c scheduler.Command, taken func() bool) {
	for range 10 {
		if taken != nil && taken() {
			return
		}
		if _, ok := w.process.command(c); ok {
			return
		}
		w.run(w.now.Add(20*time.Second), func() bool { return false })
	}
	w.fail("liveness", "the scheduler takes no command")
}

// run takes a course to its end: deployed, done, complete, uninstalled, with nothing left.
func (c course) run(planned ...int) (w *world) {
	w = newWorldOf(1, func(*rand.Rand) scenario {
		return scenario{shape: c.shape, agents: 4, uninstall: true}
	})
	w.faults = false
	w.process.planned = planned
	w.process.start()
	if !w.settles() {
		return w
	}
	if c.do != nil {
		c.do(w)
		if w.breach != "" || !w.settles() {
			return w
		}
	}
	w.operator.uninstalled = true // by the time that it is commanded, at the latest
	w.insist(scheduler.ServiceUninstall{}, func() bool {
		return w.store.hard.Intent != scheduler.Run && w.store.hard.Intent != ""
	})
	w.liveness()
	return w
}

// TestCrashPoints counts the points of each course at which the scheduler may crash (before its
// writes, behind them, which is a write with unknown outcome, too, and behind each call), and
// crashes at each: all must converge, and no checker may see a breach (F1, F2). Without
// -every-point a sample of them is tried.
func TestCrashPoints(t *testing.T) {
	var tried, converged atomic.Int64
	for _, c := range courses() {
		whole := c.run()
		if whole.breach != "" {
			t.Errorf("%s, without a crash: %s\n%s", c.name, whole.breach, &whole.trace)
			continue
		}
		plans := c.plans(whole.process.points)
		t.Logf("%s: %d points, %d runs", c.name, whole.process.points, len(plans))
		each(plans, func(planned []int) {
			tried.Add(1)
			if w := c.run(slices.Clone(planned)...); w.breach != "" {
				t.Errorf("%s, crash at %v: %s\n%s", c.name, planned, w.breach, &w.trace)
				return
			}
			converged.Add(1)
		})
	}
	summarize(t, "points=%d converged=%d", tried.Load(), converged.Load())
}

// plans are the points at which a course is to crash, run by run.
func (c course) plans(points int) [][]int {
	stride := 1
	if !*everyPoint {
		stride = 41
	}
	if c.long && !*everyPoint {
		stride = 301
	}
	var plans [][]int
	for p := 0; p < points; p += stride {
		plans = append(plans, []int{p})
	}
	if !c.pairs || !*everyPoint {
		return plans
	}
	const reach = 30 // how far behind the first crash the second one may be
	for p := range points {
		for q := p + 1; q <= min(p+reach, points); q++ {
			plans = append(plans, []int{p, q})
		}
	}
	return plans
}

// each does something for each of a list, as many at a time as there are processors.
func each[T any](list []T, do func(T)) {
	var all sync.WaitGroup
	next := make(chan T)
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for item := range next {
				do(item)
			}
		})
	}
	for _, item := range list {
		next <- item
	}
	close(next)
	all.Wait()
}
