package localmesos

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// rig is a cluster that obeys faults, with a framework that runs one task on its agent.
type rig struct {
	*testFramework
	c     *Cluster
	offer mesos.Offer // that the task was launched from
}

func faultyRig(t *testing.T) *rig {
	t.Helper()
	cfg := testConfig(t)
	cfg.Faults, cfg.AgentPingTimeout = true, time.Minute
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	f.status("t-1", mesos.TASK_RUNNING)
	return &rig{f, c, o}
}

// fault orders a fault over HTTP, which must be carried out.
func (r *rig) fault(body string) string {
	r.t.Helper()
	status, text := post(r.t, r.c.MasterURL()+FaultsPath, body)
	if status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", body, status, text)
	}
	return text
}

func (r *rig) event(kind scheduler.Event_Type) *scheduler.Event {
	r.t.Helper()
	return r.await(kind.String(), func(ev *scheduler.Event) bool { return ev.Type == kind })
}

// reconciling asks for one task, with its agent or without.
func (r *rig) reconciling(task string, withAgent bool) {
	r.t.Helper()
	q := scheduler.Call_Reconcile_Task{TaskID: mesos.TaskID{Value: task}}
	if withAgent {
		q.AgentID = &r.offer.AgentID
	}
	r.call(&scheduler.Call{Type: scheduler.Call_RECONCILE,
		Reconcile: &scheduler.Call_Reconcile{Tasks: []scheduler.Call_Reconcile_Task{q}}})
}

func (r *rig) sees(s mesos.TaskStatus, reason mesos.TaskStatus_Reason, message string) {
	r.t.Helper()
	if s.GetReason() != reason || s.GetMessage() != message {
		r.t.Fatalf("%s: %q, want %s: %q", s.GetReason(), s.GetMessage(), reason, message)
	}
}

func (r *rig) agents() (agents, recovered int) {
	r.t.Helper()
	_, body := post(r.t, r.c.MasterURL()+"/api/v1", `{"type":"GET_AGENTS"}`)
	var v struct {
		GetAgents struct {
			Agents          []any `json:"agents"`
			RecoveredAgents []any `json:"recovered_agents"`
		} `json:"get_agents"`
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		r.t.Fatal(err)
	}
	return len(v.GetAgents.Agents), len(v.GetAgents.RecoveredAgents)
}

