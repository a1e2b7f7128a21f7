package localmesos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// load reads the state file and fits the configuration to it.
func (c *Cluster) load() error {
	frameworks, err := loadBucket[framework](c.reg, bucketFrameworks)
	if err != nil {
		return err
	}
	for id, f := range frameworks {
		f.id, f.recovered = id, !f.Completed
		if f.Suppressed == nil {
			f.Suppressed = map[string]bool{}
		}
		c.frameworks[id] = f
	}
	if err := errors.Join(c.reg.loadMeta(keyUpkeep, &c.upkeep),
		c.reg.loadMeta(keyShares, &c.shares)); err != nil {
		return err
	}
	if err := c.loadAgents(); err != nil {
		return err
	}
	if err := c.loadExecutors(); err != nil {
		return err
	}
	tasks, err := loadBucket[task](c.reg, bucketTasks)
	if err != nil {
		return err
	}
	for key, t := range tasks {
		c.tasks[key] = t
		if a := c.byID[t.Agent]; a != nil {
			a.tasks[key] = t
		}
		c.seq = max(c.seq, t.Seq)
	}
	operations, err := loadBucket[operation](c.reg, bucketOperations)
	if err != nil {
		return err
	}
	for key, o := range operations {
		c.operations[key] = o
		c.seq = max(c.seq, o.Seq)
	}
	for _, a := range c.agents {
		if err := c.fitAgent(a); err != nil {
			return err
		}
	}
	return nil
}

// loadAgents matches the known agents with the configured ones by their names.
func (c *Cluster) loadAgents() error {
	records, err := loadBucket[agentNode](c.reg, bucketAgents)
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(records) {
		a := records[id]
		a.id = id
		c.addAgent(a)
	}
	slices.SortStableFunc(c.agents, func(x, y *agentNode) int {
		return x.Registered.Compare(y.Registered)
	})
	known := map[string]*agentNode{}
	for _, a := range slices.Backward(c.agents) {
		known[a.Name] = a
	}
	for i, cfg := range c.cfg.Agents {
		a := known[cfg.Name]
		if a == nil {
			a = &agentNode{Name: cfg.Name, Registered: time.Now(),
				id: fmt.Sprintf("%s-S%d", c.masterID, i)}
			c.addAgent(a)
		}
		a.cfg, a.present = cfg, true
	}
	c.nextAgent = len(c.cfg.Agents)
	for _, a := range c.agents {
		a.executors, a.tasks, a.offers = map[string]*executorRun{}, map[string]*task{},
			map[string]*offer{}
		a.dir = filepath.Join(c.cfg.Dir, "agents", a.Name)
	}
	return nil
}

func (c *Cluster) loadExecutors() error {
	records, err := loadBucket[executorRun](c.reg, bucketExecutors)
	if err != nil {
		return err
	}
	for _, key := range sortedKeys(records) {
		e := records[key]
		e.id = e.Info.V.ExecutorID.Value
		if a := c.byID[e.Agent]; a != nil {
			e.agent = a
			a.executors[e.key()] = e
		} else {
			return fmt.Errorf("the state file %s has an executor of the unknown agent %s",
				c.reg.path, e.Agent)
		}
	}
	return nil
}

// fitAgent applies the configured resources to an agent whose reservations, and
// perhaps executors, exist already. Less than what is in use is refused.
func (c *Cluster) fitAgent(a *agentNode) error {
	if !a.present {
		for _, e := range a.executors {
			if e.Process.alive(c.boot) {
				return fmt.Errorf("agent %s is no longer configured, "+
					"but its executor %s is running (pid %d)", a.Name, e.id, e.Process.PID)
			}
		}
		return nil
	}
	var reserved []mesos.Resource
	for _, r := range a.total() {
		if isVolume(&r) || notDynamic(&r) == nil {
			reserved = append(reserved, r)
		}
	}
	total := a.resources()
	rest, ok := minus(total, withoutDynamic(reserved))
	if !ok {
		return fmt.Errorf("agent %s: the configured resources (%s) are less than what is "+
			"reserved (%s)", a.Name, formatResources(total),
			formatResources(withoutDynamic(reserved)))
	}
	total = plus(rest, reserved)
	if used := unallocate(c.usedBy(a, func(e *executorRun) bool {
		return e.Process.alive(c.boot)
	})); !containsAll(total, used) {
		return fmt.Errorf("agent %s: the configured resources (%s) are less than what is "+
			"in use (%s)", a.Name, formatResources(total), formatResources(used))
	}
	a.setTotal(total)
	c.saveAgent(a)
	return nil
}

