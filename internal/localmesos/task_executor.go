package localmesos

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
)

// The command executor (one task without an executor of its own) and the default
// executor (task groups) are processes like any other executor: this program
// again, told by ExecutorCommand and the kind to be one.
const (
	// ExecutorCommand is the first argument of the program that Config.Program
	// names, when it has to be an executor. It calls ExecutorMain then.
	ExecutorCommand = "mesos-executor"

	kindCommand = "command"
	kindDefault = "default"
	// envRemoteExec tells the default executor that its agent lets it run the
	// commands of checks.
	envRemoteExec = "LOCALMESOS_REMOTE_EXEC"
	// envPace tells the executors to take their time.
	envPace = "LOCALMESOS_PACE"
)

// taskExecutor is such a process. One goroutine, its loop, owns everything.
type taskExecutor struct {
	kind, url, framework, id     string
	sandbox, ip                  string
	checkpoint, remoteExec, kept bool // kept: SUBSCRIBED has come once
	inbox                        chan func()
	calls                        chan *executor.Call
	client                       *http.Client
	fetch                        *fetcher
	pace                         time.Duration

	info      mesos.FrameworkInfo
	executor  mesos.ExecutorInfo
	container string
	connected bool
	leaving   bool // the process is about to end
	ending    bool
	tasks     []*runningTask
	unacked   []executor.Call_Update
	done      chan int
}

// ExecutorMain is the command or the default executor, as args[0] says. It
// returns the status to exit with.
func ExecutorMain(args []string) int {
	if len(args) != 1 || args[0] != kindCommand && args[0] != kindDefault {
		fmt.Fprintln(os.Stderr, "localmesos starts this by itself; it has no other use")
		return 2
	}
	x := &taskExecutor{kind: args[0], url: "http://" + os.Getenv("MESOS_AGENT_ENDPOINT") +
		"/slave(1)/api/v1/executor", framework: os.Getenv("MESOS_FRAMEWORK_ID"),
		id: os.Getenv("MESOS_EXECUTOR_ID"), sandbox: os.Getenv("MESOS_SANDBOX"),
		ip: os.Getenv("LIBPROCESS_IP"), checkpoint: os.Getenv("MESOS_CHECKPOINT") == "1",
		remoteExec: args[0] == kindCommand || os.Getenv(envRemoteExec) == "1",
		inbox:      make(chan func(), 64), calls: make(chan *executor.Call, 1024),
		client: &http.Client{Transport: &http.Transport{}}, done: make(chan int, 1)}
	x.fetch = newFetcher(filepath.Join(x.sandbox, ".cache"), 10*time.Minute, 1<<30)
	if os.Getenv(envPace) == "1" {
		x.pace = time.Second / 20
	}
	_ = os.Unsetenv(envPace)
	go x.subscribe()
	go x.send()
	for {
		select {
		case f := <-x.inbox:
			f()
		case status := <-x.done:
			return status
		}
	}
}

// exit ends the process once the loop comes to it.
func (x *taskExecutor) exit(status int) {
	select {
	case x.done <- status:
	default:
	}
}

func (x *taskExecutor) call(kind executor.Call_Type) *executor.Call {
	return &executor.Call{Type: kind, FrameworkID: mesos.FrameworkID{Value: x.framework},
		ExecutorID: mesos.ExecutorID{Value: x.id}}
}

func (x *taskExecutor) post(call *executor.Call, ctx context.Context) (*http.Response, error) {
	body, err := call.Marshal()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaProtobuf)
	req.Header.Set("Accept", mediaProtobuf)
	return x.client.Do(req)
}

// send posts calls in their order. One that fails is not sent again by itself:
// an update is given with the next subscription.
func (x *taskExecutor) send() {
	for call := range x.calls {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if resp, err := x.post(call, ctx); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		cancel()
	}
}

