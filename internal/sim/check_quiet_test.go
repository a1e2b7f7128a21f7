package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// mostQuiet is how many records of instances may be written of a service that is quiet: one has
// stood for long enough to have its failures forgotten, or the master tells of a task in other
// words.
const mostQuiet = 2

// checkQuiet: of a service that is complete, and of which nobody wants anything, nothing is
// launched or killed, and next to nothing written, but for what operators say. An action of the
// configuration may begin something.
type checkQuiet struct {
	w    *world
	pods map[scheduler.PodName]int // how often they were written
}

// rests reports whether a service that is complete can be left alone: nothing of it was told to
// end, and has not yet, and no agent is sought.
func (w *world) rests() bool {
	for _, a := range w.master.agents {
		if slices.ContainsFunc(a.taskList(), func(t *task) bool { return t.alive() && t.killing }) {
			return false
		}
	}
	return w.process.alive && !w.abandons() && w.unsettled() == ""
}

func (c *checkQuiet) stepped(_ scheduler.Event, out scheduler.Output) {
	if !c.w.quiet {
		c.pods = map[scheduler.PodName]int{}
		return
	}
	for _, write := range out.Writes {
		switch w := write.(type) {
		case scheduler.WriteJournal, scheduler.DeleteJournal:
		case scheduler.WriteAction:
			c.w.quiet = false
			return
		case scheduler.WritePod:
			if c.pods[w.Pod.Name]++; c.pods[w.Pod.Name] > mostQuiet {
				c.w.fail("quiet", "complete, and written again: %s", scheduler.WriteText(write))
			}
		default:
			c.w.fail("quiet", "complete, and yet: %s", scheduler.WriteText(write))
		}
	}
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		switch to.Call.(type) {
		case mesos.Accept, mesos.Kill:
			c.w.fail("quiet", "complete, and yet: %s", scheduler.CallText(call))
		}
	}
}
