package localmesos

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

func isFailure(ev *scheduler.Event) bool { return ev.Type == scheduler.Event_FAILURE }

// An update is sent again until it is acknowledged; the next one waits for it (F15).
func TestUnacknowledgedUpdates(t *testing.T) {
	cfg := testConfig(t)
	cfg.UpdateRetry = 50 * time.Millisecond
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	f.autoAck = false
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	first := f.status("t-1", mesos.TASK_RUNNING)
	f.message(o, "e-1", "finish t-1")
	for range 2 {
		again := f.status("t-1", mesos.TASK_RUNNING)
		if string(again.UUID) != string(first.UUID) || again.GetMessage() != first.GetMessage() {
			t.Errorf("another update came: %s", encodeJSON(&again))
		}
	}
	if f.take(func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_UPDATE &&
			ev.Update.Status.GetState() == mesos.TASK_FINISHED
	}) != nil {
		t.Error("the second update did not wait for the first")
	}
	f.ack(first)
	last := f.status("t-1", mesos.TASK_FINISHED)
	f.reconciled("t-1", mesos.TASK_FINISHED)
	f.ack(last)
	eventually(t, "the task is forgotten", func() bool {
		_, body := post(t, c.MasterURL()+"/api/v1", `{"type":"GET_STATE"}`)
		return strings.Contains(body, `"completed_tasks":[{"name":"t-1"`)
	})
	f.call(&scheduler.Call{Type: scheduler.Call_RECONCILE, Reconcile: &scheduler.Call_Reconcile{
		Tasks: []scheduler.Call_Reconcile_Task{
			{TaskID: mesos.TaskID{Value: "t-1"}, AgentID: &o.AgentID},
			{TaskID: mesos.TaskID{Value: "nosuch"}}}}})
	f.status("t-1", mesos.TASK_GONE)
	f.status("nosuch", mesos.TASK_UNKNOWN)
}

// SIGKILL of an executor: FAILURE with its wait status, TASK_FAILED, and nothing
// of its session is left.
func TestExecutorKilled(t *testing.T) {
	c := start(t, testConfig(t))
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	s := f.status("t-1", mesos.TASK_RUNNING)
	child := f.ask(o, "e-1", "spawn")
	if err := syscall.Kill(int(s.ContainerStatus.GetExecutorPID()), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if ev := f.await("FAILURE", isFailure); ev.Failure.GetStatus() != 9 ||
		ev.Failure.ExecutorID.GetValue() != "e-1" {
		t.Errorf("failure %s", encodeJSON(ev))
	}
	s = f.status("t-1", mesos.TASK_FAILED)
	if s.GetReason() != mesos.REASON_EXECUTOR_TERMINATED ||
		s.GetMessage() != "Executor terminated" {
		t.Errorf("status %s", encodeJSON(&s))
	}
	if alivePID(t, child) {
		t.Error("the executor's child outlived it")
	}
	f.offer(func(o mesos.Offer) bool { return scalarSum(o.Resources, "cpus") == 4000 })
}

// The environment and the working directory are those of the recordings.
func TestExecutorEnvironment(t *testing.T) {
	cfg := testConfig(t)
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")))
	f.status("t-1", mesos.TASK_RUNNING)
	var env []string
	if err := json.Unmarshal([]byte(f.ask(o, "e-1", "env")), &env); err != nil {
		t.Fatal(err)
	}
	agent := strings.TrimPrefix(c.AgentURLs()[0], "http://")
	for _, want := range []string{"LIBPROCESS_IP=127.0.0.2", "MESOS_AGENT_ENDPOINT=" + agent,
		"MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=15mins", "MESOS_EXECUTOR_ID=e-1",
		"MESOS_FRAMEWORK_ID=" + f.id, "MESOS_SLAVE_ID=" + o.AgentID.Value,
		"MESOS_SLAVE_PID=slave(1)@" + agent, "MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs",
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=5secs", "PATH=" + defaultPath} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing in %q", want, env)
		}
	}
}

// An executor that does not subscribe is killed; a KILL before it subscribed
// ends the task at once.
func TestRegistrationTimeout(t *testing.T) {
	cfg := testConfig(t)
	cfg.RegistrationTimeout = 300 * time.Millisecond
	cfg.ShutdownGrace = 50 * time.Millisecond
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	mute := f.testExecutor("e-1")
	mute.Command = &mesos.CommandInfo{Value: ptr("sleep 1000")}
	f.accept(o, f.launch(o, "t-1", mute))
	s := f.status("t-1", mesos.TASK_FAILED)
	if s.GetReason() != mesos.REASON_EXECUTOR_REGISTRATION_TIMEOUT ||
		s.GetMessage() != "Executor did not register within 300ms" {
		t.Errorf("status %s", encodeJSON(&s))
	}
	o = f.offer(func(o mesos.Offer) bool { return scalarSum(o.Resources, "cpus") == 4000 })
	mute.ExecutorID.Value = "e-2"
	f.accept(o, f.launch(o, "t-2", mute))
	f.kill("t-2")
	if s = f.status("t-2", mesos.TASK_KILLED); s.GetReason() !=
		mesos.REASON_TASK_KILLED_DURING_LAUNCH {
		t.Errorf("status %s", encodeJSON(&s))
	}
}

