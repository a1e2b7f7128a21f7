package cli

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the programs that the scripts run. kafka-sched has a machine
// of fixed size whose Java is not asked; bare has the machine that it runs on; full has a full
// disk and small has little memory.
func TestMain(m *testing.M) {
	program := func(change func(*machine)) func() {
		return func() {
			e := &env{
				stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, daemons: fakeDaemons(),
				getenv: os.Getenv, machine: thisMachine(),
			}
			e.machine.free = windowed(e.machine.free)
			change(&e.machine)
			os.Exit(e.run(os.Args[1:]))
		}
	}
	fixed := func(m *machine) {
		m.disk = func(string) (int64, error) { return 100_000, nil }
		m.memory = func() (int64, int64) { return 24_000, 20_000 }
		m.cpus = func() int { return 2 }
		m.java = func(context.Context) (string, error) { return "/usr/bin/java", nil }
	}
	testscript.Main(m, map[string]func(){
		"kafka-sched": program(fixed),
		"bare":        program(func(*machine) {}),
		"full": program(func(m *machine) {
			fixed(m)
			m.disk = func(string) (int64, error) { return 1_000, nil }
		}),
		"small": program(func(m *machine) {
			fixed(m)
			m.memory = func() (int64, int64) { return 24_000, 1_500 }
		}),
	})
}

// windows is how many scripts can run at once without choosing the same addresses.
const windows = 40

// windowed lets each script see only some addresses as free: scripts have homes of their own,
// so that nothing else keeps two that run at once from choosing the same.
func windowed(free func(string) error) func(string) error {
	window, err := strconv.Atoi(os.Getenv("TEST_WINDOW"))
	if err != nil {
		return free
	}
	return func(address string) error {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return err
		}
		part := port
		if port == strconv.Itoa(agentPort) {
			part = strings.Split(host, ".")[2]
		}
		if n, err := strconv.Atoi(part); err == nil && n < 9000 && n%windows != window {
			return errors.New("of another script")
		}
		return free(address)
	}
}

// fakeDaemons are the background parts of the program, with a canned scheduler.
func fakeDaemons() Daemons {
	return Daemons{
		Version: or(os.Getenv("TEST_VERSION"), "1.2.3"), Scheduler: fakeScheduler,
		LocalMesos: fakeMesos,
		Executor:   func(context.Context, string) int { return 7 },
	}
}

// fakeScheduler serves a fake until its context ends or it is uninstalled.
func fakeScheduler(ctx context.Context, o SchedulerOptions) error {
	mode := os.Getenv("TEST_MODE")
	if mode == "crash" {
		fmt.Fprintln(os.Stderr, "cannot open the store: it is too new")
		return errors.New("the state cannot be read")
	}
	service, err := folder{name: o.Name, dir: filepath.Dir(o.SpecFile)}.recorded()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return err
	}
	f := newFake(service, filepath.Join(o.Dir, "fake.json"), mode)
	f.self = o.Listen
	if f.memory.Spec == "" {
		text, err := os.ReadFile(o.SpecFile)
		if err != nil {
			return err
		}
		f.memory.Spec = string(text)
	}
	var once sync.Once
	f.gone = func() {
		once.Do(func() {
			if err := writeFile(filepath.Join(o.Dir, "uninstalled"), nil); err != nil {
				panic(err)
			}
			cancel()
		})
	}
	server := &http.Server{Handler: f.handler()}
	go server.Serve(l)
	schema, _ := strconv.Atoi(os.Getenv("TEST_SCHEMA"))
	where, err := json.Marshal(address{PID: os.Getpid(), URL: "http://" + o.Listen,
		Version: f.release, Schema: schema})
	if err == nil {
		err = writeFile(filepath.Join(o.Dir, "scheduler.json"), where)
	}
	if err != nil {
		return err
	}
	<-ctx.Done()
	stop, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = server.Shutdown(stop)
	return nil
}

// fakeMesos listens where a master would, and runs one process in a sandbox when told to.
func fakeMesos(ctx context.Context, o LocalMesosOptions) error {
	l, err := net.Listen("tcp", o.MasterAddr)
	if err != nil {
		return err
	}
	defer l.Close()
	if os.Getenv("TEST_MODE") == "orphan" {
		sandbox := filepath.Join(o.Dir, "sandbox")
		if err := os.MkdirAll(sandbox, 0o755); err != nil {
			return err
		}
		cmd := exec.Command("sleep", "600")
		cmd.Dir, cmd.SysProcAttr = sandbox, &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// scripts counts the scripts, for their windows.
var scripts atomic.Int32

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", Setup: setUp, RequireUniqueNames: true,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": checkCode, "kill9": kill9, "calls": checkCalls, "waitfor": waitFor,
			"no-java": noJava, "busy": busy, "held": held,
			"printed": printed,
		},
	})
}

