package localmesos

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/google/uuid"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// owner is the user that an executor runs as; nil means this process's own.
type owner struct{ uid, gid uint32 }

func (o *owner) chown(path string) error {
	if o == nil {
		return nil
	}
	return os.Chown(path, int(o.uid), int(o.gid))
}

// lookupOwner finds the user to run as. Only root can run as somebody else; for
// others the user is ignored.
func lookupOwner(name string) (*owner, error) {
	if name == "" || os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("No such user '%s'", name)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if uid == 0 {
		return nil, nil
	}
	return &owner{uint32(uid), uint32(gid)}, nil
}

func (c *Cluster) executorUser(e *executorRun) string {
	if u := e.Info.V.GetCommand().GetUser(); u != "" {
		return u
	}
	if f := c.frameworks[e.Framework]; f != nil {
		return f.Info.V.User
	}
	return ""
}

// launchOnAgent adds checked tasks to an agent and starts their executor if it
// does not run. Tasks of a group are delivered together.
func (c *Cluster) launchOnAgent(
	f *framework, a *agentNode, infos []mesos.TaskInfo, info *mesos.ExecutorInfo, group bool,
	values secretValues,
) {
	generated := info == nil
	if generated {
		info = commandExecutor(f.id, &infos[0])
	}
	first := c.seq + 1
	for _, i := range infos {
		c.seq++
		t := &task{Framework: f.id, Agent: a.id, Executor: info.ExecutorID.Value,
			Info: taskInfo{i}, Seq: c.seq, State: mesos.TASK_STAGING}
		if group {
			t.Group = first
		}
		c.addTask(t)
		c.watchTaskAdded(t)
	}
	e := a.executors[executorKey(f.id, info.ExecutorID.Value)]
	if e == nil {
		e = &executorRun{Framework: f.id, Agent: a.id, id: info.ExecutorID.Value, agent: a,
			Info: executorInfo{*info}, Container: uuid.NewString(), values: values,
			Generated: generated}
		a.executors[e.key()] = e
		a.touch()
		c.saveExecutor(e)
		c.startExecutor(e, c.executorUser(e), f.Info.V.GetCheckpoint())
		return
	}
	c.deliver(e)
}

// commandExecutor is the executor of a task that has only a command.
func commandExecutor(framework string, t *mesos.TaskInfo) *mesos.ExecutorInfo {
	id := t.TaskID.Value
	command := t.GetCommand()
	name := fmt.Sprintf("Command Executor (Task: %s) (Command: NO EXECUTABLE)", id)
	if v := command.GetValue(); v != "" && command.GetShell() {
		if len(v) > 15 {
			v = v[:12] + "..."
		}
		name = fmt.Sprintf("Command Executor (Task: %s) (Command: sh -c '%s')", id, v)
	}
	return &mesos.ExecutorInfo{Type: mesos.ExecutorInfo_CUSTOM, Container: t.Container,
		ExecutorID:  mesos.ExecutorID{Value: id},
		FrameworkID: &mesos.FrameworkID{Value: framework}, Name: &name, Source: &id,
		Command: &mesos.CommandInfo{User: command.User, URIs: command.GetURIs()},
		Resources: allocate([]mesos.Resource{scalarResource("cpus", 0.1),
			scalarResource("mem", 32)}, t.Resources[0].GetAllocationInfo().GetRole())}
}

// builtIn is the kind of executor that this program is for a run, "" if the
// run's own command is to be used.
func (e *executorRun) builtIn() string {
	switch {
	case e.Generated:
		return kindCommand
	case e.Info.V.Type == mesos.ExecutorInfo_DEFAULT:
		return kindDefault
	}
	return ""
}

// commandOf is what is run for an executor.
func (c *Cluster) commandOf(e *executorRun) *mesos.CommandInfo {
	own := e.Info.V.GetCommand()
	kind := e.builtIn()
	if kind == "" {
		return own
	}
	return &mesos.CommandInfo{Shell: ptr(false), Value: &c.cfg.Program,
		Arguments: []string{c.cfg.Program, ExecutorCommand, kind}, URIs: own.GetURIs()}
}

