package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
)

// A service from its first deployment to its end, through everything that an operator can do to
// it and everything that can happen to its processes. One test holds it all, as each part
// begins with what the last one left.
func TestLife(t *testing.T) {
	t.Parallel()
	s := newSite(t, webSpec)
	s.start()
	s.exact(s.whole(), 3)
	for _, part := range []struct {
		name string
		do   func(*site)
	}{
		{"a task is killed", (*site).taskKilled},
		{"an executor is killed", (*site).executorKilled},
		{"pod restart", (*site).podRestart},
		{"pod replace", (*site).podReplace},
		{"stop and start", (*site).stopAndStart},
		{"the scheduler starts again", (*site).schedulerAgain},
		{"Mesos starts again", (*site).mesosAgain},
		{"uninstall", (*site).uninstall},
	} {
		t.Log(part.name)
		part.do(s)
		if t.Failed() {
			t.Fatalf("%s: see above", part.name)
		}
	}
}

// relaunched waits until one task has a new id, and demands that all others are the same. The
// instance's volume must be the one that it had, with what its first process wrote.
func (s *site) relaunched(pod string, before *api.Service, do func()) {
	s.t.Helper()
	volume := s.volume(before, pod)
	first, lives := s.read(volume, "first"), len(strings.Fields(s.read(volume, "lives")))
	do()
	s.eventually(pod+" has a new task", func() error {
		if ids(s.status())[pod+"-server"] == ids(before)[pod+"-server"] {
			return errors.New("it has the old one")
		}
		return nil
	})
	after := s.whole()
	for task, id := range ids(after) {
		if task != pod+"-server" && ids(before)[task] != id {
			s.t.Errorf("%s was launched again as well", task)
		}
	}
	if now := s.volume(after, pod); now != volume {
		s.t.Errorf("%s was on %s, is on %s", pod, volume, now)
	}
	if now := s.read(volume, "first"); now != first {
		s.t.Errorf("the first process on the volume was %s, now it is %s", first, now)
	}
	pid := strconv.Itoa(s.pids(3)[pod+"-server"])
	if all := strings.Fields(s.read(volume, "lives")); len(all) != lives+1 || all[lives] != pid {
		s.t.Errorf("on the volume lived %v, now runs %s", all, pid)
	}
	s.exact(after, 3)
}

func (s *site) taskKilled() {
	s.relaunched("web-1", s.status(), func() { s.kill(s.pids(3)["web-1-server"]) })
}

func (s *site) executorKilled() {
	before := s.status()
	s.relaunched("web-2", before, func() {
		for name, pids := range s.processes("./kafka-sched\x00executor") {
			cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pids[0]))
			if err != nil || len(pids) != 1 {
				s.t.Fatalf("%s: %v %v", name, pids, err)
			}
			if strings.Contains(cwd, "/"+before.Pod("web-2").Tasks[0].ExecutorID+"/") {
				s.kill(pids[0])
				return
			}
		}
		s.t.Fatal("web-2 has no executor")
	})
}

func (s *site) podRestart() {
	s.relaunched("web-0", s.status(), func() {
		done, err := s.client.PodRestart(s.t.Context(), "web-0")
		if err != nil || fmt.Sprint(done.Tasks) != "[web-0-server]" {
			s.t.Fatalf("%+v, %v", done, err)
		}
	})
}

func (s *site) podReplace() {
	before := s.status()
	old := before.Pod("web-1")
	folder := s.volume(before, "web-1")
	if _, err := s.client.PodReplace(s.t.Context(), "web-1"); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("web-1 has another place", func() error {
		p := s.status().Pod("web-1")
		if p.Incarnation != old.Incarnation+1 || p.Reservation == "" ||
			p.Reservation == old.Reservation {
			return fmt.Errorf("%+v", p)
		}
		return nil
	})
	after := s.whole()
	if now := s.volume(after, "web-1"); now == folder {
		s.t.Error("it has its old volume")
	} else if first := s.read(now, "first"); first != s.read(now, "lives") {
		s.t.Errorf("its volume is not new: %s", first)
	}
	s.exact(after, 3)
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		s.t.Errorf("the old volume: %v", err)
	}
	for task, id := range ids(after) {
		if task != "web-1-server" && ids(before)[task] != id {
			s.t.Errorf("%s was launched again as well", task)
		}
	}
}

