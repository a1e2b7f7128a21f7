package localmesos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"
)

// runningTask is a task of a taskExecutor, from its launch on.
type runningTask struct {
	info      mesos.TaskInfo
	group     []*runningTask // those launched together, itself too
	container string
	dir       string
	user      string // of its framework
	env       []string
	process   process
	killing   bool // SIGTERM was sent, or will be
	unhealthy bool // killed because of its health
	late      bool // killed because of its max_completion_time
	over      bool
	acked     bool // an update of it was acknowledged
	healthy   *bool
	// wasHealthy is healthy's history, for the goroutine that checks.
	wasHealthy atomic.Bool
	check      *mesos.CheckStatusInfo
	stop       context.CancelFunc // ends its checks
}

// launch begins a group of tasks; all fail when one of them does.
func (x *taskExecutor) launch(infos []mesos.TaskInfo) {
	if x.ending || x.leaving {
		return
	}
	var group []*runningTask
	for _, info := range infos {
		t := &runningTask{info: info, container: uuid.NewString(), dir: x.sandbox,
			user: x.info.User}
		if x.kind == kindDefault {
			t.dir = filepath.Join(x.sandbox, "containers", t.container)
		}
		group = append(group, t)
	}
	for _, t := range group {
		t.group = group
		x.tasks = append(x.tasks, t)
		x.update(t, mesos.TaskStatus{State: mesos.TASK_STARTING.Enum()})
	}
	for _, t := range group {
		go func() {
			x.rest(kindDefault)
			p, g, err := x.prepare(t)
			x.inbox <- func() { x.started(t, p, g, err) }
		}()
	}
}

// launchError is an error that stands for a command that could not be run.
type launchError struct{ status int }

func (e launchError) Error() string {
	return fmt.Sprintf("Command exited with status %d", e.status)
}

// prepare makes the sandbox of a task and starts its process, held at a gate.
func (x *taskExecutor) prepare(t *runningTask) (process, *gate, error) {
	name := t.info.GetCommand().GetUser()
	own, err := lookupOwner(name)
	if x.kind == kindDefault {
		if name == "" {
			own, err = lookupOwner(t.user)
		}
		if err != nil {
			return process{}, nil, fmt.Errorf("Failed to create nested sandbox '%s': "+
				"Failed to chown directory to '%s': %w", t.dir, name, err)
		}
		if t.info.GetContainer().GetMesos().GetImage() != nil {
			return process{}, nil, fmt.Errorf("Unsupported container image type: %s",
				t.info.Container.Mesos.Image.GetType())
		}
		if err := makeTaskDir(x.sandbox, t.dir, &t.info, own); err != nil {
			return process{}, nil, err
		}
		if len(t.info.GetCommand().GetURIs()) > 0 {
			<-time.After(2 * x.pace)
		}
		err = x.fetch.fetchAll(context.Background(), t.info.GetCommand().GetURIs(), t.dir, own)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return process{}, nil, launchError{1}
		}
	}
	if err != nil {
		return process{}, nil, err
	}
	command := t.info.GetCommand()
	limits, err := resourceLimits(t.info.GetContainer())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		command = &mesos.CommandInfo{Shell: ptr(true), Value: ptr("exit 1")}
	}
	t.env = x.environment(t)
	p, g, err := x.startTask(t, command, own)
	if err != nil {
		return p, g, err
	}
	for _, l := range limits {
		if err := unix.Prlimit(p.PID, l.resource, &l.limit, nil); err != nil {
			g.abandon()
			return process{}, nil, launchError{1}
		}
	}
	return p, g, nil
}

// makeTaskDir makes the sandbox of a task in a group, with the volumes that lie
// in the executor's sandbox or in its own.
func makeTaskDir(parent, dir string, info *mesos.TaskInfo, own *owner) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := own.chown(dir); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for i := range info.Resources {
		if r := &info.Resources[i]; isVolume(r) {
			path := filepath.Clean(r.Disk.Volume.GetContainerPath())
			if err := linkInto(root, filepath.Join(parent, path), path); err != nil {
				return fmt.Errorf("linking the volume %s: %w", r.Disk.Persistence.ID, err)
			}
		}
	}
	for _, v := range info.GetContainer().GetVolumes() {
		path := v.GetSource().GetSandboxPath()
		if path == nil {
			continue
		}
		source := filepath.Join(dir, path.Path)
		if path.GetType() == mesos.Volume_Source_SandboxPath_PARENT {
			source = filepath.Join(parent, path.Path)
		}
		if err := os.MkdirAll(source, 0o755); err != nil {
			return err
		}
		if err := linkInto(root, source, filepath.Clean(v.ContainerPath)); err != nil {
			return fmt.Errorf("linking the volume %s: %w", v.ContainerPath, err)
		}
	}
	return nil
}

