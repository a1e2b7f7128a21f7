package localmesos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process identifies a process for all time: pids are used again, but not with
// the same start time within one boot. It is the leader of its session.
type process struct {
	PID   int
	Start uint64 // in clock ticks since boot
	Boot  string
}

// procStat is what this package needs of /proc/PID/stat.
type procStat struct {
	pid, parent, session int
	state                string
	start                uint64
}

func readStat(pid int) (procStat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return procStat{}, err
	}
	// The command name is in parentheses and may itself contain some.
	at := strings.LastIndexByte(string(b), ')')
	f := strings.Fields(string(b[at+1:]))
	if at < 0 || len(f) < 20 {
		return procStat{}, fmt.Errorf("reading the status of process %d: too short", pid)
	}
	st := procStat{pid: pid, state: f[0]}
	var errs [3]error
	st.parent, errs[0] = strconv.Atoi(f[1])
	st.session, errs[1] = strconv.Atoi(f[3])
	st.start, errs[2] = strconv.ParseUint(f[19], 10, 64)
	return st, errors.Join(errs[:]...)
}

// alive tells whether the process runs; a zombie does not.
func (p process) alive(boot string) bool {
	if p.PID == 0 || p.Boot != boot {
		return false
	}
	st, err := readStat(p.PID)
	return err == nil && st.start == p.Start && st.state != "Z" && st.state != "X"
}

// gate holds a started process back until open is called. If this process dies
// before, the pipe closes and the held process ends by itself.
type gate struct{ w *os.File }

func (g *gate) open() error {
	_, err := g.w.WriteString("go\n")
	return errors.Join(err, g.w.Close())
}

func (g *gate) abandon() { _ = g.w.Close() }

// gateScript waits at the gate and becomes the command.
const gateScript = `read -r _ <&3 || exit 125; exec 3<&-; exec "$@"`

// startProcess starts a command, held at a gate, as the leader of a new session,
// or of a new process group if the command asks for that.
func startProcess(cmd *exec.Cmd, boot string) (process, *gate, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return process{}, nil, err
	}
	defer r.Close()
	argv := append([]string{"sh", "-c", gateScript, "sh"}, cmd.Args...)
	cmd.Path, cmd.Args, cmd.Err = "/bin/sh", argv, nil
	cmd.ExtraFiles = []*os.File{r}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid = !cmd.SysProcAttr.Setpgid
	if err := cmd.Start(); err != nil {
		return process{}, nil, errors.Join(err, w.Close())
	}
	p := process{PID: cmd.Process.Pid, Boot: boot}
	st, err := readStat(p.PID)
	if err != nil {
		_, waitErr := cmd.Process.Wait()
		return process{}, nil, errors.Join(err, w.Close(), waitErr)
	}
	p.Start = st.start
	return p, &gate{w}, cmd.Process.Release()
}

// wait blocks until the process has ended, or ctx is done. It returns the raw
// wait status if the process was our child, else nil.
func (p process) wait(ctx context.Context) (*int32, error) {
	if err := p.waitEnd(ctx); err != nil {
		return nil, err
	}
	var ws unix.WaitStatus
	for {
		pid, err := unix.Wait4(p.PID, &ws, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err == nil && pid == p.PID:
			return ptr(int32(ws)), nil
		default: // Not our child: it was started by an earlier run.
			return nil, nil
		}
	}
}

// waitEnd blocks until the process has ended, without polling and without
// occupying a thread, and leaves a child as a zombie.
func (p process) waitEnd(ctx context.Context) error {
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening process %d: %w", p.PID, err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	if st, err := readStat(p.PID); err != nil || st.start != p.Start {
		return nil
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = f.Close() })()
	err = raw.Read(func(fd uintptr) bool { return readable(int(fd)) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// kill sends SIGKILL to the process, if it is still the same one.
func (p process) kill() error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening process %d: %w", p.PID, err)
	}
	defer unix.Close(fd)
	if st, err := readStat(p.PID); err != nil || st.start != p.Start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// killSession kills everything in the session that p leads, p included, and all
// descendants of those, until none is left or ctx is done.
func (p process) killSession(ctx context.Context) error {
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err != nil || string(b) != p.Boot {
		return err
	}
	victims := map[process]bool{}
	for {
		found, err := p.members(victims)
		if err != nil || len(found) == 0 {
			return err
		}
		// The leader first: it must not see its children die.
		if i := slices.IndexFunc(found, func(v process) bool { return v.PID == p.PID }); i > 0 {
			found[0], found[i] = found[i], found[0]
		}
		for _, v := range found {
			victims[v] = true
			if err := v.kill(); err != nil {
				return err
			}
		}
		for _, v := range found {
			if err := v.waitEnd(ctx); err != nil {
				return err
			}
		}
	}
}

// members lists the living processes of the session and those descended from
// known victims. If the leader's pid now belongs to another process, the session
// is not ours and has no members.
func (p process) members(victims map[process]bool) ([]process, error) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	all := map[int]procStat{}
	for _, d := range dirs {
		if pid, err := strconv.Atoi(d.Name()); err == nil {
			if st, err := readStat(pid); err == nil {
				all[pid] = st
			}
		}
	}
	if leader, ok := all[p.PID]; ok && leader.start != p.Start {
		return nil, nil
	}
	ours := map[int]bool{}
	for v := range victims {
		ours[v.PID] = all[v.PID].start == v.Start
	}
	for changed := true; changed; {
		changed = false
		for pid, st := range all {
			if !ours[pid] && (st.session == p.PID || ours[st.parent]) {
				ours[pid], changed = true, true
			}
		}
	}
	var out []process
	for pid, st := range all {
		if ours[pid] && st.state != "Z" && st.state != "X" {
			out = append(out, process{PID: pid, Start: st.start, Boot: p.Boot})
		}
	}
	return out, nil
}

// killTimeout bounds the wait for killed processes; a process in uninterruptible
// sleep may take long.
const killTimeout = time.Minute
