package zk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zookeeper/zk"
)

// ErrSessionLost says that the session has ended: what was held under it counts no more.
var ErrSessionLost = errors.New("the ZooKeeper session was lost")

// SessionConfig is how to reach ZooKeeper.
type SessionConfig struct {
	// URI is zk://[user:password@]host:port,…/path.
	URI string
	// Auth is user:password for the digest scheme; it is stronger than what the URI says.
	Auth string
	// SASL is a login for servers that demand it, nil for none.
	SASL *Login
	// Timeout is how long ZooKeeper keeps the session without hearing from us; 0 is 10 s. The
	// servers have bounds of their own for it.
	Timeout time.Duration
	// TLS is for servers that demand it, nil for plain connections.
	TLS    *tls.Config
	Logger *slog.Logger
}

// Session is one session at ZooKeeper. Once lost it never comes back.
type Session struct {
	// Conn is go-zookeeper's connection. Its calls end when they are answered, when the
	// connection breaks, or with Close.
	Conn *zk.Conn
	// Path is the path of the URI.
	Path string

	servers string
	timeout time.Duration
	acl     []zk.ACL
	log     *slog.Logger
	lost    chan struct{}
	once    sync.Once

	watcher atomic.Pointer[func(path string)] // who is told what watches see
	refused atomic.Pointer[error]             // why the latest connection could not be made

	mu     sync.Mutex
	up     chan struct{} // closed while there is a connection
	expiry *time.Timer   // runs while a session has no connection
}

// Dial begins a session and waits for it. The context bounds the wait alone.
func Dial(ctx context.Context, cfg SessionConfig) (*Session, error) {
	u, err := parse(cfg.URI)
	if err != nil {
		return nil, err
	}
	if cfg.Auth != "" {
		u.auth = cfg.Auth
	}
	s := &Session{
		Path: u.path, servers: strings.Join(u.servers, ","), timeout: cfg.Timeout,
		acl: zk.WorldACL(zk.PermAll), log: cfg.Logger,
		lost: make(chan struct{}), up: make(chan struct{}),
	}
	if s.timeout == 0 {
		s.timeout = sessionTimeout
	}
	conn, _, err := zk.Connect(u.servers, s.timeout, zk.WithLogger(logAdapter{s.log}),
		zk.WithLogInfo(false), zk.WithDialer(s.dialer(cfg)),
		zk.WithEventCallback(s.follow))
	if err != nil {
		return nil, fmt.Errorf("connecting to ZooKeeper at %s: %w", s.servers, err)
	}
	s.Conn = conn
	if err := s.Connected(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if u.auth != "" {
		if err := conn.AddAuth("digest", []byte(u.auth)); err != nil {
			s.Close()
			return nil, fmt.Errorf("authenticating at ZooKeeper at %s: %w", s.servers, err)
		}
	}
	if u.auth != "" || cfg.SASL != nil {
		s.acl = zk.AuthACL(zk.PermAll)
	}
	return s, nil
}

// dialer connects plainly, or by TLS, and keeps why it could not.
func (s *Session) dialer(cfg SessionConfig) zk.Dialer {
	return func(network, address string, timeout time.Duration) (net.Conn, error) {
		var conn net.Conn
		var err error
		plain := &net.Dialer{Timeout: timeout}
		if cfg.TLS == nil {
			conn, err = plain.Dial(network, address)
		} else {
			conn, err = tls.DialWithDialer(plain, network, address, cfg.TLS)
		}
		if err != nil {
			s.refusedWith(err)
			return nil, err
		}
		if cfg.SASL != nil {
			conn = &sasl{Conn: conn, login: *cfg.SASL}
		}
		return &impatient{Conn: conn, session: s}, nil
	}
}

// refusedWith keeps why a server could not be asked, without addresses: each try has others.
func (s *Session) refusedWith(err error) {
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err
	}
	s.refused.Store(&err)
}

// impatient is a connection whose server has to answer the first request soon: go-zookeeper
// waits for it for almost seven times the session's time-out, and a server that is frozen, or
// has no majority, would cost the session that another could have kept.
type impatient struct {
	net.Conn
	session  *Session
	answered bool
}

// SetReadDeadline implements net.Conn.
func (c *impatient) SetReadDeadline(at time.Time) error {
	soon := time.Now().Add(c.session.timeout / 4)
	if !c.answered && !at.IsZero() && at.After(soon) {
		at = soon
	}
	return c.Conn.SetReadDeadline(at)
}

