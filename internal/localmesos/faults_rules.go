package localmesos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// Delays of rules that name none.
const (
	defaultDelay = 5 * time.Second
	longestCount = 1000000
	ofTasks      = "task"
	ofOperations = "operation"
	ofLaunches   = "launch"
)

// faultRule is a fault that waits for messages or operations to spoil.
type faultRule struct {
	Fault
	left int
	// held is the update that the next one overtakes.
	held  func()
	timer *timer
}

func (r *faultRule) String() string {
	text := fmt.Sprintf("%s, %d left", r.Action, r.left)
	for _, s := range []string{r.Of, r.Operation, r.State} {
		if s != "" {
			text += ", " + s
		}
	}
	if r.Match != "" {
		text += fmt.Sprintf(", ids with %q", r.Match)
	}
	if r.Delay > 0 {
		text += ", " + time.Duration(r.Delay).String()
	}
	return text
}

// addRule takes on a fault that concerns what comes.
func (c *Cluster) addRule(f Fault) (string, error) {
	switch {
	case f.Of != "" && f.Of != ofTasks && f.Of != ofOperations:
		return "", fmt.Errorf("updates are of %q or %q, not %q", ofTasks, ofOperations, f.Of)
	case f.Count < 0 || f.Count > longestCount:
		return "", fmt.Errorf("a count of %d: 1 to %d are possible", f.Count, longestCount)
	case f.Action == RefuseOperations:
		f.Operation, f.State = strings.ToUpper(f.Operation), strings.ToUpper(f.State)
		if f.State == "" {
			f.State = "FAILED"
		}
		if !slices.Contains([]string{"FAILED", "DROPPED", "ERROR"}, f.State) {
			return "", fmt.Errorf("an operation is refused as FAILED, DROPPED or ERROR, not %q",
				f.State)
		}
		if _, ok := mesos.Offer_Operation_Type_value[f.Operation]; f.Operation != "" && !ok {
			return "", fmt.Errorf("%q is no kind of operation: RESERVE, UNRESERVE, CREATE, "+
				"DESTROY, GROW_VOLUME and SHRINK_VOLUME are", f.Operation)
		}
	}
	switch f.Action {
	case DelayUpdates, ReorderUpdates, DelayAccepts, LoseLaunches:
		f.Delay = Span(f.Delay.or(defaultDelay))
	}
	r := &faultRule{Fault: f, left: max(f.Count, 1)}
	c.faults.rules = append(c.faults.rules, r)
	return "from now on: " + r.String(), nil
}

// rule finds and uses up the first rule of an action that concerns something.
func (c *Cluster) rule(action FaultAction, kind, id string) *faultRule {
	for _, r := range c.faults.rules {
		if r.Action == action && r.concerns(kind, id) {
			c.use(r)
			return r
		}
	}
	return nil
}

func (r *faultRule) concerns(kind, id string) bool {
	return (r.Of == "" || r.Of == kind) && (r.Operation == "" || r.Operation == kind) &&
		strings.Contains(id, r.Match)
}

// use counts a rule down; at zero it is over.
func (c *Cluster) use(r *faultRule) {
	if r.left--; r.left <= 0 {
		c.faults.rules = slices.DeleteFunc(c.faults.rules,
			func(x *faultRule) bool { return x == r })
	}
}

// end lets go what a rule holds.
func (r *faultRule) end(*Cluster) {
	r.timer.cancel()
	if r.held != nil {
		r.held()
		r.held = nil
	}
}

// spoil drops, delays, doubles or swaps an event as the rules say; false means that it is to be
// sent as if nothing were. Only updates of agents are concerned, which are sent again until
// they are acknowledged.
func (c *Cluster) spoil(f *framework, ev *scheduler.Event) bool {
	if len(c.faults.rules) == 0 {
		return false
	}
	kind, id := agentUpdateOf(ev)
	if kind == "" {
		return false
	}
	send := func() { c.push(f, ev) }
	for _, r := range c.faults.rules {
		if !r.concerns(kind, id) {
			continue
		}
		switch r.Action {
		case DropUpdates:
			c.use(r)
		case DelayUpdates:
			c.use(r)
			c.later(time.Duration(r.Delay), send)
		case DoubleUpdates:
			c.use(r)
			send()
			send()
		case ReorderUpdates:
			c.reorder(r, send)
		default:
			continue
		}
		return true
	}
	return false
}

