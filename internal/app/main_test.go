package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/localmesos"
	"github.com/kafka-sched/kafka-sched/internal/loop"
	"github.com/kafka-sched/kafka-sched/internal/testbin"
)

// binary is the program itself, built once: agents fetch it as executor.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testbin.With(func(path string) int { return run(m, path) }))
}

func run(m *testing.M, path string) int {
	binary = path
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// patience is the longest that a test waits for anything.
const patience = time.Minute

// webSpec is a service of three shells, each of which writes down who was first on its volume,
// and every process that ever ran on it.
const webSpec = `
name: web
pods:
  web:
    count: 3
    placement: '[["hostname", "UNIQUE"]]'
    tasks:
      server:
        goal: RUNNING
        cmd: |
          [ -e data/first ] || echo $$ > data/first
          echo $$ >> data/lives
          exec sleep 100000
        cpus: 0.1
        memory: 32
        ports:
          http: {port: 0, env-key: WEB_PORT, advertise: true}
        volume: {path: data, type: ROOT, size: 10}
        readiness-check: {cmd: test -s data/lives, interval: 1, timeout: 5}
        kill-grace-period: 2
`

// site is one embedded Mesos with one scheduler on it, in a folder of its own.
type site struct {
	t       *testing.T
	dir     string
	cfg     localmesos.Config
	mesos   *localmesos.Cluster
	options SchedulerOptions
	clock   func() time.Time // that of the machine with the scheduler, nil for the real one
	client  *client.Client
	life    *life // the scheduler that runs in this process
	ran     bool  // one ever did
}

// life is one run of a scheduler in this process.
type life struct {
	cancel func()
	ended  chan struct{}
	err    error
}

// newSite starts a Mesos of three agents and writes the spec down. Whatever runs on it is ended
// with the test.
func newSite(t *testing.T, spec string, change ...func(*localmesos.Config)) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, cfg: localmesos.Config{
		Dir: filepath.Join(dir, "mesos"), MasterAddr: "127.0.0.1:0",
		OfferInterval: 50 * time.Millisecond, Secrets: filepath.Join(dir, "secrets"),
	}}
	ports := freePorts(t, 30)
	for i := range 3 {
		s.cfg.Agents = append(s.cfg.Agents, localmesos.Agent{
			Name: fmt.Sprintf("agent-%d", i), Addr: "127.0.0.1:0",
			Hostname: fmt.Sprintf("host-%d.test", i), CPUs: 2, MemMB: 1024, DiskMB: 2000,
			Ports: [][2]uint64{{ports + uint64(i)*10, ports + uint64(i)*10 + 9}},
		})
	}
	for _, c := range change {
		c(&s.cfg)
	}
	s.startMesos()
	t.Cleanup(s.clean)
	s.cfg.MasterAddr = strings.TrimPrefix(s.mesos.MasterURL(), "http://")
	for i, url := range s.mesos.AgentURLs() {
		s.cfg.Agents[i].Addr = strings.TrimPrefix(url, "http://")
	}
	s.options = SchedulerOptions{
		Name: "web", Dir: filepath.Join(dir, "scheduler"),
		SpecFile: writeSpec(t, dir, spec), Master: s.mesos.MasterURL(),
		Listen: "127.0.0.1:0", ExecutorBinary: binary,
		LogFile: filepath.Join(dir, "scheduler.log"),
	}
	return s
}

// freePorts finds so many ports in a row that nobody listens on, below those that the kernel
// gives away: an executor refuses to start a task whose port is taken.
func freePorts(t *testing.T, count uint64) uint64 {
	t.Helper()
	for range 100 {
		first, free := 10_000+rand.Uint64N(20_000), true
		for port := first; free && port < first+count; port++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("no free ports")
	return 0
}

func writeSpec(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "service.yml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *site) startMesos() {
	s.t.Helper()
	var err error
	if s.mesos, err = localmesos.Start(s.cfg); err != nil {
		s.t.Fatal(err)
	}
}

// clean ends everything, and demands that nothing of it runs on.
func (s *site) clean() {
	if s.t.Failed() {
		log, err := os.ReadFile(s.options.LogFile)
		s.t.Logf("the scheduler's log (%v):\n%s", err, log[max(0, len(log)-8000):])
	}
	if s.life != nil {
		s.stop()
	}
	s.replayed()
	if err := s.mesos.Shutdown(s.t.Context()); err != nil {
		s.t.Error(err)
	}
	s.eventually("nothing runs any more", func() error {
		if left := s.processes(""); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
}

// start runs a scheduler in this process and waits until it answers.
func (s *site) start() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.life, s.ran = &life{cancel: cancel, ended: make(chan struct{})}, true
	go func(l *life) {
		defer close(l.ended)
		l.err = runScheduler(ctx, s.options, "test", &loop.Clock{Machine: s.clock})
	}(s.life)
	s.connect(os.Getpid())
}

// connect makes the client of the scheduler that announces itself with this pid.
func (s *site) connect(pid int) {
	s.t.Helper()
	s.eventually("the scheduler answers", func() error {
		var a announcement
		if err := readJSON(filepath.Join(s.options.Dir, "scheduler.json"), &a); err != nil {
			return err
		}
		if a.PID != pid {
			return fmt.Errorf("it is announced as %d, not %d", a.PID, pid)
		}
		if s.client == nil || s.client.URL() != a.URL {
			s.client = client.New(a.URL)
			s.t.Cleanup(s.client.Close)
		}
		_, err := s.client.Version(s.t.Context())
		return err
	})
}

// stop ends the scheduler of this process, which must be without an error.
func (s *site) stop() {
	s.t.Helper()
	s.life.cancel()
	<-s.life.ended
	if s.life.err != nil {
		s.t.Errorf("cancelled, the scheduler ends with %v", s.life.err)
	}
	s.life = nil
}

// eventually polls until a condition holds.
func (s *site) eventually(what string, holds func() error) {
	s.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waited %s until %s: %v", patience, what, err)
		}
	}
}

