package zkstore

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// ErrDeposed says that another scheduler took office: nothing of the batch was written.
var ErrDeposed = errors.New("another scheduler leads by now")

// Store is the state of one service in ZooKeeper, held by who leads.
type Store struct {
	session *zk.Session
	paths   paths
	schema  int // of the tree

	now     commit // the content of PATH/commit, and its version
	version int32
	folders map[string]bool
	held    map[string]held // by key
	sum     store.Sum       // of all that is held, and of what is being written
	hard    scheduler.Hard
	copied  bool // whether hard was held by a standby already
	// transactions and bytes count what was written since the store was opened.
	transactions int

	carried chan error // gives how carrying out a large batch ended, nil while none is under way
	failed  error      // what was given, once it was an error
}

// held is what is known of a key's node.
type held struct {
	blob string // the digest that it names, "" if it holds the value itself
	sum  store.Sum
}

func heldOf(key string, value []byte) held {
	h := held{blob: blobOf(value)}
	h.sum.Add([]byte(key), value)
	return h
}

var _ store.Store = (*Store)(nil)

// ElectionPath is where those who want to lead stand.
func ElectionPath(session *zk.Session) string { return paths(session.Path).election() }

func newStore(session *zk.Session) *Store {
	return &Store{session: session, paths: paths(session.Path), schema: Schema,
		held: map[string]held{}, folders: map[string]bool{}}
}

// Open takes office, finishes what a predecessor left unfinished, and reads the state. Who calls
// it has won the election; leader names it for people. Where the service was uninstalled it
// fails with ErrUninstalled, unless what is opened is the state of a new one.
func Open(session *zk.Session, leader string, anew bool) (*Store, error) {
	return open(session, leader, anew, nil)
}

// open takes office; a copy, if there is one, may spare it reading everything.
func open(session *zk.Session, leader string, anew bool, c *Copy) (*Store, error) {
	s := newStore(session)
	uninstalled, err := s.prepare()
	if err != nil {
		return nil, err
	}
	if uninstalled && !anew {
		return nil, ErrUninstalled
	}
	if err := s.takeOffice(leader); err != nil {
		return nil, err
	}
	if uninstalled {
		if err := s.renew(); err != nil {
			return nil, err
		}
	} else if c != nil && s.adopt(c) {
		return s, s.sweep()
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, s.sweep()
}

// read reads everything.
func (s *Store) read() error {
	entries, err := s.readAll()
	if err != nil {
		return err
	}
	if s.now.Pending != "" {
		if err := s.finish(entries); err != nil {
			return fmt.Errorf("finishing what the scheduler before began: %w", err)
		}
	}
	if err := s.whole(); err != nil {
		return err
	}
	if s.hard, err = store.Decode(entries); err != nil {
		return fmt.Errorf("reading the state below %s in ZooKeeper at %s: %w: %w; nothing in it "+
			"was changed", s.session.Path, s.session.Servers(), store.ErrDamaged, err)
	}
	return nil
}

// prepare makes the nodes that there are once, or finds that they are not ours, or are of a
// service that was uninstalled.
func (s *Store) prepare() (uninstalled bool, err error) {
	root := s.session.Path
	mine := fmt.Sprint(title, Schema)
	if ready, err := s.prepared(mine); ready || err != nil {
		return false, err
	}
	if i := strings.LastIndex(root, "/"); i > 0 {
		if err := s.session.Ensure(root[:i]); err != nil {
			return false, err
		}
	}
	if err := s.session.Make(root, []byte(mine)); err != nil {
		return false, err
	}
	if uninstalled, err = s.check(mine); err != nil {
		return false, fmt.Errorf("opening %s in ZooKeeper at %s: %w; nothing in it was changed",
			root, s.session.Servers(), zk.Explained(err))
	}
	for _, path := range []string{s.paths.state(), s.paths.blobs()} {
		if err := s.session.Ensure(path); err != nil {
			return false, err
		}
	}
	return uninstalled, s.session.Make(s.paths.commit(), commit{}.bytes())
}

// prepared reports whether all of those nodes are there, so that nothing is to be written.
func (s *Store) prepared(mine string) (bool, error) {
	var content []byte
	_, err := s.session.Conn.Sync(s.session.Path) // a server may lag behind, and it be uninstalled
	if err == nil {
		content, _, err = s.session.Conn.Get(s.session.Path)
	}
	if errors.Is(err, gozk.ErrNoNode) || err == nil && string(content) != mine {
		return false, nil
	}
	if err == nil {
		var exists bool // the commit is made last
		if exists, _, err = s.session.Conn.Exists(s.paths.commit()); err == nil {
			return exists, nil
		}
	}
	return false, fmt.Errorf("reading %s in ZooKeeper at %s: %w", s.session.Path,
		s.session.Servers(), zk.Explained(err))
}

// check reads the root node. One that is empty was made with the election below it, before the
// first of all schedulers took office.
func (s *Store) check(mine string) (uninstalled bool, err error) {
	root := s.session.Path
	content, stat, err := s.session.Conn.Get(root)
	if err != nil || string(content) == ended {
		return err == nil, err
	}
	if len(content) == 0 {
		names, _, err := s.session.Conn.Children(root)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(names, func(n string) bool { return n != "election" }) {
			return false, store.ErrForeign
		}
		_, err = s.session.Conn.Set(root, []byte(mine), stat.Version)
		return false, err
	}
	s.schema, err = schemaOf(content)
	return false, err
}

// schemaOf reads the schema of a tree in the content of its root node.
func schemaOf(content []byte) (version int, err error) {
	if _, err := fmt.Sscanf(string(content), title+"%d", &version); err != nil {
		return 0, store.ErrForeign
	}
	if version > Schema {
		return 0, fmt.Errorf("%w: its schema is %d, this release knows %d",
			store.ErrNewer, version, Schema)
	}
	return version, nil
}

// readCommit reads who wrote last.
func (s *Store) readCommit() error {
	if _, err := s.session.Conn.Sync(s.paths.commit()); err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.commit(), err)
	}
	content, stat, err := s.session.Conn.Get(s.paths.commit())
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.commit(), err)
	}
	var now commit
	if err := json.Unmarshal(content, &now); err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w: %w", s.paths.commit(),
			store.ErrDamaged, err)
	}
	s.now, s.version = now, stat.Version
	return nil
}

