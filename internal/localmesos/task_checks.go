package localmesos

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// probe looks once at a task. It reports nothing when it could not tell.
type probe func(ctx context.Context) (result *mesos.CheckStatusInfo, told bool)

// schedule says when a task is looked at.
type schedule struct{ delay, interval, timeout, pace time.Duration }

func scheduleOf(delay, interval, timeout *float64) schedule {
	pick := func(v *float64, def float64) time.Duration {
		if v != nil {
			def = *v
		}
		return time.Duration(def * float64(time.Second))
	}
	return schedule{delay: pick(delay, 15), interval: pick(interval, 10),
		timeout: pick(timeout, 20)}
}

// every looks at a task again and again until ctx ends.
func (s schedule) every(ctx context.Context, p probe, tell func(*mesos.CheckStatusInfo, bool)) {
	for wait := s.delay; ; wait = s.interval {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		once, cancel := ctx, context.CancelFunc(func() {})
		if s.timeout > 0 {
			once, cancel = context.WithTimeout(ctx, s.timeout)
		}
		result, told := p(once)
		cancel()
		<-time.After(s.pace)
		if ctx.Err() != nil {
			return
		}
		tell(result, told)
	}
}

// emptyCheck is the status of a check that has not told anything.
func emptyCheck(c *mesos.CheckInfo) *mesos.CheckStatusInfo {
	s := &mesos.CheckStatusInfo{Type: &c.Type}
	switch c.Type {
	case mesos.CheckInfo_COMMAND:
		s.Command = &mesos.CheckStatusInfo_Command{}
	case mesos.CheckInfo_HTTP:
		s.HTTP = &mesos.CheckStatusInfo_Http{}
	case mesos.CheckInfo_TCP:
		s.TCP = &mesos.CheckStatusInfo_Tcp{}
	}
	return s
}

// startChecks begins the check and the health check of a task that runs.
func (x *taskExecutor) startChecks(ctx context.Context, t *runningTask) {
	if c := t.info.Check; c != nil && (c.Type != mesos.CheckInfo_COMMAND || x.remoteExec) {
		s := scheduleOf(c.DelaySeconds, c.IntervalSeconds, c.TimeoutSeconds)
		s.pace = 2*x.pace + x.pace/5
		if t.info.HealthCheck != nil {
			s.delay += x.pace
		}
		go s.every(ctx, x.checkProbe(t, c), func(r *mesos.CheckStatusInfo, told bool) {
			x.inbox <- func() { x.checked(t, r, told) }
		})
	}
	h := t.info.HealthCheck
	if h == nil || h.Type == mesos.HealthCheck_COMMAND && !x.remoteExec {
		return
	}
	s := scheduleOf(h.DelaySeconds, h.IntervalSeconds, h.TimeoutSeconds)
	s.pace = 2*x.pace + x.pace/5
	begin, failures := time.Now(), 0
	grace := scheduleOf(nil, h.GracePeriodSeconds, nil).interval
	go s.every(ctx, x.healthProbe(t, h), func(r *mesos.CheckStatusInfo, told bool) {
		ok := told && healthyResult(r)
		if ok {
			failures = 0
		} else if failures++; time.Since(begin) < grace && !t.wasHealthy.Load() {
			failures = 0
			return
		}
		enough := uint32(failures) >= h.GetConsecutiveFailures()
		x.inbox <- func() { x.healthTold(t, ok, !ok && enough) }
	})
}

// healthyResult applies the rules of health checks to a result.
func healthyResult(r *mesos.CheckStatusInfo) bool {
	switch {
	case r.Command != nil:
		return r.Command.GetExitCode() == 0
	case r.HTTP != nil:
		return r.HTTP.GetStatusCode() >= 200 && r.HTTP.GetStatusCode() < 400
	}
	return r.GetTCP().GetSucceeded()
}

// healthTold reports each failure, and health when it comes.
func (x *taskExecutor) healthTold(t *runningTask, ok, enough bool) {
	if t.over || t.killing || ok && t.healthy != nil && *t.healthy {
		return
	}
	t.healthy = &ok
	if ok {
		t.wasHealthy.Store(true)
	}
	x.update(t, mesos.TaskStatus{State: mesos.TASK_RUNNING.Enum(), Healthy: ptr(ok),
		CheckStatus: t.check, Reason: mesos.REASON_TASK_HEALTH_CHECK_STATUS_UPDATED.Enum()})
	if enough {
		t.unhealthy = true
		x.killGroup(t, nil)
	}
}

