package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

func mustOpen(t testing.TB, path string) *Bolt {
	t.Helper()
	b, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// stepBefore is what the last but one transaction of a full file did.
var stepBefore = []scheduler.Write{scheduler.WriteIntent{Intent: scheduler.Stop}}

// fullFile makes a file that holds a state after several transactions, and closes it.
func fullFile(t testing.TB) (path string, state scheduler.Hard) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	b := mustOpen(t, path)
	state = filled[scheduler.Hard](&counter{})
	for _, writes := range [][]scheduler.Write{Writes(state), stepBefore, Writes(state)} {
		if err := b.Apply(writes); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return path, state
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// refused opens a file that must be refused, for a reason, with advice, and left as it is.
func refused(t testing.TB, path string, reason error, advice string) {
	t.Helper()
	before := contents(t, path)
	b, err := Open(path)
	if err == nil {
		_ = b.Close()
		t.Fatal("the file was opened")
	}
	for _, part := range []string{path, advice} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message does not say %q: %v", part, err)
		}
	}
	if !errors.Is(err, reason) {
		t.Errorf("got %v, want %v", err, reason)
	}
	if !bytes.Equal(before, contents(t, path)) {
		t.Error("the file was changed")
	}
}

// TestBolt plays the life of a state over many starts.
func TestBolt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := mustOpen(t, path)
	checkStore(t, b, func() Store {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = mustOpen(t, path)
		return b
	})
	info, err := os.Stat(path)
	if err != nil || info.Size() > 1<<18 || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestBoltInUse says that a second scheduler is told so, before and after the first has written.
func TestBoltInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := mustOpen(t, path)
	refused(t, path, ErrInUse, "is in use by another scheduler; end that one first")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path)
}

// TestBoltEmptyFile says that the remains of a start that crashed at once are no obstacle.
func TestBoltEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	write := []scheduler.Write{scheduler.WriteFramework{ID: "f"}}
	if err := mustOpen(t, path).Apply(write); err != nil {
		t.Fatal(err)
	}
}

// TestBoltBadPaths says that a missing folder and a folder in the file's place are named.
func TestBoltBadPaths(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{folder, filepath.Join(folder, "no", "state.db")} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestBoltForeign says that what is not ours is left alone.
func TestBoltForeign(t *testing.T) {
	folder := t.TempDir()
	for name, data := range map[string][]byte{
		"short": []byte("x"),
		"text":  bytes.Repeat([]byte("a text file\n"), 9999),
		"zeros": make([]byte, 1<<15),
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, path, ErrForeign, "Name another file")
	}
	path := filepath.Join(folder, "other.db")
	edit(t, path, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("someone else's"))
		return err
	})
	refused(t, path, ErrForeign, "Name another file")
}

// edit changes a file behind the store's back.
func edit(t testing.TB, path string, change func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestBoltNewer says that a newer release's file is left alone (F7).
func TestBoltNewer(t *testing.T) {
	path, _ := fullFile(t)
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket(metaBucket).Put(schemaKey, []byte("3"))
	})
	refused(t, path, ErrNewer, "its schema is 3, this release knows 2; nothing in it was changed")
}

// TestBoltDamagedValues says that wrong values are found although the file itself is sound.
func TestBoltDamagedValues(t *testing.T) {
	for name, change := range map[string]func(meta, state *bbolt.Bucket) error{
		"a value changed": func(_, state *bbolt.Bucket) error {
			return state.Put([]byte(frameworkKey), []byte(`{"id":"other"}`))
		},
		"a value gone": func(_, state *bbolt.Bucket) error {
			return state.Delete([]byte(frameworkKey))
		},
		"garbage with a right checksum": func(meta, state *bbolt.Bucket) error {
			return errors.Join(state.Put([]byte(frameworkKey), []byte("\xff")),
				meta.Put(sumKey, sumIn(state)))
		},
		"no schema": func(meta, _ *bbolt.Bucket) error { return meta.Delete(schemaKey) },
		"wrong schema": func(meta, _ *bbolt.Bucket) error {
			return meta.Put(schemaKey, []byte("x"))
		},
		"no state": func(meta, _ *bbolt.Bucket) error {
			return meta.Tx().DeleteBucket(stateBucket)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := fullFile(t)
			edit(t, path, func(tx *bbolt.Tx) error {
				return change(tx.Bucket(metaBucket), tx.Bucket(stateBucket))
			})
			refused(t, path, ErrDamaged, "Put a copy of it in its place")
		})
	}
}