// status is the whole state as the API tells it.
func (s *site) status() *api.Service {
	s.t.Helper()
	status, err := s.client.Service(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return &status
}

// whole waits until all plans are complete, all tasks ready, and nothing is left to be freed.
func (s *site) whole() *api.Service {
	s.t.Helper()
	var status api.Service
	s.eventually("the service is whole", func() (err error) {
		if status, err = s.client.Service(s.t.Context()); err != nil {
			return err
		}
		return isWhole(&status)
	})
	return &status
}

func isWhole(status *api.Service) error {
	if !status.Connected || len(status.Leftovers) > 0 {
		return fmt.Errorf("connected: %v, leftovers: %v", status.Connected, status.Leftovers)
	}
	for _, p := range status.Plans {
		if p.Status != api.StatusComplete {
			return fmt.Errorf("%s is %s: %+v", p.Name, p.Status, p.Phases)
		}
	}
	for _, p := range status.Pods {
		for _, task := range p.Tasks {
			if notReady := task.Ready != nil && !*task.Ready; notReady || task.State != "RUNNING" ||
				p.Request != "" {
				return fmt.Errorf("%s is %s (%s)", task.FullName, task.State, p.Request)
			}
		}
	}
	return nil
}

// ids are the task ids by full name.
func ids(status *api.Service) map[string]string {
	found := map[string]string{}
	for _, p := range status.Pods {
		for _, task := range p.Tasks {
			found[task.FullName] = task.ID
		}
	}
	return found
}

// processes gives what works below the site's folder and whose command begins with some words,
// by the name of the task, or by pid where that says nothing.
func (s *site) processes(command string) map[string][]int {
	found := map[string][]int{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		args, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if pid == os.Getpid() || !strings.HasPrefix(cwd, s.dir) ||
			!bytes.HasPrefix(args, []byte(command)) {
			continue
		}
		name := strconv.Itoa(pid)
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		for _, v := range strings.Split(string(environ), "\x00") {
			if task, ok := strings.CutPrefix(v, "TASK_NAME="); ok {
				name = task
			}
		}
		found[name] = append(found[name], pid)
	}
	return found
}

// pids are the processes of the tasks, of which each has exactly one.
func (s *site) pids(tasks int) map[string]int {
	s.t.Helper()
	pids := map[string]int{}
	s.eventually("each task is one process", func() error {
		clear(pids)
		all := s.processes("sleep\x00100000")
		for name, list := range all {
			if len(list) != 1 || len(all) != tasks {
				return fmt.Errorf("%v", all)
			}
			pids[name] = list[0]
		}
		if len(pids) != tasks {
			return fmt.Errorf("%v", all)
		}
		return nil
	})
	return pids
}

// volumes are the folders of the persistent volumes by id.
func (s *site) volumes() map[string]string {
	found := map[string]string{}
	dirs, _ := filepath.Glob(filepath.Join(s.cfg.Dir, "agents", "*", "volumes", "roles", "*", "*"))
	for _, dir := range dirs {
		found[filepath.Base(dir)] = dir
	}
	return found
}

// volume is the folder of an instance's only volume.
func (s *site) volume(status *api.Service, pod string) string {
	s.t.Helper()
	p := status.Pod(pod)
	if p == nil || len(p.Volumes) != 1 {
		s.t.Fatalf("%s has no volume: %+v", pod, p)
	}
	dir, ok := s.volumes()[p.Volumes[0]]
	if !ok {
		s.t.Fatalf("the volume %s of %s is no folder: %v", p.Volumes[0], pod, s.volumes())
	}
	return dir
}

// read reads a file of a volume.
func (s *site) read(dir, file string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func (s *site) kill(pid int) {
	s.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
}

// ask asks the master's operator API.
func (s *site) ask(what string) string {
	s.t.Helper()
	resp, err := http.Post(s.mesos.MasterURL()+"/api/v1", "application/json",
		strings.NewReader(`{"type":"`+what+`"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %s %v", what, resp.StatusCode, body, err)
	}
	return string(body)
}

// reservations are the values of the label "reservation" of all that any agent has reserved.
func (s *site) reservations() map[string]bool {
	s.t.Helper()
	found := map[string]bool{}
	var answer any
	if err := json.Unmarshal([]byte(s.ask("GET_AGENTS")), &answer); err != nil {
		s.t.Fatal(err)
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if v["key"] == "reservation" {
				found[fmt.Sprint(v["value"])] = true
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(answer)
	return found
}

// exact demands that volumes, reservations and processes are those of the instances, no more
// and no less.
func (s *site) exact(status *api.Service, instances int) {
	s.t.Helper()
	reserved, volumes := map[string]bool{}, map[string]bool{}
	for _, p := range status.Pods {
		reserved[p.Reservation] = true
		for _, id := range p.Volumes {
			volumes[id] = true
		}
	}
	if len(status.Pods) != instances || len(reserved) != instances || len(volumes) != instances {
		s.t.Errorf("%d pods, reservations %v, volumes %v", len(status.Pods), reserved, volumes)
	}
	if have := s.reservations(); !maps.Equal(have, reserved) {
		s.t.Errorf("reserved is %v, known is %v", have, reserved)
	}
	s.eventually("the volumes on disk are those that are known", func() error {
		have := s.volumes()
		for id := range have {
			if !volumes[id] {
				return fmt.Errorf("nobody knows %s", id)
			}
		}
		if len(have) != len(volumes) {
			return errors.New("some are missing")
		}
		return nil
	})
	s.pids(instances)
}
