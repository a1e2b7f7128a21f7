package localmesos

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"go.uber.org/goleak"
)

// The test binary runs itself again, as an executor and as a whole cluster.
func TestMain(m *testing.M) {
	switch os.Getenv("LOCALMESOS_TEST_ROLE") {
	case "executor":
		os.Exit(runTestExecutor())
	case "cluster":
		os.Exit(runTestCluster())
	}
	goleak.VerifyTestMain(m)
}

// patience is the longest that a test waits for anything.
const patience = 30 * time.Second

func testConfig(t *testing.T) Config {
	t.Helper()
	return Config{
		Dir: t.TempDir(), MasterAddr: "127.0.0.1:0",
		OfferInterval: 50 * time.Millisecond, UpdateRetry: 5 * time.Minute,
		ShutdownGrace: 5 * time.Second,
		Agents: []Agent{{Name: "agent-1", Addr: "127.0.0.2:0", Hostname: "one.test",
			CPUs: 4, MemMB: 4096, DiskMB: 10000, Ports: [][2]uint64{{31000, 31010}}}},
	}
}

// start starts a cluster that is shut down, executors and all, at the test's end.
func start(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	c, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, c) })
	return c
}

func shutdown(t *testing.T, c *Cluster) {
	t.Helper()
	select {
	case <-c.Done():
		return
	default:
	}
	if err := c.Shutdown(t.Context()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// fixed gives a configuration the addresses of a running cluster, so that it
// can be started again at the same place.
func fixed(cfg Config, c *Cluster) Config {
	cfg.MasterAddr = strings.TrimPrefix(c.MasterURL(), "http://")
	cfg.Agents = slices.Clone(cfg.Agents)
	for i, u := range c.AgentURLs() {
		cfg.Agents[i].Addr = strings.TrimPrefix(u, "http://")
	}
	return cfg
}

func post(t testing.TB, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaJSON)
	req.Header.Set("Accept", mediaJSON)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return do(t, req)
}

func get(t testing.TB, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) (int, string) {
	t.Helper()
	req.Close = true
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// testFramework is a scheduler: a subscription and the events it received.
type testFramework struct {
	t        testing.TB
	master   string
	id       string
	stream   string
	protobuf bool
	autoAck  bool
	cancel   func()
	done     chan struct{}

	mu     sync.Mutex
	events []*scheduler.Event
	taken  map[int]bool // events that a test has seen
	news   chan struct{}
}

func frameworkOf(t testing.TB) *mesos.FrameworkInfo {
	return &mesos.FrameworkInfo{User: "", Name: t.Name(), Roles: []string{"svc"},
		Principal: ptr("svc-principal"), Checkpoint: ptr(true), FailoverTimeout: ptr(60.0),
		Capabilities: []mesos.FrameworkInfo_Capability{
			{Type: mesos.FrameworkInfo_Capability_MULTI_ROLE},
			{Type: mesos.FrameworkInfo_Capability_RESERVATION_REFINEMENT},
			{Type: mesos.FrameworkInfo_Capability_PARTITION_AWARE}}}
}

func subscribe(t testing.TB, master string, info *mesos.FrameworkInfo) *testFramework {
	return subscribeAs(t, master, info, mediaJSON)
}

func subscribeAs(
	t testing.TB, master string, info *mesos.FrameworkInfo, media string,
) *testFramework {
	t.Helper()
	f := &testFramework{t: t, master: master, protobuf: media == mediaProtobuf, autoAck: true,
		news: make(chan struct{}, 1), done: make(chan struct{}), taken: map[int]bool{}}
	call := &scheduler.Call{Type: scheduler.Call_SUBSCRIBE, FrameworkID: info.ID,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: info}}
	resp := f.send(call)
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		t.Fatalf("SUBSCRIBE: %s: %s", resp.Status, b)
	}
	f.stream = resp.Header.Get("Mesos-Stream-Id")
	f.cancel = sync.OnceFunc(func() {
		resp.Body.Close()
		<-f.done
	})
	t.Cleanup(f.cancel)
	go f.read(resp.Body)
	ev := f.await("SUBSCRIBED", func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_SUBSCRIBED
	})
	f.id = ev.Subscribed.FrameworkID.Value
	return f
}