func sumIn(state *bbolt.Bucket) []byte {
	s := sumOf(state)
	return s[:]
}

// TestBoltFirstSchema opens a file of the first schema, and makes it a present one with the first
// transaction, with a copy of what it was that the release before can go back to (F7).
func TestBoltFirstSchema(t *testing.T) {
	path, state := fullFile(t)
	edit(t, path, func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Delete(sumKey), meta.Put(schemaKey, []byte("1")),
			meta.Put(digestKey, digest(tx.Bucket(stateBucket))))
	})
	before := contents(t, path)
	b := mustOpen(t, path)
	got, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(state, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !bytes.Equal(before, contents(t, path)) {
		t.Error("opening changed the file")
	}
	err = b.Apply([]scheduler.Write{scheduler.WriteIntent{Intent: scheduler.Stop}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	kept := mustOpen(t, path+".schema-1")
	if got, err = kept.Load(); err != nil || same(state, got) != "" {
		t.Errorf("the copy: %v %s", err, same(state, got))
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, path+".schema-1", func(tx *bbolt.Tx) error {
		if version := string(tx.Bucket(metaBucket).Get(schemaKey)); version != "1" {
			t.Errorf("the copy is of schema %s", version)
		}
		return nil
	})
	edit(t, path, func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		if string(meta.Get(schemaKey)) != "2" || meta.Get(digestKey) != nil {
			t.Errorf("schema %s, old checksum %x", meta.Get(schemaKey), meta.Get(digestKey))
		}
		return nil
	})
	if got, err = mustOpen(t, path).Load(); err != nil || got.Intent != scheduler.Stop {
		t.Errorf("intent %s, %v", got.Intent, err)
	}
}

// TestBoltBackupFails changes nothing in a file of the first schema of which no copy can be kept
// (F7, F9).
func TestBoltBackupFails(t *testing.T) {
	path, _ := fullFile(t)
	edit(t, path, func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		return errors.Join(meta.Delete(sumKey), meta.Put(schemaKey, []byte("1")),
			meta.Put(digestKey, digest(tx.Bucket(stateBucket))))
	})
	if err := os.Mkdir(path+".schema-1.part", 0o700); err != nil { // no file can be made there
		t.Fatal(err)
	}
	before := contents(t, path)
	b := mustOpen(t, path)
	err := b.Apply([]scheduler.Write{scheduler.WriteIntent{Intent: scheduler.Stop}})
	if err == nil || !strings.Contains(err.Error(), "keeping a copy of") {
		t.Errorf("%v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, contents(t, path)) {
		t.Error("the file was changed all the same")
	}
}

// TestBoltTruncated cuts a file at every kilobyte (F7).
func TestBoltTruncated(t *testing.T) {
	path, _ := fullFile(t)
	data, state := contents(t, path), fileDigest(t, path)
	for size := 1; size < len(data); size += 1 << 10 {
		if err := os.WriteFile(path, data[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		whole(t, path, state, nil)
	}
}

// TestBoltFlipped damages one spot of the file after the other: what is opened nevertheless is
// the whole state (the spot was not in use, or was one of bbolt's two alternating first pages).
// (F7)
func TestBoltFlipped(t *testing.T) {
	path, full := fullFile(t)
	data, state, before := contents(t, path), fileDigest(t, path), digestBefore(t, full)
	dice := rand.New(rand.NewPCG(1, 2))
	positions, outcomes := []int{}, map[bool]int{}
	for page := 0; page < len(data); page += os.Getpagesize() {
		for i := range 48 { // the header and the first elements of each page
			positions = append(positions, page+i)
		}
		for range 16 {
			positions = append(positions, page+dice.IntN(os.Getpagesize()))
		}
	}
	for _, at := range positions {
		damaged := bytes.Clone(data)
		damaged[at] ^= 1 << dice.IntN(8)
		if dice.IntN(4) == 0 {
			damaged[at] = 0xff
		}
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		var allowed []byte
		if at < 2*os.Getpagesize() {
			allowed = before
		}
		outcomes[whole(t, path, state, allowed)]++
	}
	if outcomes[true] < 50 || outcomes[false] < 50 {
		t.Errorf("%d files opened, %d refused: the test has lost its sense",
			outcomes[true], outcomes[false])
	}
}

// whole opens a damaged file: it is refused, and left as it is, or gives all of the state; or,
// where there is a digest of the transaction before, the state of that.
func whole(t *testing.T, path string, state, before []byte) (opened bool) {
	t.Helper()
	file := contents(t, path)
	b, err := Open(path)
	if err != nil {
		if !bytes.Equal(file, contents(t, path)) {
			t.Fatal("a refused file was changed")
		}
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrForeign) &&
			!errors.Is(err, ErrNewer) {
			t.Fatalf("refused for another reason: %v", err)
		}
		return false
	}
	defer b.Close()
	got := b.digest()
	if !bytes.Equal(state, got) && !bytes.Equal(before, got) {
		t.Fatal("opened with another state")
	}
	return true
}

// digestBefore is that of a full file before its last transaction.
func digestBefore(t *testing.T, state scheduler.Hard) []byte {
	b := mustOpen(t, filepath.Join(t.TempDir(), "before.db"))
	defer b.Close()
	if err := b.Apply(append(Writes(state), stepBefore...)); err != nil {
		t.Fatal(err)
	}
	return b.digest()
}

// digest is that of what the file holds, not the one written in it.
func (b *Bolt) digest() (out []byte) {
	_ = b.db.View(func(tx *bbolt.Tx) error {
		out = sumIn(tx.Bucket(stateBucket))
		return nil
	})
	return out
}

func fileDigest(t *testing.T, path string) []byte {
	b := mustOpen(t, path)
	defer b.Close()
	return b.digest()
}

// TestBoltFailedApply says that writes which cannot all be made leave no trace.
func TestBoltFailedApply(t *testing.T) {
	path, state := fullFile(t)
	b := mustOpen(t, path)
	// A key of more than 32 KiB is more than bbolt takes.
	tooLong := scheduler.PodName{Type: strings.Repeat("x", 1<<16)}
	err := b.Apply([]scheduler.Write{
		scheduler.WriteIntent{Intent: scheduler.Stop},
		scheduler.WritePod{Pod: scheduler.Pod{Name: tooLong}},
	})
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got %v", err)
	}
	got, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(state, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBoltGrows writes more than the first pages hold.
func TestBoltGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	b := mustOpen(t, path)
	for i := range 60 {
		p := filled[scheduler.Pod](&counter{})
		p.Name = scheduler.PodName{Type: "kafka", Index: i}
		p.Executor = scheduler.Executor{ID: "e"}
		if err := b.Apply([]scheduler.Write{scheduler.WritePod{Pod: p}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	hard, err := mustOpen(t, path).Load()
	if err != nil || len(hard.Pods) != 60 {
		t.Errorf("%d pods, %v", len(hard.Pods), err)
	}
}

// BenchmarkApply is one status update of one pod, synced to the disk.
func BenchmarkApply(b *testing.B) {
	path, state := fullFile(b)
	s := mustOpen(b, path)
	var write []scheduler.Write
	for _, p := range state.Pods {
		write = []scheduler.Write{scheduler.WritePod{Pod: p}}
	}
	for b.Loop() {
		if err := s.Apply(write); err != nil {
			b.Fatal(err)
		}
	}
}
