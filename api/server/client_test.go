package server

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// serve runs a real server on a loopback socket until the test ends.
func serve(t *testing.T, c Config) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.AllowHost = HostPolicy("127.0.0.1")
	server := NewHTTP(New(c))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}

// talk gives a client of a server on a view.
func talk(t *testing.T, v *scheduler.View, m *machine) *client.Client {
	t.Helper()
	c := client.New(serve(t, config(v, m)) + "/")
	t.Cleanup(c.Close)
	return c
}

func TestClientReads(t *testing.T) {
	ctx, c := context.Background(), talk(t, fullView(), &machine{})
	service, err := c.Service(ctx)
	if err != nil || service.Name != "kafka" || service.Pod("kafka-2").Refusal == "" ||
		*service.Plan("deploy").Phases[0].Steps[1].AgeSeconds != 90 ||
		service.Endpoints[0].Name != "broker" || *service.Kafka.Leader != 0 {
		t.Errorf("service: %+v, %v", service, err)
	}
	if list, err := c.Plans(ctx); err != nil || len(list) != 2 || list[1].Name != "recovery" {
		t.Errorf("plans: %v, %v", list, err)
	}
	if plan, err := c.Plan(ctx, "deploy"); err != nil || plan.Status != api.StatusInProgress ||
		plan.Name != "deploy" {
		t.Errorf("plan: %v, %v", plan, err)
	}
	if list, err := c.Pods(ctx); err != nil || len(list) != 3 || list[0].Broker == nil {
		t.Errorf("pods: %v, %v", list, err)
	}
	if pods, err := c.PodsStatus(ctx); err != nil || len(pods.Pods[0].Instances) != 2 {
		t.Errorf("pods' status: %v, %v", pods, err)
	}
	if pod, err := c.PodStatus(ctx, "kafka-1"); err != nil || pod.Tasks[0].Status != "RUNNING" {
		t.Errorf("pod status: %v, %v", pod, err)
	}
	if health, err := c.Health(ctx, true); err != nil || health.Value != 208 ||
		len(health.Reasons) != 10 {
		t.Errorf("health: %v, %v", health, err)
	}
	for name, read := range map[string]func() (string, error){
		"kafka-0-broker": func() (string, error) { return raw(c.PodInfo(ctx, "kafka-0")) },
		"10.0.0.2:9092":  func() (string, error) { return raw(c.Endpoint(ctx, "broker")) },
		"kafka-role":     func() (string, error) { return raw(c.Target(ctx)) },
		"min.insync.replicas": func() (string, error) {
			return raw(c.Configuration(ctx, fullView().TargetID))
		},
		fullView().TargetID: func() (string, error) {
			return c.TargetID(ctx)
		},
		frameworkOfViews: func() (string, error) { return c.FrameworkID(ctx) },
		"1.2.3":          func() (string, error) { return c.Version(ctx) },
		"kafka_sched_":   func() (string, error) { return c.Metrics(ctx) },
		"deploy recovery": func() (string, error) {
			return words(c.PlanNames(ctx))
		},
		"kafka-0 kafka-1": func() (string, error) { return words(c.PodNames(ctx)) },
		"broker":          func() (string, error) { return words(c.Endpoints(ctx)) },
	} {
		if text, err := read(); err != nil || !strings.Contains(text, name) {
			t.Errorf("no %s in %s, %v", name, text, err)
		}
	}
}

func raw(text json.RawMessage, err error) (string, error) { return string(text), err }

func words(list []string, err error) (string, error) { return strings.Join(list, " "), err }

func TestClientCommands(t *testing.T) {
	m := &machine{reply: scheduler.Reply{Message: "It stops.", Tasks: []string{"b", "a"}}}
	ctx, c := context.Background(), talk(t, completeView(), m)
	expect := func(command scheduler.Command) {
		t.Helper()
		if !reflect.DeepEqual(m.command, command) {
			t.Errorf("the machine was asked %#v, want %#v", m.command, command)
		}
	}
	change := func(o api.Outcome, err error) api.Outcome {
		t.Helper()
		if err != nil || !o.Changed {
			t.Errorf("%+v, %v", o, err)
		}
		return o
	}
	if o := change(c.Stop(ctx)); o.Message != "It stops." {
		t.Errorf("%+v", o)
	}
	expect(scheduler.ServiceStop{})
	change(c.Start(ctx))
	expect(scheduler.ServiceStart{})
	change(c.Uninstall(ctx))
	expect(scheduler.ServiceUninstall{})
	for _, verb := range []string{api.VerbStart, api.VerbStop} {
		change(c.PlanCommand(ctx, "deploy", verb, "", ""))
		expect(scheduler.PlanCommand{Verb: scheduler.PlanVerb(verb), Plan: "deploy"})
	}
	change(c.PlanCommand(ctx, "deploy", api.VerbInterrupt, "broker", ""))
	expect(scheduler.PlanCommand{Verb: "interrupt", Plan: "deploy", Phase: "broker"})
	o := change(c.PlanCommand(ctx, "deploy", api.VerbRestart, "uuid-1", "kafka-1:[broker]"))
	expect(scheduler.PlanCommand{Verb: "restart", Plan: "deploy", Phase: "uuid-1",
		Step: "kafka-1:[broker]"})
	if !strings.HasSuffix(o.Message, "Phase: uuid-1, Step: kafka-1:[broker]") {
		t.Errorf("%+v", o)
	}
	pod, err := c.PodRestart(ctx, "kafka-1")
	if err != nil || pod.Pod != "kafka-1" || !slices.Equal(pod.Tasks, []string{"a", "b"}) {
		t.Errorf("%+v, %v", pod, err)
	}
	expect(scheduler.PodRestart{Pod: "kafka-1"})
	if _, err := c.PodReplace(ctx, "kafka-2"); err != nil {
		t.Error(err)
	}
	expect(scheduler.PodReplace{Pod: "kafka-2"})
}

