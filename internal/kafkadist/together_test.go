package kafkadist

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// gate serves an archive, holding the first request back, half served, until it is opened.
type gate struct {
	content  []byte
	requests atomic.Int32
	reached  chan struct{}
	open     chan struct{}
}

func newGate(t *testing.T) (*gate, *httptest.Server) {
	t.Helper()
	g := &gate{
		content: goodArchive(t, "4.3.1"), reached: make(chan struct{}), open: make(chan struct{}),
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return g, server
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	half := len(g.content) / 2
	first := g.requests.Add(1) == 1
	w.Write(g.content[:half])
	if first {
		w.(http.Flusher).Flush()
		close(g.reached)
		select {
		case <-g.open:
		case <-r.Context().Done():
			return
		}
	}
	w.Write(g.content[half:])
}

// child is this test binary, started again to fetch one distribution.
type child struct {
	cmd   *exec.Cmd
	lines chan string
}

func startChild(t *testing.T, dir, dist, version string) *child {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "KAFKADIST_TEST_CACHE="+dir, "KAFKADIST_TEST_DIST="+dist,
		"KAFKADIST_TEST_VERSION="+version)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ch := &child{cmd: cmd, lines: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(ch.lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			ch.lines <- in.Text()
		}
	}()
	t.Cleanup(func() { cmd.Process.Kill(); <-done; cmd.Wait() })
	return ch
}

// expect reads the child's lines up to one that begins as wanted.
func (ch *child) expect(t *testing.T, start string) string {
	t.Helper()
	var seen []string
	for line := range ch.lines {
		if strings.HasPrefix(line, start) {
			return line
		}
		seen = append(seen, line)
	}
	t.Fatalf("the child ended after %q, without %q", seen, start)
	return ""
}

// TestTwoGoroutines fetch one URL at once: it is read once, and both get the same archive.
func TestTwoGoroutines(t *testing.T) {
	g, server := newGate(t)
	waits := make(chan struct{})
	dir := t.TempDir()
	c := open(t, dir, func(p Progress) {
		if p.Stage == Waiting {
			close(waits)
		}
	})
	src := parse(t, server.URL+"/kafka.tgz", "")
	var dists [2]Dist
	var errs [2]error
	var group sync.WaitGroup
	for i := range dists {
		group.Go(func() { dists[i], errs[i] = c.Fetch(t.Context(), src) })
	}
	<-g.reached
	<-waits
	close(g.open)
	group.Wait()
	if errs[0] != nil || errs[1] != nil || dists[0] != dists[1] {
		t.Errorf("%+v, %v", dists, errs)
	}
	if n := g.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	wantNames(t, dir, 2)
}

// TestTwoProcesses is the same with processes; opening the cache in the second one must not clean
// away what the first is working on.
func TestTwoProcesses(t *testing.T) {
	g, server := newGate(t)
	dir := t.TempDir()
	first := startChild(t, dir, server.URL, "")
	<-g.reached
	second := startChild(t, dir, server.URL, "")
	second.expect(t, "progress waiting")
	close(g.open)
	a, b := first.expect(t, "dist "), second.expect(t, "dist ")
	if a != b {
		t.Errorf("%q and %q", a, b)
	}
	if n := g.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	first.cmd.Wait()
	second.cmd.Wait()
	wantNames(t, dir, 2)
}

// TestWaiterTakesOver kills the process that fetches while another one waits for it.
func TestWaiterTakesOver(t *testing.T) {
	g, server := newGate(t)
	dir := t.TempDir()
	first := startChild(t, dir, server.URL, "")
	<-g.reached
	second := startChild(t, dir, server.URL, "")
	second.expect(t, "progress waiting")
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	second.expect(t, "dist ")
	second.cmd.Wait()
	wantNames(t, dir, 2)
}

// TestKilledFetch kills a process in the middle of a fetch. Opening the cache removes what it left
// and keeps what is not a fetch's, and the next fetch works.
func TestKilledFetch(t *testing.T) {
	g, server := newGate(t)
	dir := t.TempDir()
	victim := startChild(t, dir, server.URL, "")
	<-g.reached
	if err := victim.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range victim.lines {
	}
	victim.cmd.Wait()
	left := names(t, dir)
	if !slices.ContainsFunc(left, func(n string) bool { return strings.HasPrefix(n, workPrefix) }) {
		t.Fatalf("the killed fetch left only %v, so nothing is tested", left)
	}
	for _, name := range []string{"tmp-mine-1", "lock-mine", "tmp-0123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, dir, nil)
	wantNames(t, dir, 3)
	fetch(t, c, parse(t, server.URL, ""))
	wantNames(t, dir, 5)
}

// TestCancelledWait ends the context of a fetch that waits for another.
func TestCancelledWait(t *testing.T) {
	g, server := newGate(t)
	dir := t.TempDir()
	first := startChild(t, dir, server.URL, "")
	<-g.reached
	ctx, cancel := context.WithCancel(t.Context())
	c := open(t, dir, func(p Progress) {
		if p.Stage == Waiting {
			cancel()
		}
	})
	if _, err := c.Fetch(ctx, parse(t, server.URL, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	close(g.open)
	first.expect(t, "dist ")
	first.cmd.Wait()
	wantNames(t, dir, 2)
}