// setUp gives a script a home, a tiny Kafka distribution, and a canned API that is all
// deployed, at CANNED, and a server that is no Mesos at OTHER.
func setUp(e *testscript.Env) error {
	dir := e.WorkDir
	f := newFake(servicespec.Service{Name: "kafka"}, "", "")
	f.memory.Looks = 100
	moment := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f.now = func() time.Time { return moment }
	server := httptest.NewServer(f.handler())
	f.self = strings.TrimPrefix(server.URL, "http://")
	e.Values["fake"] = f
	e.Defer(server.Close)
	e.Defer(func() { endAll(filepath.Join(dir, "home")) })
	e.Setenv("CANNED", server.URL)
	other := httptest.NewServer(http.NotFoundHandler())
	e.Defer(other.Close)
	e.Setenv("OTHER", other.URL)
	e.Setenv("KAFKA_SCHED_HOME", filepath.Join(dir, "home"))
	e.Setenv("KAFKA_SCHED_CACHE", filepath.Join(dir, "cache"))
	e.Setenv("TEST_WINDOW", strconv.Itoa(int(scripts.Add(1))%windows))
	e.Setenv("HOME", filepath.Join(dir, "user"))
	e.Setenv("GORACE", "atexit_sleep_ms=0") // each program would sleep a second otherwise
	return writeDist(filepath.Join(dir, "dist"), "4.3.1")
}

// writeDist makes a folder that looks like a Kafka distribution.
func writeDist(dir, version string) error {
	for _, name := range []string{
		"kafka_2.13-" + version, "kafka-clients-" + version, "kafka-metadata-" + version,
		"kafka-raft-" + version, "kafka-server-common-" + version, "scala-library-2.13.16",
		"slf4j-api-1.7.36", "slf4j-simple-1.7.36",
	} {
		if err := writeJar(filepath.Join(dir, "libs", name+".jar")); err != nil {
			return err
		}
	}
	return nil
}

func writeJar(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	w, err := z.Create("META-INF/MANIFEST.MF")
	if err == nil {
		_, err = w.Write([]byte("Manifest-Version: 1.0\n"))
	}
	return errors.Join(err, z.Close())
}

// endAll ends the processes of all clusters of a home, so that a failed script leaves none.
func endAll(dir string) {
	names, err := home(dir).names()
	if err != nil {
		return
	}
	for _, name := range names {
		f := home(dir).cluster(name)
		for _, lock := range []string{f.keeperLock(), f.schedulerLock(), f.mesosLock()} {
			if pid, err := holder(lock); err == nil && pid != 0 {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		for _, pid := range leftovers(f) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// checkCode runs a program and checks its exit code: code 2 kafka-sched …
func checkCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N program …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("running %s: %v", args[1], err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// kill9 kills the holder of a lock of a cluster: kill9 kafka/keeper.lock.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	path := filepath.Join(ts.Getenv("KAFKA_SCHED_HOME"), args[0])
	pid, err := holder(path)
	ts.Check(err)
	if neg || pid == 0 {
		ts.Fatalf("nobody holds %s", args[0])
	}
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		now, err := holder(path)
		if err == nil && now != pid {
			return
		}
		if ctx.Err() != nil {
			ts.Fatalf("process %d does not end", pid)
		}
		<-time.After(lockPoll)
	}
}

// noJava is code, with a PATH on which only our own programs are.
func noJava(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.Getenv("PATH")
	defer ts.Setenv("PATH", path)
	own, _, _ := strings.Cut(path, string(filepath.ListSeparator))
	ts.Setenv("PATH", own)
	checkCode(ts, neg, args)
}

// busy listens on the first agent's address that the script will get; the port is in BUSY.
func busy(ts *testscript.TestScript, _ bool, _ []string) {
	window, err := strconv.Atoi(ts.Getenv("TEST_WINDOW"))
	ts.Check(err)
	l, err := net.Listen("tcp", net.JoinHostPort(agentHost(window, 0), "0"))
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv("BUSY", port)
}

// printed adds a line to a task's output once somebody asks for what comes behind it, who so has
// printed what was there before.
func printed(ts *testscript.TestScript, _ bool, args []string) {
	f := ts.Value("fake").(*fake)
	deadline := time.Now().Add(time.Minute)
	for {
		f.mu.Lock()
		read := f.behind
		if read {
			if len(args) > 1 {
				f.output[args[0]] += args[1] + "\n"
			}
			f.behind = false
		}
		f.mu.Unlock()
		if read {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("nobody reads the output")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// held holds the install lock of a cluster, as another install at work does.
func held(ts *testscript.TestScript, _ bool, args []string) {
	f := home(ts.Getenv("KAFKA_SCHED_HOME")).cluster(args[0])
	ts.Check(os.MkdirAll(f.dir, 0o755))
	lock, err := takeLock(f.installLock(), 0)
	ts.Check(err)
	ts.Defer(lock.release)
}

// checkCalls compares the commands that the canned API got, and forgets them.
func checkCalls(ts *testscript.TestScript, neg bool, args []string) {
	f := ts.Value("fake").(*fake)
	f.mu.Lock()
	defer f.mu.Unlock()
	got := strings.Join(f.calls, "\n")
	f.calls = nil
	if want := strings.Join(args, "\n"); neg || got != want {
		ts.Fatalf("calls:\n%s\nwant:\n%s", got, want)
	}
}

// waitFor waits until a program succeeds: waitfor kafka-sched status.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	deadline := time.Now().Add(time.Minute)
	for {
		err := ts.Exec(args[0], args[1:]...)
		if (err == nil) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%v: still %v", args, err)
		}
		<-time.After(100 * time.Millisecond)
	}
}
