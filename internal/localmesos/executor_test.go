package localmesos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
)

// testExecutorProcess is a small Mesos executor. Its tasks are nothing but
// states; messages tell it what to do with them.
type testExecutorProcess struct {
	mu      sync.Mutex
	unacked []mesos.TaskStatus
	fresh   map[string]mesos.TaskInfo // launched, no update acknowledged yet
}

func runTestExecutor() int {
	signal.Ignore(syscall.SIGTERM)
	x := &testExecutorProcess{fresh: map[string]mesos.TaskInfo{}}
	for began := time.Now(); time.Since(began) < 5*time.Minute; {
		if code, ended := x.session(); ended {
			return code
		}
		// The agent is away: try again after a while, as real executors do.
		<-time.After(100 * time.Millisecond)
	}
	return 1
}

func (x *testExecutorProcess) call(c *executor.Call) (*http.Response, error) {
	c.FrameworkID.Value = os.Getenv("MESOS_FRAMEWORK_ID")
	c.ExecutorID.Value = os.Getenv("MESOS_EXECUTOR_ID")
	url := "http://" + os.Getenv("MESOS_AGENT_ENDPOINT") + "/api/v1/executor"
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(encodeJSON(c)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaJSON)
	req.Header.Set("Accept", mediaJSON)
	return http.DefaultClient.Do(req)
}

// session is one subscription; it tells whether the executor is to end.
func (x *testExecutorProcess) session() (int, bool) {
	sub := &executor.Call_Subscribe{}
	x.mu.Lock()
	for _, t := range x.fresh {
		sub.UnacknowledgedTasks = append(sub.UnacknowledgedTasks, t)
	}
	for _, s := range x.unacked {
		sub.UnacknowledgedUpdates = append(sub.UnacknowledgedUpdates,
			executor.Call_Update{Status: s})
	}
	x.mu.Unlock()
	resp, err := x.call(&executor.Call{Type: executor.Call_SUBSCRIBE, Subscribe: sub})
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, false
	}
	r := bufio.NewReader(resp.Body)
	for {
		b, err := readRecord(r)
		if err != nil {
			return 0, false
		}
		ev := &executor.Event{}
		if err := decodeJSON(b, ev); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2, true
		}
		if code, ended := x.handle(ev); ended {
			return code, true
		}
	}
}

func (x *testExecutorProcess) handle(ev *executor.Event) (int, bool) {
	fmt.Println("event", ev.Type)
	switch ev.Type {
	case executor.Event_LAUNCH:
		t := ev.Launch.Task
		x.mu.Lock()
		x.fresh[t.TaskID.Value] = t
		x.mu.Unlock()
		x.update(t.TaskID, mesos.TASK_RUNNING, "")
	case executor.Event_KILL:
		x.update(ev.Kill.TaskID, mesos.TASK_KILLED, "killed")
	case executor.Event_ACKNOWLEDGED:
		x.mu.Lock()
		delete(x.fresh, ev.Acknowledged.TaskID.Value)
		for i, s := range x.unacked {
			if bytes.Equal(s.UUID, ev.Acknowledged.UUID) {
				x.unacked = append(x.unacked[:i:i], x.unacked[i+1:]...)
				break
			}
		}
		x.mu.Unlock()
	case executor.Event_MESSAGE:
		return x.order(string(ev.Message.Data))
	case executor.Event_SHUTDOWN:
		return 0, true
	}
	return 0, false
}

// order carries out a message: what it is told to do.
func (x *testExecutorProcess) order(text string) (int, bool) {
	words := strings.Fields(text)
	answer := "done"
	switch words[0] {
	case "exit":
		code, _ := strconv.Atoi(words[1])
		return code, true
	case "finish":
		x.update(mesos.TaskID{Value: words[1]}, mesos.TASK_FINISHED, "done")
	case "write":
		if err := os.WriteFile(words[1], []byte(words[2]), 0o644); err != nil {
			answer = err.Error()
		}
	case "read":
		b, err := os.ReadFile(words[1])
		if answer = string(b); err != nil {
			answer = err.Error()
		}
	case "env":
		b, _ := json.Marshal(os.Environ())
		answer = string(b)
	case "pid":
		answer = strconv.Itoa(os.Getpid())
	case "spawn": // A process group of its own, as for a task's command.
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			answer = err.Error()
		} else {
			answer = strconv.Itoa(cmd.Process.Pid)
		}
	}
	resp, err := x.call(&executor.Call{Type: executor.Call_MESSAGE,
		Message: &executor.Call_Message{Data: []byte(answer)}})
	if err == nil {
		resp.Body.Close()
	}
	return 0, false
}

func (x *testExecutorProcess) update(id mesos.TaskID, state mesos.TaskState, message string) {
	s := mesos.TaskStatus{TaskID: id, State: &state, Source: mesos.SOURCE_EXECUTOR.Enum(),
		UUID: newUUID(), Timestamp: ptr(seconds(time.Now())), Message: &message}
	x.mu.Lock()
	x.unacked = append(x.unacked, s)
	x.mu.Unlock()
	resp, err := x.call(&executor.Call{Type: executor.Call_UPDATE,
		Update: &executor.Call_Update{Status: s}})
	if err == nil {
		resp.Body.Close()
	}
}

// runTestCluster runs a cluster in a process of its own, to be killed.
func runTestCluster() int {
	var cfg Config
	if err := json.Unmarshal([]byte(os.Getenv("LOCALMESOS_TEST_CONFIG")), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	c, err := Start(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	urls, _ := json.Marshal(append([]string{c.MasterURL()}, c.AgentURLs()...))
	fmt.Println(string(urls))
	if err := c.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