// takeOffice begins a new epoch. The leader before may not have noticed yet that it is none any
// more, and go on writing meanwhile.
func (s *Store) takeOffice(leader string) error {
	if err := s.readCommit(); err != nil {
		return err
	}
	for before := s.now.Epoch; s.now.Epoch == before; {
		next := commit{Epoch: before + 1, Pending: s.now.Pending, Sum: s.now.Sum, Leader: leader}
		stat, err := s.session.Conn.Set(s.paths.commit(), next.bytes(), s.version)
		if err == nil {
			s.now, s.version = next, stat.Version
			return nil
		}
		if !errors.Is(err, gozk.ErrBadVersion) {
			return fmt.Errorf("taking office in ZooKeeper: %w", err)
		}
		if err := s.readCommit(); err != nil {
			return err
		}
	}
	return ErrDeposed
}

// Epoch is the number of our time in office.
func (s *Store) Epoch() int64 { return s.now.Epoch }

// Copied reports whether the state was held by a standby already, and only compared.
func (s *Store) Copied() bool { return s.copied }

// Transactions is how many multis were written since the store was opened.
func (s *Store) Transactions() int {
	_ = s.settle() // it fails again where it matters
	return s.transactions
}

// Load implements store.Store.
func (s *Store) Load() (scheduler.Hard, error) { return s.hard, nil }

// Close implements store.Store; the session stays its owner's.
func (s *Store) Close() error { return s.settle() }

// whole checks that what is held is what was written: no node was removed or changed by
// somebody else.
func (s *Store) whole() error {
	s.sum = store.Sum{}
	for _, h := range s.held { //tidy:unordered the sum does not depend on the order
		s.sum.Plus(h.sum)
	}
	if s.now.Sum == "" || s.now.Sum == hex.EncodeToString(s.sum[:]) {
		return nil
	}
	return fmt.Errorf("reading the state below %s in ZooKeeper at %s: %w: its checksum is "+
		"wrong, so somebody else removed or changed nodes; nothing in it was changed. Put an "+
		"export of it in its place (kafka-sched state import)", s.session.Path,
		s.session.Servers(), store.ErrDamaged)
}
