package localmesos

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

type entry struct {
	name, body, link string
	kind             byte
	mode             int64
}

func tarOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Size: int64(len(e.body)), Typeflag: e.kind,
			Linkname: e.link, Mode: e.mode}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipOf(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipOf(t *testing.T, name, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func newTestFetcher(t *testing.T) *fetcher {
	return newFetcher(filepath.Join(t.TempDir(), "cache"), time.Minute, 1<<20)
}

func uriOf(value string) *mesos.CommandInfo_URI { return &mesos.CommandInfo_URI{Value: value} }

func TestFetchArchives(t *testing.T) {
	dir := t.TempDir()
	good := tarOf(t, entry{name: "a/", kind: tar.TypeDir, mode: 0o755},
		entry{name: "a/run", body: "hello", kind: tar.TypeReg, mode: 0o755},
		entry{name: "link", link: "a/run", kind: tar.TypeSymlink, mode: 0o777},
		entry{name: "hard", link: "a/run", kind: tar.TypeLink})
	for name, body := range map[string][]byte{"x.tar": good, "x.tgz": gzipOf(t, good),
		"x.tar.gz": gzipOf(t, good), "x.zip": zipOf(t, "a/run", "hello"), "plain": []byte("hi")} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, cache := range []bool{false, true} {
			sandbox := t.TempDir()
			uri := uriOf("file://" + path)
			uri.Cache = &cache
			if name == "plain" {
				uri = &mesos.CommandInfo_URI{Value: path, Executable: ptr(true),
					OutputFile: ptr("bin/tool"), Cache: &cache}
			}
			if err := newTestFetcher(t).fetch(t.Context(), uri, sandbox, nil); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want, body := filepath.Join(sandbox, "a", "run"), "hello"
			if name == "plain" {
				want, body = filepath.Join(sandbox, "bin", "tool"), "hi"
			}
			got, err := os.ReadFile(want)
			if err != nil || string(got) != body {
				t.Errorf("%s: %q %v", name, got, err)
			}
			st, err := os.Stat(want)
			if err == nil && name != "x.zip" && st.Mode().Perm() != 0o755 {
				t.Errorf("%s: mode %s", name, st.Mode())
			}
		}
	}
}

// Archives that lead out of the sandbox are refused, and nothing is written there.
func TestFetchEscapes(t *testing.T) {
	outside := t.TempDir()
	for name, body := range map[string][]byte{
		"parent.tar":   tarOf(t, entry{name: "../evil", body: "x", kind: tar.TypeReg, mode: 0o644}),
		"absolute.tar": tarOf(t, entry{name: outside + "/evil", body: "x", kind: tar.TypeReg}),
		"linked.tar": tarOf(t, entry{name: "d", link: outside, kind: tar.TypeSymlink},
			entry{name: "d/evil", body: "x", kind: tar.TypeReg, mode: 0o644}),
		"relative.tar": tarOf(t, entry{name: "d", link: "../..", kind: tar.TypeSymlink}),
		"hard.tar":     tarOf(t, entry{name: "d", link: "../x", kind: tar.TypeLink}),
		"device.tar":   tarOf(t, entry{name: "d", kind: tar.TypeFifo}),
		"parent.zip":   zipOf(t, "../evil", "x"),
		"cut.tgz":      gzipOf(t, tarOf(t, entry{name: "a", body: "x", kind: tar.TypeReg}))[:40],
		"nonsense.zip": []byte("this is no archive"),
	} {
		path := filepath.Join(outside, name)
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		sandbox := filepath.Join(t.TempDir(), "sandbox")
		if err := os.Mkdir(sandbox, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := newTestFetcher(t).fetch(t.Context(), uriOf(path), sandbox, nil); err == nil {
			t.Errorf("%s was accepted", name)
		}
		for _, evil := range []string{filepath.Join(outside, "evil"),
			filepath.Join(filepath.Dir(sandbox), "evil")} {
			if _, err := os.Lstat(evil); err == nil {
				t.Errorf("%s wrote %s", name, evil)
			}
		}
	}
	for _, uri := range []*mesos.CommandInfo_URI{uriOf("relative/path"), uriOf("hdfs://x/y"),
		{Value: "/etc/hostname", OutputFile: ptr("../evil")},
		{Value: "/etc/hostname", OutputFile: ptr("/evil")}, uriOf("/")} {
		if err := newTestFetcher(t).fetch(t.Context(), uri, t.TempDir(), nil); err == nil {
			t.Errorf("%s was accepted", uri.String())
		}
	}
}

// With the cache, one download serves all; a failed or cut one is never used.
func TestFetchCache(t *testing.T) {
	var requests, broken atomic.Int32
	broken.Store(1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		switch {
		case strings.HasSuffix(r.URL.Path, "missing"):
			http.NotFound(w, r)
		case broken.Load() == 1:
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "only a part")
		default:
			fmt.Fprint(w, "whole")
		}
	}))
	defer srv.Close()
	f := newTestFetcher(t)
	uri := uriOf(srv.URL + "/file?x=1")
	uri.Cache = ptr(true)
	if err := f.fetch(t.Context(), uri, t.TempDir(), nil); err == nil {
		t.Error("a cut download was accepted")
	}
	missing := uriOf(srv.URL + "/missing")
	if err := f.fetch(t.Context(), missing, t.TempDir(), nil); err == nil {
		t.Error("404 was accepted")
	}
	broken.Store(0)
	requests.Store(0)
	var wg sync.WaitGroup
	for range 8 {
		sandbox := t.TempDir()
		wg.Go(func() {
			if err := f.fetch(t.Context(), uri, sandbox, nil); err != nil {
				t.Error(err)
			}
			b, err := os.ReadFile(filepath.Join(sandbox, "file"))
			if err != nil || string(b) != "whole" {
				t.Errorf("fetched %q, %v", b, err)
			}
		})
	}
	wg.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
	left, err := filepath.Glob(filepath.Join(f.dir, ".partial-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("partial downloads are left: %q %v", left, err)
	}
}

// The cache keeps within its limit: what was not used for longest goes first.
func TestFetchEviction(t *testing.T) {
	f := newTestFetcher(t)
	f.limit = 25
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "a", "c"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("0123456789"), 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := f.cached(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d entries are left, want 2 (%v)", len(entries), err)
	}
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	file, err := f.cached(t.Context(), filepath.Join(dir, "a"))
	if err != nil {
		t.Fatalf("the entry used last was evicted: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
