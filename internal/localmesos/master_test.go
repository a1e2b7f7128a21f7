package localmesos

import (
	"net/http"
	"strings"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// A second subscription with the same id takes the stream over.
func TestFailover(t *testing.T) {
	c := start(t, testConfig(t))
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	f.status("t-1", mesos.TASK_RUNNING)
	f2 := subscribe(t, c.MasterURL(), f.again())
	ev := f.await("ERROR", func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_ERROR
	})
	if ev.Error.Message != "Framework failed over" || f2.id != f.id {
		t.Errorf("%s, id %s", encodeJSON(ev), f2.id)
	}
	<-f.done
	f2.reconciled("t-1", mesos.TASK_RUNNING)
	resp := f.send(&scheduler.Call{Type: scheduler.Call_REVIVE,
		FrameworkID: &mesos.FrameworkID{Value: f.id}})
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a call on the old stream: %s", resp.Status)
	}
}

// A framework that stays away longer than its timeout is removed for ever.
func TestFailoverTimeout(t *testing.T) {
	c := start(t, testConfig(t))
	info := frameworkOf(t)
	info.FailoverTimeout = ptr(0.2)
	f := subscribe(t, c.MasterURL(), info)
	f.cancel()
	eventually(t, "the framework is removed", func() bool {
		_, body := post(t, c.MasterURL()+"/api/v1", `{"type":"GET_FRAMEWORKS"}`)
		return strings.Contains(body, `"frameworks":[],"completed_frameworks":[{`)
	})
	info.ID = &mesos.FrameworkID{Value: f.id}
	call := &scheduler.Call{Type: scheduler.Call_SUBSCRIBE, FrameworkID: info.ID,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}}
	_, body := post(t, c.MasterURL()+"/api/v1/scheduler", string(encodeJSON(call)))
	if !strings.Contains(body, "Framework has been removed") {
		t.Error(body)
	}
}

// Operator calls on resources rescind offers, and are refused in Mesos' words.
func TestOperatorReservations(t *testing.T) {
	c := start(t, testConfig(t))
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	const reserveOn = `{"type":"RESERVE_RESOURCES","reserve_resources":` +
		`{"agent_id":{"value":"AGENT"},"resources":[`
	const resv = `"reservations":[{"type":"DYNAMIC","role":"svc"}]`
	call := func(body string) (int, string) {
		return post(t, c.MasterURL()+"/api/v1",
			strings.ReplaceAll(strings.ReplaceAll(body, "AGENT", o.AgentID.Value), "RESV", resv))
	}
	pid := "slave(1)@" + strings.TrimPrefix(c.AgentURLs()[0], "http://")
	for _, step := range []struct {
		body, answer string
		status       int
	}{
		{reserveOn +
			`{"name":"disk","type":"SCALAR","scalar":{"value":100},RESV}]}}`, "", 202},
		{reserveOn +
			`{"name":"cpus","type":"SCALAR","scalar":{"value":99},RESV}]}}`,
			"cpus:4; mem:4096; disk:9900; ports:[31000-31010]; " +
				"disk(reservations: [(DYNAMIC,svc)]):100 does not contain cpus:99", 409},
		{strings.ReplaceAll(reserveOn, "AGENT", "x") + `]}}`,
			"No agent found with specified ID", 400},
		{reserveOn +
			`{"name":"cpus","type":"SCALAR","scalar":{"value":1}}]}}`,
			"Invalid RESERVE operation on agent " + o.AgentID.Value + " at " + pid +
				" (one.test): Resource cpus:1 is not dynamically reserved", 400},
		{`{"type":"CREATE_VOLUMES","create_volumes":{"agent_id":{"value":"AGENT"},"volumes":[` +
			`{"name":"disk","type":"SCALAR","scalar":{"value":100},RESV,"disk":{"persistence":` +
			`{"id":"v"},"volume":{"container_path":"data","mode":"RW"}}}]}}`, "", 202},
		{`{"type":"DESTROY_VOLUMES","destroy_volumes":{"agent_id":{"value":"AGENT"},"volumes":[` +
			`{"name":"disk","type":"SCALAR","scalar":{"value":100},RESV,"disk":{"persistence":` +
			`{"id":"nosuch"},"volume":{"container_path":"data","mode":"RW"}}}]}}`,
			"Invalid DESTROY operation: Persistent volumes not found", 400},
		{`{"type":"RESERVE_RESOURCES"}`,
			"Failed to validate master::Call: Expecting 'reserve_resources' to be present", 400},
	} {
		if code, body := call(step.body); code != step.status || body != step.answer {
			t.Errorf("%s:\n%d %s\nwant %d %s", step.body, code, body, step.status, step.answer)
		}
	}
	f.await("RESCIND", func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_RESCIND && ev.Rescind.OfferID.Value == o.ID.Value
	})
	f.offer(hasVolume)
}

// The small calls of the operator API, the legacy paths, and the event stream.
func TestOperatorCalls(t *testing.T) {
	cfg := testConfig(t)
	cfg.HeartbeatInterval = 50 * time.Millisecond
	c := start(t, cfg)
	for _, name := range []string{"GET_HEALTH", "GET_VERSION", "GET_FLAGS", "GET_STATE",
		"GET_AGENTS", "GET_FRAMEWORKS", "GET_TASKS", "GET_EXECUTORS", "GET_OPERATIONS",
		"GET_MASTER", "GET_ROLES"} {
		code, body := post(t, c.MasterURL()+"/api/v1", `{"type":"`+name+`"}`)
		if code != 200 || !strings.HasPrefix(body, `{"type":"`+name+`","`+strings.ToLower(name)) {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	for _, name := range []string{"GET_HEALTH", "GET_STATE", "GET_TASKS", "GET_CONTAINERS",
		"GET_AGENT", "GET_EXECUTORS", "GET_FRAMEWORKS", "GET_OPERATIONS"} {
		code, body := post(t, c.AgentURLs()[0]+"/api/v1", `{"type":"`+name+`"}`)
		if code != 200 || !strings.HasPrefix(body, `{"type":"`+name+`","`+strings.ToLower(name)) {
			t.Errorf("agent %s: %d %s", name, code, body)
		}
	}
	for path, want := range map[string]int{"/health": 200, "/master/health": 200,
		"/version": 200, "/redirect": 307, "/master/redirect": 307, "/metrics/snapshot": 200,
		"/nosuch": 404, "/api/v1": 405, "/master/teardown": 405} {
		if code, body := get(t, c.MasterURL()+path); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	code, body := post(t, c.MasterURL()+"/master/teardown", "frameworkId=nosuch",
		"Content-Type", "application/x-www-form-urlencoded")
	if code != 400 || body != "No framework found with specified ID" {
		t.Errorf("teardown: %d %s", code, body)
	}
}

// An agent marked gone is not listed again, not even after a restart.
func TestMarkAgentGone(t *testing.T) {
	cfg := testConfig(t)
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	f.status("t-1", mesos.TASK_RUNNING)
	gone := `{"type":"MARK_AGENT_GONE","mark_agent_gone":{"agent_id":{"value":"` +
		o.AgentID.Value + `"}}}`
	for range 2 {
		if code, body := post(t, c.MasterURL()+"/api/v1", gone); code != 200 {
			t.Errorf("%d %s", code, body)
		}
	}
	f.status("t-1", mesos.TASK_GONE_BY_OPERATOR)
	shutdown(t, c)
	c = start(t, cfg)
	_, body := post(t, c.MasterURL()+"/api/v1", `{"type":"GET_AGENTS"}`)
	if !strings.Contains(body, `"agents":[]`) {
		t.Error(body)
	}
}