func TestFaultsAreOffUnlessAskedFor(t *testing.T) {
	c := start(t, testConfig(t))
	for _, body := range []string{`{"action":"failover"}`, `{}`} {
		status, text := post(t, c.MasterURL()+FaultsPath, body)
		if status != http.StatusForbidden || !strings.Contains(text, "--faults") {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	if status, text := get(t, c.MasterURL()+FaultsPath); status != http.StatusForbidden {
		t.Errorf("GET: %d %s", status, text)
	}
}

func TestFaultsThatMakeNoSense(t *testing.T) {
	cfg := testConfig(t)
	cfg.Faults = true
	c := start(t, cfg)
	for body, want := range map[string]string{
		`{"action":"sing"}`:                                     `"sing" is no fault`,
		`{"action":"kill-agent"}`:                               "there are: agent-1",
		`{"action":"kill-agent","agent":"agent-9"}`:             `"agent-9"; there are: agent-1`,
		`{"action":"return-agent","agent":"one.test"}`:          "agent agent-1 is there",
		`{"action":"drop-updates","of":"offers"}`:               `not "offers"`,
		`{"action":"refuse-operations","state":"LATE"}`:         `not "LATE"`,
		`{"action":"refuse-operations","operation":"EAT"}`:      "no kind of operation",
		`{"action":"delay-updates","delay":"soon"}`:             "write for example 30s",
		`{"action":"drop-updates","count":-1}`:                  "a count of -1",
		`{"action":"failover","colour":"red"}`:                  `unknown field "colour"`,
		`{"action":"remove-agent","agent":"127.0.0.1"}`:         "no agent",
		`{"action":"rescind-offers","agent":"no such machine"}`: "no agent",
	} {
		status, text := post(t, c.MasterURL()+FaultsPath, body)
		if status != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s, want %s", body, status, text, want)
		}
	}
}

// As recorded: offers are rescinded at once, the task counts as running until the pings time
// out, then it is unreachable, and it runs again when the agent is back.
func TestAgentKilledAndBack(t *testing.T) {
	r := faultyRig(t)
	r.event(scheduler.Event_OFFERS)
	pid := r.ask(r.offer, "e-1", "pid")
	r.fault(`{"action":"kill-agent","agent":"agent-1","timeout":"300ms"}`)
	r.event(scheduler.Event_RESCIND)
	r.reconciling("t-1", true)
	r.sees(r.status("t-1", mesos.TASK_RUNNING), mesos.REASON_RECONCILIATION,
		"Reconciliation: Latest task state")

	lost := r.status("t-1", mesos.TASK_UNREACHABLE)
	r.sees(lost, mesos.REASON_AGENT_REMOVED, "health check timed out")
	if lost.UUID != nil || lost.UnreachableTime == nil {
		t.Errorf("uuid %x, unreachable since %v", lost.UUID, lost.UnreachableTime)
	}
	if ev := r.event(scheduler.Event_FAILURE); ev.Failure.AgentID == nil ||
		ev.Failure.ExecutorID != nil {
		t.Errorf("failure %v", ev.Failure)
	}
	r.reconciling("t-1", false)
	r.status("t-1", mesos.TASK_UNKNOWN)
	r.reconciling("t-1", true)
	r.sees(r.status("t-1", mesos.TASK_UNREACHABLE), mesos.REASON_RECONCILIATION,
		"Reconciliation: Task is unreachable")
	if n, _ := r.agents(); n != 0 {
		t.Errorf("%d agents are listed", n)
	}
	if !strings.Contains(r.state(), "killed, unreachable") {
		t.Errorf("state %s", r.state())
	}

	r.fault(`{"action":"return-agent","agent":"agent-1"}`)
	r.sees(r.status("t-1", mesos.TASK_RUNNING), mesos.REASON_AGENT_REREGISTERED,
		"Unreachable agent re-reregistered")
	r.event(scheduler.Event_OFFERS)
	if now := r.ask(r.offer, "e-1", "pid"); now != pid {
		t.Errorf("executor %s is now %s", pid, now)
	}
	r.kill("t-1")
	r.status("t-1", mesos.TASK_KILLED)
}

func (r *rig) state() string {
	r.t.Helper()
	_, text := get(r.t, r.c.MasterURL()+FaultsPath)
	return text
}

// A quick return is not noticed: offers only.
func TestAgentKilledForAMoment(t *testing.T) {
	r := faultyRig(t)
	r.event(scheduler.Event_OFFERS)
	r.fault(`{"action":"kill-agent","agent":"agent-1","for":"50ms"}`)
	r.event(scheduler.Event_RESCIND)
	r.event(scheduler.Event_OFFERS)
	r.reconciled("t-1", mesos.TASK_RUNNING)
	if ev := r.take(func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_FAILURE
	}); ev != nil {
		t.Errorf("failure %v", ev)
	}
}

// What is sent to a frozen agent is lost when the master gives it up; the task that was to be
// killed runs on, and the one that was to start is gone.
func TestAgentFrozen(t *testing.T) {
	r := faultyRig(t)
	o := r.testFramework.offer(anyOffer)
	r.fault(`{"action":"freeze-agent","agent":"agent-1","timeout":"500ms"}`)
	r.kill("t-1")
	r.accept(o, r.launch(o, "t-2", r.testExecutor("e-2")))
	r.status("t-2", mesos.TASK_UNREACHABLE)
	r.status("t-1", mesos.TASK_UNREACHABLE)
	r.fault(`{"action":"return-agent","agent":"agent-1"}`)
	r.status("t-1", mesos.TASK_RUNNING)
	r.reconciling("t-2", true)
	r.sees(r.status("t-2", mesos.TASK_GONE), mesos.REASON_RECONCILIATION,
		"Reconciliation: Task is unknown to the agent")
	r.kill("t-1")
	r.status("t-1", mesos.TASK_KILLED)
}