// prepared is what startExecutor's background work leads to.
type prepared struct {
	process process
	gate    *gate
	failure *ending
}

// startExecutor prepares the sandbox, fetches and starts, outside of the loop.
func (c *Cluster) startExecutor(e *executorRun, user string, checkpoint bool) {
	if c.cfg.Simulate {
		c.simulateTasks(e)
		return
	}
	env := c.executorEnv(e, checkpoint)
	info, sandbox := e.Info.V, e.sandbox()
	c.after(func() {
		c.background(func() {
			p := c.prepareExecutor(e, info, sandbox, user, env)
			if !c.post(func() { c.executorPrepared(e, p) }) && p.gate != nil {
				p.gate.abandon()
			}
		})
	})
}

func (c *Cluster) prepareExecutor(
	e *executorRun, info mesos.ExecutorInfo, sandbox, user string, env []string,
) prepared {
	failed := func(s mesos.TaskState, r mesos.TaskStatus_Reason, format string, a ...any) prepared {
		return prepared{failure: &ending{s, r, fmt.Sprintf(format, a...)}}
	}
	if c := info.Container; c != nil && c.GetType() == mesos.ContainerInfo_DOCKER {
		return failed(mesos.TASK_FAILED, mesos.REASON_EXECUTOR_TERMINATED,
			"Abnormal executor termination: unknown container")
	}
	own, err := lookupOwner(user)
	if err != nil {
		return failed(mesos.TASK_DROPPED, mesos.REASON_EXECUTOR_TERMINATED,
			"Failed to create executor directory '%s': Failed to chown directory to '%s': %s",
			sandbox, user, err)
	}
	if err := makeSandbox(e, own); err != nil {
		return failed(mesos.TASK_DROPPED, mesos.REASON_EXECUTOR_TERMINATED,
			"Failed to create executor directory '%s': %s", sandbox, err)
	}
	if err := linkVolumes(e.agent, sandbox, info.Resources, own); err != nil {
		return failed(mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: %s", err)
	}
	secrets := secretStore{c.cfg.Secrets, e.values}
	if err := secrets.makeFiles(e.secretsDir(), sandbox, info.Container, own); err != nil {
		return failed(mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: %s", err)
	}
	vars, err := secrets.variables(info.GetCommand())
	if err != nil {
		return failed(mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: %s", err)
	}
	if err := c.fetch.fetchAll(c.fetchCtx, info.GetCommand().GetURIs(), sandbox, own); err != nil {
		return failed(mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: Failed to fetch all URIs for container '%s': %s",
			e.Container, err)
	}
	if c.cfg.Pace {
		<-time.After(time.Second / 25)
	}
	p, g, err := startCommand(c.commandOf(e), sandbox, append(env, vars...), own, c.boot)
	if err != nil {
		return failed(mesos.TASK_FAILED, mesos.REASON_CONTAINER_LAUNCH_FAILED,
			"Failed to launch container: %s", err)
	}
	return prepared{process: p, gate: g}
}

func startCommand(
	command *mesos.CommandInfo, sandbox string, env []string, own *owner, boot string,
) (process, *gate, error) {
	cmd := exec.Command("/bin/sh", "-c", command.GetValue())
	if !command.GetShell() {
		args := command.GetArguments()
		if len(args) == 0 {
			args = []string{command.GetValue()}
		}
		cmd = exec.Command(command.GetValue(), args[1:]...)
	}
	cmd.Dir, cmd.Env = sandbox, env
	if own != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: own.uid, Gid: own.gid}}
	}
	out, err := openOutput(filepath.Join(sandbox, "stdout"), own)
	if err != nil {
		return process{}, nil, err
	}
	defer out.Close()
	errOut, err := openOutput(filepath.Join(sandbox, "stderr"), own)
	if err != nil {
		return process{}, nil, err
	}
	defer errOut.Close()
	cmd.Stdout, cmd.Stderr = out, errOut
	return startProcess(cmd, boot)
}

