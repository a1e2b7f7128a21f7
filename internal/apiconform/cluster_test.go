package apiconform

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// What the recorded cluster called itself.
const (
	clusterID   = "11111111-aaaa-4bbb-8ccc-000000000001"
	frameworkID = mesos.FrameworkID(clusterID + "-0000")
	region      = "region-1"
	agentPorts  = "1025-2180,2182-3887,3889-5049,5052-8079,8082-8180,8182-32000"
)

// cluster is the Mesos of the recordings: it carries out what it is told, and says nothing by
// itself. Offers and statuses come when the recording has them.
type cluster struct {
	role     string
	agents   []*agent
	newest   map[string]*task // by the task's name
	tasks    map[mesos.TaskID]*task
	offers   map[mesos.OfferID]*agent
	offered  int
	asked    []mesos.TaskOnAgent // open questions of reconciliation
	launched []*task             // since this was last taken
	killed   []*task             // since this was last taken
	updates  uint64
	breaches []string // of what a master would have refused
}

type agent struct {
	id        mesos.AgentID
	hostname  string
	zone      string
	ip        string
	total     resource.List // reservations and volumes included
	executors map[mesos.ExecutorID]*runner
}

type runner struct {
	resources resource.List
	tasks     []*task
}

type task struct {
	info     mesos.TaskInfo
	agent    *agent
	executor *runner
	state    mesos.TaskState
	killed   bool // it was told to end
}

func newCluster() *cluster {
	return &cluster{newest: map[string]*task{}, tasks: map[mesos.TaskID]*task{},
		offers: map[mesos.OfferID]*agent{}}
}

// addAgent carries out the event "agent HOST ZONE CPUS MEM DISK". An agent's rack goes by its
// zone, its address by its place in the order of registration.
func (c *cluster) addAgent(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("an agent has HOST ZONE CPUS MEM DISK, not %q", args)
	}
	total, err := resource.ParseList(fmt.Sprintf("cpus:%s;mem:%s;disk:%s;ports:[%s]",
		args[2], args[3], args[4], agentPorts))
	if err != nil {
		return err
	}
	if c.agentAt(args[0]) != nil {
		return nil // it is there already: a prelude had it
	}
	n := len(c.agents)
	c.agents = append(c.agents, &agent{
		id:       mesos.AgentID(fmt.Sprintf("%s-S%d", clusterID, n)),
		hostname: args[0], zone: args[1], ip: fmt.Sprintf("10.0.0.%d", n+1), total: total,
		executors: map[mesos.ExecutorID]*runner{},
	})
	return nil
}

func (c *cluster) agentAt(hostname string) *agent {
	for _, a := range c.agents {
		if a.hostname == hostname {
			return a
		}
	}
	return nil
}

func (c *cluster) breach(format string, args ...any) {
	c.breaches = append(c.breaches, fmt.Sprintf(format, args...))
}

// offer makes an offer of all that is unused on an agent. The recorded ones had no address of
// the agent.
func (c *cluster) offer(a *agent) mesos.Offer {
	id := mesos.OfferID(fmt.Sprintf("%s-O%d", clusterID, c.offered))
	c.offered++
	c.offers[id] = a
	o := mesos.Offer{
		ID: id, Agent: a.id, Hostname: a.hostname, Role: c.role,
		Domain:     mesos.Domain{Region: region, Zone: a.zone},
		Resources:  c.free(a).WithRole(c.role),
		Attributes: []mesos.Attribute{{Name: "rack", Value: rackOf(a.zone)}},
	}
	for id := range a.executors {
		o.Executors = append(o.Executors, id)
	}
	slices.Sort(o.Executors)
	return o
}

// rackOf is rack-1 for zone-a, rack-2 for zone-b, …
func rackOf(zone string) string {
	return fmt.Sprintf("rack-%d", strings.TrimPrefix(zone, "zone-")[0]-'a'+1)
}

// free is what no task and no executor uses.
func (c *cluster) free(a *agent) resource.List {
	free := a.total.Merged()
	for id, e := range a.executors {
		free = c.less(free, e.resources, "executor "+string(id))
		for _, t := range e.tasks {
			if !t.state.Terminal() {
				free = c.less(free, t.info.Resources.WithoutRole(), "task "+string(t.info.ID))
			}
		}
	}
	return free
}

func (c *cluster) less(list, part resource.List, what string) resource.List {
	rest, err := list.Sub(part)
	if err != nil {
		c.breach("%s: %v", what, err)
		return list
	}
	return rest
}

// call carries out what the machine asks of Mesos.
func (c *cluster) call(call mesos.Call) {
	switch call := call.(type) {
	case mesos.Accept:
		c.accept(call)
	case mesos.Decline:
		for _, id := range call.Offers {
			delete(c.offers, id)
		}
	case mesos.Kill:
		if t := c.tasks[call.Task]; t != nil && !t.state.Terminal() && !t.killed {
			t.killed = true
			c.killed = append(c.killed, t)
		}
	case mesos.Reconcile:
		c.asked = append(c.asked, call.Tasks...)
	}
}

func (c *cluster) accept(call mesos.Accept) {
	var a *agent
	for _, id := range call.Offers {
		if c.offers[id] == nil || a != nil && a != c.offers[id] {
			c.breach("accept of %s, which is no offer of one agent", id)
			return
		}
		a = c.offers[id]
		delete(c.offers, id)
	}
	if a == nil {
		c.breach("accept without an offer")
		return
	}
	for _, op := range call.Operations {
		if launch, ok := op.(mesos.Launch); ok {
			c.launch(a, launch)
			continue
		}
		from, to := conversion(op)
		if !c.free(a).Contains(from) {
			c.breach("%s on %s: not all of it is free", op, a.hostname)
			return
		}
		a.total = c.less(a.total, from, op.String()).Add(to...)
	}
}