// environment is what a task's process sees: a task in a group four variables of
// Mesos, a command task all that its executor has, and each its own.
func (x *taskExecutor) environment(t *runningTask) []string {
	env := map[string]string{}
	if x.kind == kindCommand {
		for _, v := range os.Environ() {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
	} else {
		env["MESOS_CONTAINER_IP"] = x.ip
		env["MESOS_SANDBOX"], env["PATH"], env["PWD"] = t.dir, defaultPath, t.dir
	}
	if rs := t.info.Resources; len(rs) > 0 {
		env["MESOS_ALLOCATION_ROLE"] = rs[0].GetAllocationInfo().GetRole()
	}
	for _, v := range t.info.GetCommand().GetEnvironment().GetVariables() {
		env[v.Name] = v.GetValue()
		if v.GetType() == mesos.Environment_Variable_SECRET {
			env[v.Name] = string(v.GetSecret().GetValue().GetData())
		}
	}
	var out []string
	for _, k := range sortedKeys(env) {
		out = append(out, k+"="+env[k])
	}
	return out
}

// notRunnable is the status of a task whose program is not there.
const notRunnable = 233

// startTask starts the command of a task in a process group of its own, in the
// executor's session, so that it ends with it.
func (x *taskExecutor) startTask(
	t *runningTask, command *mesos.CommandInfo, own *owner,
) (process, *gate, error) {
	cmd := exec.Command("/bin/sh", "-c", command.GetValue())
	if !command.GetShell() {
		args := command.GetArguments()
		if len(args) == 0 {
			args = []string{command.GetValue()}
		}
		cmd = exec.Command(command.GetValue(), args[1:]...)
		if _, err := exec.LookPath(command.GetValue()); err != nil {
			cmd = exec.Command("/bin/sh", "-c", fmt.Sprintf("exit %d", notRunnable))
		}
	}
	cmd.Dir, cmd.Env = t.dir, t.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if own != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: own.uid, Gid: own.gid}
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if x.kind == kindDefault {
		out, err := openOutput(filepath.Join(t.dir, "stdout"), own)
		if err != nil {
			return process{}, nil, err
		}
		defer out.Close()
		errOut, err := openOutput(filepath.Join(t.dir, "stderr"), own)
		if err != nil {
			return process{}, nil, err
		}
		defer errOut.Close()
		cmd.Stdout, cmd.Stderr = out, errOut
	}
	return startProcess(cmd, "")
}

type limited struct {
	resource int
	limit    unix.Rlimit
}

var rlimits = map[mesos.RLimitInfo_RLimit_Type]int{
	mesos.RLimitInfo_RLimit_RLMT_AS:      unix.RLIMIT_AS,
	mesos.RLimitInfo_RLimit_RLMT_CORE:    unix.RLIMIT_CORE,
	mesos.RLimitInfo_RLimit_RLMT_CPU:     unix.RLIMIT_CPU,
	mesos.RLimitInfo_RLimit_RLMT_DATA:    unix.RLIMIT_DATA,
	mesos.RLimitInfo_RLimit_RLMT_FSIZE:   unix.RLIMIT_FSIZE,
	mesos.RLimitInfo_RLimit_RLMT_MEMLOCK: unix.RLIMIT_MEMLOCK,
	mesos.RLimitInfo_RLimit_RLMT_NOFILE:  unix.RLIMIT_NOFILE,
	mesos.RLimitInfo_RLimit_RLMT_NPROC:   unix.RLIMIT_NPROC,
	mesos.RLimitInfo_RLimit_RLMT_RSS:     unix.RLIMIT_RSS,
	mesos.RLimitInfo_RLimit_RLMT_STACK:   unix.RLIMIT_STACK,
}

// resourceLimits reads the rlimits of a task; one needs both bounds or none.
func resourceLimits(c *mesos.ContainerInfo) ([]limited, error) {
	var out []limited
	for _, l := range c.GetRlimitInfo().GetRlimits() {
		resource, known := rlimits[l.Type]
		if !known || (l.Soft == nil) != (l.Hard == nil) {
			return nil, fmt.Errorf("Invalid rlimit %s", l.Type)
		}
		limit := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
		if l.Soft != nil {
			limit = unix.Rlimit{Cur: *l.Soft, Max: *l.Hard}
		}
		out = append(out, limited{resource, limit})
	}
	return out, nil
}

