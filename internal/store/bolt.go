package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Schema is the version of the meaning of keys and values; doc.go says when it is raised.
const Schema = 2

// lockPatience is how long another process may hold the file before Open gives up.
const lockPatience = time.Second

// mapped is how much of the address space the file is given at once. When it becomes larger it is
// mapped anew, and what a transaction has in hand is then copied: 70 MB for 10,000 instances.
const mapped = 1 << 28

// grown is how much more than it needs the file becomes when it has to become larger.
const grown = 1 << 15

// Reasons for which Open refuses a file; the message around them says what to do.
var (
	ErrInUse   = errors.New("the state file is in use by another scheduler")
	ErrDamaged = errors.New("the state file is damaged")
	ErrForeign = errors.New("the file is not a state file of kafka-sched")
	ErrNewer   = errors.New("the state file is of a newer release")
)

var (
	metaBucket  = []byte("kafka-sched")
	stateBucket = []byte("state")
	schemaKey   = []byte("schema")
	schemaValue = []byte(strconv.Itoa(Schema))
	sumKey      = []byte("sum")
	digestKey   = []byte("sha256") // of the first schema
)

// Bolt is the store in one bbolt file.
type Bolt struct {
	path string
	db   *bbolt.DB
	// opened is what the file held when it was opened, until somebody loads it or writes.
	opened *scheduler.Hard
	// earlier says that the file was of an earlier schema when it was opened.
	earlier bool
	// spared is when what is mapped of the file was last given back, and written how many bytes
	// were written since.
	spared  time.Time
	written int
}

var _ Store = (*Bolt)(nil)

// Open opens the file, or makes it when there is none (its folder must exist); an empty file is
// what a crash in the middle of that leaves, and counts as none. One process at a time may have
// it open. The error is, by errors.Is, one of those above where the file itself is the reason.
func Open(path string) (*Bolt, error) {
	b, err := open(path)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, ErrDamaged):
		return nil, fmt.Errorf("opening %s: %w; nothing in it was changed. Put a copy of it in "+
			"its place; without one, move it away: the scheduler then starts as a new "+
			"framework that knows nothing of the old one's tasks, reservations and volumes",
			path, err)
	case errors.Is(err, ErrForeign):
		return nil, fmt.Errorf("opening %s: %w; nothing in it was changed. Name another file, "+
			"or, if its beginning was destroyed, put a copy of it in its place", path, err)
	case errors.Is(err, ErrNewer):
		return nil, fmt.Errorf("opening %s: %w; nothing in it was changed. Start the release "+
			"that wrote it, or a later one", path, err)
	case errors.Is(err, ErrInUse):
		return nil, fmt.Errorf("opening %s: %w; end that one first", path, err)
	default:
		return nil, fmt.Errorf("opening the state file %s: %w", path, err)
	}
}