// reorder holds an update until the next one is sent, or for as long as the rule says.
func (c *Cluster) reorder(r *faultRule, send func()) {
	if r.held == nil {
		r.held = send
		r.timer = c.later(time.Duration(r.Delay), func() {
			c.use(r)
			r.end(c)
		})
		return
	}
	send()
	c.use(r)
	r.end(c)
}

// agentUpdateOf names an update that an agent sends: what it is of, and the id of that.
func agentUpdateOf(ev *scheduler.Event) (kind, id string) {
	switch {
	case ev.Type == scheduler.Event_UPDATE && len(ev.Update.Status.UUID) > 0:
		return ofTasks, ev.Update.Status.TaskID.Value
	case ev.Type == scheduler.Event_UPDATE_OPERATION_STATUS &&
		ev.UpdateOperationStatus.Status.UUID != nil:
		return ofOperations, ev.UpdateOperationStatus.Status.OperationID.GetValue()
	}
	return "", ""
}

// receiveAccept takes an ACCEPT, which may be held on its way.
func (c *Cluster) receiveAccept(f *framework, call *scheduler.Call_Accept) {
	if r := c.rule(DelayAccepts, "", ""); r != nil {
		c.later(time.Duration(r.Delay), func() { c.accept(f, call) })
		return
	}
	offers, err := c.acceptedOffers(f, call.OfferIDs)
	if err != nil || !offers[0].agent.out.lateHeard() {
		c.accept(f, call)
		return
	}
	a := offers[0].agent
	for _, o := range offers {
		c.forgetOffer(o)
	}
	lost := c.awaitLaunches(f, a, call)
	a.out.heard = append(a.out.heard, func() {
		for _, t := range lost {
			c.forgetTask(t)
		}
		for _, o := range offers {
			c.addOffer(o)
		}
		c.accept(f, call)
	})
}

// awaitLaunches records the tasks of launches that the agent does not hear of yet.
func (c *Cluster) awaitLaunches(
	f *framework, a *agentNode, call *scheduler.Call_Accept,
) []*task {
	var out []*task
	for i := range call.Operations {
		for _, info := range operationTasks(&call.Operations[i]) {
			info = completeTask(info, f.id)
			if c.tasks[taskKey(f.id, info.TaskID.Value)] == nil {
				out = append(out, c.addLost(f, a, info))
			}
		}
	}
	return out
}

// addLost records a task that the master has sent to an agent which does not get it.
func (c *Cluster) addLost(f *framework, a *agentNode, info mesos.TaskInfo) *task {
	c.seq++
	id := info.TaskID.Value
	if info.Executor != nil {
		id = info.Executor.ExecutorID.Value
	}
	t := &task{Framework: f.id, Agent: a.id, Executor: id,
		Info: taskInfo{info}, Seq: c.seq, State: mesos.TASK_STAGING, Lost: true}
	c.addTask(t)
	return t
}

// loses tells whether a launch is lost on its way. The connection to the agent broke at this
// moment; when it registers again a little later, it does not know the task.
func (x *acceptance) loses(info mesos.TaskInfo) bool {
	r := x.c.rule(LoseLaunches, ofLaunches, info.TaskID.Value)
	if r == nil {
		return false
	}
	t := x.c.addLost(x.framework, x.agent, info)
	x.c.later(time.Duration(r.Delay), func() {
		if !t.terminal() {
			x.c.whenHeard(x.agent, func() { x.c.dropLost(t) })
		}
	})
	return true
}

// refuses tells whether a rule refuses an operation, and answers it. FAILED and DROPPED come
// from the agent and are repeated until they are acknowledged; ERROR comes from the master.
func (x *acceptance) refuses(op *mesos.Offer_Operation) bool {
	r := x.c.rule(RefuseOperations, op.Type.String(), op.ID.GetValue())
	if r == nil {
		return false
	}
	message := "refused by an injected fault"
	state := mesos.OperationState(mesos.OperationState_value["OPERATION_"+r.State])
	switch {
	case op.ID == nil:
	case state == mesos.OPERATION_ERROR:
		x.c.operationError(x.framework, op, message)
	default:
		x.c.concludeOperation(x.framework, x.agent, op,
			mesos.OperationStatus{State: state, Message: &message})
	}
	return true
}
