package sim

import (
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Bounds of checkChurn.
const (
	churnKills = 8
	churnTime  = 30 * time.Second
)

// checkChurn: the machine does not end again and again what it has just launched, as when two plans
// want different things of a task.
type checkChurn struct {
	w *world
	// kills are the launches of each task that were told to end lately, by its full name.
	kills map[string][]killed
}

// killed is a launch that was told to end.
type killed struct {
	id mesos.TaskID
	at time.Time
}

func (c *checkChurn) stepped(_ scheduler.Event, out scheduler.Output) {
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		kill, ok := to.Call.(mesos.Kill)
		if !ok {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(string(kill.Task), "kafka__"), "__")
		var lately []killed
		again := false
		for _, k := range c.kills[name] {
			again = again || k.id == kill.Task
			if c.w.now.Sub(k.at) < churnTime {
				lately = append(lately, k)
			}
		}
		if !again {
			lately = append(lately, killed{kill.Task, c.w.now})
		}
		if c.kills == nil {
			c.kills = map[string][]killed{}
		}
		c.kills[name] = lately
		if len(lately) > churnKills {
			c.w.fail("churn", "%d launches of %s were told to end within %v", len(lately), name,
				churnTime)
		}
	}
}
