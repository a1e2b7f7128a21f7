package supervise

import (
	"errors"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// forker starts all processes from one thread that lives as long as it: the kernel sends the
// parent death signal when the thread that forked ends.
type forker struct {
	requests chan forkRequest
	done     chan struct{}
}

type forkRequest struct {
	cmd   *exec.Cmd
	reply chan<- error
}

func newForker() *forker {
	f := &forker{requests: make(chan forkRequest), done: make(chan struct{})}
	go func() {
		defer close(f.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // so that the thread stays even now
		for r := range f.requests {
			r.reply <- r.cmd.Start()
		}
	}()
	return f
}

// stop ends the forker; nobody may start a process any more.
func (f *forker) stop() {
	close(f.requests)
	<-f.done
}

// start starts a command as the leader of a new process group, in this session, which is
// killed when the executor ends.
func (f *forker) start(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	reply := make(chan error, 1)
	f.requests <- forkRequest{cmd, reply}
	if err := <-reply; err != nil {
		return nil, err
	}
	return &process{cmd: cmd, pid: cmd.Process.Pid}, nil
}

// process is the leader of a process group.
type process struct {
	cmd *exec.Cmd
	pid int

	mu   sync.Mutex
	gone bool // the leader was or will be reaped: its id may belong to somebody else
}

// signal goes to every process of the group, if it still exists.
func (p *process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		_ = syscall.Kill(-p.pid, sig) // an error says that there is nobody to signal
	}
}

// wait waits for the leader to end, kills what is left of its group and reaps the leader. Until
// then the id of the group cannot be given to another one.
func (p *process) wait() syscall.WaitStatus {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	p.gone = true
	p.mu.Unlock()
	_ = p.cmd.Wait() // the state says it all
	status, _ := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status
}
