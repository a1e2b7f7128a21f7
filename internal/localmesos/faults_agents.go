package localmesos

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// outageKind is what keeps the master from an agent.
type outageKind int

const (
	killed outageKind = iota // its process is dead; executors go on
	frozen
	partitioned
	poweredOff // its process and the executors are dead
	rejoining  // nothing but that the master is new and does not know it yet
)

// outage is the time in which the master does not reach an agent.
type outage struct {
	kind  outageKind
	since time.Time
	// unreachable is when the master gave the agent up; zero before.
	unreachable time.Time
	// recovered tells that the master knows the agent from its registry only.
	recovered bool
	// unknown tells that a new master does not know that there ever was the agent.
	unknown bool
	newID   bool
	// started tells that the agent's process is there again, and only has yet to register.
	started      bool
	giveUp, back *timer
	// kept is what the agent has to say, and heard what was said to it and it will take notice
	// of, unless the master gives it up before.
	kept, heard []func()
}

func (o *outage) String() string {
	text := [...]string{"killed", "frozen", "partitioned", "powered off",
		"about to register with the new master"}[o.kind]
	if o.forgotten() {
		text += ", unreachable"
	}
	return text
}

// forgotten tells whether the master has given the agent up.
func (o *outage) forgotten() bool { return o != nil && !o.unreachable.IsZero() }

// unregistered tells whether the master knows the agent from its registry only.
func (o *outage) unregistered() bool { return o != nil && o.recovered }

// deaf tells whether executors get no answer from the agent either.
func (o *outage) deaf() bool {
	return o != nil && o.kind != partitioned && o.kind != rejoining && !o.started
}

// lateHeard tells whether what is sent now still lies in the agent's sockets when it is back.
func (o *outage) lateHeard() bool {
	return o != nil && (o.kind == frozen || o.kind == partitioned) && !o.forgotten()
}

// outageOf is the outage of the agent with an id; nil if the master reaches it.
func (c *Cluster) outageOf(id string) *outage {
	if a := c.byID[id]; a != nil {
		return a.out
	}
	return nil
}

// rejoining tells whether an agent, or any if none is named, has yet to register with a new
// master.
func (c *Cluster) rejoining(id string) bool {
	for _, a := range c.agents {
		if (id == "" || id == a.id) && a.out.unregistered() {
			return true
		}
	}
	return false
}

// losesKill tells whether the agent does not hear of a KILL, or not yet.
func (c *Cluster) losesKill(t *task, policy *mesos.KillPolicy) bool {
	o := c.outageOf(t.Agent)
	switch {
	case o == nil:
		return false
	case o.lateHeard():
		o.heard = append(o.heard, func() { c.killTask(t, policy) })
	case o.forgotten():
		c.reconcile(c.frameworks[t.Framework], []scheduler.Call_Reconcile_Task{
			{TaskID: t.Info.V.TaskID, AgentID: &t.Info.V.AgentID}})
	}
	return true
}

// whenHeard does what the master learns from an agent: now, or when it hears it again.
func (c *Cluster) whenHeard(a *agentNode, f func()) {
	if a.out == nil {
		f()
		return
	}
	a.out.kept = append(a.out.kept, f)
}

// begin makes an agent unreachable, as far as the master has not noticed yet.
func (c *Cluster) begin(a *agentNode, kind outageKind, f Fault) error {
	switch {
	case a.out != nil:
		return fmt.Errorf("agent %s is %s: return-agent brings it back", a.Name, a.out)
	case a.Gone:
		return fmt.Errorf("agent %s was removed for good", a.Name)
	}
	a.out = &outage{kind: kind, since: time.Now()}
	a.out.giveUp = c.later(f.Timeout.or(c.cfg.AgentPingTimeout), func() { c.giveUp(a) })
	if f.For > 0 {
		a.out.back = c.later(time.Duration(f.For), func() {
			if _, err := c.returnAgent(a, Fault{}); err != nil {
				c.log.Error("an agent does not come back", "agent", a.Name, "error", err)
			}
		})
	}
	return nil
}

// outlook says what will come of an outage.
func (c *Cluster) outlook(a *agentNode, f Fault) string {
	text := fmt.Sprintf("the master gives it up after %s",
		f.Timeout.or(c.cfg.AgentPingTimeout))
	if f.For > 0 {
		text += fmt.Sprintf("; it comes back after %s", time.Duration(f.For))
	}
	return text
}