// What is sent to an agent that wakes in time is only late.
func TestAgentFrozenForAMoment(t *testing.T) {
	r := faultyRig(t)
	o := r.testFramework.offer(anyOffer)
	r.fault(`{"action":"freeze-agent","agent":"agent-1"}`)
	r.accept(o, r.launch(o, "t-2", r.testExecutor("e-2")))
	r.kill("t-1")
	r.fault(`{"action":"return-agent","agent":"agent-1"}`)
	r.status("t-2", mesos.TASK_RUNNING)
	r.status("t-1", mesos.TASK_KILLED)
}

// Behind a partition the agent takes updates and keeps them.
func TestAgentPartitioned(t *testing.T) {
	r := faultyRig(t)
	r.fault(`{"action":"partition-agent","agent":"agent-1","timeout":"100ms","for":"600ms"}`)
	r.status("t-1", mesos.TASK_UNREACHABLE)
	r.sees(r.status("t-1", mesos.TASK_RUNNING), mesos.REASON_AGENT_REREGISTERED,
		"Unreachable agent re-reregistered")
}

func TestAgentRebooted(t *testing.T) {
	r := faultyRig(t)
	pid := r.ask(r.offer, "e-1", "pid")
	r.fault(`{"action":"reboot","agent":"agent-1","for":"50ms"}`)
	r.status("t-1", mesos.TASK_FAILED)
	if o := r.testFramework.offer(anyOffer); o.AgentID != r.offer.AgentID {
		t.Errorf("agent %v came back as %v", r.offer.AgentID, o.AgentID)
	}
	if alivePID(t, pid) {
		t.Error("the executor outlived its machine")
	}
}

// A machine without its disk comes back as another agent, and the old one is removed at once.
func TestAgentReplaced(t *testing.T) {
	r := faultyRig(t)
	o := r.testFramework.offer(anyOffer)
	disk := reserved(scalarResource("disk", 100))
	r.accept(o, reserve(disk), create(volume("v-1", 100)))
	r.testFramework.offer(hasVolume)
	r.fault(`{"action":"reboot","agent":"agent-1","new_id":true,"for":"50ms"}`)
	r.sees(r.status("t-1", mesos.TASK_LOST), mesos.REASON_AGENT_REMOVED,
		"Agent one.test removed: a new agent registered at the same address")
	o = r.testFramework.offer(func(o mesos.Offer) bool { return o.AgentID != r.offer.AgentID })
	if hasVolume(o) {
		t.Error("the new agent has the old one's volume")
	}
	r.accept(o, r.launch(o, "t-2", r.testExecutor("e-2")))
	r.status("t-2", mesos.TASK_RUNNING)
}

// The stream is cut, requests are refused, the new master knows the framework, and the agent
// comes back with its task.
func TestMasterFailsOver(t *testing.T) {
	r := faultyRig(t)
	r.fault(`{"action":"failover","election":"300ms","for":"300ms","rejoin":"300ms"}`)
	<-r.done
	for _, want := range []string{noLeader, notFinished} {
		eventually(t, want, func() bool {
			status, text := get(t, r.c.MasterURL()+"/health")
			return status == http.StatusServiceUnavailable && text == want
		})
	}
	eventually(t, "the master leads", func() bool {
		status, _ := get(t, r.c.MasterURL()+"/health")
		return status == http.StatusOK
	})
	again := &rig{subscribe(t, r.c.MasterURL(), r.again()), r.c, r.offer}
	if again.id != r.id {
		t.Errorf("framework %s came back as %s", r.id, again.id)
	}
	if strings.Contains(again.testFramework.offer(anyOffer).ID.Value, r.offer.ID.Value[:36]) {
		t.Error("the new master has the old one's id")
	}
	again.reconciled("t-1", mesos.TASK_RUNNING)
	again.kill("t-1")
	again.status("t-1", mesos.TASK_KILLED)
}

