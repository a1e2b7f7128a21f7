package zkstore

import (
	"errors"
	"fmt"

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
			session.Servers(), err)
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
		s.blobs[node.key] = ""
	}
	s.now.Pending = ""
	if err := s.clear(); err != nil {
		return err
	}
	mine := &gozk.SetDataRequest{Path: s.session.Path, Data: []byte(fmt.Sprint(title, schema)),
		Version: -1}
	return s.multi([]any{mine}, s.next(""))
}

// clear removes all keys.
func (s *Store) clear() error {
	var all []store.Change
	for key := range s.blobs { //tidy:unordered one change a key, and all of them are made
		all = append(all, store.Change{Key: key})
	}
	if err := s.write(all); err != nil {
		return err
	}
	return s.sweep()
}