// Read implements net.Conn.
func (c *impatient) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.answered = true
	} else if err != nil && !c.answered {
		c.session.refusedWith(err)
	}
	return n, err
}

// ACL is what new nodes get: all rights for who authenticated, else for everybody.
func (s *Session) ACL() []zk.ACL { return s.acl }

// Servers are the servers of the URI, for messages.
func (s *Session) Servers() string { return s.servers }

// Lost is closed when the session has ended.
func (s *Session) Lost() <-chan struct{} { return s.lost }

// Connected waits until there is a connection. Its errors are ErrSessionLost, or say that no
// server answered before the context ended.
func (s *Session) Connected(ctx context.Context) error {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	select {
	case <-s.lost:
		return ErrSessionLost
	default:
	}
	select {
	case <-up:
		return nil
	case <-s.lost:
		return ErrSessionLost
	case <-ctx.Done():
		if why := s.refused.Load(); why != nil {
			return fmt.Errorf("no ZooKeeper server of %s answers: %w; the latest try: %w",
				s.servers, ctx.Err(), *why)
		}
		return fmt.Errorf("no ZooKeeper server of %s answers: %w", s.servers, ctx.Err())
	}
}

// Close ends the session at once: what was held under it is free.
func (s *Session) Close() {
	s.lose()
	s.Conn.Close()
}

func (s *Session) lose() {
	s.once.Do(func() { close(s.lost) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
}

// follow keeps up with the connection. A session that has had none for the whole of its
// time-out is lost, whatever the servers will say: another may hold by then what was ours.
func (s *Session) follow(e zk.Event) {
	if e.Type != zk.EventSession {
		if told := s.watcher.Load(); told != nil {
			(*told)(e.Path)
		}
		return
	}
	s.log.Debug("ZooKeeper session", "state", e.State.String(), "server", e.Server)
	switch e.State {
	case zk.StateHasSession:
		s.connected()
	case zk.StateDisconnected:
		s.disconnected()
	case zk.StateExpired, zk.StateAuthFailed:
		s.log.Error("the ZooKeeper session is over", "state", e.State.String())
		s.lose()
	}
}

// OnChange has a function called with the path of each change that a watch sees, before any answer
// that is younger than the change; nil takes it back. It must not wait for anything.
func (s *Session) OnChange(told func(path string)) {
	if told == nil {
		s.watcher.Store(nil)
		return
	}
	s.watcher.Store(&told)
}

func (s *Session) connected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
	if !s.isUp() {
		close(s.up)
	}
}

// disconnected notes the end of a connection; go-zookeeper tells of each attempt to get another,
// too.
func (s *Session) disconnected() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.isUp() {
		return
	}
	s.up = make(chan struct{})
	s.expiry = time.AfterFunc(s.timeout, func() {
		s.log.Error("the ZooKeeper session is given up: no server answered for its time-out",
			"servers", s.servers, "timeout", s.timeout)
		s.lose()
	})
}

func (s *Session) isUp() bool {
	select {
	case <-s.up:
		return true
	default:
		return false
	}
}

// Ensure makes the nodes of a path that are missing.
func (s *Session) Ensure(path string) error {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		if err := s.Make(path[:i], nil); err != nil {
			return err
		}
	}
	return nil
}

// Make makes a node unless it is there. Who may not make it may use one that somebody else has made
// for him.
func (s *Session) Make(path string, data []byte) error {
	_, err := s.Conn.Create(path, data, 0, s.acl)
	if errors.Is(err, zk.ErrNoAuth) {
		if exists, _, asked := s.Conn.Exists(path); asked == nil && exists {
			return nil
		}
	}
	if err != nil && !errors.Is(err, zk.ErrNodeExists) {
		return fmt.Errorf("making %s in ZooKeeper at %s: %w", path, s.servers, Explained(err))
	}
	return nil
}

// Explained says what to do about a node that is somebody else's; other errors stay as they are.
func Explained(err error) error {
	if !errors.Is(err, zk.ErrNoAuth) {
		return err
	}
	return fmt.Errorf("%w: the access control list there does not let us; give the credentials "+
		"of its user (--state-auth-file, with user:password), or have its owner allow it", err)
}
