package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// world is everything there is: one clock, one source of chance, the models, the machine.
type world struct {
	seed   uint64
	rng    *rand.Rand
	now    time.Time
	seq    int
	queue  happenings
	faults bool // whether anything may go wrong now
	hits   int  // counts what did
	trace  trace
	breach string
	// thorough has a second machine follow the first, see thorough_test.go. It changes nothing of
	// the world.
	thorough bool
	quiet    bool // the service is complete, and was so for a while

	scenario scenario
	store    *store
	process  *process
	master   *master
	kafka    *kafka
	operator *operator
	checkers []checker
	cut      cut // what is kept from happening
	plant    func(scheduler.Event, *scheduler.Output)
	log      []recorded // what the machine was given, if that is wanted
	recordIt bool
	tasks    int // counts launches
	orders   map[mesos.TaskID]executor.Order
	used     map[mesos.PersistenceID]bool // volumes that a task for good has run on
}

// checker watches one property; it reports breaches with world.fail.
type checker interface {
	// stepped sees each step of the machine whose writes are stored, before its calls leave.
	stepped(ev scheduler.Event, out scheduler.Output)
}

// happening is something that will happen.
type happening struct {
	at  time.Time
	seq int
	do  func()
}

type happenings []happening

func (h happenings) Len() int { return len(h) }
func (h happenings) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].seq < h[j].seq
}
func (h happenings) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *happenings) Push(x any)   { *h = append(*h, x.(happening)) }
func (h *happenings) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

func newWorld(seed uint64) *world {
	return newWorldOf(seed, func(rng *rand.Rand) scenario { return scenarioOf(seed, rng) })
}

func newWorldOf(seed uint64, draw func(*rand.Rand) scenario) *world {
	w := &world{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6b61666b61)),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), faults: true, thorough: true,
		used: map[mesos.PersistenceID]bool{}, orders: map[mesos.TaskID]executor.Order{}}
	w.scenario = draw(w.rng)
	w.store = &store{}
	w.kafka = newKafka(w)
	w.master = newMaster(w)
	w.process = newProcess(w)
	w.operator = &operator{w: w, shape: w.scenario.shape}
	w.checkers = []checker{
		&checkOffers{w: w}, &checkAcknowledged{w: w}, &checkStorm{w: w}, &checkChurn{w: w},
		&checkQuiet{w: w},
		&checkReplaced{w: w, under: map[scheduler.PodName]int{}},
		&checkActions{w: w, last: map[string]time.Time{}},
		&checkPaused{w}, &checkParams{w}, &checkLeaving{w}, newCheckJobs(w),
		&checkEssential{w: w}, newCheckUpgrade(w), newCheckStages(w), &checkEnds{w},
		&checkMinimum{w: w, told: map[mesos.TaskID]time.Time{},
			forced: map[scheduler.PodName]bool{}},
	}
	return w
}

// wanted gives the spec of an instance, if the target wants it.
func (w *world) wanted(name scheduler.PodName) (servicespec.Pod, bool) {
	for _, p := range w.store.hard.Target.Service.Pods {
		if p.Type == name.Type {
			return p, name.Index < p.Count
		}
	}
	return servicespec.Pod{}, false
}

// taskOf gives the spec of a task of the target.
func taskOf(p servicespec.Pod, name string) (servicespec.Task, bool) {
	for _, t := range p.Tasks {
		if t.Name == name {
			return t, true
		}
	}
	return servicespec.Task{}, false
}

// launches are the tasks that a step of the machine launches.
func launches(out scheduler.Output) []mesos.TaskInfo {
	var infos []mesos.TaskInfo
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			if launch, ok := op.(mesos.Launch); ok {
				infos = append(infos, launch.Tasks...)
			}
		}
	}
	return infos
}

// stored finds the record of a launch.
func (w *world) stored(id mesos.TaskID) (scheduler.Pod, scheduler.Task, bool) {
	for _, p := range w.store.hard.Pods {
		for _, t := range p.Tasks {
			if t.ID == id {
				return p, t, true
			}
		}
	}
	return scheduler.Pod{}, scheduler.Task{}, false
}

// after has something done a while from now.
func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *world) at(t time.Time, do func()) {
	w.seq++
	heap.Push(&w.queue, happening{t, w.seq, do})
}

// run lets things happen until a time, a breach, or until done says so.
func (w *world) run(until time.Time, done func() bool) {
	for w.breach == "" && len(w.queue) > 0 && !w.queue[0].at.After(until) {
		next := heap.Pop(&w.queue).(happening)
		w.now = next.at
		next.do()
		if done() {
			return
		}
	}
	if w.now.Before(until) {
		w.now = until
	}
}

// chance draws whether a fault happens; none does once faults have stopped.
func (w *world) chance(p float64) bool {
	hit := w.rng.Float64() < p && w.faults
	if hit = hit && w.cut.allows("fault"); hit {
		w.hits++
	}
	return hit
}

// flip draws something that is no fault.
func (w *world) flip(p float64) bool { return w.rng.Float64() < p }

func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)+1))
}

// latency is how long a message takes.
func (w *world) latency() time.Duration {
	return w.between(200*time.Microsecond, 20*time.Millisecond)
}

// fail reports a breach; the first one ends the run.
func (w *world) fail(property, format string, args ...any) {
	if w.breach == "" {
		w.breach = property + ": " + fmt.Sprintf(format, args...)
		w.trace.add(w.now, "BREACH "+w.breach)
	}
}

// tell puts a line of a model into the trace.
func (w *world) tell(format string, args ...any) {
	w.trace.add(w.now, told{format, args})
}

// traceLength is how many of the last lines a failure shows.
const traceLength = 60

// trace keeps the last lines; they become text only when somebody wants to read them.
type trace struct {
	lines [traceLength]line
	n     int
	sink  func(string) // gets every line, for the test of determinism
}

type line struct {
	at   time.Time
	what any
}

type told struct {
	format string
	args   []any
}

func (t *trace) add(at time.Time, what any) {
	l := line{at, what}
	t.lines[t.n%traceLength] = l
	t.n++
	if t.sink != nil {
		t.sink(l.String())
	}
}

func (l line) String() string {
	text := ""
	switch what := l.what.(type) {
	case told:
		text = "        -- " + fmt.Sprintf(what.format, what.args...)
	case scheduler.Event:
		text = scheduler.EventText(what)
	case scheduler.Write:
		text = "    " + scheduler.WriteText(what)
	case scheduler.Call:
		text = "    " + scheduler.CallText(what)
	default:
		text = fmt.Sprint(what)
	}
	return l.at.Format("04:05.000 ") + text
}

// String gives the last lines, the oldest first.
func (t *trace) String() string {
	var b strings.Builder
	for i := max(0, t.n-traceLength); i < t.n; i++ {
		fmt.Fprintln(&b, t.lines[i%traceLength])
	}
	return b.String()
}
