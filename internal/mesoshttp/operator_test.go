package mesoshttp

import (
	"bytes"
	"context"
	"fmt"
	"hash/maphash"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/maintenance"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// TestRecordedAgents reads what a real Mesos listed while an agent was drained, while there was
// a maintenance window, and while operators reserved and freed.
func TestRecordedAgents(t *testing.T) {
	for _, name := range []string{
		"08f-maintenance.jsonl", "08g-drain-agent.jsonl", "12e-operator-reserve-volumes.jsonl",
	} {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			var schedule *maintenance.Schedule
			for _, line := range recording(t, filepath.Join("operator", name)) {
				var r operator.Response
				if err := decodeMessage(codecFor(true), line.Body, &r); err != nil {
					t.Fatal(err)
				}
				if r.Type == operator.Response_GET_MAINTENANCE_SCHEDULE {
					schedule = scheduleOf(&r)
					u := unavailability(schedule, "127.0.0.1", "127.0.0.1")
					fmt.Fprintf(&text, "window %v\n", u)
					continue
				}
				list, gone := listFromWire(r.GetAgents)
				seen := seenOf(list, schedule)
				fmt.Fprintln(&text, seen)
				decodedAlike(t, &r, seen, gone, schedule)
			}
			golden(t, filepath.Join("testdata", "operator", name+".golden"), text.Bytes())
		})
	}
}

