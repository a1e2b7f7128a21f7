package sim

import (
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// operator is the person who commands; and the one whom all troubles of the world befall.
type operator struct {
	w           *world
	shape       shape // of the latest configuration that was asked for
	targets     int
	replaced    map[scheduler.PodName]bool // ever
	left        map[scheduler.PodName]bool // instances that some configuration did not want
	uninstalled bool
	ended       time.Time      // when it was to be uninstalled
	healed      time.Time      // when faults ended
	lost        map[string]int // how often an instance was to be built up without a command
	// params are those that each plan was last started with, as far as that is certain.
	params map[string]map[string]string
}

// trouble makes something fail every few seconds, as long as faults last.
func (o *operator) trouble() {
	w := o.w
	if !w.faults {
		return
	}
	w.after(w.between(500*time.Millisecond, 20*time.Second), o.trouble)
	net := w.scenario.network
	a := w.master.agents[w.rng.IntN(len(w.master.agents))]
	switch w.rng.IntN(13) {
	case 0, 1:
		if w.chance(0.4 * net) {
			a.cutFor(w.between(100*time.Millisecond, 15*time.Second))
		}
	case 2:
		if w.chance(0.3 * net) {
			a.cutFor(w.between(20*time.Second, 3*time.Minute))
		}
	case 3:
		if w.chance(0.2 * net) {
			a.reboot()
		}
	case 4, 5:
		if w.chance(0.4 * net) {
			w.master.disconnect()
		}
	case 6:
		if w.chance(0.2 * net) {
			w.master.failover()
		}
	case 7:
		if w.chance(0.3*w.scenario.crashes) && w.process.alive {
			w.process.die("while it waits")
		}
	case 8:
		if w.chance(0.4 * net) {
			a.drain()
		}
	case 9:
		if w.chance(0.4 * net) {
			a.schedule()
		}
	case 10:
		if w.chance(0.4 * net) {
			a.reborn()
		}
		if w.chance(0.3 * net) {
			a.deactivateFor(w.between(10*time.Second, 3*time.Minute))
		}
	case 12:
		if w.chance(0.2 * net) {
			a.orphan()
		}
	}
}

// heal ends all troubles.
func (o *operator) heal() {
	w := o.w
	w.faults = false
	o.healed = w.now
	w.tell("from here on nothing fails any more")
	for _, a := range w.master.agents {
		a.reactivate()
		a.callOff()
		a.activate()
		if a.cut && !a.dead {
			a.cut = false
			a.cuts++
			a.registerLater(w.between(10*time.Millisecond, 3*time.Second))
		}
	}
	o.helpful()
}
