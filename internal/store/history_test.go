package store

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The most that the scheduler keeps of each.
const (
	journalSize = 1000
	earlierSize = 10
)

// serviceState is that of a service of a few brokers, without history.
func serviceState() scheduler.Hard {
	hard := scheduler.Hard{
		Target: filled[scheduler.Target](&counter{}), Intent: scheduler.Run,
		Pods: map[scheduler.PodName]scheduler.Pod{},
	}
	for i := range 3 {
		p := filled[scheduler.Pod](&counter{})
		p.Name = scheduler.PodName{Type: "kafka", Index: i}
		hard.Pods[p.Name] = p
	}
	return hard
}

// withHistory adds as much of it as there ever is.
func withHistory(hard scheduler.Hard) scheduler.Hard {
	for i := range earlierSize {
		t := scheduler.EarlierTarget(hard.Target)
		t.ID, t.Number = fmt.Sprintf("00000000-0000-4000-8000-%012d", i), int64(i+1)
		hard.Earlier = append(hard.Earlier, t)
	}
	for i := range journalSize {
		hard.Journal = append(hard.Journal, journalEntryOf(i+1))
	}
	return hard
}

func journalEntryOf(number int) scheduler.JournalEntry {
	return scheduler.JournalEntry{
		Number: int64(number), At: time.Unix(1_700_000_000+int64(number), 1000).UTC(),
		Kind: "command", Plan: "deploy", By: "operator@example.com", Reason: "the disk is slow",
		What:    fmt.Sprintf("replace pod kafka-%d", number%9),
		Outcome: "kafka-2 will be replaced, the data that it has is left behind",
	}
}

// states are the two between which history must make no difference that anybody notices.
var states = map[string]func() scheduler.Hard{
	"short": serviceState,
	"full":  func() scheduler.Hard { return withHistory(serviceState()) },
}

func stored(t testing.TB, hard scheduler.Hard) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.db")
	b := mustOpen(t, path)
	if err := b.Apply(Writes(hard)); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOneEntryOneRow says that a write of the journal changes its own row alone, and the same few
// pages of the file however long the journal is.
func TestOneEntryOneRow(t *testing.T) {
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			path := stored(t, state())
			b := mustOpen(t, path)
			before, pages := b.rows(), contents(t, path)
			entry := journalEntryOf(journalSize + 1)
			err := b.Apply([]scheduler.Write{scheduler.WriteJournal{Entry: entry}})
			if err != nil {
				t.Fatal(err)
			}
			after := b.rows()
			key := journalKeyOf(entry.Number)
			if _, ok := after[key]; !ok {
				t.Errorf("there is no row %s", key)
			}
			delete(after, key)
			if !maps.Equal(before, after) {
				t.Error("other rows were changed")
			}
			// A meta, the list of free pages, the root, and in the tree of the rows a branch and
			// a leaf, which may have been split.
			if n := changedPages(pages, contents(t, path)); n < 3 || n > 8 {
				t.Errorf("%d pages of the file were changed", n)
			}
		})
	}
}

// rows are the file's, values as texts.
func (b *Bolt) rows() map[string]string {
	out := map[string]string{}
	_ = b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(stateBucket).ForEach(func(k, v []byte) error {
			out[string(k)] = string(v)
			return nil
		})
	})
	return out
}

// changedPages counts pages; what a file that grew has not used yet is zero.
func changedPages(before, after []byte) (n int) {
	before = append(before, make([]byte, max(len(after)-len(before), 0))...)
	for start := 0; start < len(after); start += os.Getpagesize() {
		end := start + os.Getpagesize()
		if !bytes.Equal(before[start:end], after[start:end]) {
			n++
		}
	}
	return n
}

// TestJournalTurnsOver says that a journal that is cut at its old end as it grows stays in order
// and lets the file grow no further.
func TestJournalTurnsOver(t *testing.T) {
	const batch, turns = 100, 2
	path := stored(t, states["full"]())
	b := mustOpen(t, path)
	size := len(contents(t, path))
	for n := journalSize + 1; n <= (turns+1)*journalSize; n += batch {
		var writes []scheduler.Write
		for i := n; i < n+batch; i++ {
			writes = append(writes, scheduler.WriteJournal{Entry: journalEntryOf(i)},
				scheduler.DeleteJournal{Number: int64(i - journalSize)})
		}
		if err := b.Apply(writes); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	hard, err := mustOpen(t, path).Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(hard.Journal) != journalSize || len(hard.Earlier) != earlierSize {
		t.Fatalf("%d entries, %d earlier targets", len(hard.Journal), len(hard.Earlier))
	}
	for i, e := range hard.Journal {
		if want := journalEntryOf(turns*journalSize + 1 + i); e != want {
			t.Fatalf("entry %d is %+v, want %+v", i, e, want)
		}
	}
	if now := len(contents(t, path)); now > 2*size {
		t.Errorf("the file grew from %d to %d bytes", size, now)
	}
}

// BenchmarkStart opens a file and loads the state.
func BenchmarkStart(b *testing.B) {
	for _, name := range []string{"short", "full"} {
		b.Run(name, func(b *testing.B) {
			path := stored(b, states[name]())
			for b.Loop() {
				s, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Load(); err != nil {
					b.Fatal(err)
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkJournal writes one entry and drops the oldest, synced to the disk.
func BenchmarkJournal(b *testing.B) {
	for _, name := range []string{"short", "full"} {
		b.Run(name, func(b *testing.B) {
			s := mustOpen(b, stored(b, states[name]()))
			for n := journalSize + 1; b.Loop(); n++ {
				err := s.Apply([]scheduler.Write{
					scheduler.WriteJournal{Entry: journalEntryOf(n)},
					scheduler.DeleteJournal{Number: int64(n - journalSize)},
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
