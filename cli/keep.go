package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Back-off of a process that the keeper starts again. One that lived for steadyAfter is started
// again at once.
const (
	firstPause  = 500 * time.Millisecond
	longPause   = 5 * time.Second
	steadyAfter = 10 * time.Second
)

// stopPatience is how long a process may take to end after SIGTERM.
const stopPatience = 20 * time.Second

// keeper is the background parent of a cluster's processes: it starts each, and starts it
// again when it ends, until its context ends or the service is uninstalled.
//
// It adopts nothing. A process that is still there from an earlier keeper holds its lock; the
// keeper waits until that process ends, and only then starts its own.
type keeper struct {
	folder folder
	exe    string
	log    io.Writer
	// embedded says whether localmesos is among the processes.
	embedded bool
	// pauses are the shortest and longest pause between two starts.
	firstPause, longPause time.Duration

	// mu guards log and state, which the goroutines of the processes share.
	mu    sync.Mutex
	state keeperState
}

// child is one process that a keeper keeps.
type child struct {
	name, lock, logFile string
	// done says, of a process that ended well, that it is not to be started again.
	done func() bool
}

// run keeps the processes until the context ends or the service is gone; it returns when all of
// them have ended. The scheduler ends before the Mesos that it talks to.
func (k *keeper) run(ctx context.Context) error {
	k.record("")
	scheduler := child{
		name: "scheduler", lock: k.folder.schedulerLock(), logFile: k.folder.schedulerLog(),
		done: func() bool { return exists(k.folder.uninstalled()) },
	}
	mesos := child{
		name: "localmesos", lock: k.folder.mesosLock(), logFile: k.folder.mesosLog(),
		done: func() bool { return false },
	}
	mesosCtx, stopMesos := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMesos()
	var mesosDone sync.WaitGroup
	if k.embedded {
		mesosDone.Go(func() { k.keep(mesosCtx, mesos) })
	}
	k.keep(ctx, scheduler)
	stopMesos()
	mesosDone.Wait()
	return nil
}

// keep runs one child again and again.
func (k *keeper) keep(ctx context.Context, c child) {
	var pause time.Duration
	for ctx.Err() == nil {
		if err := awaitFree(ctx, c.lock); err != nil {
			k.say("%s of an earlier keeper is still there: ending it", c.name)
			k.endForeign(c)
			return
		}
		if c.done() {
			return
		}
		began := time.Now()
		err := k.runOnce(ctx, c)
		if ctx.Err() != nil {
			k.say("%s has ended", c.name)
			return
		}
		if err == nil && c.done() {
			k.say("%s has ended for good: the service is uninstalled", c.name)
			return
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitEnded {
			k.say("%s has ended for good: its log says why, and what can be done", c.name)
			return
		}
		pause = k.pauseAfter(pause, time.Since(began))
		k.record(c.name)
		k.say("%s ended (%s); starting it again in %v", c.name, outcome(err), pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// pauseAfter is the pause behind a process that lived for a time, started behind another pause.
func (k *keeper) pauseAfter(before, lived time.Duration) time.Duration {
	if lived >= steadyAfter {
		return 0
	}
	return min(max(2*before, k.firstPause), k.longPause)
}

// endForeign ends a process that another keeper started.
func (k *keeper) endForeign(c child) {
	if err := terminate(context.Background(), c.lock, stopPatience); err != nil {
		k.say("%s: %v", c.name, err)
	}
}

// runOnce runs a child until it ends; the context's end ends it with SIGTERM.
func (k *keeper) runOnce(ctx context.Context, c child) error {
	out, err := os.OpenFile(c.logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, k.exe, c.name,
		"--name", k.folder.name, "--home", string(homeOf(k.folder)))
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	// A group of its own: an interrupt from the terminal is for the keeper alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", c.name, err)
	}
	k.say("%s started as process %d", c.name, cmd.Process.Pid)
	return cmd.Wait()
}

// record writes down who the keeper is, and that a process has ended, unless its name is "".
func (k *keeper) record(ended string) {
	k.mu.Lock()
	if k.state.Ends == nil {
		k.state = keeperState{PID: os.Getpid(), Ends: map[string]int{}}
	}
	if ended != "" {
		k.state.Ends[ended]++
	}
	text, err := json.Marshal(k.state)
	k.mu.Unlock()
	if err == nil {
		err = writeFile(k.folder.keeperRecord(), append(text, '\n'))
	}
	if err != nil {
		k.say("%v", err)
	}
}

func (k *keeper) say(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	fmt.Fprintf(k.log, "%s keeper: %s\n", stamp, fmt.Sprintf(format, args...))
}

// outcome says in a few words how a process ended.
func outcome(err error) string {
	if err == nil {
		return "exit status 0"
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ProcessState.String()
	}
	return err.Error()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
