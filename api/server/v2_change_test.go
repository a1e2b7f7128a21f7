package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// change makes a request with a body of JSON, "" for none, and headers in pairs.
func change(method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", api.JSONType)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// TestCommands: each command reaches the machine with its reason and who gave it.
func TestCommands(t *testing.T) {
	const reason = `"reason":"  because\nof x\u0007 "}`
	for _, c := range []struct {
		target, body string
		want         scheduler.Command
	}{
		{"service/stop", `{` + reason, scheduler.ServiceStop{}},
		{"service/start", `{` + reason, scheduler.ServiceStart{}},
		{"service/uninstall", `{` + reason, scheduler.ServiceUninstall{}},
		{"plans/deploy/start", `{"params":{"A_1":"x"},` + reason, scheduler.PlanCommand{
			Verb: "start", Plan: "deploy", Params: map[string]string{"A_1": "x"}}},
		{"plans/deploy/stop", `{` + reason, scheduler.PlanCommand{Verb: "stop", Plan: "deploy"}},
		{"plans/deploy/interrupt", `{"phase":"broker",` + reason, scheduler.PlanCommand{
			Verb: "interrupt", Plan: "deploy", Phase: "broker"}},
		{"plans/deploy/continue", `{"phase":"broker","step":"s",` + reason,
			scheduler.PlanCommand{Verb: "continue", Plan: "deploy", Phase: "broker", Step: "s"}},
		{"plans/recovery/force-complete", `{"phase":"p","step":"s",` + reason,
			scheduler.PlanCommand{Verb: "forceComplete", Plan: "recovery", Phase: "p", Step: "s"}},
		{"plans/deploy/restart", `{` + reason,
			scheduler.PlanCommand{Verb: "restart", Plan: "deploy"}},
		{"pods/kafka-2/restart", `{` + reason, scheduler.PodRestart{Pod: "kafka-2"}},
		{"pods/kafka-2/replace", `{` + reason, scheduler.PodReplace{Pod: "kafka-2"}},
		{"pods/kafka-2/move", `{"to": "h9", "force": true, ` + reason,
			scheduler.PodMove{Pod: "kafka-2", To: "h9", Force: true}},
		{"pods/kafka-2/move", `{"cancel": true, ` + reason,
			scheduler.PodMove{Pod: "kafka-2", Cancel: true}},
		{"pods/kafka-0/pause", `{"tasks":["broker"],` + reason,
			scheduler.PodPause{Pod: "kafka-0", Tasks: []string{"broker"}}},
		{"pods/kafka-0/resume", `{"tasks":["kafka-0-broker"],` + reason,
			scheduler.PodResume{Pod: "kafka-0", Tasks: []string{"kafka-0-broker"}}},
		{"pods/kafka-0/reset-backoff", `{` + reason, scheduler.BackoffReset{Pod: "kafka-0"}},
		{"configurations/rollback", `{"id":"` + firstID + `",` + reason,
			scheduler.Rollback{ID: firstID}},
		{"configurations/rollback?dry-run=true", `{` + reason, scheduler.Rollback{Preview: true}},
	} {
		m := &machine{reply: scheduler.Reply{Message: "It begins.", Tasks: []string{"t"}}}
		w := ask(t, config(richView(), m), change("POST", "/v2/"+c.target, c.body,
			api.HeaderCaller, "  alice\tof\x00 the \xffnight "))
		var out api.Outcome
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 ||
			out.Changed == out.DryRun || out.Message != "It begins." || len(out.Tasks) != 1 {
			t.Errorf("%s: %d %s", c.target, w.Code, w.Body)
		}
		if !reflect.DeepEqual(m.command, c.want) {
			t.Errorf("%s: the machine was asked %#v, want %#v", c.target, m.command, c.want)
		}
		by := scheduler.Caller{Who: "alice of the night (192.0.2.1:1234)", Reason: "because of x"}
		if m.caller != by {
			t.Errorf("%s: %+v, want %+v", c.target, m.caller, by)
		}
	}
}

func TestSetTargetV2(t *testing.T) {
	m := &machine{reply: scheduler.Reply{Message: "It rolls.", Preview: []scheduler.PlannedStep{
		{Phase: "broker", Step: "kafka-0:[broker]", Action: "restart", Reasons: []string{"x"}}}}}
	v := richView()
	body := `{"spec":"name: x","id":"` + firstID + `","reason":"why"}`
	for path, preview := range map[string]bool{
		api.PathTargetV2: false, api.PathTargetV2 + "?dry-run=true": true,
		api.PathServiceTarget: false, api.PathServiceTarget + "?dry-run=false": false,
	} {
		w := ask(t, config(v, m), change("PUT", path, body))
		var out api.Outcome
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			t.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
		want := scheduler.SetTarget{ID: firstID, Preview: preview}
		want.Service.Name = "x"
		if !reflect.DeepEqual(m.command, scheduler.Command(want)) || m.caller.Reason != "why" {
			t.Errorf("%+v %+v", m.command, m.caller)
		}
		if preview != out.DryRun || preview == out.Changed || preview != (len(out.Steps) == 1) ||
			out.TargetID != firstID || preview != (w.Header().Get("ETag") == "") {
			t.Errorf("%s: %+v", path, out)
		}
	}
}

// TestFragileTopics: a preview that restarts something names the topics that no restart can keep
// available, and nobody asks Kafka for one that does not.
func TestFragileTopics(t *testing.T) {
	b := rolling.NewBuilder(viewTime)
	for id := range rolling.NodeID(3) {
		b.Broker(rolling.Broker{ID: id, Registered: true})
	}
	b.Answer(0)
	b.Partition(b.Topic("alone", 1), 0, 2, []rolling.NodeID{2}, []rolling.NodeID{2})
	all := []rolling.NodeID{0, 1, 2}
	b.Partition(b.Topic("well", 2), 0, 0, all, all)
	facts := scheduler.KafkaFacts{Rolling: b.Facts()}
	asked := 0
	for action, want := range map[string][]api.FragileTopic{
		"launch": nil,
		"restart": {{Topic: "alone", Partitions: 1, Replicas: 1, MinISR: 1, Movable: true,
			Choice: "move-first"}},
	} {
		m := &machine{reply: scheduler.Reply{Preview: []scheduler.PlannedStep{
			{Phase: "broker", Step: "kafka-0:[broker]", Action: action}}}}
		v := richView()
		v.Kafka.Facts = &scheduler.KafkaFacts{Brokers: []scheduler.BrokerFacts{
			{ID: 0, Address: "h0:1"}, {ID: 1, Address: "h1:1", Fenced: true}}}
		c := config(v, m)
		c.Partitions = func(_ context.Context, at []string) scheduler.KafkaFacts {
			asked += len(at)
			return facts
		}
		w := ask(t, c, change("PUT", api.PathTargetV2+"?dry-run=true", `{"spec":"name: x"}`))
		var out api.Outcome
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 {
			t.Fatalf("%d %s %v", w.Code, w.Body, err)
		}
		if !reflect.DeepEqual(out.Unavailable, want) {
			t.Errorf("%s: %+v", action, out.Unavailable)
		}
	}
	if asked != 1 {
		t.Errorf("%d addresses were asked", asked)
	}
}

// TestChangesRefuse: what makes no sense never reaches the machine.
func TestChangesRefuse(t *testing.T) {
	long := strings.Repeat("x", api.MaxReason+1)
	for _, c := range []struct{ method, target, body, says string }{
		{"POST", "plans/deploy/explode", "", "404 there are continue, force-complete, "},
		{"POST", "plans/deploy/forceComplete", "", "404 force-complete"},
		{"POST", "plans/x/start", "", "404 Plan x not found"},
		{"POST", "pods/kafka-0/explode", "", "404 there are move, pause, "},
		{"POST", "pods/kafka-9/restart", "", "404 Pod kafka-9 not found"},
		{"POST", "configurations/rollback", `{"id":"x"}`, "404 Configuration x"},
		{"POST", "plans/deploy/start", `{"phase":"x"}`, "400 as a whole"},
		{"POST", "plans/deploy/stop", `{"phase":"x","step":"y"}`, "400 as a whole"},
		{"POST", "plans/deploy/restart", `{"step":"y"}`, "400 needs its phase"},
		{"POST", "plans/deploy/restart", `{"params":{"A":"1"}}`, "400 Only start"},
		{"POST", "plans/deploy/stop", `{"force":true}`, "400 Only start and restart"},
		{"POST", "pods/kafka-0/pause", `{"force":true}`, "400 Only restart, replace and move"},
		{"POST", "plans/deploy/start", `{"params":{"1A":"1"}}`, "400 environment variable"},
		{"POST", "plans/deploy/start", `{"params":{"A":"\u0000"}}`, "400 zero byte"},
		{"POST", "plans/deploy/start", `{"params":{"A":1}}`, "400 reading the body"},
		{"POST", "pods/kafka-0/restart", `{"tasks":["broker"]}`, "400 name none"},
		{"POST", "pods/kafka-0/pause", `{"tasks":["x"]}`, `400 has no task "x"`},
		{"POST", "pods/kafka-0/pause", `{"tasks":"broker"}`, "400 reading the body"},
		{"POST", "service/stop", `{"raison":"x"}`, "400 raison"},
		{"POST", "service/stop", `{"Reason":"x"}`, `400 no field "Reason"`},
		{"POST", "service/stop", `{"reason":null}`, "400 is null"},
		{"POST", "service/stop", `{"reason":"` + long + `"}`, "400 at most 1024"},
		{"POST", "service/stop", `null`, "400 must be a JSON object"},
		{"POST", "service/stop", `[]`, "400 must be a JSON object"},
		{"POST", "service/stop", `{}{}`, "400 more after"},
		{"POST", "service/stop?force=true", "", `400 no parameter "force"`},
		{"PUT", "configurations/target", "", "400 A body is needed"},
		{"PUT", "configurations/target", `{}`, "400 no name"},
		{"PUT", "configurations/target?dry-run=1", `{}`, "400 true or false"},
		{"PUT", "configurations/target", `{"id":"X"}`, "400 UUID"},
		{"DELETE", "configurations/target", "", "405 GET and HEAD and PUT"},
		{"GET", "pods/kafka-0/restart", "", "405 only to POST"},
	} {
		m := &machine{}
		w := ask(t, config(richView(), m), change(c.method, "/v2/"+c.target, c.body))
		status, text, _ := strings.Cut(c.says, " ")
		if fmt.Sprint(w.Code) != status || !strings.Contains(problemOf(t, w), text) {
			t.Errorf("%s %.60s: %d %s, want %s", c.target, c.body, w.Code, w.Body, c.says)
		}
		checkError(t, "/v2/service", w)
		if m.times > 0 {
			t.Errorf("%s %s: the machine was asked %+v", c.target, c.body, m.command)
		}
	}
	r := change("POST", "/v2/service/stop", `{}`)
	r.Header.Set("Content-Type", "text/plain")
	if w := ask(t, config(richView(), &machine{}), r); w.Code != 415 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A change with If-Match happens only while its resource is of that revision.
func TestIfMatch(t *testing.T) {
	for path, command := range map[string]string{
		"/v2/plans/deploy":          "POST /v2/plans/deploy/interrupt",
		"/v2/service":               "POST /v2/service/stop",
		"/v2/pods/kafka-0":          "POST /v2/pods/kafka-0/restart",
		"/v2/configurations/target": "PUT /v2/configurations/target",
	} {
		method, target, _ := strings.Cut(command, " ")
		body := ""
		if method == "PUT" {
			body = `{"spec":"name: x"}`
		}
		v := richView()
		tag := ask(t, config(v, &machine{}), httptest.NewRequest("GET", path, nil)).
			Header().Get("ETag")
		for match, status := range map[string]int{
			tag: 200, `"x", ` + tag: 200, "*": 200, `"x"`: 412, "W/" + tag: 412, "junk": 412,
		} {
			m := &machine{}
			w := ask(t, config(v, m), change(method, target, body, "If-Match", match))
			if w.Code != status || (m.times == 1) != (status == 200) {
				t.Errorf("%s at %s: %d %s", command, match, w.Code, w.Body)
			}
			if status == 412 && (w.Header().Get("ETag") != tag ||
				!strings.Contains(w.Body.String(), api.CodeRevision)) {
				t.Errorf("%s at %s: %v %s", command, match, w.Header(), w.Body)
			}
		}
	}
}

// Of many changes of one revision, however they come together, one happens.
func TestIfMatchTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var latest atomic.Pointer[scheduler.View]
		latest.Store(richView())
		c := config(nil, nil)
		c.View = latest.Load
		taken := 0
		c.Do = func(
			_ context.Context, what scheduler.Command, _ scheduler.Caller,
		) (scheduler.Reply, error) {
			time.Sleep(time.Second) // of the bubble
			next := *latest.Load()
			next.TargetID = what.(scheduler.SetTarget).ID
			next.TargetNumber++
			latest.Store(&next)
			taken++
			return scheduler.Reply{}, nil
		}
		handler := New(c)
		tag := targetRevision(latest.Load())
		codes := make(chan int, 10)
		for range cap(codes) {
			go func() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, change("PUT", api.PathTargetV2, `{"spec":"name: x"}`,
					"If-Match", tag))
				codes <- w.Code
			}()
		}
		count := map[int]int{}
		for range cap(codes) {
			count[<-codes]++
		}
		if taken != 1 || count[200] != 1 || count[412] != 9 {
			t.Errorf("%d were taken; answers: %v", taken, count)
		}
	})
}

