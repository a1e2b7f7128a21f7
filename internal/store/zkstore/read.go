package zkstore

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// readers is how many reads are under way at once; they share one connection.
const readers = 64

// node is where the value of a key lies.
type node struct{ key, path string }

// list gives the nodes of all keys.
func (s *Store) list() ([]node, error) {
	folders, _, err := s.session.Conn.Children(s.paths.state())
	if err != nil {
		return nil, fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.state(), err)
	}
	var mu sync.Mutex
	var nodes []node
	err = inParallel(folders, func(folder string) error {
		names, _, err := s.session.Conn.Children(s.paths.folder(folder))
		if err != nil {
			return fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.folder(folder), err)
		}
		mu.Lock()
		defer mu.Unlock()
		s.folders[folder] = true
		for _, name := range names {
			path := s.paths.folder(folder) + "/" + name
			key, is := s.paths.keyAt(path)
			if !is {
				return fmt.Errorf("reading %s in ZooKeeper: %w: the name is no key's",
					path, store.ErrDamaged)
			}
			nodes = append(nodes, node{key, path})
		}
		return nil
	})
	return nodes, err
}

// readAll reads all keys and their values, many at a time.
func (s *Store) readAll() (map[string][]byte, error) {
	nodes, err := s.list()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	entries := make(map[string][]byte, len(nodes))
	err = inParallel(nodes, func(n node) error {
		content, _, err := s.session.Conn.Get(n.path)
		if err != nil {
			return fmt.Errorf("reading %s in ZooKeeper: %w", n.path, err)
		}
		value, err := valueOf(content)
		if err != nil {
			return fmt.Errorf("reading %s in ZooKeeper: %w", n.path, err)
		}
		h := heldOf(n.key, value)
		if h.blob != "" {
			if value, err = s.getBlob(h.blob); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		entries[n.key], s.held[n.key] = value, h
		return nil
	})
	return entries, err
}

// inParallel does something for each of a list and gives the first error.
func inParallel[T any](list []T, do func(T) error) error {
	var group sync.WaitGroup
	next, failed := make(chan T), make(chan error, readers)
	for range min(readers, len(list)) {
		group.Go(func() {
			var first error
			for item := range next {
				if first == nil {
					first = do(item)
				}
			}
			failed <- first
		})
	}
	for _, item := range list {
		next <- item
	}
	close(next)
	group.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// finish carries out the large batch that a predecessor committed and did not end.
func (s *Store) finish(entries map[string][]byte) error {
	changes, err := s.pending(entries)
	if err != nil {
		return err
	}
	return s.carryOut(s.contents(changes))
}

// pending reads that batch, and makes the entries those that are there after it.
func (s *Store) pending(entries map[string][]byte) ([]store.Change, error) {
	text, err := s.getBlob(s.now.Pending)
	if err != nil {
		return nil, err
	}
	changes, err := unpacked(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(entries, c.Key)
			continue
		}
		entries[c.Key] = c.Value
		if digest := blobOf(c.Value); digest != "" {
			if entries[c.Key], err = s.getBlob(digest); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

// putBlob writes a blob before anything names it. What is left of an earlier attempt is kept.
func (s *Store) putBlob(content []byte) (digest string, err error) {
	digest = digestOf(content)
	for _, create := range s.blobOps(digest, content) {
		if err := s.make(create); err != nil {
			return "", err
		}
	}
	return digest, nil
}

// blobOps makes a blob.
func (s *Store) blobOps(digest string, content []byte) []*gozk.CreateRequest {
	ops := []*gozk.CreateRequest{{Path: s.paths.blob(digest), Acl: s.session.ACL()}}
	for i, piece := range pieces(content) {
		ops = append(ops, &gozk.CreateRequest{Path: s.paths.piece(digest, i), Data: piece,
			Acl: s.session.ACL()})
	}
	return ops
}

// make creates a node if it is still missing. The fence is checked with it.
func (s *Store) make(create *gozk.CreateRequest) error {
	exists, _, err := s.session.Conn.Exists(create.Path)
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", create.Path, err)
	}
	if exists {
		return nil
	}
	return s.multi([]any{create}, s.next(s.now.Pending))
}

func (s *Store) getBlob(digest string) ([]byte, error) {
	return getBlob(s.session, s.paths, digest)
}

// getBlob reads a blob and checks its digest.
func getBlob(session *zk.Session, below paths, digest string) ([]byte, error) {
	path := below.blob(digest)
	names, _, err := session.Conn.Children(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s in ZooKeeper: %w", path, err)
	}
	slices.Sort(names)
	var content []byte
	for _, name := range names {
		piece, _, err := session.Conn.Get(path + "/" + name)
		if err != nil {
			return nil, fmt.Errorf("reading %s/%s in ZooKeeper: %w", path, name, err)
		}
		content = append(content, piece...)
	}
	if digestOf(content) != digest {
		return nil, fmt.Errorf("reading %s in ZooKeeper: %w: its digest is wrong", path,
			store.ErrDamaged)
	}
	return content, nil
}

// sweep removes the blobs that nobody names, which a crash left.
func (s *Store) sweep() error {
	names, _, err := s.session.Conn.Children(s.paths.blobs())
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.blobs(), err)
	}
	return s.drop(names)
}

// drop removes blobs unless a key still names them.
func (s *Store) drop(digests []string) error {
	used := map[string]bool{s.now.Pending: true}
	for _, h := range s.held {
		used[h.blob] = true
	}
	for _, digest := range digests {
		if used[digest] {
			continue
		}
		used[digest] = true
		ops, err := s.removal(digest)
		if err != nil {
			return err
		}
		if len(ops) == 0 {
			continue
		}
		if err := s.multi(ops, s.next(s.now.Pending)); err != nil {
			return err
		}
	}
	return nil
}

// removal removes a blob, if it is there.
func (s *Store) removal(digest string) (ops []any, err error) {
	names, _, err := s.session.Conn.Children(s.paths.blob(digest))
	if errors.Is(err, gozk.ErrNoNode) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s in ZooKeeper: %w", s.paths.blob(digest), err)
	}
	for _, name := range names {
		path := s.paths.blob(digest) + "/" + name
		ops = append(ops, &gozk.DeleteRequest{Path: path, Version: -1})
	}
	return append(ops, &gozk.DeleteRequest{Path: s.paths.blob(digest), Version: -1}), nil
}
