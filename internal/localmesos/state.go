package localmesos

import (
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

type (
	frameworkInfo = wire[mesos.FrameworkInfo, *mesos.FrameworkInfo]
	executorInfo  = wire[mesos.ExecutorInfo, *mesos.ExecutorInfo]
	taskInfo      = wire[mesos.TaskInfo, *mesos.TaskInfo]
	taskStatus    = wire[mesos.TaskStatus, *mesos.TaskStatus]
	resource      = wire[mesos.Resource, *mesos.Resource]
	operationInfo = wire[mesos.Operation, *mesos.Operation]
)

// The exported fields of the following types are their stored records; the
// others are rebuilt after a restart.

// framework is a scheduler known to the master, connected or not.
type framework struct {
	Info                                   frameworkInfo
	Registered, Reregistered, Unregistered time.Time
	// Completed frameworks can never come back.
	Completed  bool
	Suppressed map[string]bool

	id        string
	stream    *stream // nil while disconnected
	recovered bool    // not seen since this process started
	heartbeat *timer
	failover  *timer
	filters   map[*agentNode][]*filter
	// constraints say of which agents it wants offers; nil of all.
	constraints *offerConstraints
	// allocations counts the offers it was made.
	allocations int
}

func (f *framework) connected() bool { return f.stream != nil }

func (f *framework) can(capability mesos.FrameworkInfo_Capability_Type) bool {
	return hasCapability(&f.Info.V, capability)
}

// agentNode is one machine.
type agentNode struct {
	Name       string
	Total      []resource
	Registered time.Time
	// Reregistered is when it came back last, zero if it was never away.
	Reregistered time.Time `json:",omitzero"`
	// Draining is set while an operator wants the agent empty, and Deactivated while
	// nothing is to be offered of it.
	Draining    *draining `json:",omitempty"`
	Deactivated bool      `json:",omitempty"`
	// Gone agents were marked gone by an operator and are never listed again.
	Gone bool

	id        string
	cfg       Agent
	present   bool // configured, so that it has an address
	ip        string
	port      int
	dir       string
	executors map[string]*executorRun // by framework and executor id
	tasks     map[string]*task
	offers    map[string]*offer
	rest      []mesos.Resource // what is free, if freeKnown
	freeKnown bool
	server    *http.Server // nil while the agent's process is dead
	out       *outage      // nil while the master reaches the agent
	frozen    atomic.Pointer[chan struct{}]
}

func (a *agentNode) total() []mesos.Resource {
	out := make([]mesos.Resource, 0, len(a.Total))
	for _, r := range a.Total {
		out = append(out, r.V)
	}
	return out
}

func (a *agentNode) setTotal(rs []mesos.Resource) {
	a.Total = nil
	a.touch()
	for _, r := range rs {
		a.Total = append(a.Total, resource{r})
	}
}

// active tells whether the agent is registered with the master, be it connected or not.
func (a *agentNode) active() bool {
	return a.present && !a.Gone && !a.out.forgotten() && !a.out.unregistered()
}

func (a *agentNode) url() *mesos.URL {
	return &mesos.URL{Scheme: "http", Path: ptr("/slave(1)"), Address: mesos.Address{
		Hostname: &a.cfg.Hostname, IP: &a.ip, Port: int32(a.port)}}
}

func (a *agentNode) pid() string {
	return "slave(1)@" + net.JoinHostPort(a.ip, strconv.Itoa(a.port))
}

// where is the tail of error messages about the agent.
func (a *agentNode) where() string {
	return "; on agent " + a.id + " at " + a.pid() + " (" + a.cfg.Hostname + ")"
}

func (a *agentNode) info() mesos.AgentInfo {
	return mesos.AgentInfo{
		Hostname: a.cfg.Hostname, Port: ptr(int32(a.port)), Resources: a.resources(),
		Attributes: a.cfg.attributes(), ID: &mesos.AgentID{Value: a.id}, Domain: a.cfg.domain(),
	}
}

// ending says why an executor is being ended, for the updates of its tasks.
type ending struct {
	State   mesos.TaskState
	Reason  mesos.TaskStatus_Reason
	Message string
}

var executorTerminated = ending{mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED,
	"Executor terminated"}

// executorRun is one run of an executor on an agent: it exists from the launch of
// its first task until the last process of its session is gone.
type executorRun struct {
	Framework, Agent string
	Info             executorInfo
	Container        string
	// Process identifies the executor's process; zero until it is started.
	Process process
	// Subscribed tells that the executor has subscribed once.
	Subscribed bool
	// Ending is set when the executor is to be ended.
	Ending *ending
	// Generated executors were made by the agent for a task that has only a
	// command; the master and the framework know nothing of them.
	Generated bool
	// Released executors belong to a framework that was removed, as do their tasks then,
	// Orphans, of which only the agent still knows. Of Unknown executors the master knows no
	// more since it lost their agent.
	Unknown  bool   `json:",omitempty"`
	Released bool   `json:",omitempty"`
	Orphans  []task `json:",omitempty"`

	id         string
	agent      *agentNode
	values     secretValues // taken out of Info, until the executor is started
	stream     *stream
	recovering bool   // alive at our start, not yet subscribed again
	abandoned  bool   // its process was not let through its gate
	held       bool   // its end waits for LetExit
	timeout    *timer // registration or re-registration
	grace      *timer
}

func (e *executorRun) key() string { return executorKey(e.Framework, e.id) }

func executorKey(framework, id string) string { return framework + "\x00" + id }

// resources are what the executor itself takes of its agent.
func (e *executorRun) resources() []mesos.Resource {
	if e.Generated || e.Released {
		return nil
	}
	return e.Info.V.Resources
}

func (e *executorRun) recordKey() string { return e.Agent + "\x00" + e.key() }

// sandbox is the directory of the executor's run.
func (e *executorRun) sandbox() string {
	return filepath.Join(runsDir(e.agent, e.Framework, e.id), e.Container)
}

// task is a task from its launch until its terminal update is acknowledged.
type task struct {
	Framework, Agent, Executor string
	Info                       taskInfo
	// Seq is the order of launches.
	Seq uint64
	// State is the latest state, known before the scheduler knows it.
	State mesos.TaskState
	// Group is not 0 for tasks of a group and then the same for all of it.
	Group uint64
	// Delivered tells that the LAUNCH event was sent to the executor.
	Delivered bool
	// Statuses is the history shown to operators.
	Statuses []taskStatus
	// Pending are the updates not yet acknowledged; the first is in flight.
	Pending []taskStatus
	// Seen are the latest uuids received from the executor.
	Seen [][]byte
	// Sent is the last update that was forwarded to the scheduler.
	Sent *taskStatus
	// Untold tells that the task is over and the master does not know it, since an earlier
	// update is not acknowledged: until it is sent again, what the task had stays taken.
	Untold bool `json:",omitempty"`
	// Lost tells that the launch did not reach the agent.
	Lost bool `json:",omitempty"`

	retry   *timer
	kill    *mesos.KillPolicy // a KILL that waits for the executor
	killing bool
}

func (t *task) id() string { return t.Info.V.TaskID.Value }

func (t *task) key() string { return taskKey(t.Framework, t.id()) }

func taskKey(framework, id string) string { return framework + "\x00" + id }

// commandTask tells that the task has no executor that anybody knows of.
func (t *task) commandTask() bool { return t.Group == 0 && t.Info.V.Executor == nil }

func (t *task) terminal() bool { return isTerminal(t.State) }

func isTerminal(s mesos.TaskState) bool {
	switch s {
	case mesos.TASK_FINISHED, mesos.TASK_FAILED, mesos.TASK_KILLED, mesos.TASK_ERROR,
		mesos.TASK_LOST, mesos.TASK_DROPPED, mesos.TASK_GONE, mesos.TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}

// operation is an offer operation with an id whose status is not acknowledged.
type operation struct {
	Op  operationInfo
	Seq uint64
	// Shadowed operations have an id that a later one has, too: nothing can be said of them
	// by their id any more.
	Shadowed bool `json:",omitempty"`

	retry *timer
}

func (o *operation) key() string { return string(o.Op.V.UUID.Value) }

// offer is an outstanding offer.
type offer struct {
	id        string
	seq       uint64
	framework *framework
	agent     *agentNode
	role      string
	resources []mesos.Resource // allocated to role
	timeout   *timer
}

// filter keeps an agent's resources from a framework's role for a while.
type filter struct {
	role      string
	resources []mesos.Resource
	expiry    *timer
}

// tasksOf returns the tasks that match, in the order of their launch.
func (c *Cluster) tasksOf(match func(*task) bool) []*task {
	var out []*task
	for _, t := range c.tasks {
		if match(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *task) int { return compareUint(a.Seq, b.Seq) })
	return out
}

func (c *Cluster) executorTasks(e *executorRun) []*task {
	return slices.DeleteFunc(c.tasksOn(e.agent), func(t *task) bool {
		return t.Framework != e.Framework || t.Executor != e.id || t.Lost
	})
}

func (c *Cluster) agentByID(id string) *agentNode {
	if a := c.byID[id]; a != nil && a.active() {
		return a
	}
	return nil
}

func (c *Cluster) executorOf(t *task) *executorRun {
	a := c.byID[t.Agent]
	if a == nil || t.Lost {
		return nil
	}
	return a.executors[executorKey(t.Framework, t.Executor)]
}

func (c *Cluster) saveTask(t *task)            { c.save(bucketTasks, t.key(), t) }
func (c *Cluster) saveExecutor(e *executorRun) { c.save(bucketExecutors, e.recordKey(), e) }
func (c *Cluster) saveAgent(a *agentNode)      { c.save(bucketAgents, a.id, a) }
func (c *Cluster) saveFramework(f *framework)  { c.save(bucketFrameworks, f.id, f) }
func (c *Cluster) saveOperation(o *operation)  { c.save(bucketOperations, o.key(), o) }

func sortedExecutors(a *agentNode) []*executorRun {
	var out []*executorRun
	for _, k := range sortedKeys(a.executors) {
		out = append(out, a.executors[k])
	}
	return out
}

// used is what executors and tasks occupy on an agent, as allocated.
func (c *Cluster) used(a *agentNode) []mesos.Resource {
	out := c.usedBy(a, func(*executorRun) bool { return true })
	for _, t := range c.tasksOn(a) {
		if t.Untold && !t.Lost {
			out = plus(out, t.Info.V.Resources)
		}
	}
	return out
}

func (c *Cluster) usedBy(a *agentNode, match func(*executorRun) bool) []mesos.Resource {
	var all []mesos.Resource
	for _, e := range sortedExecutors(a) {
		if !match(e) {
			continue
		}
		all = append(all, e.resources()...)
		for _, t := range c.executorTasks(e) {
			if !t.terminal() {
				all = append(all, t.Info.V.Resources...)
			}
		}
	}
	return plus(nil, all)
}

// offered is what outstanding offers hold of an agent.
func (c *Cluster) offered(a *agentNode) []mesos.Resource {
	var out []mesos.Resource
	for _, o := range c.offersOf(a) {
		out = plus(out, o.resources)
	}
	return out
}

func rolesOf(info *mesos.FrameworkInfo) []string {
	if hasCapability(info, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		return info.Roles
	}
	return []string{info.GetRole()}
}

func hasCapability(info *mesos.FrameworkInfo, want mesos.FrameworkInfo_Capability_Type) bool {
	return slices.ContainsFunc(info.Capabilities, func(c mesos.FrameworkInfo_Capability) bool {
		return c.Type == want
	})
}

// seconds is a time as the API's doubles hold it.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

// freeOn tells that resources of an agent became free.
func (c *Cluster) freeOn(id string) {
	if a := c.byID[id]; a != nil {
		a.touch()
	}
}
