package zkstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gozk "github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func TestMain(m *testing.M) {
	// go-zookeeper 1.0.4 may answer a request three times, where there is room for two, if its
	// session is closed while it is being sent, as some tests do; who closes a session ends.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/go-zookeeper/zk.(*Conn).flushRequests"))
}

// rig is a place in ZooKeeper and what should be there.
type rig struct {
	*testing.T
	uri    string
	memory *store.Memory
}

func newRig(t *testing.T, servers ...string) *rig {
	return &rig{t, "zk://" + strings.Join(servers, ",") + "/services/" + t.Name(),
		store.NewMemory()}
}

func (r *rig) dial(timeout time.Duration) *zk.Session {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := zk.Dial(ctx, zk.SessionConfig{URI: r.uri, Timeout: timeout,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(s.Close)
	return s
}

func (r *rig) open() *Store {
	r.Helper()
	s, err := Open(r.dial(0), "test", false)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// apply writes to the store and to what should be in it.
func (r *rig) apply(s *Store, writes ...scheduler.Write) {
	r.Helper()
	if err := s.Apply(writes); err != nil {
		r.Fatal(err)
	}
	r.expect(writes...)
}

func (r *rig) expect(writes ...scheduler.Write) {
	r.Helper()
	if err := r.memory.Apply(writes); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) want() scheduler.Hard {
	hard, err := r.memory.Load()
	if err != nil {
		r.Fatal(err)
	}
	return hard
}

// check opens the state anew and compares it.
func (r *rig) check() *Store {
	r.Helper()
	s := r.open()
	got, err := s.Load()
	if err != nil {
		r.Fatal(err)
	}
	if diff := cmp.Diff(r.want(), got); diff != "" {
		r.Fatalf("what was read (-want +got):\n%s", diff)
	}
	return s
}

func file(name string, size int, seed byte) scheduler.WriteFile {
	return scheduler.WriteFile{Name: name,
		Content: strings.Repeat(string('a'+rune(seed%26)), size)}
}

// TestReadsBack writes small, large and no longer wanted things, and reads them back.
func TestReadsBack(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	s := r.open()
	r.apply(s, scheduler.WriteFramework{ID: "fw-1"}, scheduler.WriteIntent{Intent: scheduler.Run},
		scheduler.WritePod{Pod: scheduler.Pod{Name: scheduler.PodName{Type: "a/b c", Index: 1},
			Tasks: []scheduler.Task{}}})
	r.apply(s, file("twice", 10, 0), file("twice", 20, 1), file("../..", 3, 2), file(".", 3, 2))
	r.apply(s, file("large", 3<<20, 3))
	r.apply(s, file("large", 1<<20, 4), file("same", 1<<20, 4))
	r.apply(s, file("large", 4, 5), scheduler.DeletePod{
		Name: scheduler.PodName{Type: "a/b c", Index: 1}})
	r.apply(s, scheduler.DeletePod{Name: scheduler.PodName{Type: "never", Index: 0}})
	again := r.check()
	r.apply(again, file("same", 1, 6))
	r.largestNode(again, 1<<19)
	if names, _, err := again.session.Conn.Children(again.paths.blobs()); len(names) > 0 ||
		err != nil {
		t.Errorf("blobs that nobody names are left: %v, %v", names, err)
	}
}

// largestNode fails when a node or a list of names is larger than a bound.
func (r *rig) largestNode(s *Store, bound int) {
	r.Helper()
	var walk func(path string)
	walk = func(path string) {
		data, _, err := s.session.Conn.Get(path)
		if err != nil {
			r.Fatal(err)
		}
		names, _, err := s.session.Conn.Children(path)
		if err != nil {
			r.Fatal(err)
		}
		if size := len(strings.Join(names, "----")); len(data) > bound || size > bound {
			r.Errorf("%s holds %d bytes and %d of names", path, len(data), size)
		}
		for _, n := range names {
			walk(path + "/" + n)
		}
	}
	walk(s.session.Path)
}

// TestLargeBatch writes more at once than one transaction may hold (F6).
func TestLargeBatch(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	s := r.open()
	var writes []scheduler.Write
	for i := range 2500 {
		writes = append(writes, file(fmt.Sprint("f", i), 300, byte(i)))
	}
	r.apply(s, append(writes, file("huge", 1<<20, 1))...)
	for i := range writes {
		writes[i] = file(fmt.Sprint("f", i), 400, byte(i+1))
	}
	r.apply(s, writes...)
	r.largestNode(r.check(), 1<<19)
}

// TestCrashInLargeBatch loses the session in the middle of a large batch: it counts wholly or not
// at all, and whoever opens the state next finishes it (F1).
func TestCrashInLargeBatch(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	all, none := 0, 0
	for round := 0; round < 25 || all == 0; round++ { // until one gets through
		var writes []scheduler.Write
		for i := range 1500 {
			writes = append(writes, file(fmt.Sprint("f", i), 200+round, byte(round)))
		}
		session := r.dial(0)
		s, err := Open(session, "test", false)
		if err != nil {
			t.Fatal(err)
		}
		c, stop := r.follow()
		timer := time.AfterFunc(cutAfter(round), session.Close)
		err = s.Apply(writes)
		timer.Stop()
		stop()
		next, opened := c.Open("standby", false)
		if opened != nil {
			t.Fatal(opened)
		}
		got, _ := next.Load()
		switch content := got.Files["f0"]; {
		case len(content) == 200+round:
			r.expect(writes...)
			all++
		case err == nil:
			t.Fatal("a batch that was taken is not there")
		default:
			none++
		}
		r.check()
	}
	t.Logf("%d batches were taken, %d were not", all, none)
}

// cutAfter is when a session is lost: every 2 ms at first, and later and later.
func cutAfter(round int) time.Duration {
	return time.Duration(round) * 2 * time.Millisecond * time.Duration(1+round/25)
}

// TestFence has one scheduler write after another took office (F28).
func TestFence(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	first := r.open()
	r.apply(first, file("x", 1, 0))
	second := r.open()
	if err := first.Apply([]scheduler.Write{file("x", 2, 1)}); !errors.Is(err, ErrDeposed) {
		t.Errorf("the first may still write: %v", err)
	}
	if err := first.Apply([]scheduler.Write{file("y", 1<<20, 1)}); !errors.Is(err, ErrDeposed) {
		t.Errorf("the first may still write large values: %v", err)
	}
	r.apply(second, file("x", 3, 2))
	if third := r.check(); third.Epoch() != 3 {
		t.Errorf("the third epoch has number %d", third.Epoch())
	}
}

// TestRefusals opens what is not ours, newer, or damaged (F7).
func TestRefusals(t *testing.T) {
	server := zktest.Start(t).Address
	for name, c := range map[string]struct {
		do   func(*gozk.Conn, string) error
		want error
	}{
		"foreign": {func(c *gozk.Conn, root string) error {
			_, err := c.Set(root, []byte("something else"), -1)
			return err
		}, store.ErrForeign},
		"newer": {func(c *gozk.Conn, root string) error {
			_, err := c.Set(root, []byte(title+"99"), -1)
			return err
		}, store.ErrNewer},
		"damaged": {func(c *gozk.Conn, root string) error {
			path := paths(root).key("file/x")
			_, err := c.Set(path, []byte(`{"text":`), -1)
			return err
		}, store.ErrDamaged},
		"foreign key": {func(c *gozk.Conn, root string) error {
			path := strings.Replace(paths(root).key("file/x"), "file", "none", 1)
			_, err := c.Create(path, nil, 0, gozk.WorldACL(gozk.PermAll))
			return err
		}, store.ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, server)
			s := r.open()
			r.apply(s, file("x", 1, 0))
			if err := c.do(s.session.Conn, s.session.Path); err != nil {
				t.Fatal(err)
			}
			if _, err := Snapshot(r.dial(0)); !errors.Is(err, c.want) {
				t.Errorf("read with %v", err)
			}
			if _, err := Open(r.dial(0), "test", false); !errors.Is(err, c.want) {
				t.Errorf("opened with %v", err)
			}
		})
	}
}

// TestCutConnections cuts the connection at random moments: nothing is lost, nothing is written
// twice, and the session goes on (F2, F4).
func TestCutConnections(t *testing.T) {
	server := zktest.Start(t)
	relay := zktest.StartRelay(t, server.Address, 0)
	r := newRig(t, relay.Address)
	s := r.open()
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	var batch atomic.Int64
	cutter.Go(func() {
		chance := rand.New(rand.NewPCG(1, 2))
		for cuts, of := 0, int64(0); ; {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(chance.IntN(60)) * time.Millisecond):
			}
			if now := batch.Load(); now != of {
				cuts, of = 0, now
			}
			if cuts++; cuts <= 4 { // of one batch: a slow machine has to come through at last
				relay.Cut()
			}
		}
	})
	for i := range 60 {
		batch.Store(int64(i))
		r.apply(s, file(fmt.Sprint("f", i%7), i, byte(i)))
	}
	close(stop)
	cutter.Wait()
	if s.now.Batch != 60 {
		t.Errorf("60 batches have become %d", s.now.Batch)
	}
	r.check()
}

