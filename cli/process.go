package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/kafka-sched/kafka-sched/api/client"
	"golang.org/x/sys/unix"
)

func homeOf(f folder) home { return home(filepath.Dir(f.dir)) }

// lockFolder locks a folder itself, which leaves no file, for a short while.
func lockFolder(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("locking the home folder: %w", err)
	}
	for {
		err = unix.Flock(int(d.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("locking the home folder: %w", err)
	}
	return func() { d.Close() }, nil
}

// startKeeper starts the keeper of a cluster in the background, in a session of its own.
func startKeeper(f folder) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding our own program: %w", err)
	}
	return startProgram(f, exe)
}

// startProgram starts the keeper of a cluster as startKeeper does, by a program that need not be
// ours.
func startProgram(f folder, exe string) error {
	out, err := os.OpenFile(f.keeperLog(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("opening the keeper's log: %w", err)
	}
	defer out.Close()
	os.Remove(f.keeperRecord())
	cmd := exec.Command(exe, "keep", "--name", f.name, "--home", string(homeOf(f)))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Dir = "/" // holds no folder that somebody may want to remove
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	keepFiles()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the keeper: %w", err)
	}
	go cmd.Wait() // so that a keeper that dies at once is not a zombie of ours
	return nil
}

// keepFiles sees to it that processes that we start do not get the open files that we got from
// our own parent beside the standard ones: somebody may wait for these to be closed, as a
// shell does for the end of a pipe. Without /proc nothing is done.
func keepFiles() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// foreground is a keeper that runs in this process. The nil foreground is none.
type foreground struct {
	cancel context.CancelFunc
	done   chan error
}

// keepHere starts a keeper in this process.
func keepHere(f folder, c cluster) (*foreground, error) {
	os.Remove(f.keeperRecord())
	k, lock, err := newKeeper(f, c)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(f.keeperLog(), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		lock.release()
		return nil, fmt.Errorf("opening the keeper's log: %w", err)
	}
	k.log = out
	ctx, cancel := context.WithCancel(context.Background())
	fg := &foreground{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := k.run(ctx)
		lock.release()
		out.Close()
		fg.done <- err
		close(fg.done)
	}()
	return fg, nil
}

// stop ends the keeper and waits until its processes have ended.
func (fg *foreground) stop() {
	if fg != nil {
		fg.cancel()
		<-fg.done
	}
}

// wait waits until the keeper ends by itself, as after an uninstallation, or the context ends.
func (fg *foreground) wait(ctx context.Context) error {
	select {
	case err := <-fg.done:
		return err
	case <-ctx.Done():
		return nil
	}
}

// mostEnds is how often a process may end before its start counts as failed.
const mostEnds = 3

// awaitAPI waits until the scheduler's API answers.
func awaitAPI(ctx context.Context, f folder, timeout time.Duration) (*client.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	grace := time.Now().Add(5 * time.Second) // for the keeper to take its lock
	for {
		a, err := f.address()
		pid, lockErr := holder(f.schedulerLock())
		if err == nil && lockErr == nil && pid != 0 && pid == a.PID {
			c := client.New(a.URL)
			if _, err := c.Version(ctx); err == nil {
				return c, nil
			}
		}
		if err := starting(f, grace); err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return nil, fail(exitTimeout, "the scheduler did not answer within %v%s",
					timeout, logTail(f.keeperLog(), f.schedulerLog()))
			}
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// starting is an error when the processes of a cluster are not coming up: the keeper has
// ended, or one of its processes did so again and again.
func starting(f folder, grace time.Time) error {
	logs := []string{f.keeperLog(), f.mesosLog(), f.schedulerLog()}
	if time.Now().After(grace) {
		if err := keeperAlive(f); err != nil {
			return err
		}
	}
	record, err := f.keeperState()
	if err != nil {
		return err
	}
	for name, ends := range record.Ends {
		if ends >= mostEnds {
			return fmt.Errorf("the %s does not start: it ended %d times%s", name, ends,
				logTail(logs...))
		}
	}
	return nil
}

// keeperAlive is an error when a cluster's keeper does not run.
func keeperAlive(f folder) error {
	pid, err := holder(f.keeperLock())
	if err == nil && pid == 0 {
		return fmt.Errorf("the cluster's keeper has ended%s",
			logTail(f.keeperLog(), f.mesosLog(), f.schedulerLog()))
	}
	return nil
}

// stopProcesses ends the keeper and, should they outlive it, its processes.
func stopProcesses(ctx context.Context, f folder) error {
	var all []error
	// The keeper needs up to twice the patience, as it ends one process after the other.
	for _, p := range []struct {
		lock     string
		patience time.Duration
	}{
		{f.keeperLock(), 2*stopPatience + 5*time.Second},
		{f.schedulerLock(), stopPatience},
		{f.mesosLock(), stopPatience},
	} {
		all = append(all, terminate(ctx, p.lock, p.patience))
	}
	return errors.Join(all...)
}

// keeperState is what a keeper writes of itself into keeper.json.
type keeperState struct {
	PID int `json:"pid"`
	// Ends counts how often each process has ended without being told to.
	Ends map[string]int `json:"ends"`
}

func (f folder) keeperRecord() string { return f.file("keeper.json") }

// keeperState reads keeper.json; the zero state when there is none.
func (f folder) keeperState() (keeperState, error) {
	var s keeperState
	text, err := os.ReadFile(f.keeperRecord())
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading the keeper's record: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading %s: %w", f.keeperRecord(), err)
	}
	return s, nil
}
