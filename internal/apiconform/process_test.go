package apiconform

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api/server"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// host is the scheduler's address as the recordings have it.
const host = "scheduler.example:8080"

// serviceTLD ended the names of tasks.
const serviceTLD = "autoip.dcos.thisdcos.directory"

// process is a scheduler in this process: the production machine, store codec, metrics and
// handlers, with the cluster and the clock of the recording.
type process struct {
	store     *store.Memory
	cluster   *cluster
	now       time.Time
	machine   *scheduler.Machine
	view      *scheduler.View
	metrics   *metrics.Metrics
	handler   http.Handler
	commands  scheduler.CommandID
	replies   map[scheduler.CommandID]scheduler.Reply
	connected bool
	uuids     uint64
}

func newProcess(now time.Time) *process {
	return &process{store: store.NewMemory(), cluster: newCluster(), now: now}
}

// start begins a life of the scheduler with what is stored and the service that it is offered.
func (p *process) start(
	service servicespec.Service, backoff scheduler.Backoff, advertise string, uninstall bool,
) error {
	hard, err := p.store.Load()
	if err != nil {
		return fmt.Errorf("loading the state: %w", err)
	}
	p.connected, p.view = false, nil
	p.cluster.role = service.Role
	p.cluster.asked = nil
	p.replies = map[scheduler.CommandID]scheduler.Reply{}
	p.metrics = metrics.New(metrics.NewRegistry())
	p.handler = server.New(server.Config{
		View: func() *scheduler.View { return p.view }, Do: p.do,
		Metrics: p.metrics.Handler(), Version: "conform",
		Now:        func() time.Time { return p.now },
		ServiceTLD: serviceTLD, VIPTLD: "l4lb.thisdcos.directory",
		Advertise: advertise, OldMetrics: p.metrics,
	})
	p.machine = scheduler.Restore(scheduler.Config{
		Target: scheduler.Target{ID: p.uuidText(), Service: service}, Offered: true,
		Backoff:     backoff,
		ExecutorURI: "http://" + host + "/v1/artifacts/executor/0/kafka-sched",
		UUID:        p.uuid,
	}, hard)
	p.step(scheduler.Tick{})
	if uninstall {
		_, err = p.do(context.Background(), scheduler.ServiceUninstall{}, scheduler.Caller{})
		return err
	}
	return nil
}

// uuid counts, in the form of a random UUID.
func (p *process) uuid() [16]byte {
	p.uuids++
	b := [16]byte{0: 0xc0, 1: 0x4f, 6: 0x40, 8: 0x80}
	for i := range 4 {
		b[15-i] = byte(p.uuids >> (8 * i))
	}
	return b
}

func (p *process) uuidText() string {
	b := p.uuid()
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// step gives the machine one event and carries its output out in the order of its contract.
func (p *process) step(ev scheduler.Event) {
	began := time.Now()
	out := p.machine.Step(p.now, ev)
	p.metrics.Stepped(ev, time.Since(began))
	if err := p.store.Apply(out.Writes); err != nil {
		panic(fmt.Sprintf("storing %d writes: %v", len(out.Writes), err))
	}
	for _, call := range out.Calls {
		if to, ok := call.(scheduler.ToMesos); ok && p.connected {
			p.cluster.call(to.Call)
			p.metrics.Sent(to.Call)
		}
	}
	p.view = p.machine.View() // also when the tick that would bring it is not in the recording
	p.metrics.Observe(p.view)
	for _, r := range out.Replies {
		p.replies[r.ID] = r
	}
	for _, n := range out.Notes {
		if n.Count != "" {
			p.metrics.Count(n.Count)
		}
	}
}

// register opens the subscription.
func (p *process) register() {
	p.connected = true
	p.mesos(mesos.Subscribed{Framework: frameworkID, Master: "leader.mesos:5050"})
}

// mesos gives the machine an event of the master.
func (p *process) mesos(ev mesos.Event) {
	if p.connected {
		p.step(scheduler.FromMesos{Event: ev})
	}
}

// goal is that of a task.
func (p *process) goal(fullName string) servicespec.Goal {
	for _, pod := range p.view.Pods {
		for _, t := range pod.Tasks {
			if t.FullName == fullName {
				return t.Goal
			}
		}
	}
	return servicespec.GoalRunning
}

// do carries a command of a handler to the machine and its reply back.
func (p *process) do(
	_ context.Context, c scheduler.Command, by scheduler.Caller,
) (scheduler.Reply, error) {
	p.commands++
	id := p.commands
	p.step(scheduler.Commanded{ID: id, Command: c, Caller: by})
	reply, ok := p.replies[id]
	if !ok {
		return reply, fmt.Errorf("no reply to %T", c)
	}
	delete(p.replies, id)
	return reply, nil
}

// answer is what a handler said.
type answer struct {
	status int
	media  string // the media type with its parameters, "" without
	body   string
}

// ask sends a request as it came over the wire. What net/http would not let through is
// answered as its server does.
func (p *process) ask(r request) answer {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, escaped(r.Path), host)
	for name, value := range r.Headers {
		fmt.Fprintf(&text, "%s: %s\r\n", name, value)
	}
	body := ""
	if r.Body != nil {
		body = *r.Body
		fmt.Fprintf(&text, "Content-Length: %d\r\n", len(body))
	}
	text.WriteString("\r\n" + body)
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text.String())))
	if err != nil {
		return answer{http.StatusBadRequest, "text/plain; charset=utf-8", "400 Bad Request"}
	}
	req.RemoteAddr = "127.0.0.1:40000"
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, req)
	a := answer{w.Code, w.Result().Header.Get("Content-Type"), w.Body.String()}
	if r.Method == http.MethodHead || w.Code == http.StatusNoContent {
		a.body = "" // the server sends none
	}
	return a
}

// escaped makes a recorded path fit for the request line; the recorder's client did the same.
func escaped(path string) string { return strings.ReplaceAll(path, " ", "%20") }