// checked reports what a check found if it is new.
func (x *taskExecutor) checked(t *runningTask, r *mesos.CheckStatusInfo, told bool) {
	if t.over || t.killing || !told || t.check != nil && t.check.Equal(r) {
		return
	}
	t.check = r
	x.update(t, mesos.TaskStatus{State: mesos.TASK_RUNNING.Enum(), Healthy: t.healthy,
		CheckStatus: r, Reason: mesos.REASON_TASK_CHECK_STATUS_UPDATED.Enum()})
}

func (x *taskExecutor) checkProbe(t *runningTask, c *mesos.CheckInfo) probe {
	switch c.Type {
	case mesos.CheckInfo_HTTP:
		return httpProbe("http", x.ip, c.HTTP.GetPort(), c.HTTP.GetPath(), false)
	case mesos.CheckInfo_TCP:
		return tcpProbe(x.ip, c.TCP.GetPort())
	}
	return x.commandProbe(t, c.GetCommand().GetCommand())
}

func (x *taskExecutor) healthProbe(t *runningTask, h *mesos.HealthCheck) probe {
	switch h.Type {
	case mesos.HealthCheck_HTTP:
		return httpProbe(h.HTTP.GetScheme(), x.ip, h.HTTP.GetPort(), h.HTTP.GetPath(), true)
	case mesos.HealthCheck_TCP:
		return tcpProbe(x.ip, h.TCP.GetPort())
	}
	command := mesos.CommandInfo{}
	if h.Command != nil {
		command = *h.Command
	}
	return x.commandProbe(t, command)
}

// commandProbe runs a command in the task's sandbox with the task's environment.
// A command that does not end in time tells nothing.
func (x *taskExecutor) commandProbe(t *runningTask, command mesos.CommandInfo) probe {
	env := t.env
	for _, v := range command.GetEnvironment().GetVariables() {
		env = append(env[:len(env):len(env)], v.Name+"="+v.GetValue())
	}
	return func(ctx context.Context) (*mesos.CheckStatusInfo, bool) {
		cmd := exec.CommandContext(ctx, "/bin/sh", "-c", command.GetValue())
		if !command.GetShell() {
			cmd = exec.CommandContext(ctx, command.GetValue(), command.GetArguments()...)
			if args := command.GetArguments(); len(args) > 0 {
				cmd.Args = args
			}
		}
		cmd.Dir, cmd.Env = t.dir, env
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		if err := cmd.Run(); ctx.Err() != nil || err != nil && cmd.ProcessState == nil {
			return nil, false
		}
		kind := mesos.CheckInfo_COMMAND
		return &mesos.CheckStatusInfo{Type: &kind, Command: &mesos.CheckStatusInfo_Command{
			ExitCode: ptr(int32(cmd.ProcessState.ExitCode()))}}, true
	}
}

func httpProbe(scheme, ip string, port uint32, path string, follow bool) probe {
	if scheme == "" {
		scheme = "http"
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if !follow {
		client.CheckRedirect = func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}
	}
	url := fmt.Sprintf("%s://%s%s", scheme, net.JoinHostPort(ip, strconv.Itoa(int(port))), path)
	return func(ctx context.Context) (*mesos.CheckStatusInfo, bool) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, false
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, false
		}
		_ = resp.Body.Close()
		kind := mesos.CheckInfo_HTTP
		return &mesos.CheckStatusInfo{Type: &kind, HTTP: &mesos.CheckStatusInfo_Http{
			StatusCode: ptr(uint32(resp.StatusCode))}}, true
	}
}

func tcpProbe(ip string, port uint32) probe {
	address := net.JoinHostPort(ip, strconv.Itoa(int(port)))
	return func(ctx context.Context) (*mesos.CheckStatusInfo, bool) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		if ctx.Err() != nil {
			return nil, false
		}
		kind := mesos.CheckInfo_TCP
		return &mesos.CheckStatusInfo{Type: &kind,
			TCP: &mesos.CheckStatusInfo_Tcp{Succeeded: ptr(err == nil)}}, true
	}
}
