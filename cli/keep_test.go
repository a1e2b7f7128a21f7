package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newTestKeeper makes a keeper whose processes are a shell script that writes down its start
// and ends with a failure.
func newTestKeeper(t *testing.T) (k *keeper, starts func() string) {
	t.Helper()
	f := home(t.TempDir()).cluster("kafka")
	for _, dir := range []string{f.schedulerDir(), f.mesosDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	log := filepath.Join(t.TempDir(), "starts")
	exe := filepath.Join(t.TempDir(), "program")
	script := "#!/bin/sh\necho \"$@\" >> " + log + "\nexit 3\n"
	if err := os.WriteFile(exe, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	k = &keeper{
		folder: f, exe: exe, embedded: true, log: &bytes.Buffer{},
		firstPause: time.Millisecond, longPause: 10 * time.Millisecond,
	}
	return k, func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			return ""
		}
		return string(text)
	}
}

// within waits until something is so.
func within(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !so() {
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestKeeperStartsAgain(t *testing.T) {
	k, starts := newTestKeeper(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.run(ctx) }()
	args := " --name kafka --home " + filepath.Dir(k.folder.dir)
	within(t, "each process is started three times", func() bool {
		return strings.Count(starts(), "scheduler"+args) >= 3 &&
			strings.Count(starts(), "localmesos"+args) >= 3
	})
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s, err := k.folder.keeperState()
	if err != nil {
		t.Fatal(err)
	}
	if s.PID != os.Getpid() || s.Ends["scheduler"] < 2 || s.Ends["localmesos"] < 2 {
		t.Errorf("keeper.json says %+v", s)
	}
	if log := k.log.(*bytes.Buffer).String(); !strings.Contains(log, "exit status 3") {
		t.Errorf("the log does not say how the processes ended:\n%s", log)
	}
}

// TestKeeperPauses: a process that ran well is started again at once, one that keeps failing less
// and less often.
func TestKeeperPauses(t *testing.T) {
	k := &keeper{firstPause: firstPause, longPause: longPause}
	pause := k.pauseAfter(0, time.Hour)
	if pause != 0 {
		t.Errorf("%s behind a process that ran for an hour", pause)
	}
	for n := range 6 {
		want := min(firstPause<<n, longPause)
		if pause = k.pauseAfter(pause, time.Millisecond); pause != want {
			t.Errorf("pause %d is of %s, want %s", n, pause, want)
		}
	}
}

func TestKeeperWaitsForEarlierProcess(t *testing.T) {
	k, starts := newTestKeeper(t)
	k.embedded = false
	lock, err := takeLock(k.folder.schedulerLock(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- k.run(ctx) }()
	within(t, "the keeper has begun", func() bool { return exists(k.folder.keeperRecord()) })
	select {
	case <-done:
		t.Fatal("the keeper ended")
	case <-time.After(3 * lockPoll):
	}
	if got := starts(); got != "" {
		t.Fatalf("started although the earlier process was there: %s", got)
	}
	lock.release()
	within(t, "the process is started", func() bool { return starts() != "" })
	cancel()
	<-done
}

func TestKeeperEndsAfterUninstall(t *testing.T) {
	k, starts := newTestKeeper(t)
	k.embedded = false
	if err := os.WriteFile(k.folder.uninstalled(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := k.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := starts(); got != "" {
		t.Errorf("started a scheduler of an uninstalled service: %s", got)
	}
}

func TestLocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if pid, err := holder(path); pid != 0 || err != nil {
		t.Fatalf("a lock that does not exist is held by %d, %v", pid, err)
	}
	lock, err := takeLock(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if pid, err := holder(path); pid != os.Getpid() || err != nil {
		t.Fatalf("held by %d, %v; want %d", pid, err, os.Getpid())
	}
	if _, err := takeLock(path, 0); err != errHeld {
		t.Fatalf("taken twice: %v", err)
	}
	lock.release()
	again, err := takeLock(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	again.release()
	if err := terminate(t.Context(), path, time.Second); err != nil {
		t.Fatal(err)
	}
}

// A scheduler whose framework was ended is not started again: that would not change it.
func TestKeeperLeavesWhatHasEnded(t *testing.T) {
	k, starts := newTestKeeper(t)
	script, err := os.ReadFile(k.exe)
	if err != nil {
		t.Fatal(err)
	}
	script = bytes.Replace(script, []byte("exit 3"), []byte("exit 8"), 1)
	if err := os.WriteFile(k.exe, script, 0o755); err != nil {
		t.Fatal(err)
	}
	k.embedded = false
	if err := k.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(starts(), "scheduler"); n != 1 {
		t.Errorf("it was started %d times", n)
	}
	if log := k.log.(*bytes.Buffer).String(); !strings.Contains(log, "its log says why") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}