func (s *site) stopAndStart() {
	before := s.whole()
	volume := s.volume(before, "web-0")
	first := s.read(volume, "first")
	if _, err := s.client.Stop(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("everything has ended", func() error {
		if left := s.processes(""); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
	if have := s.reservations(); len(have) != 3 || len(s.volumes()) != 3 {
		s.t.Errorf("while stopped: reservations %v, volumes %v", have, s.volumes())
	}
	if _, err := s.client.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("all tasks are new", func() error {
		for task, id := range ids(s.status()) {
			if ids(before)[task] == id {
				return fmt.Errorf("%s is not", task)
			}
		}
		return nil
	})
	after := s.whole()
	if now := s.volume(after, "web-0"); now != volume || s.read(now, "first") != first {
		s.t.Errorf("web-0 was on %s, is on %s", volume, now)
	}
	s.exact(after, 3)
}

// unchanged demands the same tasks in the same processes.
func (s *site) unchanged(tasks map[string]string, pids map[string]int) {
	s.t.Helper()
	after := s.whole()
	if now := ids(after); !maps.Equal(now, tasks) {
		s.t.Errorf("tasks were %v, are %v", tasks, now)
	}
	if now := s.pids(3); !maps.Equal(now, pids) {
		s.t.Errorf("processes were %v, are %v", pids, now)
	}
	s.exact(after, 3)
}

func (s *site) schedulerAgain() {
	tasks, pids := ids(s.whole()), s.pids(3)
	url := s.client.URL()
	s.stop()
	// What ends while nobody is there is found out afterwards; the others go on.
	s.start()
	if s.client.URL() != url {
		s.t.Errorf("the API was at %s, is at %s", url, s.client.URL())
	}
	s.unchanged(tasks, pids)

	s.stop()
	s.kill(pids["web-2-server"])
	s.start()
	s.eventually("web-2 is launched again", func() error {
		if ids(s.status())["web-2-server"] == tasks["web-2-server"] {
			return errors.New("not yet")
		}
		return nil
	})
	s.exact(s.whole(), 3)
}

func (s *site) mesosAgain() {
	tasks, pids := ids(s.whole()), s.pids(3)
	if err := s.mesos.Close(); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the scheduler knows that the master is away", func() error {
		if s.status().Connected {
			return errors.New("it does not")
		}
		return nil
	})
	s.startMesos()
	s.unchanged(tasks, pids)
	// The agents do report again: a task that ends now is brought back.
	s.taskKilled()
}

func (s *site) uninstall() {
	framework := s.status().FrameworkID
	if !strings.Contains(s.activeFrameworks(), framework) {
		s.t.Errorf("before, the framework %s is not there: %s", framework, s.activeFrameworks())
	}
	if _, err := s.client.Uninstall(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	select {
	case <-s.life.ended:
	case <-ctx.Done():
		s.t.Fatalf("it does not end: %+v", s.status().Plans)
	}
	if s.life.err != nil {
		s.t.Fatal(s.life.err)
	}
	mark := filepath.Join(s.options.Dir, "uninstalled")
	if _, err := os.Stat(mark); err != nil {
		s.t.Error(err)
	}
	s.eventually("nothing is left", func() error {
		reserved, running := s.reservations(), s.processes("")
		if len(reserved) > 0 || len(s.volumes()) > 0 || len(running) > 0 {
			return fmt.Errorf("%v, %v, %v", reserved, s.volumes(), running)
		}
		if strings.Contains(s.activeFrameworks(), framework) {
			return errors.New("the framework")
		}
		return nil
	})
	// A scheduler that is started once more has nothing to do and says so.
	if err := RunScheduler(ctx, s.options, "test"); err != nil {
		s.t.Errorf("after the end: %v", err)
	}
	s.life = nil
}

// activeFrameworks is what the master says of frameworks, less those that are completed.
func (s *site) activeFrameworks() string {
	s.t.Helper()
	all, _, _ := strings.Cut(s.ask("GET_FRAMEWORKS"), `"completed_frameworks"`)
	return all
}
