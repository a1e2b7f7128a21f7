package sim

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// checkMinimum: no broker is told to end, unless an operator forces it or the whole service ends,
// without facts of the last seconds by which every partition keeps its minimum without it and
// without those that were told to end since. It counts by itself, on what the model knew when it
// gave these facts.
type checkMinimum struct {
	w      *world
	latest *snapshot
	told   map[mesos.TaskID]time.Time
	forced map[scheduler.PodName]bool
	judged int // kills that were looked at
}

// snapshot is which brokers served and were in sync, by partition, when facts were given, and how
// many each needs: a broker that registers since makes that more. It is also which processes they
// were: an agent that was given up may have another one of the same id, which nobody misses.
type snapshot struct {
	asked   time.Time
	cluster *cluster
	inSync  [][]int
	needs   []int
	nodes   map[int]*node
}

// snap keeps what is true when facts are given.
func (k *kafka) snap(c *cluster, asked time.Time, facts *rolling.Facts) {
	s := &snapshot{asked: asked, cluster: c, nodes: map[int]*node{}}
	for id, b := range c.brokers {
		s.nodes[id] = b.node
	}
	for _, p := range c.partitions {
		var in []int
		for _, id := range p.replicas {
			if p.isr[id] && k.serves(c, id) {
				in = append(in, id)
			}
		}
		s.inSync = append(s.inSync, in)
		s.needs = append(s.needs, min(p.minimum, len(p.replicas)-1))
	}
	if len(k.snapshots) > 100 {
		k.snapshots = nil // those that are told late are told within a minute
	}
	if k.snapshots == nil {
		k.snapshots = map[*rolling.Facts]*snapshot{}
	}
	k.snapshots[facts] = s
}

func (c *checkMinimum) stepped(ev scheduler.Event, out scheduler.Output) {
	if from, ok := ev.(scheduler.FromKafka); ok && from.Facts.Rolling != nil {
		c.latest = c.w.kafka.snapshots[from.Facts.Rolling]
	}
	c.noteForced(ev, out)
	for _, call := range out.Calls {
		to, _ := call.(scheduler.ToMesos)
		kill, ok := to.Call.(mesos.Kill)
		if _, again := c.told[kill.Task]; !ok || again {
			continue
		}
		c.told[kill.Task] = c.w.now
		if c.w.store.hard.Intent == scheduler.Run {
			c.killed(kill.Task)
		}
	}
}

// noteForced keeps what an operator wants taken down whatever Kafka says. The machine takes that
// back in the step in which it does it.
func (c *checkMinimum) noteForced(ev scheduler.Event, out scheduler.Output) {
	for _, write := range out.Writes {
		if w, ok := write.(scheduler.WritePod); ok {
			c.forced[w.Pod.Name] = w.Pod.Force || c.forced[w.Pod.Name] && w.Pod.Down != nil
		}
	}
}

// killed checks one kill.
func (c *checkMinimum) killed(id mesos.TaskID) {
	if !c.w.store.hard.Kafka.Founded {
		return // nobody was ever served
	}
	for _, n := range c.w.kafka.nodes {
		if mesos.TaskID(n.t.info.ID) != id || !n.serves || n.volume.cluster == nil {
			continue
		}
		name, task, ours := c.record(id)
		if _, wanted := c.w.wanted(name); !ours || !wanted || c.forced[name] ||
			!task.WasReady && (task.Ready == nil || !*task.Ready) {
			return // a stray, what goes for good, what is forced, or what never came up
		}
		if task.State == mesos.Killing {
			return // it ends anyhow
		}
		c.judge(n)
	}
}

// record finds the record of a launch.
func (c *checkMinimum) record(id mesos.TaskID) (scheduler.PodName, scheduler.Task, bool) {
	for name, p := range c.w.store.hard.Pods {
		for _, t := range p.Tasks {
			if t.ID == id {
				return name, t, true
			}
		}
	}
	return scheduler.PodName{}, scheduler.Task{}, false
}

// judge counts what is left of each partition.
func (c *checkMinimum) judge(n *node) {
	c.judged++
	if c.latest == nil || c.w.now.Sub(c.latest.asked) > 5*time.Second {
		c.w.fail("minimum", "node %d is told to end, and nobody has asked Kafka lately", n.id)
		return
	}
	for i, in := range c.latest.inSync {
		if !slices.Contains(in, n.id) {
			continue
		}
		p := c.latest.cluster.partitions[i]
		left := slices.DeleteFunc(slices.Clone(in), func(id int) bool { return c.goes(id) })
		if need := c.latest.needs[i]; len(left) < need {
			c.w.fail("minimum", "node %d is told to end, and partition %d has then %v of %v in "+
				"sync, and needs %d", n.id, i, left, p.replicas, need)
		}
	}
}

// goes reports whether a broker was told to end since the facts were asked for.
func (c *checkMinimum) goes(id int) bool {
	n := c.latest.nodes[id]
	if n == nil {
		return false
	}
	at, told := c.told[mesos.TaskID(n.t.info.ID)]
	return told && !at.Before(c.latest.asked)
}
