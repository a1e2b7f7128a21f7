package zk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-zookeeper/zk"
)

const (
	// infoPrefix begins the names of the masters' znodes.
	infoPrefix = "json.info_"
	// sessionTimeout is how long ZooKeeper keeps our watches without hearing from us.
	sessionTimeout = 10 * time.Second
	// retryPause is the wait after an error of ZooKeeper.
	retryPause = 500 * time.Millisecond
)

// Detector knows the leading master of one cluster.
type Detector struct {
	uri  uri
	conn *zk.Conn
	log  *slog.Logger

	closing chan struct{}
	once    sync.Once
	ended   sync.WaitGroup

	mu      sync.Mutex
	leader  leader
	changed chan struct{} // closed, and replaced, when leader changes
	reached bool          // whether there is a session
	trouble error         // the latest of ZooKeeper, nil since it answered
}

// leader is where a master listens, as host:port; the zero leader is none. Certificates are made
// out to names, and addresses work where names are not known.
type leader struct{ byAddress, byName string }

// ErrClosed is what Leader gives after Close.
var ErrClosed = errors.New("the detector of the leading master is closed")

// NewDetector begins to watch for the leader. It fails for a URI that makes no sense and for
// servers whose names cannot be resolved, but not for servers that do not answer yet.
func NewDetector(address string, log *slog.Logger) (*Detector, error) {
	u, err := parse(address)
	if err != nil {
		return nil, err
	}
	conn, events, err := zk.Connect(u.servers, sessionTimeout,
		zk.WithLogger(logAdapter{log}), zk.WithLogInfo(false))
	if err != nil {
		return nil, fmt.Errorf("connecting to ZooKeeper at %s: %w",
			strings.Join(u.servers, ","), err)
	}
	d := &Detector{
		uri: u, conn: conn, log: log,
		closing: make(chan struct{}),
		changed: make(chan struct{}),
	}
	d.ended.Go(func() { d.follow(events) })
	d.ended.Go(d.run)
	return d, nil
}

// Leader gives host:port of the leading master, with its IP address where it tells that, and
// waits until there is one. A master's record does not say whether it speaks TLS.
func (d *Detector) Leader(ctx context.Context) (string, error) {
	l, err := d.await(ctx)
	return l.byAddress, err
}

// LeaderByName is Leader with the master's host name where it tells that.
func (d *Detector) LeaderByName(ctx context.Context) (string, error) {
	l, err := d.await(ctx)
	return l.byName, err
}

func (d *Detector) await(ctx context.Context) (leader, error) {
	for {
		d.mu.Lock()
		now, changed := d.leader, d.changed
		d.mu.Unlock()
		select {
		case <-d.closing:
			return leader{}, ErrClosed
		default:
		}
		if now != (leader{}) {
			return now, nil
		}
		select {
		case <-changed:
		case <-d.closing:
		case <-ctx.Done():
			return leader{}, d.leaderless(ctx.Err())
		}
	}
}

// leaderless says why there is no leader yet.
func (d *Detector) leaderless(ended error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	servers := strings.Join(d.uri.servers, ",")
	switch {
	case !d.reached:
		return fmt.Errorf("ZooKeeper at %s cannot be reached (%w)", servers, ended)
	case d.trouble != nil:
		return fmt.Errorf("ZooKeeper at %s does not tell: %w (%w)", servers, d.trouble, ended)
	default:
		return fmt.Errorf("no master leads below %s in ZooKeeper at %s (%w)", d.uri.path, servers,
			ended)
	}
}

// Close ends the watching and the ZooKeeper session.
func (d *Detector) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.conn.Close()
	})
	d.ended.Wait()
	return nil
}

// follow logs what becomes of the connection, until it is closed.
func (d *Detector) follow(events <-chan zk.Event) {
	for e := range events {
		if e.Type == zk.EventSession {
			d.mu.Lock()
			d.reached = e.State == zk.StateHasSession
			d.mu.Unlock()
			d.log.Debug("ZooKeeper session", "state", e.State.String(), "server", e.Server)
		}
	}
}

// run watches until the detector is closed.
func (d *Detector) run() {
	if d.uri.auth != "" {
		for !d.step(d.authenticate) {
		}
	}
	for !d.isClosing() {
		d.step(d.look)
	}
}