// killAgent is SIGKILL of the agent's process. Its connections break, so the master rescinds its
// offers at once, and gives it up when it has been silent for long. Executors and their tasks
// go on.
func (c *Cluster) killAgent(a *agentNode, f Fault) (string, error) {
	if err := c.disconnectAgent(a, killed, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("agent %s is killed, its tasks run on; %s", a.Name, c.outlook(a, f)), nil
}

// disconnectAgent breaks all connections of an agent.
func (c *Cluster) disconnectAgent(a *agentNode, kind outageKind, f Fault) error {
	if err := c.begin(a, kind, f); err != nil {
		return err
	}
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	for _, e := range sortedExecutors(a) {
		e.stream = nil
	}
	for _, t := range c.tasksOn(a) {
		if f := c.frameworks[t.Framework]; f != nil && !f.Info.V.GetCheckpoint() {
			c.loseTask(f, t, mesos.REASON_AGENT_DISCONNECTED,
				"Agent "+a.cfg.Hostname+" disconnected")
		}
	}
	if srv := a.server; srv != nil {
		a.server = nil
		c.after(func() { c.background(func() { _ = srv.Close() }) })
	}
	return nil
}

// loseTask ends a task in the words of the master, which knows no better.
func (c *Cluster) loseTask(f *framework, t *task, why mesos.TaskStatus_Reason, message string) {
	if e := c.executorOf(t); e != nil {
		e.Unknown = true
	}
	if !t.toldEnd() {
		s := c.aboutTask(t, mesos.TASK_LOST, why, message)
		t.State, t.Sent = mesos.TASK_LOST, &taskStatus{s}
		c.stats.count(t.State)
		c.sendStatus(f, s)
		c.watchTaskUpdated(t, s)
	}
	c.removeTask(t)
}

// aboutTask is a status of a task by the master.
func (c *Cluster) aboutTask(
	t *task, state mesos.TaskState, why mesos.TaskStatus_Reason, message string,
) mesos.TaskStatus {
	s := c.masterStatus(t.Info.V.TaskID, t.Info.V.AgentID, state, why, message)
	if !t.Lost {
		s.ExecutorID = &mesos.ExecutorID{Value: t.Executor}
	}
	return s
}

// freezeAgent is SIGSTOP of the agent's process: its sockets stay open, and nothing answers.
func (c *Cluster) freezeAgent(a *agentNode, f Fault) (string, error) {
	if err := c.begin(a, frozen, f); err != nil {
		return "", err
	}
	thaw := make(chan struct{})
	a.frozen.Store(&thaw)
	return fmt.Sprintf("agent %s is frozen: it answers nobody; %s", a.Name, c.outlook(a, f)), nil
}

// partitionAgent cuts the network between the master and the agent. Executors still reach it,
// and it keeps what they say.
func (c *Cluster) partitionAgent(a *agentNode, f Fault) (string, error) {
	if err := c.begin(a, partitioned, f); err != nil {
		return "", err
	}
	return fmt.Sprintf("agent %s is cut off from the master; %s", a.Name, c.outlook(a, f)), nil
}

// powerOff takes the agent's machine away, with all that runs on it.
func (c *Cluster) powerOff(a *agentNode, f Fault) (string, error) {
	if err := c.disconnectAgent(a, poweredOff, f); err != nil {
		return "", err
	}
	a.out.newID = f.NewID
	for _, e := range sortedExecutors(a) {
		e.timeout.cancel()
		if e.Ending == nil {
			why := executorTerminated
			e.Ending = &why
			c.saveExecutor(e)
		}
		c.killExecutor(e)
	}
	return fmt.Sprintf("the machine of agent %s is off, with its tasks; %s", a.Name,
		c.outlook(a, f)), nil
}

// reboot is a power-off from which the agent comes back, with its work directory or without.
func (c *Cluster) reboot(a *agentNode, f Fault) (string, error) {
	f.For = Span(f.For.or(5 * time.Second))
	return c.powerOff(a, f)
}

// giveUp is what the master does about an agent that has not answered for long.
func (c *Cluster) giveUp(a *agentNode) {
	o := a.out
	o.unreachable, o.heard = time.Now(), nil
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	c.forgetFilters(a)
	since := &mesos.TimeInfo{Nanoseconds: o.unreachable.UnixNano()}
	for _, t := range c.tasksOn(a) {
		f := c.frameworks[t.Framework]
		if f == nil || t.toldEnd() {
			continue
		}
		s := c.aboutTask(t, mesos.TASK_UNREACHABLE, mesos.REASON_AGENT_REMOVED,
			"health check timed out")
		s.UnreachableTime = since
		c.sendStatus(f, s)
		c.watchTaskUpdated(t, s)
	}
	for _, op := range c.sortedOperations() {
		if f := c.frameworks[op.Op.V.FrameworkID.Value]; f != nil &&
			op.Op.V.AgentID.GetValue() == a.id {
			s := op.Op.V.LatestStatus
			s.State, s.UUID = mesos.OPERATION_UNREACHABLE, nil
			s.Message = ptr("Agent was marked unreachable")
			c.sendOperationStatus(f, s)
		}
	}
	c.tellFailure(a)
	c.watchAgentRemoved(a)
}

// toldEnd tells whether the master knows that the task is over.
func (t *task) toldEnd() bool { return t.Sent != nil && isTerminal(t.Sent.V.GetState()) }

// tellFailure tells all frameworks that an agent is gone.
func (c *Cluster) tellFailure(a *agentNode) {
	for _, id := range sortedKeys(c.frameworks) {
		c.toFramework(c.frameworks[id], &scheduler.Event{Type: scheduler.Event_FAILURE,
			Failure: &scheduler.Event_Failure{AgentID: &mesos.AgentID{Value: a.id}}})
	}
}

// returnAgent ends an outage. An agent whose process was dead waits for its executors before it
// registers again.
func (c *Cluster) returnAgent(a *agentNode, _ Fault) (string, error) {
	o := a.out
	switch {
	case o == nil:
		return "", fmt.Errorf("agent %s is there", a.Name)
	case c.isDown(a.machine()):
		return "", fmt.Errorf("the machine of agent %s is down for maintenance", a.Name)
	}
	o.back.cancel()
	switch o.kind {
	case frozen:
		if thaw := a.frozen.Swap(nil); thaw != nil {
			close(*thaw)
		}
		c.rejoin(a)
	case partitioned, rejoining:
		c.rejoin(a)
	default:
		if a.server != nil {
			return "", fmt.Errorf("agent %s is on its way back", a.Name)
		}
		if err := c.startAgain(a); err != nil {
			return "", err
		}
	}
	return "agent " + a.Name + " comes back", nil
}

// startAgain starts the process of an agent that was dead.
func (c *Cluster) startAgain(a *agentNode) error {
	if !a.out.newID {
		if err := c.listenAgain(a); err != nil {
			return err
		}
	}
	a.out.started = true
	for _, e := range sortedExecutors(a) {
		f := c.frameworks[e.Framework]
		switch {
		case e.Ending != nil || e.Process.PID == 0:
		case f != nil && f.Info.V.GetCheckpoint():
			c.awaitExecutor(e)
		default: // The agent that starts knows nothing of it.
			why := executorTerminated
			e.Ending = &why
			c.killExecutor(e)
		}
	}
	c.rejoinWithExecutors(a, time.Now().Add(executorPatience))
	return nil
}

// listenAgain serves an agent's address, which it has left.
func (c *Cluster) listenAgain(a *agentNode) error {
	if c.cfg.Simulate {
		return nil
	}
	var l net.Listener
	addr := net.JoinHostPort(a.ip, strconv.Itoa(a.port))
	err := patiently(func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		return fmt.Errorf("agent %s cannot listen again on %s: %w", a.Name, addr, err)
	}
	a.server = c.serve(l, a.door(c.agentHandler(a)))
	return nil
}

// executorPatience is how long an agent that starts again waits for executors before it
// registers with the master.
const executorPatience = 2 * time.Second

func (c *Cluster) rejoinWithExecutors(a *agentNode, latest time.Time) {
	waits := false
	for _, e := range sortedExecutors(a) {
		dying := a.out.kind == poweredOff
		waits = waits || dying || e.stream == nil && e.Process.PID != 0 &&
			time.Now().Before(latest)
	}
	if waits {
		a.out.back = c.later(100*time.Millisecond, func() { c.rejoinWithExecutors(a, latest) })
		return
	}
	c.rejoin(a)
}

// rejoin registers an agent with the master again, or a new one in its place.
func (c *Cluster) rejoin(a *agentNode) {
	o := a.out
	o.giveUp.cancel()
	o.back.cancel()
	a.out = nil
	if o.newID {
		c.replaceAgent(a, o)
		return
	}
	first := o.since.IsZero()
	if first {
		a.Registered = time.Now()
	} else {
		a.Reregistered = time.Now()
	}
	c.saveAgent(a)
	if o.forgotten() {
		c.watchAgentAdded(a)
	}
	for _, f := range o.heard {
		f()
	}
	for _, t := range c.tasksOn(a) {
		c.rejoinTask(t, o)
	}
	for _, f := range o.kept {
		f()
	}
	for _, op := range c.sortedOperations() {
		if op.Op.V.AgentID.GetValue() == a.id {
			c.sendOperation(op, c.cfg.UpdateRetry)
		}
	}
	c.scheduleAllocation()
	if !c.closing {
		c.allocateNow()
	}
}

// rejoinTask tells what an agent that is back says of a task.
func (c *Cluster) rejoinTask(t *task, o *outage) {
	f := c.frameworks[t.Framework]
	switch {
	case f == nil:
		return
	case t.Lost && o.forgotten():
		c.removeTask(t)
		return
	case t.Lost:
		c.dropLost(t)
		return
	case o.forgotten() && !t.terminal():
		s := c.knownStatus(t)
		s.Reason = mesos.REASON_AGENT_REREGISTERED.Enum()
		s.Message = ptr("Unreachable agent re-reregistered")
		if o.unknown {
			s.State, s.Message = &t.State, ptr("Unknown agent reregistered")
		}
		c.sendStatus(f, s)
		c.watchTaskUpdated(t, s)
	}
	c.sendFirst(t, c.cfg.UpdateRetry)
}

// dropLost ends a task whose launch never reached its agent, as the agent does when the master
// asks for it.
func (c *Cluster) dropLost(t *task) {
	c.agentUpdate(t, ending{mesos.TASK_DROPPED, mesos.REASON_RECONCILIATION,
		"Reconciliation: task unknown to the agent"})
}

// replaceAgent registers a new agent at the address of an old one, whose machine lost its disk.
func (c *Cluster) replaceAgent(old *agentNode, o *outage) {
	why := "Agent " + old.cfg.Hostname + " removed: a new agent registered at the same address"
	for _, t := range c.tasksOn(old) {
		if f := c.frameworks[t.Framework]; f != nil && !o.forgotten() {
			c.loseTask(f, t, mesos.REASON_AGENT_REMOVED, why)
		} else {
			c.removeTask(t)
		}
	}
	for _, op := range c.sortedOperations() {
		if op.Op.V.AgentID.GetValue() == old.id {
			c.removeOperation(op)
		}
	}
	if !o.forgotten() {
		c.tellFailure(old)
		c.watchAgentRemoved(old)
	}
	for _, v := range volumesIn(old.total()) {
		c.discardVolume(old, &v)
	}
	c.drop(bucketAgents, old.id)
	a := &agentNode{Name: old.Name, Registered: time.Now(), cfg: old.cfg, present: true,
		id: fmt.Sprintf("%s-S%d", c.masterID, c.nextAgent), ip: old.ip, port: old.port,
		dir: old.dir, executors: map[string]*executorRun{}, tasks: map[string]*task{},
		offers: map[string]*offer{}}
	c.nextAgent++
	a.setTotal(a.resources())
	c.saveAgent(a)
	c.agents[slices.Index(c.agents, old)] = a
	delete(c.byID, old.id)
	c.byID[a.id] = a
	if err := c.listenAgain(a); err != nil {
		c.fail(err)
	}
	c.allocateNow()
}

// door lets requests to an agent in, unless it is frozen; then they wait.
func (a *agentNode) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for thaw := a.frozen.Load(); thaw != nil; thaw = a.frozen.Load() {
			select {
			case <-*thaw:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
