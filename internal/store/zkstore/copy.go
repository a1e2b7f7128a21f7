package zkstore

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	gozk "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// Copy is what a scheduler that stands by holds of the state: it reads all of it, and again what
// ZooKeeper's watches say has changed. Nothing in it counts until Open has compared it with what
// the leader before wrote last; a copy that is not the state, to the byte, is thrown away.
type Copy struct {
	session *zk.Session
	paths   paths
	log     *slog.Logger

	mu    sync.Mutex
	stale map[string]bool // paths that are to be read
	told  chan struct{}   // holds something once a path was added

	// What was read. Follow and Open touch it, one after the other; with mu while many reads are
	// under way.
	folders map[string]bool
	held    map[string]held
	sum     store.Sum // of all that is held
	state   *store.Growing
}

const (
	// gather is how long changes gather before they are read.
	gather = 50 * time.Millisecond
	// shortest and longest are how long a copy that failed waits until it begins anew.
	shortest, longest = time.Second, time.Minute
)

// NewCopy begins a copy, which Follow reads.
func NewCopy(session *zk.Session, log *slog.Logger) *Copy {
	c := &Copy{session: session, paths: paths(session.Path), log: log,
		told: make(chan struct{}, 1)}
	c.begin()
	session.OnChange(c.note)
	return c
}

// begin forgets everything.
func (c *Copy) begin() {
	c.folders, c.held, c.sum = map[string]bool{}, map[string]held{}, store.Sum{}
	c.state = store.NewGrowing()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = map[string]bool{c.paths.state(): true}
}

// note takes in that something at a path has changed.
func (c *Copy) note(path string) {
	if path != c.paths.state() && !strings.HasPrefix(path, c.paths.state()+"/") {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale[path] = true
	select {
	case c.told <- struct{}{}:
	default:
	}
}

// Follow keeps the copy up with the state until the context ends, or the session. What fails is
// begun anew after a while: who leads is not to be disturbed.
func (c *Copy) Follow(ctx context.Context) {
	wait, whole := shortest, false
	for ctx.Err() == nil {
		err := c.round()
		pause := gather
		switch {
		case err == nil && c.upToDate():
			if !whole {
				c.log.Info("a copy of the state is held", "records", len(c.held))
			}
			wait, whole = shortest, true
			select {
			case <-c.told:
			case <-ctx.Done():
			}
		case err == nil:
		case zk.Retriable(err):
			if c.session.Connected(ctx) != nil {
				return
			}
		default:
			c.log.Warn("the copy of the state is begun anew", "error", err, "after", wait)
			c.begin()
			whole = false
			pause, wait = wait, min(2*wait, longest)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (c *Copy) upToDate() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.stale) == 0
}

// round reads what is known to be stale by now.
func (c *Copy) round() error {
	c.mu.Lock()
	list := make([]string, 0, len(c.stale))
	for path := range c.stale { //tidy:unordered all are read, many at a time
		list = append(list, path)
	}
	clear(c.stale)
	c.mu.Unlock()
	err := inParallel(list, c.read)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, path := range list {
			c.stale[path] = true
		}
	}
	return err
}

// read reads a path, and has ZooKeeper tell of the next change.
func (c *Copy) read(path string) error {
	if key, is := c.paths.keyAt(path); is {
		return c.readKey(key, path)
	}
	return c.readNames(path)
}

// readNames reads which folders there are, or which keys in one; those that are new are stale.
// A key that has gone is told by its own node.
func (c *Copy) readNames(path string) error {
	names, _, _, err := c.session.Conn.ChildrenW(path)
	if errors.Is(err, gozk.ErrNoNode) { // no scheduler has led yet
		exists, _, _, err := c.session.Conn.ExistsW(path)
		if exists {
			c.note(path)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", path, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		below := path + "/" + name
		if path == c.paths.state() {
			if !c.folders[name] {
				c.folders[name], c.stale[below] = true, true
			}
			continue
		}
		key, is := c.paths.keyAt(below)
		if !is {
			return fmt.Errorf("reading %s in ZooKeeper: %w: the name is no key's", below,
				store.ErrDamaged)
		}
		if _, known := c.held[key]; !known {
			c.stale[below] = true
		}
	}
	return nil
}

// readKey reads the value of a key.
func (c *Copy) readKey(key, path string) error {
	content, _, _, err := c.session.Conn.GetW(path)
	gone := errors.Is(err, gozk.ErrNoNode)
	if err != nil && !gone {
		return fmt.Errorf("reading %s in ZooKeeper: %w", path, err)
	}
	value, err := valueOf(content)
	if err != nil {
		return fmt.Errorf("reading %s in ZooKeeper: %w", path, err)
	}
	h := heldOf(key, value)
	if h.blob != "" {
		if value, err = getBlob(c.session, c.paths, h.blob); err != nil {
			return c.unlessChanged(path, content, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, known := c.held[key]; known {
		c.sum.Sub(old.sum)
		delete(c.held, key)
	}
	if gone {
		return c.state.Change(store.Change{Key: key})
	}
	c.held[key] = h
	c.sum.Plus(h.sum)
	return c.state.Change(store.Change{Key: key, Value: value})
}

// unlessChanged gives the error of reading what a node names, unless the node names something else
// by now, and the other has been removed for that.
func (c *Copy) unlessChanged(path string, content []byte, err error) error {
	now, _, again := c.session.Conn.Get(path)
	if again != nil && !errors.Is(again, gozk.ErrNoNode) {
		return again
	}
	if again == nil && bytes.Equal(now, content) {
		return err
	}
	c.note(path)
	return nil
}

// Open is as the function Open. It reads only what changed since the copy was read; if the copy
// is not what the leader before wrote last, it reads everything. Follow has to have ended.
func (c *Copy) Open(leader string, anew bool) (*Store, error) {
	s, err := open(c.session, leader, anew, c)
	if err == nil {
		c.session.OnChange(nil)
	}
	return s, err
}

// adopt makes what a copy holds that of the store, if it is the state. Who calls it has taken
// office: nobody else writes any more, and what others wrote before, ZooKeeper has told of before
// it told what PATH/commit holds.
func (s *Store) adopt(c *Copy) bool {
	if s.now.Pending != "" || s.now.Sum == "" {
		return false
	}
	for !c.upToDate() {
		if err := c.round(); err != nil {
			c.log.Warn("the copy of the state cannot be brought up to date", "error", err)
			return false
		}
	}
	if hex.EncodeToString(c.sum[:]) != s.now.Sum {
		c.log.Warn("the copy of the state is not what was written last; all of it is read")
		return false
	}
	hard, err := c.state.Hard()
	if err != nil {
		return false // reading everything says what is wrong
	}
	s.folders, s.held, s.sum, s.hard = c.folders, c.held, c.sum, hard
	s.copied = true
	return true
}