// started lets a prepared process run.
func (x *taskExecutor) started(t *runningTask, p process, g *gate, err error) {
	status, failed := err.(launchError)
	switch {
	case t.killing && err == nil:
		g.abandon()
		x.finish(t, mesos.TASK_KILLED, "Command terminated with signal Terminated")
		return
	case failed:
		x.ended(t, status.status<<8)
		return
	case err != nil:
		x.finish(t, mesos.TASK_FAILED, err.Error())
		return
	}
	t.process = p
	var ctx context.Context
	ctx, t.stop = context.WithCancel(context.Background())
	_ = g.open() // A process that died before is seen by wait.
	x.update(t, mesos.TaskStatus{State: mesos.TASK_RUNNING.Enum()})
	x.startChecks(ctx, t)
	if d := t.info.MaxCompletionTime; d != nil {
		time.AfterFunc(durationOf(d), func() { x.inbox <- func() { x.expire(t) } })
	}
	go func() {
		ws, err := p.wait(context.Background())
		status := 0
		if err == nil && ws != nil {
			status = int(*ws)
		}
		x.rest("")
		x.inbox <- func() { x.ended(t, status) }
	}()
}

// rest takes as long as a step of a real executor, of one kind or of any.
func (x *taskExecutor) rest(kind string) {
	if kind == "" || kind == x.kind {
		<-time.After(x.pace)
	}
}

// expire ends a task that takes longer than its max_completion_time.
func (x *taskExecutor) expire(t *runningTask) {
	if !t.over && !t.killing {
		t.late = true
		x.terminate(t, &mesos.KillPolicy{GracePeriod: &mesos.DurationInfo{}})
	}
}

// defaultKillGrace is the time between SIGTERM and SIGKILL unless a policy says.
const defaultKillGrace = 3 * time.Second

func (x *taskExecutor) killGroup(t *runningTask, policy *mesos.KillPolicy) {
	if policy == nil {
		policy = t.info.KillPolicy
	}
	x.kill(t, policy)
	for _, mate := range t.group {
		if mate != t {
			x.kill(mate, mate.info.KillPolicy)
		}
	}
}

// kill asks a task to end, and makes it after the grace period of the policy.
func (x *taskExecutor) kill(t *runningTask, policy *mesos.KillPolicy) {
	if t.over || t.killing {
		return
	}
	if hasCapability(&x.info, mesos.FrameworkInfo_Capability_TASK_KILLING_STATE) {
		s := mesos.TaskStatus{State: mesos.TASK_KILLING.Enum()}
		x.update(t, s)
	}
	x.terminate(t, policy)
}

func (x *taskExecutor) terminate(t *runningTask, policy *mesos.KillPolicy) {
	t.killing = true
	if t.stop != nil {
		t.stop()
	}
	grace := defaultKillGrace
	if policy.GetGracePeriod() != nil {
		grace = durationOf(policy.GracePeriod)
	}
	if t.process.PID == 0 {
		return // started abandons it.
	}
	pid := t.process.PID
	first := syscall.SIGTERM
	if grace <= 0 && !t.late {
		first = syscall.SIGKILL
	}
	_ = syscall.Kill(-pid, first)
	time.AfterFunc(max(grace, time.Second/10), func() {
		x.inbox <- func() {
			if !t.over {
				_ = syscall.Kill(-pid, syscall.SIGKILL)
			}
		}
	})
}

// ended takes the wait status of a task's process.
func (x *taskExecutor) ended(t *runningTask, status int) {
	ws := syscall.WaitStatus(status)
	message := fmt.Sprintf("Command exited with status %d", ws.ExitStatus())
	if ws.Signaled() {
		message = "Command terminated with signal " + signalName(ws.Signal())
	}
	state := mesos.TASK_FAILED
	switch {
	case t.late:
	case t.killing:
		state = mesos.TASK_KILLED
	case status == 0:
		state = mesos.TASK_FINISHED
	}
	x.finish(t, state, message)
}

func signalName(s syscall.Signal) string {
	name := s.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

// finish reports the end of a task, and ends its mates unless all is well.
func (x *taskExecutor) finish(t *runningTask, state mesos.TaskState, message string) {
	if t.stop != nil {
		t.stop()
	}
	if t.process.PID != 0 {
		_ = syscall.Kill(-t.process.PID, syscall.SIGKILL) // what it left behind
	}
	t.over = true
	s := mesos.TaskStatus{State: &state, Message: &message}
	if t.late {
		s.Reason = mesos.REASON_MAX_COMPLETION_TIME_REACHED.Enum()
	}
	if t.unhealthy {
		s.Healthy = ptr(false)
	}
	x.update(t, s)
	if state != mesos.TASK_FINISHED {
		for _, mate := range t.group {
			x.kill(mate, mate.info.KillPolicy)
		}
	}
	if slices.ContainsFunc(x.tasks, func(t *runningTask) bool { return !t.over }) {
		return
	}
	if x.kind == kindCommand { // It does not wait for ever to be heard.
		time.AfterFunc(time.Second, func() { x.inbox <- func() { x.exit(0) } })
	}
}