func (d *Detector) isClosing() bool {
	select {
	case <-d.closing:
		return true
	default:
		return false
	}
}

// step does one thing with ZooKeeper; after a failure it pauses. It says true when it was done
// or the detector is closed.
func (d *Detector) step(do func() error) bool {
	err := do()
	d.mu.Lock()
	d.trouble = err
	d.mu.Unlock()
	if err == nil || d.isClosing() {
		return true
	}
	d.log.Warn("cannot look for the leading master", "error", err,
		"servers", strings.Join(d.uri.servers, ","))
	select {
	case <-time.After(retryPause):
	case <-d.closing:
	}
	return d.isClosing()
}

// authenticate lasts for all sessions: go-zookeeper repeats it for each.
func (d *Detector) authenticate() error {
	if err := d.conn.AddAuth("digest", []byte(d.uri.auth)); err != nil {
		return fmt.Errorf("authenticating at ZooKeeper: %w", err)
	}
	return nil
}

// look finds the leader and returns when something has changed.
func (d *Detector) look() error {
	names, _, changed, err := d.conn.ChildrenW(d.uri.path)
	if errors.Is(err, zk.ErrNoNode) {
		return d.awaitPath()
	}
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", d.uri.path, err)
	}
	name := lowest(names)
	if name == "" {
		d.setLeader(leader{})
		d.wait(changed)
		return nil
	}
	data, _, err := d.conn.Get(d.uri.path + "/" + name)
	if errors.Is(err, zk.ErrNoNode) {
		return nil // it has gone in between
	}
	if err != nil {
		return fmt.Errorf("reading %s/%s in ZooKeeper: %w", d.uri.path, name, err)
	}
	now, err := readMaster(data)
	if err != nil {
		d.log.Error("the leading master's record cannot be used", "name", name, "error", err)
	}
	d.setLeader(now)
	d.wait(changed)
	return nil
}

// awaitPath waits for the first master ever.
func (d *Detector) awaitPath() error {
	d.setLeader(leader{})
	exists, _, changed, err := d.conn.ExistsW(d.uri.path)
	if err != nil {
		return fmt.Errorf("waiting for %s in ZooKeeper: %w", d.uri.path, err)
	}
	if !exists {
		d.wait(changed)
	}
	return nil
}

func (d *Detector) wait(changed <-chan zk.Event) {
	select {
	case <-changed:
	case <-d.closing:
	}
}

func (d *Detector) setLeader(now leader) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trouble = nil
	if now == d.leader {
		return
	}
	d.log.Info("the leading master has changed", "from", d.leader.byAddress, "to", now.byAddress)
	d.leader = now
	close(d.changed)
	d.changed = make(chan struct{})
}

// lowest gives the name of the leader's znode, "" when there is none.
func lowest(names []string) string {
	infos := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !strings.HasPrefix(name, infoPrefix)
	})
	if len(infos) == 0 {
		return ""
	}
	return slices.MinFunc(infos, func(a, b string) int { // as numbers: they may outgrow ten digits
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

// readMaster reads a MasterInfo in JSON.
func readMaster(data []byte) (leader, error) {
	var info struct {
		Hostname string `json:"hostname"`
		Port     int    `json:"port"`
		Address  struct {
			Hostname string `json:"hostname"`
			IP       string `json:"ip"`
			Port     int    `json:"port"`
		} `json:"address"`
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return leader{}, fmt.Errorf("reading a MasterInfo: %w", err)
	}
	name := cmp.Or(info.Address.Hostname, info.Hostname)
	port := cmp.Or(info.Address.Port, info.Port)
	if name == "" && info.Address.IP == "" || port < 1 || port > 65535 {
		return leader{}, fmt.Errorf("reading a MasterInfo: no address in %q", data)
	}
	at := func(host string) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
	return leader{
		byAddress: at(cmp.Or(info.Address.IP, name)), byName: at(cmp.Or(name, info.Address.IP)),
	}, nil
}

// logAdapter hands go-zookeeper's log lines on.
type logAdapter struct{ log *slog.Logger }

// Printf implements zk.Logger.
func (l logAdapter) Printf(format string, args ...any) {
	l.log.Debug("zookeeper client: " + fmt.Sprintf(format, args...))
}