// subscribe keeps the executor subscribed: as long as the recovery timeout of a
// checkpointing framework allows, else only once.
func (x *taskExecutor) subscribe() {
	timeout := 15 * time.Minute
	lost := time.Now()
	for first := true; first || x.checkpoint && time.Since(lost) < timeout; first = false {
		pending := make(chan *executor.Call, 1)
		x.inbox <- func() { pending <- x.subscription() }
		resp, err := x.post(<-pending, context.Background())
		if err == nil && resp.StatusCode == http.StatusOK {
			x.read(resp.Body)
			lost = time.Now()
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		x.inbox <- func() { x.connected = false }
		<-time.After(200 * time.Millisecond)
	}
	x.inbox <- x.shutdown
}

func (x *taskExecutor) subscription() *executor.Call {
	call := x.call(executor.Call_SUBSCRIBE)
	call.Subscribe = &executor.Call_Subscribe{UnacknowledgedUpdates: slices.Clone(x.unacked)}
	for _, t := range x.tasks {
		if !t.acked {
			call.Subscribe.UnacknowledgedTasks = append(call.Subscribe.UnacknowledgedTasks, t.info)
		}
	}
	return call
}

// read hands the events of a stream to the loop until it ends.
func (x *taskExecutor) read(body io.Reader) {
	for {
		var head []byte
		for b := make([]byte, 1); ; head = append(head, b[0]) {
			if _, err := io.ReadFull(body, b); err != nil {
				return
			}
			if b[0] == '\n' {
				break
			}
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(head)))
		if err != nil || n < 0 || n > maxBody {
			return
		}
		record := make([]byte, n)
		if _, err := io.ReadFull(body, record); err != nil {
			return
		}
		ev := &executor.Event{}
		if err := ev.Unmarshal(record); err != nil {
			return
		}
		x.inbox <- func() { x.event(ev) }
	}
}

func (x *taskExecutor) event(ev *executor.Event) {
	switch ev.Type {
	case executor.Event_SUBSCRIBED:
		x.connected, x.kept = true, true
		x.info, x.executor = ev.Subscribed.FrameworkInfo, ev.Subscribed.ExecutorInfo
		x.container = ev.Subscribed.GetContainerID().GetValue()
	case executor.Event_LAUNCH:
		x.launch([]mesos.TaskInfo{ev.Launch.Task})
	case executor.Event_LAUNCH_GROUP:
		x.launch(ev.LaunchGroup.TaskGroup.Tasks)
	case executor.Event_KILL:
		if t := x.task(ev.Kill.TaskID.Value); t != nil {
			x.killGroup(t, ev.Kill.KillPolicy)
		}
	case executor.Event_ACKNOWLEDGED:
		x.acknowledged(ev.Acknowledged)
	case executor.Event_SHUTDOWN:
		x.shutdown()
	}
}

func (x *taskExecutor) task(id string) *runningTask {
	for _, t := range x.tasks {
		if t.info.TaskID.Value == id {
			return t
		}
	}
	return nil
}

func (x *taskExecutor) acknowledged(ev *executor.Event_Acknowledged) {
	x.unacked = slices.DeleteFunc(x.unacked, func(u executor.Call_Update) bool {
		return bytes.Equal(u.Status.UUID, ev.UUID)
	})
	if t := x.task(ev.TaskID.Value); t != nil {
		t.acked = true
	}
	x.leave()
}

// shutdown ends all tasks, and then the executor.
func (x *taskExecutor) shutdown() {
	x.ending = true
	for _, t := range x.tasks {
		x.kill(t, t.info.KillPolicy)
	}
	x.leave()
}

// leave ends the executor when its work is done and everybody knows.
func (x *taskExecutor) leave() {
	for _, t := range x.tasks {
		if !t.over {
			return
		}
	}
	switch {
	case len(x.tasks) == 0 && !x.ending:
	case !x.connected && x.ending:
		x.exit(0)
	case len(x.unacked) > 0:
	default:
		x.leaving = true
		time.AfterFunc(x.pace/2, func() { x.inbox <- func() { x.exit(0) } })
	}
}

// update tells the agent how a task is.
func (x *taskExecutor) update(t *runningTask, s mesos.TaskStatus) {
	s.TaskID, s.Source = t.info.TaskID, mesos.SOURCE_EXECUTOR.Enum()
	s.ExecutorID = &mesos.ExecutorID{Value: x.id}
	s.UUID, s.Timestamp = newUUID(), ptr(seconds(time.Now()))
	if t.info.Check != nil && s.CheckStatus == nil {
		s.CheckStatus = emptyCheck(t.info.Check)
	}
	if x.kind == kindDefault {
		s.ContainerStatus = &mesos.ContainerStatus{ContainerID: &mesos.ContainerID{
			Value: t.container, Parent: &mesos.ContainerID{Value: x.container}}}
		if t.process.PID != 0 && !t.over {
			s.ContainerStatus.ExecutorPID = ptr(uint32(t.process.PID))
			s.ContainerStatus.NetworkInfos = []mesos.NetworkInfo{{
				IPAddresses: []mesos.NetworkInfo_IPAddress{{Protocol: mesos.IPv4.Enum(),
					IPAddress: &x.ip}}}}
		}
	}
	u := executor.Call_Update{Status: s}
	x.unacked = append(x.unacked, u)
	call := x.call(executor.Call_UPDATE)
	call.Update = &u
	select {
	case x.calls <- call:
	default: // The agent does not answer; the next subscription tells it.
	}
}