// decodedAlike compares with what comes of the same answer in protobuf, read agent by agent, twice.
func decodedAlike(
	t *testing.T, r *operator.Response, want mesos.AgentsSeen, gone []mesos.AgentID,
	schedule *maintenance.Schedule,
) {
	t.Helper()
	body, err := encodeMessage(codecFor(false), r)
	if err != nil {
		t.Fatal(err)
	}
	d := agentDecoder{seed: maphash.MakeSeed()}
	for range 2 {
		list, recovered, err := d.decode(iotest.OneByteReader(bytes.NewReader(body)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, seenOf(list, schedule)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(gone, recovered); diff != "" {
			t.Error(diff)
		}
	}
	if list, _, err := d.decode(bytes.NewReader(body[:len(body)-1])); err == nil {
		t.Errorf("%d agents of what is cut off", len(list))
	}
}

// FuzzDecodeAgents reads anything without harm.
func FuzzDecodeAgents(f *testing.F) {
	body, err := encodeMessage(codecFor(false), listed("a1", "a2"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{0x52, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, body []byte) {
		d := agentDecoder{seed: maphash.MakeSeed()}
		agents, _, err := d.decode(bytes.NewReader(body))
		if err != nil && agents != nil {
			t.Error("agents of what cannot be decoded")
		}
	})
}

// BenchmarkDecodeAgents decodes a list of 10,000 agents, at first and when nothing has changed.
func BenchmarkDecodeAgents(b *testing.B) {
	const n = 10_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("agent-%d", i)
	}
	answer := listed(names...)
	for i := range answer.GetAgents.Agents {
		answer.GetAgents.Agents[i].TotalResources = resourcesToWire(resource.List{
			{Name: "cpus", Scalar: 8000}, {Name: "mem", Scalar: 1 << 24},
			{Name: "disk", Scalar: 1 << 28}}, "")
	}
	body, err := encodeMessage(codecFor(false), answer)
	if err != nil {
		b.Fatal(err)
	}
	for _, fresh := range []bool{true, false} {
		b.Run(fmt.Sprintf("fresh=%v", fresh), func(b *testing.B) {
			b.ReportAllocs()
			d := agentDecoder{seed: maphash.MakeSeed()}
			for b.Loop() {
				if fresh {
					d.known = nil
				}
				if list, _, err := d.decode(bytes.NewReader(body)); err != nil || len(list) != n {
					b.Fatal(len(list), err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "agents/s")
		})
	}
}

// operated is a scripted master with an operator API.
type operated struct {
	master
	agents func(n int) *operator.Response // by the number of the question, from 1
	status atomic.Int32                   // what questions are answered with, 0 for 200
	asked  chan int
	sent   chan *operator.Call
	n      atomic.Int32
}

func (o *operated) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != operatorPath {
		o.master.ServeHTTP(w, r)
		return
	}
	var c operator.Call
	decodeBody(o.t, r, &c)
	switch c.Type {
	case operator.Call_GET_AGENTS:
		n := int(o.n.Add(1))
		if status := int(o.status.Load()); status != 0 {
			w.WriteHeader(status)
		} else {
			o.answer(w, r, o.agents(n))
		}
		o.asked <- n
	case operator.Call_GET_MAINTENANCE_SCHEDULE:
		w.WriteHeader(http.StatusNotImplemented)
	default:
		w.WriteHeader(http.StatusAccepted)
		o.sent <- &c
	}
}

func (o *operated) answer(w http.ResponseWriter, r *http.Request, answer *operator.Response) {
	codec := codecFor(r.Header.Get("Content-Type") == "application/json")
	body, err := encodeMessage(codec, answer)
	if err != nil {
		o.t.Error(err)
	}
	w.Header().Set("Content-Type", codec.Type.ContentType())
	_, _ = w.Write(body)
}

// listed answers a question with agents of these names.
func listed(names ...string) *operator.Response {
	list := &operator.Response_GetAgents{}
	for _, name := range names {
		list.Agents = append(list.Agents, operator.Response_GetAgents_Agent{
			AgentInfo: wire.AgentInfo{Hostname: name, ID: &wire.AgentID{Value: name}},
			Active:    true,
		})
	}
	return &operator.Response{Type: operator.Response_GET_AGENTS, GetAgents: list}
}

// run subscribes at the master and runs an operator over that.
func (o *operated) run(t *testing.T, json bool) (*Operator, *running[mesos.Event]) {
	o.t, o.calls = t, make(chan mesos.Call, 100)
	o.asked, o.sent = make(chan int, 100), make(chan *operator.Call, 100)
	client := New(Config{
		Master: serve(t, o.ServeHTTP), JSON: json, Logger: (&logBuffer{}).logger(),
		Framework:  func() mesos.FrameworkInfo { return mesos.FrameworkInfo{Role: "kafka-role"} },
		BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond,
	})
	op := NewOperator(OperatorConfig{Client: client, Interval: 50 * time.Millisecond})
	run(t, func(ctx context.Context, _ func(mesos.Event)) error {
		return client.Run(ctx, func(mesos.Event) {})
	})
	return op, run(t, op.Run)
}

// TestOperator lists the agents after the subscription and then now and again, notes which have
// gone, and sends calls.
func TestOperator(t *testing.T) {
	for _, json := range []bool{false, true} {
		t.Run(fmt.Sprintf("json=%v", json), func(t *testing.T) {
			o := &operated{agents: func(n int) *operator.Response {
				if n == 1 {
					return listed("a2", "a1")
				}
				return listed("a2")
			}}
			op, events := o.run(t, json)
			want(t, events, "agents a1@a1() a2@a2()", "agents a2@a2() removed=a1",
				"agents a2@a2() removed=a1")
			if s := op.Status(); s.Agents != 1 || s.Reason != "" || s.Asked.IsZero() {
				t.Errorf("%+v", s)
			}
			op.Send(mesos.UnreserveResources{Agent: "a1", Resources: resource.List{{
				Name: "cpus", Scalar: 1500, Role: "kafka-role",
				Reservations: []resource.Reservation{
					{Dynamic: true, Role: "kafka-role", Principal: "p"},
				}}}})
			op.Send(mesos.DestroyVolumes{Agent: "a1", Volumes: resource.List{
				{Name: "disk", Scalar: 1000, Disk: &resource.DiskInfo{PersistenceID: "v"}}}})
			for _, expected := range []string{
				`unreserve_resources:<agent_id:<value:"a1" >`, `destroy_volumes:`,
			} {
				call := waitFor(t, o.sent, events)
				body, err := encodeMessage(codecFor(true), call)
				if err != nil || bytes.Contains(body, []byte("allocation_info")) {
					t.Errorf("%s %v, want %s", body, err, expected)
				}
			}
		})
	}
}

// waitFor takes from a channel while events come, which are of no concern.
func waitFor[T any](t *testing.T, from <-chan T, events *running[mesos.Event]) T {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case v := <-from:
			return v
		case <-events.events:
		case <-timeout:
			t.Fatal("nothing came")
		}
	}
}

// TestOperatorForbidden asks no more once the master has refused, until it is subscribed anew.
func TestOperatorForbidden(t *testing.T) {
	cut := make(chan struct{})
	o := &operated{agents: func(int) *operator.Response { return listed("a1") }}
	o.subscribe = func(n int, _ *scheduler.Call, s *stream) {
		s.send(subscribedWire("f1", 15))
		if n == 1 {
			<-cut
			return
		}
		<-s.gone
	}
	o.status.Store(http.StatusForbidden)
	op, events := o.run(t, false)
	receive(t, o.asked)
	deadline := time.Now().Add(patience)
	for !op.Status().Forbidden {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", op.Status())
		}
	}
	if s := op.Status(); !strings.Contains(s.Reason, "403 Forbidden") {
		t.Errorf("%+v", s)
	}
	o.status.Store(0)
	op.Send(mesos.DestroyVolumes{Agent: "a1"}) // after which it would ask within a second
	receive(t, o.sent)
	close(cut)
	want(t, events, "agents a1@a1()")
	if n := o.n.Load(); n != 2 || op.Status().Forbidden {
		t.Errorf("%d questions, %+v", n, op.Status())
	}
}