// An executor that exits by itself, a missing file, TEARDOWN, and the removal of
// old sandboxes.
func TestExecutorEnds(t *testing.T) {
	cfg := testConfig(t)
	cfg.KeepRuns = 1
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	for _, id := range []string{"e-1", "e-2", "e-3"} {
		o := f.offer(anyOffer)
		f.accept(o, f.launch(o, "t-"+id, f.testExecutor(id)))
		f.status("t-"+id, mesos.TASK_RUNNING)
		f.message(o, id, "exit 7")
		if ev := f.await("FAILURE", isFailure); ev.Failure.GetStatus() != 7<<8 {
			t.Errorf("failure %s", encodeJSON(ev))
		}
		f.status("t-"+id, mesos.TASK_FAILED)
	}
	runs := filepath.Join(cfg.Dir, "agents", "agent-1", "slaves", "*", "frameworks", "*",
		"executors", "*", "runs", "*-*")
	eventually(t, "old sandboxes are removed", func() bool {
		left, err := filepath.Glob(runs)
		return err == nil && len(left) == 1
	})
	o := f.offer(anyOffer)
	missing := mesos.CommandInfo_URI{Value: filepath.Join(t.TempDir(), "nosuch")}
	f.accept(o, f.launch(o, "t-4", f.testExecutor("e-4", missing)))
	if s := f.status("t-4", mesos.TASK_FAILED); s.GetReason() !=
		mesos.REASON_CONTAINER_LAUNCH_FAILED {
		t.Errorf("status %s", encodeJSON(&s))
	}
	o = f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-5", f.testExecutor("e-5")))
	pid := f.status("t-5", mesos.TASK_RUNNING).ContainerStatus.GetExecutorPID()
	f.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	eventually(t, "the executor ends", func() bool {
		st, err := readStat(int(pid))
		return err != nil || st.state == "Z"
	})
	code, body := post(t, c.MasterURL()+"/api/v1", `{"type":"GET_FRAMEWORKS"}`)
	if code != 200 || !strings.Contains(body, `"frameworks":[],"completed_frameworks":[{`) {
		t.Errorf("frameworks: %d %s", code, body)
	}
}

// The files API serves sandboxes and volumes, by real and virtual paths, and
// nothing else.
func TestFiles(t *testing.T) {
	cfg := testConfig(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	cpus, mem := reserved(scalarResource("cpus", 1)), reserved(scalarResource("mem", 128))
	f.accept(o, reserve(cpus, mem, reserved(scalarResource("disk", 100))),
		create(volume("v-1", 100)),
		f.launch(o, "t-1", f.testExecutor("e-1"), cpus, mem, volume("v-1", 100)))
	f.status("t-1", mesos.TASK_RUNNING)
	f.ask(o, "e-1", "write data/file in-the-volume")
	f.ask(o, "e-1", "write plain in-the-sandbox")

	virtual := "/frameworks/" + f.id + "/executors/e-1/runs/latest"
	real := filepath.Join(cfg.Dir, "agents", "agent-1", "slaves", o.AgentID.Value) + virtual
	for link, target := range map[string]string{"out": secret, "up": "../../../../../..",
		"etc": "/etc", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(real, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(real, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	api := c.AgentURLs()[0] + "/api/v1"
	read := func(path string) (int, string) {
		return post(t, api, `{"type":"READ_FILE","read_file":{"path":"`+path+`","offset":3}}`)
	}
	for _, base := range []string{virtual, real} {
		for path, want := range map[string]string{
			"/plain":     `{"type":"READ_FILE","read_file":{"size":14,"data":"dGhlLXNhbmRib3g="}}`,
			"/data/file": `{"type":"READ_FILE","read_file":{"size":13,"data":"dGhlLXZvbHVtZQ=="}}`,
		} {
			if code, body := read(base + path); code != 200 || body != want {
				t.Errorf("%s: %d %s", base+path, code, body)
			}
		}
	}
	for _, path := range []string{virtual + "/out", virtual + "/etc/hostname", virtual + "/loop",
		virtual + "/up/lock", virtual + "/fifo", virtual + "/../latest/plain", "/etc/hostname",
		real + "/../../../../../../../../../../lock", virtual + "/nosuch", "plain", "",
		"/frameworks/..", virtual + "/./plain", cfg.Dir + "/state.db"} {
		if code, body := read(path); code != 404 || body != "" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, body := read(virtual); code != 400 || body != "Cannot read a directory.\n" {
		t.Errorf("reading a directory: %d %s", code, body)
	}
	code, body := get(t, c.AgentURLs()[0]+"/files/read?path="+virtual+"/plain&offset=3&length=3")
	if code != 200 || body != `{"data":"the","offset":3}` {
		t.Errorf("/files/read: %d %s", code, body)
	}
	code, body = get(t, c.AgentURLs()[0]+"/files/download?path="+virtual+"/plain")
	if code != 200 || body != "in-the-sandbox" {
		t.Errorf("/files/download: %d %s", code, body)
	}
	if code, body = get(t, c.AgentURLs()[0]+"/files/browse?path="+virtual); code != 200 ||
		!strings.Contains(body, `"path":"`+virtual+`/stdout"`) {
		t.Errorf("/files/browse: %d %s", code, body)
	}
	if code, _ = get(t, c.AgentURLs()[0]+"/files/browse.json?path="+virtual); code != 404 {
		t.Errorf("/files/browse.json: %d", code)
	}
}
