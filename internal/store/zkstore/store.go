package zkstore

import (
	"bytes"
	"context"
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
	// blobs are the digests of the keys that exist, "" for those which are no blobs.
	blobs map[string]string
	hard  scheduler.Hard
	// transactions and bytes count what was written since the store was opened.
	transactions int
}

var _ store.Store = (*Store)(nil)

// ElectionPath is where those who want to lead stand.
func ElectionPath(session *zk.Session) string { return paths(session.Path).election() }

func newStore(session *zk.Session) *Store {
	return &Store{session: session, paths: paths(session.Path), blobs: map[string]string{},
		folders: map[string]bool{}}
}

// Open takes office, finishes what a predecessor left unfinished, and reads the state. Who calls
// it has won the election; leader names it for people. Where the service was uninstalled it
// fails with ErrUninstalled, unless what is opened is the state of a new one.
func Open(session *zk.Session, leader string, anew bool) (*Store, error) {
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
	}
	entries, err := s.readAll()
	if err != nil {
		return nil, err
	}
	if s.now.Pending != "" {
		if err := s.finish(entries); err != nil {
			return nil, fmt.Errorf("finishing what the scheduler before began: %w", err)
		}
	}
	if s.hard, err = store.Decode(entries); err != nil {
		return nil, fmt.Errorf("reading the state below %s in ZooKeeper at %s: %w: %w; nothing "+
			"in it was changed", session.Path, session.Servers(), store.ErrDamaged, err)
	}
	return s, s.sweep()
}

// prepare makes the nodes that there are once, or finds that they are not ours, or are of a
// service that was uninstalled.
func (s *Store) prepare() (uninstalled bool, err error) {
	root := s.session.Path
	if i := strings.LastIndex(root, "/"); i > 0 {
		if err := s.session.Ensure(root[:i]); err != nil {
			return false, err
		}
	}
	mine := fmt.Sprint(title, schema)
	_, err = s.session.Conn.Create(root, []byte(mine), 0, s.session.ACL())
	if err != nil && !errors.Is(err, gozk.ErrNodeExists) {
		return false, fmt.Errorf("making %s in ZooKeeper at %s: %w", root,
			s.session.Servers(), err)
	}
	if uninstalled, err = s.check(mine); err != nil {
		return false, fmt.Errorf("opening %s in ZooKeeper at %s: %w; nothing in it was changed",
			root, s.session.Servers(), err)
	}
	for _, path := range []string{s.paths.state(), s.paths.blobs()} {
		if err := s.session.Ensure(path); err != nil {
			return false, err
		}
	}
	_, err = s.session.Conn.Create(s.paths.commit(), commit{}.bytes(), 0, s.session.ACL())
	if err != nil && !errors.Is(err, gozk.ErrNodeExists) {
		return false, fmt.Errorf("making %s in ZooKeeper: %w", s.paths.commit(), err)
	}
	return uninstalled, nil
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
	if version > schema {
		return false, fmt.Errorf("%w: its schema is %d, this release knows %d",
			store.ErrNewer, version, schema)
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
	s.now = commit{Epoch: s.now.Epoch + 1, Pending: s.now.Pending, Leader: leader}
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
	return s.apply(latest(changes))
}

// apply writes changes of different keys.
func (s *Store) apply(changes []store.Change) error {
	var gone []string // blobs that nobody may name any more
	for i, c := range changes {
		if digest := s.blobs[c.Key]; digest != "" {
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

// latest leaves the last change of each key, in the order of these.
func latest(changes []store.Change) []store.Change {
	last := map[string]int{}
	for i, c := range changes {
		last[c.Key] = i
	}
	out := make([]store.Change, 0, len(last))
	for i, c := range changes {
		if last[c.Key] == i {
			out = append(out, c)
		}
	}
	return out
}

// write commits changes: in one multi, or as one large batch.
func (s *Store) write(changes []store.Change) error {
	if ops, size := s.ops(changes); len(ops) <= maxOps && size <= maxMulti {
		return s.multi(ops, s.next(s.now.Pending))
	}
	text, err := json.Marshal(changes)
	if err != nil {
		return fmt.Errorf("encoding a large batch: %w", err)
	}
	digest, err := s.putBlob(text)
	if err != nil {
		return err
	}
	if err := s.multi(nil, s.next(digest)); err != nil {
		return err
	}
	return s.carryOut(changes)
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
		_, exists := s.blobs[c.Key]
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
			delete(s.blobs, key)
		}
	}
}

func (s *Store) noteValue(path string, content []byte) {
	if key, is := s.paths.keyAt(path); is {
		s.blobs[key] = blobOf(content)
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
