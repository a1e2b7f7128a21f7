package localmesos

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// again is the info with which a framework comes back.
func (f *testFramework) again() *mesos.FrameworkInfo {
	info := frameworkOf(f.t)
	info.ID = &mesos.FrameworkID{Value: f.id}
	return info
}

func (f *testFramework) ask(o mesos.Offer, executor, text string) string {
	f.t.Helper()
	f.message(o, executor, text)
	ev := f.await("an answer", func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_MESSAGE
	})
	return string(ev.Message.Data)
}

func (f *testFramework) reconcile() {
	f.t.Helper()
	f.call(&scheduler.Call{Type: scheduler.Call_RECONCILE,
		Reconcile: &scheduler.Call_Reconcile{}})
}

// reconciled asks until a task's state is told.
func (f *testFramework) reconciled(task string, state mesos.TaskState) {
	f.t.Helper()
	eventually(f.t, task+" "+state.String(), func() bool {
		f.reconcile()
		return nil != f.take(func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE && ev.Update.Status.TaskID.Value == task &&
				ev.Update.Status.GetState() == state &&
				ev.Update.Status.GetReason() == mesos.REASON_RECONCILIATION
		})
	})
}

func alivePID(t testing.TB, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("no pid: %q", pid)
	}
	st, err := readStat(n)
	return err == nil && st.state != "Z"
}

// Closing the cluster leaves the executor running; a cluster on the same
// directory takes it over, with its task, its volume and its unacknowledged
// update.
func TestCloseAndStartAgain(t *testing.T) {
	cfg := testConfig(t)
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	f.autoAck = false
	o := f.offer(anyOffer)
	cpus, mem := reserved(scalarResource("cpus", 1)), reserved(scalarResource("mem", 128))
	f.accept(o, reserve(cpus, mem, reserved(scalarResource("disk", 100))),
		create(volume("v-1", 100)),
		f.launch(o, "t-1", f.testExecutor("e-1"), cpus, mem, volume("v-1", 100)))
	first := f.status("t-1", mesos.TASK_RUNNING)
	pid := f.ask(o, "e-1", "pid")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f.cancel()
	if !alivePID(t, pid) {
		t.Fatal("Close ended the executor")
	}

	c = start(t, fixed(cfg, c))
	f2 := subscribe(t, c.MasterURL(), f.again())
	if f2.id != f.id {
		t.Errorf("the framework came back as %s, not %s", f2.id, f.id)
	}
	second := f2.status("t-1", mesos.TASK_RUNNING)
	if string(first.UUID) != string(second.UUID) {
		t.Error("the unacknowledged update was not sent again")
	}
	f2.reconciled("t-1", mesos.TASK_RUNNING)
	if now := f2.ask(o, "e-1", "pid"); now != pid {
		t.Errorf("executor %s is now %s", pid, now)
	}
	f2.kill("t-1")
	f2.status("t-1", mesos.TASK_KILLED)
	f2.offer(hasVolume)
}

// clusterProcess is a cluster in a process of its own.
type clusterProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	urls []string
}

func startProcessCluster(t *testing.T, cfg Config) *clusterProcess {
	t.Helper()
	body, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &clusterProcess{t: t, cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), "LOCALMESOS_TEST_ROLE=cluster",
		"LOCALMESOS_TEST_CONFIG="+string(body))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.end(cfg) })
	if err := json.NewDecoder(out).Decode(&p.urls); err != nil {
		t.Fatalf("the cluster did not start: %v", err)
	}
	return p
}

func (p *clusterProcess) kill() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// end leaves no process behind, even of a failed test.
func (p *clusterProcess) end(cfg Config) {
	p.kill()
	if c, err := Start(p.fixed(cfg)); err != nil {
		p.t.Errorf("cleaning up: %v", err)
	} else if err := c.Shutdown(context.Background()); err != nil {
		p.t.Errorf("cleaning up: %v", err)
	}
}

func (p *clusterProcess) fixed(cfg Config) Config {
	cfg.MasterAddr = strings.TrimPrefix(p.urls[0], "http://")
	cfg.Agents = append([]Agent(nil), cfg.Agents...)
	for i, u := range p.urls[1:] {
		cfg.Agents[i].Addr = strings.TrimPrefix(u, "http://")
	}
	return cfg
}

// SIGKILL of the whole process: its executors run on and are taken over. One of
// them dies while nobody watches: its task is reported, with what it left
// behind in its session killed.
func TestSIGKILLOfTheCluster(t *testing.T) {
	cfg := testConfig(t)
	cfg.RecoveryWait = 5 * time.Second
	cfg.Logger = nil
	p := startProcessCluster(t, cfg)
	f := subscribe(t, p.urls[0], frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", f.testExecutor("e-1")),
		f.launch(o, "t-2", f.testExecutor("e-2")))
	f.status("t-1", mesos.TASK_RUNNING)
	s := f.status("t-2", mesos.TASK_RUNNING)
	child := f.ask(o, "e-2", "spawn")
	pid := f.ask(o, "e-1", "pid")
	p.kill()
	f.cancel()
	if err := syscall.Kill(int(s.ContainerStatus.GetExecutorPID()), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !alivePID(t, pid) || !alivePID(t, child) {
		t.Fatal("a process died with the cluster")
	}

	c := start(t, p.fixed(cfg))
	f2 := subscribe(t, c.MasterURL(), f.again())
	failed := f2.status("t-2", mesos.TASK_FAILED)
	if failed.GetReason() != mesos.REASON_EXECUTOR_TERMINATED {
		t.Errorf("reason %s", failed.GetReason())
	}
	eventually(t, "the end of the orphan", func() bool { return !alivePID(t, child) })
	f2.reconciled("t-1", mesos.TASK_RUNNING)
	if now := f2.ask(o, "e-1", "pid"); now != pid {
		t.Errorf("executor %s is now %s", pid, now)
	}
}

// SIGKILL at any moment of a launch loses no process: the task runs, or fails,
// and in the end nothing but known executors is alive.
func TestSIGKILLWhileLaunching(t *testing.T) {
	cfg := testConfig(t)
	cfg.RecoveryWait = time.Second
	p := startProcessCluster(t, cfg)
	cfg = p.fixed(cfg)
	f := subscribe(t, p.urls[0], frameworkOf(t))
	info := f.again()
	for i, wait := range []time.Duration{0, 2, 5, 10, 20, 40} {
		o := f.offer(anyOffer)
		task := "t-" + strconv.Itoa(i)
		f.accept(o, f.launch(o, task, f.testExecutor("e-"+strconv.Itoa(i))))
		<-time.After(wait * time.Millisecond)
		p.kill()
		f.cancel()
		p = startProcessCluster(t, cfg)
		f = subscribe(t, p.urls[0], info)
		ev := f.await("an outcome of "+task, func(ev *scheduler.Event) bool {
			return ev.Type == scheduler.Event_UPDATE && ev.Update.Status.TaskID.Value == task
		})
		f.ack(ev.Update.Status)
	}
	p.kill()
	f.cancel()
	c := start(t, cfg)
	shutdown(t, c)
}