// TestEnsemble kills the leading server of three in the middle of work, and then the majority.
// (F5)
func TestEnsemble(t *testing.T) {
	servers := zktest.StartEnsemble(t, 3)
	var addresses []string
	for _, s := range servers {
		addresses = append(addresses, s.Address)
	}
	r := newRig(t, addresses...)
	s := r.open()
	for i := range 30 {
		if i == 10 {
			leaderOf(t, servers).Stop()
		}
		r.apply(s, file(fmt.Sprint("f", i%7), i, byte(i)))
	}
	leaderOf(t, servers).Stop()
	done := make(chan error, 1)
	go func() { done <- s.Apply([]scheduler.Write{file("late", 5, 5)}) }()
	for _, server := range servers {
		if server.Mode() == "" {
			server.Stop()
			server.Launch()
		}
	}
	select {
	case err := <-done:
		if err != nil { // the session may have ended meanwhile: then it was not taken, or was
			t.Logf("without a majority: %v", err)
			break
		}
		r.expect(file("late", 5, 5))
		r.check()
	case <-time.After(time.Minute):
		t.Fatal("a write without a majority never ends")
	}
}

func leaderOf(t *testing.T, servers []*zktest.Server) *zktest.Server {
	t.Helper()
	for _, s := range servers {
		if s.Mode() == "leader" {
			return s
		}
	}
	t.Fatal("no server leads")
	return nil
}