// recover goes on with what was running when an earlier run ended. It is called
// before the loop starts, and only arranges things for the loop to do.
func (c *Cluster) recover() {
	c.recoveryAt = time.Now().Add(c.cfg.RecoveryWait)
	for _, a := range c.agents {
		for _, e := range sortedExecutors(a) {
			c.next(func() { c.recoverExecutor(e) })
			e.recovering = true
		}
		if !c.cfg.Simulate {
			c.next(func() { c.collectSandboxes(a) })
		}
	}
	c.next(func() {
		err := errors.Join(c.fetch.removePartials(), c.recoverTrash(), c.makeVolumes())
		if err != nil {
			c.fail(err)
		}
		for _, t := range c.tasksOf(func(t *task) bool { return t.Lost }) {
			c.dropLost(t)
		}
		for _, id := range sortedKeys(c.frameworks) {
			if f := c.frameworks[id]; !f.Completed && !f.connected() {
				c.awaitFailover(f)
			}
		}
	})
}

func (c *Cluster) recoverExecutor(e *executorRun) {
	f := c.frameworks[e.Framework]
	switch {
	case c.cfg.Simulate && e.Ending == nil:
		c.simulateAgain(e)
		return
	case e.Process.PID == 0 || e.Process.Boot != c.boot:
		c.executorEnded(e, nil)
		return
	case f == nil || f.Completed || !f.Info.V.GetCheckpoint() || e.Ending != nil:
		if e.Ending == nil {
			why := executorTerminated
			e.Ending = &why
		}
		c.killExecutor(e)
	default:
		c.awaitExecutor(e)
	}
	c.after(func() { c.watchProcess(e) })
}

// awaitExecutor ends an executor that does not subscribe again in time.
func (c *Cluster) awaitExecutor(e *executorRun) {
	what := formatDuration(c.cfg.ReregistrationTimeout)
	e.timeout.cancel()
	e.timeout = c.later(c.cfg.ReregistrationTimeout, func() {
		e.Ending = &ending{mesos.TASK_GONE, mesos.REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
			"Executor did not reregister within " + what}
		c.saveExecutor(e)
		c.killExecutor(e)
	})
}

// makeVolumes creates the directories of volumes whose CREATE was stored but
// not carried out before a crash.
func (c *Cluster) makeVolumes() error {
	if c.cfg.Simulate {
		return nil
	}
	for _, a := range c.agents {
		for _, v := range volumesIn(a.total()) {
			if err := os.MkdirAll(a.volumeDir(&v), 0o755); err != nil {
				return fmt.Errorf("creating a volume: %w", err)
			}
		}
	}
	return nil
}

func (c *Cluster) makeVolume(dir string) {
	if c.cfg.Simulate {
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		// Linking it into a sandbox tries again, and fails the task if it must.
		c.log.Error("a volume cannot be created", "path", dir, "error", err)
	}
}

// awaited tells whether a task's executor may still come back after a restart.
func (c *Cluster) awaited(t *task) bool {
	if o := c.outageOf(t.Agent); o.forgotten() || o.unregistered() {
		return true
	}
	e := c.executorOf(t)
	return e != nil && e.recovering && time.Now().Before(c.recoveryAt)
}

// recovering tells whether an agent, or any if none is named, awaits executors.
func (c *Cluster) recovering(agentID string) bool {
	if c.rejoining(agentID) {
		return true
	}
	if !time.Now().Before(c.recoveryAt) {
		return false
	}
	for _, a := range c.agents {
		if agentID != "" && a.id != agentID {
			continue
		}
		for _, e := range a.executors {
			if e.recovering {
				return true
			}
		}
	}
	return false
}

// stats counts what the metrics show.
type stats struct{ byState map[mesos.TaskState]int }

func (s *stats) count(state mesos.TaskState) {
	if s.byState == nil {
		s.byState = map[mesos.TaskState]int{}
	}
	s.byState[state]++
}

func stateName(s mesos.TaskState) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "TASK_"))
}
