package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestParse reads the URIs that Mesos takes.
func TestParse(t *testing.T) {
	for text, want := range map[string]uri{
		"zk://h:1/mesos":  {servers: []string{"h:1"}, path: "/mesos"},
		"zk://h/mesos/":   {servers: []string{"h:2181"}, path: "/mesos"},
		"zk://[::1]/m":    {servers: []string{"[::1]:2181"}, path: "/m"},
		"zk://[::1]:99/m": {servers: []string{"[::1]:99"}, path: "/m"},
		"zk://a:1,b, c:3/x/y": {
			servers: []string{"a:1", "b:2181", "c:3"}, path: "/x/y"},
		"zk://user:p@ss@h:1/mesos": {
			servers: []string{"h:1"}, path: "/mesos", auth: "user:p@ss"},
	} {
		got, err := parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(uri{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// TestParseErrors says that each message tells what is wrong and no secret.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"http://h/mesos":         "does not begin with zk://",
		"zk://h:1":               "the path",
		"zk://h:1/":              "the path",
		"zk://h:1/a//b":          "the path",
		"zk:///mesos":            `the server "" is not host:port`,
		"zk://a,,b/mesos":        `the server "" is not host:port`,
		"zk://a:1:2/mesos":       `the server "a:1:2" is not host:port`,
		"zk://secret@h/mesos":    "user:password",
		"zk://u:secret@/mesos":   `the server "" is not host:port`,
		"zk://u:secret@h:/mesos": `the server "h:" is not host:port`,
	} {
		_, err := NewDetector(text, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the message shows credentials: %v", text, err)
		}
	}
}

// TestLowest says who leads.
func TestLowest(t *testing.T) {
	for _, test := range []struct {
		want  string
		names []string
	}{
		{"", nil},
		{"", []string{"log_replicas", "info_0000000001"}},
		{"json.info_0000000002", []string{
			"json.info_0000000010", "json.info_0000000002", "log_replicas"}},
		{"json.info_9999999999", []string{"json.info_10000000000", "json.info_9999999999"}},
	} {
		if got := lowest(test.names); got != test.want {
			t.Errorf("of %v: %s", test.names, got)
		}
	}
}

// TestReadMaster reads MasterInfo records.
func TestReadMaster(t *testing.T) {
	for data, want := range map[string]leader{
		// as a Mesos 1.11 master writes it
		`{"address":{"hostname":"m1","ip":"127.0.0.1","port":5050},"capabilities":[` +
			`{"type":"AGENT_UPDATE"}],"hostname":"m1","id":"563c","ip":16777343,` +
			`"port":5050,"version":"1.11.0"}`: {"127.0.0.1:5050", "m1:5050"},
		`{"address":{"hostname":"m1","port":1}}`: {"m1:1", "m1:1"},
		`{"hostname":"m1","port":5050}`:          {"m1:5050", "m1:5050"},
		`{"address":{"ip":"::1","port":5050}}`:   {"[::1]:5050", "[::1]:5050"},
		`{}`:                                     {},
		`{"hostname":"m1"}`:                      {},
		`{"hostname":"m1","port":70000}`:         {},
		`garbage`:                                {},
	} {
		if got, err := readMaster([]byte(data)); got != want || (err == nil) != (want != leader{}) {
			t.Errorf("%s: %q, %v", data, got, err)
		}
	}
}

// cluster is a ZooKeeper with masters that come and go, and a detector.
type cluster struct {
	*testing.T
	server *zktest.Server
	conn   *zk.Conn
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{T: t, server: zktest.Start(t)}
	c.connect()
	return c
}

func (c *cluster) connect() {
	conn, _, err := zk.Connect([]string{c.server.Address}, 10*time.Second,
		zk.WithLogger(logAdapter{slog.New(slog.DiscardHandler)}), zk.WithLogInfo(false))
	if err != nil {
		c.Fatal(err)
	}
	c.conn = conn
	c.Cleanup(conn.Close)
}

func (c *cluster) create(path, data string, flags int32, acl []zk.ACL) string {
	c.Helper()
	name, err := c.conn.Create(path, []byte(data), flags, acl)
	if err != nil {
		c.Fatal(err)
	}
	return name
}

// elect adds a master; the first one leads.
func (c *cluster) elect(port int) (name string) {
	data := fmt.Sprintf(`{"address":{"ip":"10.0.0.1","port":%d}}`, port)
	return c.create("/mesos/json.info_", data, zk.FlagSequence, zk.WorldACL(zk.PermAll))
}

func (c *cluster) remove(name string) {
	c.Helper()
	if err := c.conn.Delete(name, -1); err != nil {
		c.Fatal(err)
	}
}

func (c *cluster) detect(credentials string) *Detector {
	c.Helper()
	d, err := NewDetector(Scheme+credentials+c.server.Address+"/mesos",
		slog.New(slog.DiscardHandler))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = d.Close() })
	return d
}

