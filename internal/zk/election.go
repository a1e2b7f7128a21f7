package zk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-zookeeper/zk"
)

// Election is one candidate's part in electing a leader: each holds an ephemeral sequential node
// below one path, and the one with the lowest sequence leads. Its content is what the candidate
// says of itself.
type Election struct {
	session *Session
	path    string
	own     string // the path of our node

	mu      sync.Mutex
	leader  []byte        // what the leading candidate says, nil when none is known
	changed chan struct{} // closed, and replaced, when leader changes
}

// Campaign enters a candidate; the path is made where it is missing.
func (s *Session) Campaign(path string, says []byte) (*Election, error) {
	if err := s.Ensure(path); err != nil {
		return nil, err
	}
	own, err := s.Conn.CreateProtectedEphemeralSequential(path+"/n_", says, s.acl)
	if err != nil {
		return nil, fmt.Errorf("entering the election at %s in ZooKeeper at %s: %w",
			path, s.servers, Explained(err))
	}
	return &Election{session: s, path: path, own: own, changed: make(chan struct{})}, nil
}

// Won waits until this candidate leads. It fails when the session is lost, when somebody removed
// the candidate's node, or with the context.
func (e *Election) Won(ctx context.Context) error {
	for {
		leading, changed, err := e.look()
		switch {
		case err != nil && !Retriable(err):
			return err
		case err != nil:
			if err := e.session.Connected(ctx); err != nil {
				return err
			}
			continue
		case leading:
			return nil
		}
		select {
		case <-changed:
		case <-e.session.lost:
			return ErrSessionLost
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Deposed waits until this candidate, who leads, does not any more, and says why. It gives nil
// with the end of the context.
func (e *Election) Deposed(ctx context.Context) error {
	for {
		exists, _, changed, err := e.session.Conn.ExistsW(e.own)
		switch {
		case err == nil && !exists:
			return fmt.Errorf("the candidate's node %s was removed: %w", e.own, ErrSessionLost)
		case err != nil && !Retriable(err):
			return fmt.Errorf("watching %s in ZooKeeper: %w", e.own, err)
		case err != nil:
			if err := e.session.Connected(ctx); err != nil {
				return ignoreEnd(ctx, err)
			}
			continue
		}
		select {
		case <-changed:
		case <-e.session.lost:
			return ErrSessionLost
		case <-ctx.Done():
			return nil
		}
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Confirm asks ZooKeeper afresh whether this candidate still leads.
func (e *Election) Confirm(ctx context.Context) error {
	if err := e.session.Connected(ctx); err != nil {
		return err
	}
	if _, err := e.session.Conn.Sync(e.path); err != nil {
		return fmt.Errorf("asking ZooKeeper whether we still lead: %w", err)
	}
	exists, _, err := e.session.Conn.Exists(e.own)
	if err == nil && !exists {
		err = ErrSessionLost
	}
	if err != nil {
		return fmt.Errorf("asking ZooKeeper whether we still lead: %w", err)
	}
	return nil
}

// Leader is what the leading candidate says of itself, nil while none is known, and a channel
// that is closed when that changes. It is kept up while Won waits.
func (e *Election) Leader() (says []byte, changed <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leader, e.changed
}

// look reads who stands, and gives a channel for when that changes.
func (e *Election) look() (leading bool, changed <-chan zk.Event, err error) {
	names, _, changed, err := e.session.Conn.ChildrenW(e.path)
	if err != nil {
		return false, nil, fmt.Errorf("reading %s in ZooKeeper: %w", e.path, err)
	}
	own := strings.TrimPrefix(e.own, e.path+"/")
	if !slices.Contains(names, own) {
		return false, nil, fmt.Errorf("the candidate's node %s was removed: %w",
			e.own, ErrSessionLost)
	}
	first := slices.MinFunc(names, bySequence)
	if first == own {
		return true, changed, nil
	}
	says, _, err := e.session.Conn.Get(e.path + "/" + first)
	if errors.Is(err, zk.ErrNoNode) { // it has gone in between, and the watch will say so
		return false, changed, nil
	}
	if err != nil {
		return false, nil, fmt.Errorf("reading %s/%s in ZooKeeper: %w", e.path, first, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if string(says) != string(e.leader) {
		e.leader = says
		close(e.changed)
		e.changed = make(chan struct{})
	}
	return false, changed, nil
}

// bySequence orders candidates; their names end in -n_ and a sequence, which may outgrow its ten
// digits.
func bySequence(a, b string) int {
	a, b = a[strings.LastIndex(a, "_")+1:], b[strings.LastIndex(b, "_")+1:]
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// Retriable reports whether an error is of the connection and not of what was asked.
func Retriable(err error) bool {
	return errors.Is(err, zk.ErrConnectionClosed) || errors.Is(err, zk.ErrNoServer) ||
		errors.Is(err, zk.ErrSessionMoved)
}
