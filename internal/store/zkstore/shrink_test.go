package zkstore

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The text by which nodes were shrunk is the one by which they are read, whatever the release.
func TestDictionaryNeverChanges(t *testing.T) {
	const want = "f7bad310b19a2f292c4369acbb3ceb0fd0e5eaa74cc1c43691618762d800843f"
	sum := sha256.Sum256(dictionaryText)
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("its sum is %s: what was written by it cannot be read any more", got)
	}
}

func TestShrunk(t *testing.T) {
	record := bytes.ReplaceAll(dictionaryText, []byte("kafka-0"), []byte("kafka-12345"))
	if n := len(shrunk(record)); n > len(record)/8 {
		t.Errorf("a record of %d bytes becomes %d", len(record), n)
	}
	noise := make([]byte, 4096)
	chance := rand.NewChaCha8([32]byte{1})
	_, _ = chance.Read(noise)
	for _, value := range [][]byte{nil, {}, []byte("{}"), record[:plainMost],
		record[:plainMost+1], record, noise, bytes.Repeat(record, maxValue/len(record))} {
		content := shrunk(value)
		if len(content) > len(value) || len(value) <= plainMost && !bytes.Equal(content, value) {
			t.Errorf("%d bytes become %d", len(value), len(content))
		}
		if got, err := valueOf(content); err != nil || !bytes.Equal(got, value) {
			t.Errorf("%d bytes are read back as %d: %v", len(value), len(got), err)
		}
	}
	endless := shrunk(bytes.Repeat([]byte("x"), maxValue+1))
	if _, err := valueOf(endless); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("%d bytes stand for more than a node may hold, and are read: %v",
			len(endless), err)
	}
}

// FuzzValueOf reads what somebody else put into a node.
func FuzzValueOf(f *testing.F) {
	f.Add(shrunk(dictionaryText))
	f.Add([]byte(shrunkMark))
	f.Add([]byte(shrunkMark + "\xff\xff\xff\xff\x0f")) // 4 GB
	f.Fuzz(func(t *testing.T, content []byte) {
		value, err := valueOf(content)
		if err != nil && !errors.Is(err, store.ErrDamaged) {
			t.Error(err)
		}
		if len(value) > max(maxValue, len(content)) {
			t.Errorf("%d bytes", len(value))
		}
	})
}

// Batches that this release and those before it left behind are read alike.
func TestUnpacked(t *testing.T) {
	changes := []store.Change{{Key: "file/a", Value: []byte(`{"text":"\u00e4"}`)}, {Key: "file/b"}}
	plain, err := json.Marshal(changes)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(`[{"key":"file/a","value":"{\"text\":\"\\u00e4\"}"},` +
		`{"key":"file/b"}]`)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"plain": plain, "gzip": zipped.Bytes(), "now": packed(changes)} {
		got, err := unpacked(text)
		if diff := cmp.Diff(changes, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
		if _, err := unpacked(text[:len(text)-3]); err == nil {
			t.Errorf("%s: cut, it is read all the same", name)
		}
	}
}

// A tree of the first schema is read and written as it is until it is raised; what it holds can
// be read from then on, too, and an earlier release refuses it.
func TestEarlierSchema(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	s := r.open()
	mustSet := func(path, content string) {
		t.Helper()
		if _, err := s.session.Conn.Set(path, []byte(content), -1); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(name, mark string) {
		t.Helper()
		content, _, err := s.session.Conn.Get(s.paths.key("file/" + name))
		if err != nil || !strings.HasPrefix(string(content), mark) {
			t.Errorf("%s holds %.20q, not %q: %v", name, content, mark, err)
		}
	}
	mustSet(s.session.Path, title+"1")
	s = r.open()
	r.apply(s, file("a", 2000, 1), file("b", 2000, 2))
	if holds("a", "{"); s.Earlier() != 1 {
		t.Errorf("the schema before is %d", s.Earlier())
	}
	s = r.check()
	if err := s.Raise(); err != nil || s.Earlier() != 0 {
		t.Fatal(err, s.Earlier())
	}
	r.apply(s, file("b", 2001, 3))
	holds("a", "{")
	holds("b", shrunkMark)
	root, _, err := s.session.Conn.Get(s.session.Path)
	if err != nil || string(root) != title+"2" {
		t.Errorf("the root says %s: %v", root, err)
	}
	if s = r.check(); s.Earlier() != 0 {
		t.Errorf("the schema before is %d", s.Earlier())
	}
	mustSet(s.paths.key("file/b"), shrunkMark+"\xff\xff\xff\xff\x0f")
	if _, err := Open(r.dial(0), "test", false); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("damaged, it is opened with %v", err)
	}
}

// What fails behind a large batch is the error of all that comes after it.
func TestFailsBehindABatch(t *testing.T) {
	r := newRig(t, zktest.Start(t).Address)
	s := r.open()
	carried := make(chan error, 1)
	carried <- ErrDeposed
	s.carried = carried
	for range 2 {
		if err := s.Apply([]scheduler.Write{file("a", 1, 1)}); !errors.Is(err, ErrDeposed) {
			t.Errorf("written with %v", err)
		}
	}
	for what, err := range map[string]error{
		"end": s.End(), "raise": s.Raise(), "close": s.Close()} {
		if !errors.Is(err, ErrDeposed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.check()
}