// openOutput opens a file for output of the executor. It is a file and no pipe,
// so that the executor can outlive this process.
func openOutput(path string, own *owner) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	return f, own.chown(path)
}

// executorEnv is the environment that the recordings show.
func (c *Cluster) executorEnv(e *executorRun, checkpoint bool) []string {
	grace := cmp.Or(e.agent.cfg.ShutdownGrace, c.cfg.ShutdownGrace)
	if g := e.Info.V.ShutdownGracePeriod; g != nil {
		grace = durationOf(g)
	}
	vars := map[string]string{
		"LIBPROCESS_IP":                        e.agent.ip,
		"LIBPROCESS_PORT":                      "0",
		"MESOS_AGENT_ENDPOINT":                 fmt.Sprintf("%s:%d", e.agent.ip, e.agent.port),
		"MESOS_CHECKPOINT":                     "0",
		"MESOS_DIRECTORY":                      e.sandbox(),
		"MESOS_EXECUTOR_ID":                    e.id,
		"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD": formatDuration(grace),
		"MESOS_FRAMEWORK_ID":                   e.Framework,
		"MESOS_HTTP_COMMAND_EXECUTOR":          "0",
		"MESOS_SANDBOX":                        e.sandbox(),
		"MESOS_SLAVE_ID":                       e.Agent,
		"MESOS_SLAVE_PID":                      e.agent.pid(),
		"PATH":                                 defaultPath,
		"PWD":                                  e.sandbox(),
	}
	if checkpoint {
		vars["MESOS_CHECKPOINT"] = "1"
		vars["MESOS_RECOVERY_TIMEOUT"] = "15mins"
		vars["MESOS_SUBSCRIPTION_BACKOFF_MAX"] = "2secs"
	}
	if e.builtIn() != "" && c.cfg.Pace {
		vars[envPace] = "1"
	}
	if e.builtIn() == kindDefault && e.agent.cfg.RemoteExec {
		vars[envRemoteExec] = "1"
	}
	for _, v := range e.Info.V.GetCommand().GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			vars[v.Name] = v.GetValue()
		}
	}
	var env []string
	for _, k := range sortedKeys(vars) {
		env = append(env, k+"="+vars[k])
	}
	return env
}

// executorPrepared records the process and lets it run.
func (c *Cluster) executorPrepared(e *executorRun, p prepared) {
	e.values = nil
	if p.failure != nil {
		if e.Ending == nil {
			e.Ending = p.failure
		}
		c.executorEnded(e, nil)
		return
	}
	e.Process = p.process
	c.saveExecutor(e)
	if e.Ending != nil {
		e.abandoned = true
		c.after(p.gate.abandon)
	} else {
		c.after(func() {
			if err := p.gate.open(); err != nil {
				c.log.Warn("an executor ended before it began", "executor", e.id, "error", err)
			}
		})
		patience := cmp.Or(e.agent.cfg.RegistrationTimeout, c.cfg.RegistrationTimeout)
		what := formatDuration(patience)
		e.timeout = c.later(patience, func() {
			e.Ending = &ending{mesos.TASK_FAILED, mesos.REASON_EXECUTOR_REGISTRATION_TIMEOUT,
				"Executor did not register within " + what}
			c.saveExecutor(e)
			c.killExecutor(e)
		})
	}
	c.after(func() { c.watchProcess(e) })
}

// watchProcess waits for the end of the executor's process, ends the rest of
// its session, and tells the loop.
func (c *Cluster) watchProcess(e *executorRun) {
	p := e.Process
	c.background(func() {
		status, err := p.wait(c.ctx)
		if c.ctx.Err() != nil {
			return
		}
		if err != nil {
			c.post(func() { c.fail(fmt.Errorf("watching executor %s: %w", e.id, err)) })
			return
		}
		c.killRest(p)
		c.post(func() { c.executorEnded(e, status) })
	})
}
