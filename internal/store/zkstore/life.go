package zkstore

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// ended is the content of the root node of a service that was uninstalled. It stays, so that a
// scheduler that was away at that time does not install the service again when it comes back.
const ended = "kafka-sched state, uninstalled"

// ErrUninstalled says that the service whose state it was is uninstalled.
var ErrUninstalled = errors.New("the service was uninstalled")

// Condition is how the state of a service stands.
type Condition int

// The conditions of a state.
const (
	Absent Condition = iota // no scheduler ever took office
	Live
	Ended // the service was uninstalled
)

// Look tells how the state of a service stands, without changing it.
func Look(session *zk.Session) (Condition, error) {
	content, _, err := session.Conn.Get(session.Path)
	switch {
	case errors.Is(err, gozk.ErrNoNode):
		return Absent, nil
	case err != nil:
		return Absent, fmt.Errorf("reading %s in ZooKeeper at %s: %w", session.Path,
			session.Servers(), zk.Explained(err))
	case string(content) == ended:
		return Ended, nil
	}
	exists, _, err := session.Conn.Exists(paths(session.Path).commit())
	if err != nil {
		return Absent, fmt.Errorf("reading %s in ZooKeeper at %s: %w", session.Path,
			session.Servers(), err)
	}
	if !exists {
		return Absent, nil
	}
	return Live, nil
}

// End removes the state of a service that is uninstalled; from its first write on nobody can
// open it any more. The store cannot be used after it.
func (s *Store) End() error {
	if err := s.settle(); err != nil {
		return err
	}
	mark := &gozk.SetDataRequest{Path: s.session.Path, Data: []byte(ended), Version: -1}
	if err := s.multi([]any{mark}, s.next("")); err != nil {
		return err
	}
	return s.clear()
}

// renew makes what was left of a service that is uninstalled the state of a new one.
func (s *Store) renew() error {
	nodes, err := s.list()
	if err != nil {
		return err
	}
	for _, node := range nodes {
		s.held[node.key] = held{}
	}
	s.now.Pending = ""
	if err := s.clear(); err != nil {
		return err
	}
	return s.Raise()
}

// Earlier is the schema of the tree if an earlier release wrote it, else 0.
func (s *Store) Earlier() int {
	if s.schema < Schema {
		return s.schema
	}
	return 0
}

// Raise makes the tree one of the present schema, which earlier releases refuse. What it holds
// already stays as it is until it is written again.
func (s *Store) Raise() error {
	if err := s.settle(); err != nil {
		return err
	}
	mine := &gozk.SetDataRequest{Path: s.session.Path, Data: []byte(fmt.Sprint(title, Schema)),
		Version: -1}
	if err := s.multi([]any{mine}, s.next(s.now.Pending)); err != nil {
		return err
	}
	s.schema = Schema
	return nil
}

// clear removes all keys.
func (s *Store) clear() error {
	var all []store.Change
	for key := range s.held { //tidy:unordered one change a key, and all of them are made
		all = append(all, store.Change{Key: key})
	}
	if err := errors.Join(s.apply(all), s.settle()); err != nil {
		return err
	}
	return s.sweep()
}

// Snapshot reads the entries of a state without taking office, as they were at one moment. It
// fails where there is no state, and where a leader writes so much that no such moment is found.
func Snapshot(session *zk.Session) (map[string][]byte, error) {
	switch condition, err := Look(session); {
	case err != nil:
		return nil, err
	case condition == Ended:
		return nil, ErrUninstalled
	case condition == Absent:
		return nil, fmt.Errorf("there is no state at %s in ZooKeeper at %s", session.Path,
			session.Servers())
	}
	content, _, err := session.Conn.Get(session.Path)
	if err == nil {
		_, err = schemaOf(content)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in ZooKeeper at %s: %w", session.Path,
			session.Servers(), err)
	}
	const attempts = 10
	for range attempts {
		s := newStore(session)
		if err := s.readCommit(); err != nil {
			return nil, err
		}
		entries, err := s.readAll()
		if err == nil && s.now.Pending != "" {
			_, err = s.pending(entries)
		} else if err == nil {
			err = s.whole()
		}
		before := s.version
		if again := s.readCommit(); again != nil {
			return nil, again
		}
		if s.version != before {
			continue // somebody wrote meanwhile, which may have been the reason of an error
		}
		return entries, err
	}
	return nil, fmt.Errorf("the state at %s in ZooKeeper at %s is changing all the time; try "+
		"again, or stop the scheduler first", session.Path, session.Servers())
}

// Fill makes entries the content of a state that holds none, or fails with store.ErrOccupied.
func (s *Store) Fill(entries map[string][]byte) error {
	if len(s.held) > 0 {
		return fmt.Errorf("filling %s in ZooKeeper at %s: %w", s.session.Path,
			s.session.Servers(), store.ErrOccupied)
	}
	var all []store.Change
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		all = append(all, store.Change{Key: key, Value: entries[key]})
	}
	return errors.Join(s.apply(all), s.settle())
}
