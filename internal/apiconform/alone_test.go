package apiconform

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What this scheduler does and the recording knows nothing of, nobody would ever answer, and all
// that follows would differ for that alone. So the cluster answers it itself at the next cycle:
// such a task that was killed ends, and one that was launched runs, or finishes.

// deed is a launch or a kill that the recording knows nothing of.
type deed struct {
	task *task
	kill bool
}

// mention is how the recording speaks of a task.
type mention int

const (
	never mention = iota
	launched
	alive
	killed
	ended
)

// soon is how many cycles may pass until the recording does what this scheduler did.
const soon = 3

// nextMention looks for a task by its name in the lines of the next cycles. The calls of a line
// come before its event; of the line in hand only they count.
func nextMention(lines []line, name string) mention {
	cycles := 0
	for i, l := range lines {
		if l.Event == nil {
			continue
		}
		if *l.Event == eventTick || strings.HasPrefix(*l.Event, eventOffers) {
			if cycles++; cycles > soon {
				return never
			}
		}
		for _, call := range l.Calls {
			if slices.Contains(launchedTasks([]string{call}), name) {
				return launched
			}
			if strings.HasPrefix(call, "killTask ") && strings.Contains(call, "__"+name+"__") {
				return killed
			}
		}
		words := strings.Fields(*l.Event)
		if i == 0 || len(words) < 3 || words[0] != eventStatus || words[1] != name {
			continue
		}
		if mesos.TaskState(strings.TrimPrefix(words[2], "TASK_")).Terminal() {
			return ended
		}
		return alive
	}
	return never
}

// noteKills finds kills that the recording does not tell of. The first line is the one in hand.
func (r *replay) noteKills(rest []line) {
	for _, t := range r.process.cluster.takeKilled() {
		if m := nextMention(rest, t.info.Name); m != killed && m != ended {
			r.alone = append(r.alone, deed{t, true})
			r.stray(rest[0], "killed %s, which the recording does not", t.info.Name)
		}
	}
}

// noteLaunches finds launches that the recording tells of neither here nor later.
func (r *replay) noteLaunches(rest []line, tasks []*task) {
	recorded := launchedTasks(rest[0].Calls)
	for _, t := range tasks {
		if slices.Contains(recorded, t.info.Name) {
			continue
		}
		if m := nextMention(rest[1:], t.info.Name); m != launched && m != alive && m != ended {
			r.alone = append(r.alone, deed{t, false})
		}
	}
}

// answerDeeds has the cluster answer what the recording does not.
func (r *replay) answerDeeds() {
	deeds := r.alone
	r.alone = nil
	for _, d := range deeds {
		if d.task.state.Terminal() {
			continue
		}
		state, ready := mesos.Running, true
		switch {
		case d.kill:
			state = mesos.Killed
		case r.process.goal(d.task.info.Name) != servicespec.GoalRunning:
			state = mesos.Finished
		}
		s := r.process.cluster.update(d.task, state, r.process.now)
		if state == mesos.Running {
			s.Ready = &ready
		}
		r.process.mesos(mesos.Updated{Status: s})
	}
}