func (f *testFramework) send(call *scheduler.Call) *http.Response {
	f.t.Helper()
	media, body := mediaJSON, encodeJSON(call)
	if f.protobuf {
		var err error
		media = mediaProtobuf
		if body, err = call.Marshal(); err != nil {
			f.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(http.MethodPost, f.master+"/api/v1/scheduler",
		bytes.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Content-Type", media)
	req.Header.Set("Accept", media)
	if f.stream != "" {
		req.Header.Set("Mesos-Stream-Id", f.stream)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp
}

// call sends a call that must be accepted.
func (f *testFramework) call(call *scheduler.Call) {
	f.t.Helper()
	call.FrameworkID = &mesos.FrameworkID{Value: f.id}
	resp := f.send(call)
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusOK {
		f.t.Fatalf("%s: %s: %s", call.Type, resp.Status, b)
	}
}

func readRecord(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return nil, err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return b, err
}

func (f *testFramework) read(body io.Reader) {
	defer close(f.done)
	r := bufio.NewReader(body)
	for {
		b, err := readRecord(r)
		if err != nil {
			return
		}
		ev := &scheduler.Event{}
		if f.protobuf {
			err = ev.Unmarshal(b)
		} else {
			err = decodeJSON(b, ev)
		}
		if err != nil {
			f.t.Errorf("event %q: %v", b, err)
			return
		}
		f.mu.Lock()
		f.events = append(f.events, ev)
		f.mu.Unlock()
		select {
		case f.news <- struct{}{}:
		default:
		}
	}
}

// take returns the oldest event that matches and was not taken before.
func (f *testFramework) take(match func(*scheduler.Event) bool) *scheduler.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, ev := range f.events {
		if !f.taken[i] && match(ev) {
			f.taken[i] = true
			return ev
		}
	}
	return nil
}

// await waits for an event that matches.
func (f *testFramework) await(what string, match func(*scheduler.Event) bool) *scheduler.Event {
	f.t.Helper()
	deadline := time.After(patience)
	for {
		if ev := f.take(match); ev != nil {
			return ev
		}
		select {
		case <-f.news:
		case <-deadline:
			f.t.Fatalf("%s did not come; events: %s", what, f.text())
		}
	}
}

func (f *testFramework) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b strings.Builder
	for _, ev := range f.events[max(0, len(f.events)-12):] {
		b.WriteString("\n" + string(encodeJSON(ev)))
	}
	return b.String()
}

func (f *testFramework) ack(s mesos.TaskStatus) {
	if len(s.UUID) > 0 {
		f.call(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE,
			Acknowledge: &scheduler.Call_Acknowledge{AgentID: *s.AgentID, TaskID: s.TaskID,
				UUID: s.UUID}})
	}
}

// offer awaits an offer that matches; others are declined, so that they are
// offered again together with what becomes free.
func (f *testFramework) offer(match func(mesos.Offer) bool) mesos.Offer {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		ev := f.await("a fitting offer", func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_OFFERS
		})
		for _, o := range ev.Offers.Offers {
			if match(o) {
				return o
			}
			f.decline(o, 0)
		}
	}
	f.t.Fatalf("a fitting offer did not come; events: %s", f.text())
	return mesos.Offer{}
}

func anyOffer(mesos.Offer) bool { return true }

func (f *testFramework) decline(o mesos.Offer, seconds float64) {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_DECLINE, Decline: &scheduler.Call_Decline{
		OfferIDs: []mesos.OfferID{o.ID}, Filters: &mesos.Filters{RefuseSeconds: &seconds}}})
}

func (f *testFramework) accept(o mesos.Offer, ops ...mesos.Offer_Operation) {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
		OfferIDs: []mesos.OfferID{o.ID}, Operations: ops,
		Filters: &mesos.Filters{RefuseSeconds: ptr(0.0)}}})
}

func (f *testFramework) revive() {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_REVIVE})
}

// status awaits a state of a task.
func (f *testFramework) status(task string, state mesos.TaskState) mesos.TaskStatus {
	f.t.Helper()
	ev := f.await(task+" "+state.String(), func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_UPDATE && ev.Update.Status.TaskID.Value == task &&
			ev.Update.Status.GetState() == state
	})
	if f.autoAck {
		f.ack(ev.Update.Status)
	}
	return ev.Update.Status
}

func (f *testFramework) message(o mesos.Offer, executor, text string) {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_MESSAGE, Message: &scheduler.Call_Message{
		AgentID: o.AgentID, ExecutorID: mesos.ExecutorID{Value: executor}, Data: []byte(text)}})
}

func (f *testFramework) kill(task string) {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_KILL,
		Kill: &scheduler.Call_Kill{TaskID: mesos.TaskID{Value: task}}})
}

// testExecutor is the ExecutorInfo of this binary as executor.
func (f *testFramework) testExecutor(id string, uris ...mesos.CommandInfo_URI) *mesos.ExecutorInfo {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	return &mesos.ExecutorInfo{Type: mesos.ExecutorInfo_CUSTOM,
		ExecutorID: mesos.ExecutorID{Value: id}, FrameworkID: &mesos.FrameworkID{Value: f.id},
		Command: &mesos.CommandInfo{Value: ptr(fmt.Sprintf("exec '%s'", self)), URIs: uris,
			Environment: &mesos.Environment{Variables: []mesos.Environment_Variable{
				{Name: "LOCALMESOS_TEST_ROLE", Value: ptr("executor")}}}},
		Resources: []mesos.Resource{scalarResource("cpus", 0.1), scalarResource("mem", 32)}}
}

func (f *testFramework) launch(
	o mesos.Offer, task string, e *mesos.ExecutorInfo, rs ...mesos.Resource,
) mesos.Offer_Operation {
	if len(rs) == 0 {
		rs = []mesos.Resource{scalarResource("cpus", 0.1), scalarResource("mem", 32)}
	}
	return mesos.Offer_Operation{Type: mesos.Offer_Operation_LAUNCH,
		Launch: &mesos.Offer_Operation_Launch{TaskInfos: []mesos.TaskInfo{{Name: task,
			TaskID: mesos.TaskID{Value: task}, AgentID: o.AgentID, Executor: e, Resources: rs}}}}
}

// eventually polls a condition until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