func TestClientSetTarget(t *testing.T) {
	m := &machine{reply: scheduler.Reply{Message: "It rolls."}}
	ctx, c := context.Background(), talk(t, completeView(), m)
	const id = "0b9e4a44-6c1c-4a8e-8a52-6f3f0d6f2a11"
	for _, given := range []string{id, ""} {
		o, err := c.SetTarget(ctx, given, "name: <other>", nil)
		got, _ := m.command.(scheduler.SetTarget)
		if err != nil || o.TargetID != got.ID || got.Service.Name != "<other>" ||
			given != "" && got.ID != given || len(got.ID) != len(id) {
			t.Errorf("%+v, %v, %+v", o, err, got)
		}
	}
	m.reply.Problem = &scheduler.Problem{Code: scheduler.AlreadyDone, Message: "It is so."}
	if o, err := c.SetTarget(ctx, id, "name: x", nil); err != nil ||
		o.Changed || o.TargetID != "" ||
		o.Message != "It is so." {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestClientErrors(t *testing.T) {
	m := &machine{reply: scheduler.Reply{
		Problem: &scheduler.Problem{Code: scheduler.AlreadyDone, Message: "Done before."}}}
	ctx, c := context.Background(), talk(t, completeView(), m)
	o, err := c.PlanCommand(ctx, "deploy", api.VerbInterrupt, "", "")
	if err != nil || o.Changed || o.Message != api.TextAlreadyDone {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := c.Stop(ctx); err != nil || o.Changed || o.Message != "Done before." {
		t.Errorf("%+v, %v", o, err)
	}
	m.reply.Problem.Code = scheduler.Conflict
	for _, ask := range []struct {
		status  int
		code    string
		message string
		do      func() error
	}{
		{404, "", "Plan x/y not found", func() error { _, err := c.Plan(ctx, "x/y"); return err }},
		{404, "", "Pod .. not found", func() error { _, err := c.PodInfo(ctx, ".."); return err }},
		{409, api.CodeConflict, "Done before.",
			func() error { _, err := c.Start(ctx); return err }},
		{409, "", "Done before.",
			func() error { _, err := c.PodReplace(ctx, "kafka-0"); return err }},
		{400, api.CodeInvalidRequest, "line 1: no name",
			func() error { _, err := c.SetTarget(ctx, "", "", nil); return err }},
	} {
		var said *client.Error
		err := ask.do()
		if !errors.As(err, &said) || said.Status != ask.status || said.Code != ask.code ||
			said.Message != ask.message || !strings.HasPrefix(said.URL, c.URL()) {
			t.Errorf("%+v, want %d %s %s", err, ask.status, ask.code, ask.message)
		}
	}
}

// Every health is an answer, also those whose HTTP status looks like an error or a redirection.
func TestClientHealth(t *testing.T) {
	errored, waiting, recovering := completeView(), completeView(), completeView()
	errored.Plans[0].Errors = []string{"count must not shrink"}
	waiting.Plans[0].Status = plans.Waiting
	step := scheduler.StepView{Name: "kafka-0:[broker]", Status: plans.Started}
	recovering.Plans[1].Status = plans.InProgress
	recovering.Plans[1].Phases = []scheduler.PhaseView{{Steps: []scheduler.StepView{step}}}
	backup, restore := completeView(), completeView()
	backup.Plans = append(backup.Plans, scheduler.PlanView{Name: "backup-s3",
		Status: plans.InProgress})
	restore.Plans = append(backup.Plans, scheduler.PlanView{Name: "restore",
		Status: plans.Starting})
	gone := uninstallView()
	gone.Framework, gone.Intent = "f", scheduler.Uninstalled
	for want, v := range map[int]*scheduler.View{
		200: completeView(), 202: recordedView(plans.Starting, plans.Starting),
		204: launchedView(), 205: recovering, 207: waiting, 208: fullView(),
		318: startedView(), 320: backup, 321: restore, 500: errored,
		503: recordedView(plans.InProgress),
	} {
		health, err := talk(t, v, &machine{}).Health(context.Background(), false)
		if err != nil || health.Value != want || health.Reasons != nil {
			t.Errorf("%+v, %v, want %d", health, err, want)
		}
	}
	if health, err := talk(t, gone, &machine{}).Health(context.Background(), true); err != nil ||
		health.Value != 318 {
		t.Errorf("uninstalled: %+v, %v", health, err)
	}
	_, err := talk(t, nil, &machine{}).Health(context.Background(), false)
	var said *client.Error
	if !errors.As(err, &said) || said.Status != 503 || said.Message == "" {
		t.Errorf("not started: %v", err)
	}
}

// The headers of a request must come in time and be of a sensible size.
func TestServerLimits(t *testing.T) {
	s := NewHTTP(nil)
	if s.ReadHeaderTimeout != 5*time.Second || s.IdleTimeout != time.Minute ||
		s.MaxHeaderBytes != 16<<10 || s.ReadTimeout == 0 || s.WriteTimeout == 0 {
		t.Errorf("%+v", s)
	}
	base := serve(t, config(completeView(), &machine{}))
	r, err := http.NewRequest("GET", base+"/v2/service", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Large", strings.Repeat("x", 32<<10))
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Error(response.Status)
	}
}