func TestIdempotency(t *testing.T) {
	m := &machine{reply: scheduler.Reply{Message: "It begins."}}
	c := config(richView(), m)
	now := viewTime
	c.Now = func() time.Time { return now }
	handler := New(c)
	send := func(key, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, change("POST", "/v2/pods/kafka-0/restart", body,
			api.HeaderKey, key))
		return w
	}
	first := send("k1", `{"reason":"x"}`)
	again := send("k1", `{"reason":"x"}`)
	if m.times != 1 || again.Body.String() != first.Body.String() || again.Code != 200 ||
		again.Header().Get(api.HeaderReplayed) != "true" ||
		first.Header().Get(api.HeaderReplayed) != "" ||
		again.Header().Get("Content-Type") != api.JSONType {
		t.Errorf("%d commands; %s and %v %s", m.times, first.Body, again.Header(), again.Body)
	}
	other := send("k1", `{"reason":"y"}`)
	if other.Code != 422 || !strings.Contains(other.Body.String(), api.CodeKeyReused) {
		t.Errorf("%d %s", other.Code, other.Body)
	}
	m.reply.Problem = &scheduler.Problem{Code: scheduler.Conflict, Message: "No."}
	if a, b := send("k2", "").Code, send("k2", "").Code; a != 409 || b != 409 || m.times != 2 {
		t.Error("a refusal is an answer as well")
	}
	m.reply.Problem, m.err = nil, context.DeadlineExceeded
	if a, b := send("k3", "").Code, send("k3", "").Code; a != 503 || b != 503 || m.times != 4 {
		t.Errorf("%d commands: what got no reply must be asked again", m.times)
	}
	m.err = nil
	for _, key := range []string{"\x01", "é", strings.Repeat("k", 129), ""} {
		if w := send(key, ""); w.Code != 400 {
			t.Errorf("key %q: %d %s", key, w.Code, w.Body)
		}
	}
	now = now.Add(keyAge + time.Second)
	m.times = 0
	if send("k1", `{"reason":"y"}`).Code != 200 || m.times != 1 {
		t.Error("keys are not forgotten")
	}
	for i := range mostKeys + 1 {
		send(fmt.Sprint("many ", i), "")
	}
	m.times = 0
	send("many 1024", "")
	if send("many 0", ""); m.times != 1 {
		t.Errorf("%d commands: only the oldest key is to be forgotten", m.times)
	}
}