func open(path string) (*Bolt, error) {
	info, err := os.Stat(path)
	fresh := errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0
	switch {
	case fresh:
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a file")
	default:
		if err := inspect(path); err != nil {
			return nil, err
		}
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         lockPatience,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapped,
		NoStatistics:    true,
	})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, err
	}
	db.AllocSize = grown
	b := &Bolt{path: path, db: db}
	if err := b.begin(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if fresh {
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return b, nil
}

// begin checks that the file is ours, of this release and whole, or, if nothing was ever
// written to it, makes it ours. It writes in no other case.
func (b *Bolt) begin() error {
	empty := false
	err := b.db.View(func(tx *bbolt.Tx) error {
		first, _ := tx.Cursor().First()
		if empty = first == nil; empty {
			return nil
		}
		hard, err := read(tx)
		b.opened = &hard
		b.earlier = err == nil && !bytes.Equal(tx.Bucket(metaBucket).Get(schemaKey), schemaValue)
		return err
	})
	if err != nil || !empty {
		return err
	}
	return b.db.Update(func(tx *bbolt.Tx) error {
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		state, err := tx.CreateBucket(stateBucket)
		if err != nil {
			return err
		}
		if err := meta.Put(schemaKey, schemaValue); err != nil {
			return err
		}
		empty := sumOf(state)
		return meta.Put(sumKey, empty[:])
	})
}

// Load implements Store.
func (b *Bolt) Load() (scheduler.Hard, error) {
	if hard := b.opened; hard != nil {
		b.opened = nil
		return *hard, nil
	}
	var hard scheduler.Hard
	err := b.db.View(func(tx *bbolt.Tx) (err error) {
		hard, err = read(tx)
		return err
	})
	if err != nil {
		return scheduler.Hard{}, fmt.Errorf("loading the state from %s: %w", b.path, err)
	}
	return hard, nil
}

// read gives the state, or says why the file cannot be used.
func read(tx *bbolt.Tx) (scheduler.Hard, error) {
	meta, state := tx.Bucket(metaBucket), tx.Bucket(stateBucket)
	if meta == nil {
		return scheduler.Hard{}, ErrForeign
	}
	version, err := strconv.Atoi(string(meta.Get(schemaKey)))
	switch {
	case err != nil || version < 1:
		return scheduler.Hard{}, fmt.Errorf("%w: its schema version is %q",
			ErrDamaged, meta.Get(schemaKey))
	case version > Schema:
		return scheduler.Hard{}, fmt.Errorf("%w: its schema is %d, this release knows %d",
			ErrNewer, version, Schema)
	case state == nil:
		return scheduler.Hard{}, fmt.Errorf("%w: it holds no state", ErrDamaged)
	case !sumsUp(version, meta, state):
		return scheduler.Hard{}, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	entries := map[string][]byte{}
	err = state.ForEach(func(k, v []byte) error {
		entries[string(k)] = v
		return nil
	})
	if err != nil {
		return scheduler.Hard{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	hard, err := Decode(entries)
	if err != nil {
		return scheduler.Hard{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return hard, nil
}

// Apply implements Store; it returns after the file is on the disk.
func (b *Bolt) Apply(writes []scheduler.Write) error {
	if len(writes) == 0 {
		return nil
	}
	b.opened = nil
	changes, err := Encode(writes)
	if err != nil {
		return err
	}
	if err := b.backUp(); err != nil {
		return err
	}
	err = b.db.Update(func(tx *bbolt.Tx) error {
		meta, state := tx.Bucket(metaBucket), tx.Bucket(stateBucket)
		all, err := keptSum(meta, state)
		if err != nil {
			return err
		}
		for _, c := range Latest(changes) {
			b.written += len(c.Value)
			if err := apply(state, c, &all); err != nil {
				return err
			}
		}
		return meta.Put(sumKey, all[:])
	})
	if err != nil {
		return fmt.Errorf("writing to the state file %s: %w", b.path, err)
	}
	if now := time.Now(); b.written > spareAfter || now.After(b.spared.Add(spareEvery)) {
		b.spared, b.written = now, 0
		b.spare()
	}
	return nil
}

// spareEvery is how often writes give back what is mapped of the file, and spareAfter how many
// bytes of them do so at once: what took the place of an entry had it read before.
const (
	spareEvery = time.Second
	spareAfter = 4 << 20
)

// spare lets go of the pages of the file that were touched: they count as memory of this process,
// some 46 MB for 10,000 instances, and the kernel has them at hand all the same. Where it does not
// work, nothing is lost.
func (b *Bolt) spare() {
	info, err := os.Stat(b.path)
	if err == nil {
		unix.Syscall(unix.SYS_MADVISE, b.db.Info().Data, uintptr(info.Size()),
			unix.MADV_DONTNEED)
	}
}

func apply(state *bbolt.Bucket, c Change, all *Sum) error {
	key := []byte(c.Key)
	all.Remove(key, state.Get(key))
	if c.Value == nil {
		return state.Delete(key)
	}
	all.Add(key, c.Value)
	return state.Put(key, c.Value)
}

// Close implements Store.
func (b *Bolt) Close() error {
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("closing the state file %s: %w", b.path, err)
	}
	return nil
}

// sumsUp reports whether the checksum in a file is that of what it holds.
func sumsUp(version int, meta, state *bbolt.Bucket) bool {
	if version == 1 {
		return bytes.Equal(meta.Get(digestKey), digest(state))
	}
	all := sumOf(state)
	return bytes.Equal(meta.Get(sumKey), all[:])
}

// syncFolder makes a new file's name durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