// conversion is what an operation makes of what.
func conversion(op mesos.Operation) (from, to resource.List) {
	switch op := op.(type) {
	case mesos.Reserve:
		to = op.Resources.WithoutRole()
		return to.PopReservation(), to
	case mesos.Unreserve:
		from = op.Resources.WithoutRole()
		return from, from.PopReservation()
	case mesos.Create:
		to = op.Volumes.WithoutRole()
		return withoutDisk(to), to
	case mesos.Destroy:
		from = op.Volumes.WithoutRole()
		return from, withoutDisk(from)
	}
	panic(fmt.Sprintf("unknown operation %T", op))
}

func withoutDisk(volumes resource.List) resource.List {
	list := slices.Clone(volumes)
	for i := range list {
		list[i].Disk = nil
	}
	return list
}

func (c *cluster) launch(a *agent, launch mesos.Launch) {
	for _, info := range launch.Tasks {
		e := a.executors[info.Executor.ID]
		need := info.Resources.WithoutRole()
		if e == nil {
			need = need.Add(info.Executor.Resources.WithoutRole()...)
		}
		if !c.free(a).Contains(need) {
			c.breach("launch of %s on %s: not all of its resources are free", info.ID, a.hostname)
			return
		}
		if e == nil {
			e = &runner{resources: info.Executor.Resources.WithoutRole()}
			a.executors[info.Executor.ID] = e
		}
		t := &task{info: info, agent: a, executor: e, state: mesos.Staging}
		e.tasks = append(e.tasks, t)
		c.tasks[info.ID], c.newest[info.Name] = t, t
		c.launched = append(c.launched, t)
	}
}

// takeLaunched gives the tasks launched since the last call.
func (c *cluster) takeLaunched() []*task {
	tasks := c.launched
	c.launched = nil
	return tasks
}

// takeKilled gives the tasks first killed since the last call.
func (c *cluster) takeKilled() []*task {
	tasks := c.killed
	c.killed = nil
	return tasks
}

// status makes what the event "status TASK STATE [check=CODE] [reason=…] [message=…]
// [source=…]" says; nil when no task of that name was launched.
func (c *cluster) status(args []string, now time.Time) (*mesos.Status, error) {
	if len(args) < 2 {
		return nil, fmt.Errorf("a status has TASK STATE, not %q", args)
	}
	s := mesos.Status{State: mesos.TaskState(strings.TrimPrefix(args[1], "TASK_")),
		Source: "SOURCE_EXECUTOR", Time: now}
	for _, field := range args[2:] {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "check":
			ready := value == "0"
			s.Ready = &ready
		case "reason":
			s.Reason = value
		case "message":
			s.Message = strings.ReplaceAll(value, "_", " ")
		case "source":
			s.Source = value
		default:
			return nil, fmt.Errorf("unknown part %q of a status", field)
		}
	}
	t := c.newest[args[0]]
	if t == nil && strings.Contains(args[0], "__") { // a made-up id
		s.Task, s.Agent = mesos.TaskID(args[0]), c.agents[0].id
		return &s, nil
	}
	if t == nil {
		return nil, nil
	}
	update := c.update(t, s.State, now)
	update.Ready, update.Reason, update.Message = s.Ready, s.Reason, s.Message
	if s.Source != update.Source {
		update.Source, update.IP, update.Executor, update.UUID = s.Source, "", "", nil
	}
	return &update, nil
}

// update makes an update of the executor's.
func (c *cluster) update(t *task, state mesos.TaskState, now time.Time) mesos.Status {
	c.turn(t, state)
	c.updates++
	return mesos.Status{Task: t.info.ID, Agent: t.agent.id, State: state, IP: t.agent.ip,
		Executor: t.info.Executor.ID,
		Source:   "SOURCE_EXECUTOR", UUID: binary.BigEndian.AppendUint64(nil, c.updates), Time: now}
}

// turn notes a task's state; an executor ends with the last of its tasks.
func (c *cluster) turn(t *task, state mesos.TaskState) {
	if !t.state.Terminal() {
		t.state = state
	}
	for _, other := range t.executor.tasks {
		if !other.state.Terminal() {
			return
		}
	}
	delete(t.agent.executors, t.info.Executor.ID)
}

// answers are those to the open questions of reconciliation: on live tasks, which the scheduler
// asks for as soon as it comes to it, and on all that it asked for by name.
func (c *cluster) answers(now time.Time) []mesos.Status {
	var ids []mesos.TaskID
	for _, q := range c.asked {
		ids = append(ids, q.Task)
	}
	for id, t := range c.tasks {
		if !t.state.Terminal() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	c.asked = nil
	var list []mesos.Status
	for _, id := range slices.Compact(ids) {
		s := mesos.Status{Task: id, State: mesos.Gone, Source: "SOURCE_MASTER",
			Reason: "REASON_RECONCILIATION", Message: "Reconciliation: Task is unknown", Time: now}
		if t := c.tasks[id]; t != nil {
			s.State, s.Agent = t.state, t.agent.id
			s.Message = "Reconciliation: Latest task state"
		}
		list = append(list, s)
	}
	return list
}