// While a request is under way its key is in use, and a bug does not leave it so.
func TestIdempotencyUnderWay(t *testing.T) {
	c := config(richView(), nil)
	inside, release := make(chan bool), make(chan bool)
	c.Do = func(
		context.Context, scheduler.Command, scheduler.Caller,
	) (scheduler.Reply, error) {
		inside <- true
		if <-release {
			panic("a bug")
		}
		return scheduler.Reply{}, nil
	}
	handler := New(c)
	send := func() int {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, change("POST", "/v2/service/stop", "", api.HeaderKey, "k"))
		return w.Code
	}
	for _, bug := range []bool{true, false} {
		code := make(chan int)
		go func() { code <- send() }()
		<-inside
		if got := send(); got != 409 {
			t.Errorf("under way: %d", got)
		}
		release <- bug
		want := 200
		if bug {
			want = 500
		}
		if got := <-code; got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if got := send(); got != 200 {
		t.Errorf("again: %d", got)
	}
}

func TestCallerNames(t *testing.T) {
	for by, want := range map[string][2]string{
		"alice (10.0.0.1:22)": {"alice", "10.0.0.1:22"}, "10.0.0.1:22": {"", "10.0.0.1:22"},
		"a (b) (1:2)": {"a (b)", "1:2"}, "": {"", ""}, "the keeper": {"the keeper", ""},
		"[::1]:80": {"", "[::1]:80"},
	} {
		name, address := nameAndAddress(by)
		if name != want[0] || address != want[1] {
			t.Errorf("%q: %q and %q", by, name, address)
		}
	}
	r := change("POST", "/", "", api.HeaderCaller, strings.Repeat("é", 40))
	if name, _ := nameAndAddress(caller(r)); name != strings.Repeat("é", 32) {
		t.Errorf("a long name is cut to %q", name)
	}
}
