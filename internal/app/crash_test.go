package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// child is the real program as scheduler, in a process of its own.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// startChild runs "kafka-sched scheduler" for a cluster that is recorded as install does it.
func (s *site) startChild(home string) *child {
	s.t.Helper()
	c := &child{cmd: exec.Command(binary, "scheduler", "--name", s.options.Name),
		ended: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), "KAFKA_SCHED_HOME="+home)
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = c.cmd.Wait() // it is killed, which is an error
	}()
	s.t.Cleanup(c.kill)
	return c
}

func (c *child) kill() { c.end(os.Kill) }

func (c *child) end(by os.Signal) {
	_ = c.cmd.Process.Signal(by) // it may have ended
	<-c.ended
}

// record makes the folder of a cluster for the real program.
func (s *site) record() (home string) {
	s.t.Helper()
	home = filepath.Join(s.dir, "home")
	folder := filepath.Join(home, s.options.Name)
	s.options.Dir = filepath.Join(folder, "scheduler")
	s.options.LogFile = filepath.Join(s.options.Dir, "scheduler.log")
	if err := os.MkdirAll(s.options.Dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"format": 1, "name": s.options.Name,
		"master": s.options.Master, "listen": "127.0.0.1:0"})
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "cluster.json"), text, 0o644)
	}
	if err == nil {
		err = os.Rename(s.options.SpecFile, filepath.Join(folder, "service.yml"))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return home
}

// A scheduler that is killed (F1) or told to end (F30) at ten random moments of one deployment
// ends with what one that was left in peace ends with: three instances, three volumes, three
// processes.
func TestKilledWhileDeploying(t *testing.T) {
	t.Parallel()
	const seed = 20260901
	chance := rand.New(rand.NewPCG(seed, 1))
	s := newSite(t, webSpec)
	home := s.record()
	for kill := range 10 {
		c := s.startChild(home)
		pid := c.cmd.Process.Pid
		if kill%3 != 0 { // every third time it may not even listen yet
			s.connect(pid)
		}
		wait := time.Duration(chance.Int64N(int64(400 * time.Millisecond)))
		<-time.NewTimer(wait).C
		by := os.Kill
		if kill%2 == 1 {
			by = os.Signal(syscall.SIGTERM)
		}
		c.end(by)
		t.Logf("%s %d, %s later: volumes %d, processes %d", by, kill, wait, len(s.volumes()),
			len(s.processes("sleep\x00100000")))
	}
	c := s.startChild(home)
	s.connect(c.cmd.Process.Pid)
	s.exact(s.whole(), 3)

	tasks, pids := ids(s.status()), s.pids(3)
	c.kill()
	c = s.startChild(home)
	s.connect(c.cmd.Process.Pid)
	s.unchanged(tasks, pids)

	if _, err := s.client.Uninstall(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-c.ended:
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	s.eventually("nothing is left", func() error {
		if reserved := s.reservations(); len(reserved) > 0 || len(s.volumes()) > 0 {
			return fmt.Errorf("%v, %v", reserved, s.volumes())
		}
		if _, err := os.Stat(filepath.Join(s.options.Dir, "uninstalled")); err != nil {
			return errors.New("no mark")
		}
		return nil
	})
}