// Who won the election takes office although the leader before does not know it yet, and writes on
// until it is told.
func TestTakesOfficeFromOneThatWrites(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	s := r.open()
	for round := range 5 {
		told := make(chan error)
		go func() {
			for i := 0; ; i++ {
				if err := s.Apply([]scheduler.Write{file("x", 1+i%7, byte(i))}); err != nil {
					told <- err
					return
				}
			}
		}()
		next, err := Open(r.dial(0), "next", false)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := <-told; !errors.Is(err, ErrDeposed) {
			t.Errorf("round %d: the leader before was told %v", round, err)
		}
		s = next
	}
}

// TestMeddling removes and changes nodes by hand (F8): the state is refused, by who takes office
// and by who only reads, and is good again once the nodes are.
func TestMeddling(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	r.apply(r.open(), file("a", 10, 1), file("b", 20, 2), file("c", 30, 3))
	session := r.dial(0)
	path := paths(session.Path).key("file/b")
	content, _, err := session.Conn.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		if _, err := Open(session, "test", false); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: opened with %v", what, err)
		}
		if _, err := Snapshot(session); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: read with %v", what, err)
		}
	}
	if err := session.Conn.Delete(path, -1); err != nil {
		t.Fatal(err)
	}
	refused("removed")
	other := strings.Replace(string(content), `"`, ` "`, 1)
	if _, err := session.Conn.Create(path, []byte(other), 0, session.ACL()); err != nil {
		t.Fatal(err)
	}
	refused("changed")
	if _, err := session.Conn.Set(path, content, -1); err != nil {
		t.Fatal(err)
	}
	r.check()
}

// A service that is uninstalled leaves its mark: nobody opens its state again, until a new one
// is installed in its place.
func TestUninstalled(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	session := r.dial(0)
	expect := func(want Condition) {
		t.Helper()
		if is, err := Look(session); err != nil || is != want {
			t.Errorf("the condition is %v, %v; want %v", is, err, want)
		}
	}
	expect(Absent)
	s := r.open()
	r.apply(s, file("small", 10, 1), file("large", 3*maxValue, 2))
	expect(Live)
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	expect(Ended)
	if _, err := Open(session, "late", false); !errors.Is(err, ErrUninstalled) {
		t.Errorf("it can be opened: %v", err)
	}
	if err := s.Apply([]scheduler.Write{file("more", 1, 1)}); err != nil {
		t.Fatal(err) // as if the scheduler had died in the middle of removing it all
	}
	fresh, err := Open(session, "new", true)
	if err != nil {
		t.Fatal(err)
	}
	expect(Live)
	empty, err := store.NewMemory().Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(empty, fresh.hard); diff != "" {
		t.Errorf("the new service begins with (+):\n%s", diff)
	}
	if err := s.Apply([]scheduler.Write{file("late", 1, 1)}); !errors.Is(err, ErrDeposed) {
		t.Errorf("the old scheduler still writes: %v", err)
	}
}