// wantReason waits until a detector tells of no leader for a reason.
func (c *cluster) wantReason(d *Detector, reason string) {
	c.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		leader, err := d.Leader(ctx)
		cancel()
		if err != nil && strings.Contains(err.Error(), reason) {
			return
		}
		if leader != "" || time.Now().After(deadline) {
			c.Fatalf("%q, %v, want %s", leader, err, reason)
		}
	}
}

// want waits until a detector gives a leader, by port; 0 is none.
func (c *cluster) want(d *Detector, port int) {
	c.Helper()
	want, got := "", ""
	if port != 0 {
		want = fmt.Sprintf("10.0.0.1:%d", port)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		d.mu.Lock()
		changed := d.changed
		got = d.leader.byAddress
		d.mu.Unlock()
		if got == want {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			c.Fatalf("the leader is %q, want %q", got, want)
		}
	}
	if port == 0 {
		return
	}
	if got, err := d.Leader(ctx); err != nil || got != want {
		c.Errorf("Leader gave %q, %v", got, err)
	}
}

// TestDetector follows masters through the life of a real ZooKeeper: no path, no master, a
// leader, its death, an unusable record, a restart of ZooKeeper.
func TestDetector(t *testing.T) {
	c := newCluster(t)
	d := c.detect("")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Leader(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("without a leader: %v", err)
	}
	c.wantReason(d, "no master leads below /mesos in ZooKeeper at 127.0.0.1:")
	c.create("/mesos", "", 0, zk.WorldACL(zk.PermAll))
	c.create("/mesos/log_replicas", "", 0, zk.WorldACL(zk.PermAll))
	first := c.elect(1)
	c.want(d, 1)
	second := c.elect(2)
	third := c.create("/mesos/json.info_", "garbage", zk.FlagSequence, zk.WorldACL(zk.PermAll))
	c.elect(4)
	c.remove(first)
	c.want(d, 2)
	c.remove(second)
	c.want(d, 0)
	c.remove(third)
	c.want(d, 4)

	c.server.Stop()
	if leader, err := d.Leader(context.Background()); err != nil || leader != "10.0.0.1:4" {
		t.Errorf("without ZooKeeper: %q, %v", leader, err)
	}
	c.server.Start()
	c.conn.Close()
	c.connect()
	c.remove("/mesos/json.info_0000000004")
	c.elect(5)
	c.want(d, 5)

	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Leader(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestDetectorAuthenticates reads a path that only its owner may read.
func TestDetectorAuthenticates(t *testing.T) {
	c := newCluster(t)
	if err := c.conn.AddAuth("digest", []byte("mesos:secret")); err != nil {
		t.Fatal(err)
	}
	c.create("/mesos", "", 0, zk.DigestACL(zk.PermAll, "mesos", "secret"))
	c.elect(1)
	c.want(c.detect("mesos:secret@"), 1)
	stranger := c.detect("")
	c.wantReason(stranger, "does not tell: reading /mesos in ZooKeeper: zk: not authenticated")
}

// TestDetectorWithoutServer says that a ZooKeeper which is not there is waited for.
func TestDetectorWithoutServer(t *testing.T) {
	d, err := NewDetector("zk://u:p@127.0.0.1:1/mesos", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := d.Leader(ctx); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "ZooKeeper at 127.0.0.1:1 cannot be reached") {
		t.Errorf("got %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
