package mesoshttp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib/executor"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// recordedEnv is the environment of a real agent's executor.
var recordedEnv = map[string]string{
	"MESOS_AGENT_ENDPOINT":                 "127.0.0.1:7111",
	"MESOS_CHECKPOINT":                     "1",
	"MESOS_DIRECTORY":                      "/var/lib/mesos/agent1/run",
	"MESOS_EXECUTOR_ID":                    "cx",
	"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "5secs",
	"MESOS_FRAMEWORK_ID":                   "f1",
	"MESOS_RECOVERY_TIMEOUT":               "15mins",
	"MESOS_SANDBOX":                        "/mnt/mesos/sandbox",
	"MESOS_SUBSCRIPTION_BACKOFF_MAX":       "2secs",
	"MESOS_EXECUTOR_AUTHENTICATION_TOKEN":  "secret",
}

// environment gives recordedEnv with changes; "-" takes a variable away.
func environment(changes ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(changes); i += 2 {
			if changes[i] == name {
				return strings.TrimPrefix(changes[i+1], "-")
			}
		}
		return recordedEnv[name]
	}
}

// TestEnv reads a real executor's environment.
func TestEnv(t *testing.T) {
	got, err := EnvFromOS(environment())
	if err != nil {
		t.Fatal(err)
	}
	want := Env{Agent: "127.0.0.1:7111", Framework: "f1", Executor: "cx", Token: "secret",
		Checkpoint: true, RecoveryTimeout: 15 * time.Minute, SubscriptionBackoff: 2 * time.Second,
		ShutdownGrace: 5 * time.Second, Sandbox: "/mnt/mesos/sandbox",
		Directory: "/var/lib/mesos/agent1/run"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = EnvFromOS(environment("MESOS_CHECKPOINT", "0", "MESOS_RECOVERY_TIMEOUT", "-",
		"MESOS_SUBSCRIPTION_BACKOFF_MAX", "-", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "-"))
	if err != nil || got.Checkpoint || got.RecoveryTimeout != 15*time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestEnvErrors says that each message names its variable.
func TestEnvErrors(t *testing.T) {
	for name, value := range map[string]string{
		"MESOS_AGENT_ENDPOINT": "-", "MESOS_FRAMEWORK_ID": "-", "MESOS_EXECUTOR_ID": "-",
		"MESOS_RECOVERY_TIMEOUT": "15", "MESOS_SUBSCRIPTION_BACKOFF_MAX": "2 parsecs",
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": "xsecs",
	} {
		if _, err := EnvFromOS(environment(name, value)); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
	if _, err := EnvFromOS(environment("MESOS_AGENT_ENDPOINT", "ftp://a")); err == nil {
		t.Error("an endpoint that is none is accepted")
	}
}

// TestParseDuration reads Mesos' units.
func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"15mins": 15 * time.Minute, "2.5secs": 2500 * time.Millisecond, "500ms": time.Second / 2,
		"1hrs": time.Hour, "1days": 24 * time.Hour, "2weeks": 14 * 24 * time.Hour, "7us": 7000,
		"9ns": 9, "0ns": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "5", "secs", "5years", "-1secs", "1e300secs", "NaNsecs"} {
		if d, err := parseDuration(bad); err == nil {
			t.Errorf("%q reads as %s", bad, d)
		}
	}
}

// agent is a scripted agent.
type agent struct {
	t         *testing.T
	subscribe func(n int, c *executor.Call, s *stream)
	status    int // of the answer to updates

	subscriptions atomic.Int32
	updates       chan mesos.Status
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c executor.Call
	decodeBody(a.t, r, &c)
	if r.URL.Path != executorPath || c.FrameworkID.Value != "f1" || c.ExecutorID.Value != "cx" ||
		r.Header.Get("Content-Type") != "application/x-protobuf" ||
		r.Header.Get("Authorization") != "Bearer secret" {
		a.t.Errorf("%s %v %v", r.URL, r.Header, &c)
	}
	if c.Type == executor.Call_SUBSCRIBE {
		a.subscribe(int(a.subscriptions.Add(1)), &c, begin(a.t, w, r, ""))
		return
	}
	if a.status != 0 {
		http.Error(w, "what the agent says", a.status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	a.updates <- statusFromWire(&c.Update.Status)
}

func (a *agent) start(
	t *testing.T, change func(*Env), tasks []mesos.TaskInfo, updates []mesos.Status,
) (*ExecutorClient, *running[mesos.ExecutorEvent]) {
	a.t, a.updates = t, make(chan mesos.Status, 10)
	env, err := EnvFromOS(environment("MESOS_AGENT_ENDPOINT", serve(t, a.ServeHTTP)))
	if err != nil {
		t.Fatal(err)
	}
	env.SubscriptionBackoff = 10 * time.Millisecond
	if change != nil {
		change(&env)
	}
	c, err := NewExecutor(env, (&logBuffer{}).logger())
	if err != nil {
		t.Fatal(err)
	}
	return c, run(t, func(ctx context.Context, deliver func(mesos.ExecutorEvent)) error {
		unacked := func() ([]mesos.TaskInfo, []mesos.Status) { return tasks, updates }
		return c.Run(ctx, unacked, deliver)
	})
}

var helloExecutor = mesos.ExecutorSubscribed{
	Framework: "f1", Executor: "cx", Agent: "a1", Hostname: "h",
}

func wantExecutor(t *testing.T, r *running[mesos.ExecutorEvent], events ...mesos.ExecutorEvent) {
	t.Helper()
	for _, want := range events {
		if diff := cmp.Diff(want, r.next()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

// TestExecutor plays an executor's life: subscribe, launch, update, acknowledged, kill,
// shutdown.
func TestExecutor(t *testing.T) {
	acknowledged := mesos.ExecutorAcknowledged{Task: "t1", UUID: []byte("0123456789abcdef")}
	kill := mesos.ExecutorKill{Task: "t1", Grace: pointer(time.Second)}
	launch := mesos.ExecutorLaunch{Task: fullTask()}
	a := &agent{subscribe: func(_ int, _ *executor.Call, s *stream) {
		for _, e := range []mesos.ExecutorEvent{helloExecutor, launch, acknowledged, kill} {
			s.send(executorEventToWire(t, e))
		}
		s.send(&executor.Event{Type: executor.Event_HEARTBEAT})
		s.raw("3\n\xff\xff\xff")
		s.send(executorEventToWire(t, mesos.ExecutorShutdown{}))
		<-s.gone
	}}
	c, r := a.start(t, nil, nil, nil)
	wantExecutor(t, r, helloExecutor, launch, acknowledged, kill, mesos.ExecutorShutdown{})
	if err := c.Update(context.Background(), fullStatus()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fullStatus(), receive(t, a.updates)); diff != "" {
		t.Errorf("(-sent +came):\n%s", diff)
	}
	r.stop()
	if err := r.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

// TestExecutorReplays replays what a real agent sent.
func TestExecutorReplays(t *testing.T) {
	var events []message
	var want []string
	for _, line := range recording(t, "11a-custom-executor.jsonl") {
		if line.API != "executor" || line.Dir != "event" {
			continue
		}
		e := &executor.Event{}
		if err := decodeMessage(codecFor(true), line.Body, e); err != nil {
			t.Fatal(err)
		}
		if e.Type == executor.Event_ERROR {
			continue
		}
		events = append(events, e)
		if event, ok := executorEventFromWire(e); ok {
			want = append(want, executorText(event))
		}
	}
	a := &agent{subscribe: func(_ int, _ *executor.Call, s *stream) {
		s.send(events...)
		<-s.gone
	}}
	_, r := a.start(t, nil, nil, nil)
	for _, text := range want {
		if got := executorText(r.next()); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
}

// TestExecutorResubscribes says that after an agent's restart the executor comes back with what
// no acknowledgement came for.
func TestExecutorResubscribes(t *testing.T) {
	a := &agent{subscribe: func(n int, c *executor.Call, s *stream) {
		s.send(executorEventToWire(t, helloExecutor))
		if n == 1 {
			return
		}
		task := taskFromWire(&c.Subscribe.UnacknowledgedTasks[0])
		update := statusFromWire(&c.Subscribe.UnacknowledgedUpdates[0].Status)
		if diff := cmp.Diff(fullTask(), task) + cmp.Diff(fullStatus(), update); diff != "" {
			t.Error(diff)
		}
		<-s.gone
	}}
	_, r := a.start(t, nil, []mesos.TaskInfo{fullTask()}, []mesos.Status{fullStatus()})
	wantExecutor(t, r, helloExecutor,
		mesos.ExecutorDisconnected{Reason: "the other side ended the stream"}, helloExecutor)
}

// TestExecutorGivesUp says when an agent is gone for good.
func TestExecutorGivesUp(t *testing.T) {
	leave := func(_ int, _ *executor.Call, s *stream) {
		s.send(executorEventToWire(t, helloExecutor))
	}
	disconnected := mesos.ExecutorDisconnected{Reason: "the other side ended the stream"}
	t.Run("no checkpoint", func(t *testing.T) {
		a := &agent{subscribe: leave}
		_, r := a.start(t, func(e *Env) { e.Checkpoint = false }, nil, nil)
		wantExecutor(t, r, helloExecutor, disconnected)
		if err := r.end(); !errors.Is(err, ErrAgentGone) || a.subscriptions.Load() != 1 {
			t.Errorf("Run ended with %v after %d subscriptions", err, a.subscriptions.Load())
		}
	})
	t.Run("recovery timeout", func(t *testing.T) {
		_, r := (&agent{}).start(t, func(e *Env) {
			e.Agent = "127.0.0.1:1"
			e.RecoveryTimeout = 100 * time.Millisecond
		}, nil, nil)
		if err := r.end(); !errors.Is(err, ErrAgentGone) ||
			!strings.Contains(err.Error(), "not back within 100ms") {
			t.Errorf("Run ended with %v", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		refusal := mesos.ExecutorRefused{Message: "m"}
		a := &agent{subscribe: func(_ int, _ *executor.Call, s *stream) {
			s.send(executorEventToWire(t, refusal))
		}}
		_, r := a.start(t, nil, nil, nil)
		wantExecutor(t, r, refusal)
		var refused *RefusedError
		if err := r.end(); !errors.As(err, &refused) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

// TestExecutorUpdateFails says that an update which the agent does not take is an error with
// the agent's words.
func TestExecutorUpdateFails(t *testing.T) {
	a := &agent{status: http.StatusBadRequest, subscribe: func(_ int, _ *executor.Call, s *stream) {
		s.send(executorEventToWire(t, helloExecutor))
		<-s.gone
	}}
	c, r := a.start(t, nil, nil, nil)
	wantExecutor(t, r, helloExecutor)
	err := c.Update(context.Background(), fullStatus())
	var status *StatusError
	if !errors.As(err, &status) || status.Text != "what the agent says" {
		t.Errorf("Update gave %v", err)
	}
}

// TestNewExecutorRefusesEndpoint says that a wrong address is found at once.
func TestNewExecutorRefusesEndpoint(t *testing.T) {
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := NewExecutor(Env{Agent: ""}, log); err == nil {
		t.Error("an empty endpoint is accepted")
	}
}
