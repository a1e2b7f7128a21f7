package zkstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Apply implements store.Store. It returns once the writes are durable; a large batch is carried
// out behind that, and what fails then is the error of the next call.
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

// change is a change with what the node of its key is to hold, and what is known of it then.
type change struct {
	store.Change
	content []byte
	held    held
}

// contents makes changes of such, of whose values none is too large for a node.
func (s *Store) contents(changes []store.Change) []change {
	list := make([]change, len(changes))
	for i, c := range changes {
		list[i] = change{Change: c, content: c.Value}
		if c.Value != nil {
			list[i].held = heldOf(c.Key, c.Value)
		}
		if s.schema > 1 {
			list[i].content = shrunk(c.Value)
		}
	}
	return list
}

// apply writes changes of different keys.
func (s *Store) apply(all []store.Change) error {
	var blobs [][]byte
	for i, c := range all {
		if len(c.Value) > maxValue {
			blobs = append(blobs, c.Value)
			all[i].Value = []byte(blobMark + digestOf(c.Value))
		}
	}
	changes := s.contents(all)
	var large []byte
	if s.fitting(changes) < len(changes) {
		large = packed(all) // beside what is still carried out
	}
	if err := s.settle(); err != nil {
		return err
	}
	for _, content := range blobs {
		if _, err := s.putBlob(content); err != nil {
			return err
		}
	}
	var gone []string // blobs that nobody may name any more
	for _, c := range changes {
		if digest := s.held[c.Key].blob; digest != "" {
			gone = append(gone, digest)
		}
	}
	return s.write(changes, large, gone)
}

// write commits changes: in one multi, or, packed, as one large batch. Then the blobs that have
// gone may go.
func (s *Store) write(changes []change, large []byte, gone []string) error {
	if large == nil {
		s.count(changes)
		ops := s.ops(changes)
		if err := s.multi(ops, s.next(s.now.Pending)); err != nil {
			return err
		}
		s.note(changes)
		if len(gone) > 0 {
			_ = s.drop(gone) // the batch counts; what stays now is swept at the next start
		}
		return nil
	}
	if err := s.commitLarge(changes, large); err != nil {
		return err
	}
	carried := make(chan error, 1)
	s.carried = carried
	go func() {
		err := s.carryOut(changes)
		if err == nil && len(gone) > 0 {
			_ = s.drop(gone)
		}
		carried <- err
	}()
	return nil
}

// commitLarge makes a large batch count: packed, and named as pending. As a rule both fit into one
// multi.
func (s *Store) commitLarge(changes []change, large []byte) error {
	digest := digestOf(large)
	left, _, err := s.session.Conn.Exists(s.paths.blob(digest))
	var ops []any
	if err != nil || left || len(large) > maxMulti-len(pieces(large))*opOverhead {
		if _, err := s.putBlob(large); err != nil {
			return err
		}
	} else {
		for _, create := range s.blobOps(digest, large) {
			ops = append(ops, create)
		}
	}
	s.count(changes)
	return s.multi(ops, s.next(digest))
}

// settle waits until the large batch before is carried out, if it is not: until then nothing else
// of the store may be touched. Where that failed, the store is of no use any more.
func (s *Store) settle() error {
	if s.carried != nil {
		s.failed, s.carried = <-s.carried, nil
	}
	return s.failed
}

// count makes the sum that of the state after the changes.
func (s *Store) count(changes []change) {
	for _, c := range changes {
		if old, is := s.held[c.Key]; is {
			s.sum.Sub(old.sum)
		}
		if c.Value != nil {
			s.sum.Plus(c.held.sum)
		}
	}
	s.now.Sum = hex.EncodeToString(s.sum[:])
}

// carryOut writes a large batch, which counts already, in parts, and ends it.
func (s *Store) carryOut(changes []change) error {
	pending := s.now.Pending
	done, _ := s.removal(pending) // what is not removed here is swept at the next start
	for len(changes) > 0 {
		now := changes[:s.fitting(changes)]
		ops := s.ops(now)
		if changes = changes[len(now):]; len(changes) == 0 {
			ops, pending = append(ops, done...), ""
		}
		if err := s.multi(ops, s.next(pending)); err != nil {
			return err
		}
		s.note(now)
	}
	return nil
}

// fitting is how many of the changes fit into one multi, at least one.
func (s *Store) fitting(changes []change) int {
	size := 0
	for i, c := range changes {
		size += len(s.paths.key(c.Key)) + len(c.content) + 2*opOverhead
		if i > 0 && (size > maxMulti || 2*i >= maxOps) { // a change may need a folder, too
			return i
		}
	}
	return len(changes)
}

// ops gives the operations that changes mean.
func (s *Store) ops(changes []change) (ops []any) {
	made := map[string]bool{}
	for _, c := range changes {
		path := s.paths.key(c.Key)
		_, exists := s.held[c.Key]
		switch {
		case c.Value == nil && exists:
			ops = append(ops, &gozk.DeleteRequest{Path: path, Version: -1})
		case c.Value == nil: // it is gone already
		case exists:
			ops = append(ops, &gozk.SetDataRequest{Path: path, Data: c.content, Version: -1})
		default:
			if name := folder(c.Key); !s.folders[name] && !made[name] {
				made[name] = true
				ops = append(ops, &gozk.CreateRequest{Path: s.paths.folder(name),
					Acl: s.session.ACL()})
			}
			ops = append(ops, &gozk.CreateRequest{Path: path, Data: c.content,
				Acl: s.session.ACL()})
		}
	}
	return ops
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
		return nil
	}
}

// note remembers what was made, changed or removed.
func (s *Store) note(changes []change) {
	for _, c := range changes {
		if c.Value == nil {
			delete(s.held, c.Key)
			continue
		}
		s.held[c.Key] = c.held
		s.folders[folder(c.Key)] = true
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