func TestUpdatesAreSpoilt(t *testing.T) {
	cfg := testConfig(t)
	cfg.Faults, cfg.UpdateRetry = true, 200*time.Millisecond
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	r := &rig{testFramework: f, c: c}
	f.autoAck = false
	o := f.offer(anyOffer)
	r.fault(`{"action":"drop-updates","count":2,"of":"task"}`)
	r.fault(`{"action":"double-updates","of":"operation"}`)
	r.fault(`{"action":"refuse-operations","operation":"reserve","state":"dropped"}`)
	disk := reserved(scalarResource("disk", 100))
	refused := reserve(disk)
	refused.ID = &mesos.OperationID{Value: "op-1"}
	began := time.Now()
	f.accept(o, refused, f.launch(o, "t-1", f.testExecutor("e-1")))
	var ids []string
	for range 2 {
		s := r.event(scheduler.Event_UPDATE_OPERATION_STATUS).UpdateOperationStatus.Status
		if s.State != mesos.OPERATION_DROPPED || s.OperationID.Value != "op-1" {
			t.Errorf("operation status %v", s)
		}
		ids = append(ids, string(s.UUID.Value))
	}
	if ids[0] != ids[1] {
		t.Error("the update was not doubled")
	}
	f.status("t-1", mesos.TASK_RUNNING)
	if took := time.Since(began); took < 600*time.Millisecond {
		t.Errorf("after %s; two sends were to be lost, and the retries wait 200 and 400 ms", took)
	}
	if rules := r.state(); !strings.Contains(rules, `"rules":[]`) {
		t.Errorf("rules are left: %s", rules)
	}
}

// An update that is held is overtaken by the next one.
func TestUpdatesChangePlaces(t *testing.T) {
	r := faultyRig(t)
	o := r.testFramework.offer(anyOffer)
	r.fault(`{"action":"reorder-updates","delay":"1m"}`)
	r.accept(o, r.launch(o, "t-2", r.testExecutor("e-2")))
	eventually(t, "the first update is held", func() bool {
		held, err := ask(r.c, func() bool {
			return len(r.c.faults.rules) == 1 && r.c.faults.rules[0].held != nil
		})
		return err == nil && held
	})
	r.kill("t-1")
	order := []string{}
	for range 2 {
		ev := r.await("an update", func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE
		})
		order = append(order, ev.Update.Status.TaskID.Value)
	}
	if order[0] != "t-1" || order[1] != "t-2" {
		t.Errorf("updates came as %v", order)
	}
}

func TestLaunchLost(t *testing.T) {
	r := faultyRig(t)
	o := r.testFramework.offer(anyOffer)
	r.fault(`{"action":"lose-launches","delay":"50ms"}`)
	r.fault(`{"action":"delay-accepts","delay":"50ms"}`)
	r.accept(o, r.launch(o, "t-2", r.testExecutor("e-2")))
	r.sees(r.status("t-2", mesos.TASK_DROPPED), mesos.REASON_RECONCILIATION,
		"Reconciliation: task unknown to the agent")
}

func TestClearMakesEverythingWell(t *testing.T) {
	r := faultyRig(t)
	r.fault(`{"action":"drop-updates","count":1000}`)
	r.fault(`{"action":"kill-agent","agent":"agent-1"}`)
	r.fault(`{"action":"clear"}`)
	eventually(t, "all is well", func() bool {
		return strings.Contains(r.state(), `"state":"well"`)
	})
	r.kill("t-1")
	r.status("t-1", mesos.TASK_KILLED)
}
