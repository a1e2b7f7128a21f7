package zkstore

import (
	"bytes"
	"context"
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

	now     commit // the content of PATH/commit, and its version
	version int32
	folders map[string]bool
	held    map[string]held // by key
	sum     store.Sum       // of all that is held, and of what is being written
	hard    scheduler.Hard
	copied  bool // whether hard was held by a standby already
	// transactions and bytes count what was written since the store was opened.
	transactions int
}

// held is what is known of a key's node.
type held struct {
	blob string // the digest that it names, "" if it holds the value itself
	sum  store.Sum
}

func heldOf(key string, content []byte) held {
	h := held{blob: blobOf(content)}
	h.sum.Add([]byte(key), content)
	return h
}

var _ store.Store = (*Store)(nil)

// ElectionPath is where those who want to lead stand.
func ElectionPath(session *zk.Session) string { return paths(session.Path).election() }

func newStore(session *zk.Session) *Store {
	return &Store{session: session, paths: paths(session.Path), held: map[string]held{},
		folders: map[string]bool{}}
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
	var version int
	if _, err := fmt.Sscanf(string(content), title+"%d", &version); err != nil {
		return false, store.ErrForeign
	}
	if version > Schema {
		return false, fmt.Errorf("%w: its schema is %d, this release knows %d",
			store.ErrNewer, version, Schema)
	}
	return false, nil
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

// takeOffice begins a new epoch.
func (s *Store) takeOffice(leader string) error {
	if err := s.readCommit(); err != nil {
		return err
	}
	s.now = commit{Epoch: s.now.Epoch + 1, Pending: s.now.Pending, Sum: s.now.Sum,
		Leader: leader}
	stat, err := s.session.Conn.Set(s.paths.commit(), s.now.bytes(), s.version)
	if errors.Is(err, gozk.ErrBadVersion) {
		return ErrDeposed
	}
	if err != nil {
		return fmt.Errorf("taking office in ZooKeeper: %w", err)
	}
	s.version = stat.Version
	return nil
}

// Epoch is the number of our time in office.
func (s *Store) Epoch() int64 { return s.now.Epoch }

// Copied reports whether the state was held by a standby already, and only compared.
func (s *Store) Copied() bool { return s.copied }

// Transactions is how many multis were written since the store was opened.
func (s *Store) Transactions() int { return s.transactions }

// Load implements store.Store.
func (s *Store) Load() (scheduler.Hard, error) { return s.hard, nil }

// Close implements store.Store; the session stays its owner's.
func (s *Store) Close() error { return nil }

// Apply implements store.Store.
func (s *Store) Apply(writes []scheduler.Write) error {
	if len(writes) == 0 {
		return nil
	}
	changes, err := store.Encode(writes)
	if err != nil {
		return err
	}
	return s.apply(store.Latest(changes))
}

// apply writes changes of different keys.
func (s *Store) apply(changes []store.Change) error {
	var gone []string // blobs that nobody may name any more
	for i, c := range changes {
		if digest := s.held[c.Key].blob; digest != "" {
			gone = append(gone, digest)
		}
		if len(c.Value) > maxValue {
			digest, err := s.putBlob(c.Value)
			if err != nil {
				return err
			}
			changes[i].Value = []byte(blobMark + digest)
		}
	}
	if err := s.write(changes); err != nil {
		return err
	}
	if len(gone) > 0 {
		_ = s.drop(gone) // the batch counts; what stays now is swept at the next start
	}
	return nil
}

// write commits changes: in one multi, or as one large batch.
func (s *Store) write(changes []store.Change) error {
	if ops, size := s.ops(changes); len(ops) <= maxOps && size <= maxMulti {
		s.count(changes)
		return s.multi(ops, s.next(s.now.Pending))
	}
	digest, err := s.putBlob(packed(changes))
	if err != nil {
		return err
	}
	s.count(changes)
	if err := s.multi(nil, s.next(digest)); err != nil {
		return err
	}
	return s.carryOut(changes)
}

// count makes the sum that of the state after the changes.
func (s *Store) count(changes []store.Change) {
	for _, c := range changes {
		if old, is := s.held[c.Key]; is {
			s.sum.Sub(old.sum)
		}
		if c.Value != nil {
			s.sum.Add([]byte(c.Key), c.Value)
		}
	}
	s.now.Sum = hex.EncodeToString(s.sum[:])
}

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

// carryOut writes a large batch, which counts already, in parts, and ends it.
func (s *Store) carryOut(changes []store.Change) error {
	digest := s.now.Pending
	for len(changes) > 0 {
		n := s.fitting(changes)
		ops, _ := s.ops(changes[:n])
		changes = changes[n:]
		pending := digest
		if len(changes) == 0 {
			pending = ""
		}
		if err := s.multi(ops, s.next(pending)); err != nil {
			return err
		}
	}
	_ = s.drop([]string{digest})
	return nil
}

// fitting is how many of the changes fit into one multi, at least one.
func (s *Store) fitting(changes []store.Change) int {
	size := 0
	for i, c := range changes {
		size += len(s.paths.key(c.Key)) + len(c.Value) + 2*opOverhead
		if i > 0 && (size > maxMulti || 2*i >= maxOps) { // a change may need a folder, too
			return i
		}
	}
	return len(changes)
}

// ops gives the operations that changes mean, and their size.
func (s *Store) ops(changes []store.Change) (ops []any, size int) {
	made := map[string]bool{}
	for _, c := range changes {
		path := s.paths.key(c.Key)
		size += len(path) + len(c.Value) + opOverhead
		_, exists := s.held[c.Key]
		switch {
		case c.Value == nil && exists:
			ops = append(ops, &gozk.DeleteRequest{Path: path, Version: -1})
		case c.Value == nil: // it is gone already
		case exists:
			ops = append(ops, &gozk.SetDataRequest{Path: path, Data: c.Value, Version: -1})
		default:
			if name := folder(c.Key); !s.folders[name] && !made[name] {
				made[name] = true
				size += opOverhead
				ops = append(ops, &gozk.CreateRequest{Path: s.paths.folder(name),
					Acl: s.session.ACL()})
			}
			ops = append(ops, &gozk.CreateRequest{Path: path, Data: c.Value,
				Acl: s.session.ACL()})
		}
	}
	return ops, size
}

// next is the commit that follows.
func (s *Store) next(pending string) commit {
	next := s.now
	next.Batch++
	next.Pending = pending
	return next
}

// multi writes one transaction behind the fence, and waits out lost connections for as long as
// the session lives.
func (s *Store) multi(ops []any, next commit) error {
	fence := &gozk.SetDataRequest{Path: s.paths.commit(), Data: next.bytes(), Version: s.version}
	all := append([]any{fence}, ops...)
	for {
		_, err := s.session.Conn.Multi(all...)
		if err != nil {
			if taken, asked := s.taken(err, next); asked != nil {
				return asked
			} else if !taken {
				continue
			}
		}
		s.transactions++
		s.now, s.version = next, s.version+1
		for _, op := range ops {
			s.note(op)
		}
		return nil
	}
}

// note remembers what an operation made, changed or removed.
func (s *Store) note(op any) {
	switch op := op.(type) {
	case *gozk.CreateRequest:
		s.noteValue(op.Path, op.Data)
	case *gozk.SetDataRequest:
		s.noteValue(op.Path, op.Data)
	case *gozk.DeleteRequest:
		if key, is := s.paths.keyAt(op.Path); is {
			delete(s.held, key)
		}
	}
}

func (s *Store) noteValue(path string, content []byte) {
	if key, is := s.paths.keyAt(path); is {
		s.held[key] = heldOf(key, content)
		s.folders[folder(key)] = true
	}
}

// taken finds out, after a multi failed or its answer was lost, whether it was carried out. If
// not, and it may be sent again, both results are zero.
func (s *Store) taken(cause error, next commit) (taken bool, err error) {
	lost := errors.Is(cause, gozk.ErrConnectionClosed) || errors.Is(cause, gozk.ErrNoServer) ||
		errors.Is(cause, gozk.ErrSessionMoved)
	if !lost && !errors.Is(cause, gozk.ErrBadVersion) {
		return false, fmt.Errorf("writing below %s in ZooKeeper at %s: %w", s.session.Path,
			s.session.Servers(), cause)
	}
	if err := s.session.Connected(context.Background()); err != nil {
		return false, fmt.Errorf("writing below %s in ZooKeeper at %s: %w", s.session.Path,
			s.session.Servers(), err)
	}
	if _, err := s.session.Conn.Sync(s.paths.commit()); err != nil {
		return false, nil //nolint:nilerr // the connection broke again: the caller tries again
	}
	content, stat, err := s.session.Conn.Get(s.paths.commit())
	switch {
	case err != nil:
		return false, nil // likewise
	case stat.Version == s.version:
		return false, nil
	case stat.Version == s.version+1 && bytes.Equal(content, next.bytes()):
		return true, nil
	default:
		return false, fmt.Errorf("writing below %s in ZooKeeper: %w: %s", s.session.Path,
			ErrDeposed, content)
	}
}
