package kafkadist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain is also the child that tests start to race with and to kill: it fetches one URL into a
// cache and prints what happens, a line at a time.
func TestMain(m *testing.M) {
	dir := os.Getenv("KAFKADIST_TEST_CACHE")
	if dir == "" {
		os.Exit(m.Run())
	}
	c, err := Open(dir, func(p Progress) { fmt.Println("progress", p.Stage) })
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	src, err := ParseSource(os.Getenv("KAFKADIST_TEST_DIST"), os.Getenv("KAFKADIST_TEST_VERSION"))
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	d, err := c.Fetch(context.Background(), src)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("dist", d.Path, d.Digest)
}

// wantError checks that an error is there and says all of the parts.
func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// tree is the files of a distribution by name.
type tree map[string]string

// fakeJar is a small valid zip.
func fakeJar(content string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("META-INF/MANIFEST.MF")
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

// kafkaTree is a complete distribution of a version, below a folder ("" for none).
func kafkaTree(folder, version string) tree {
	files := tree{
		"bin/kafka-server-start.sh": "#!/bin/sh\n",
		"bin/windows/kafka.bat":     "rem\n",
		"config/server.properties":  "a=b\n",
		"LICENSE":                   "Apache\n",
		"site-docs/docs.tgz":        "not packed\n",
	}
	for _, jar := range []string{
		"kafka_2.13-" + version, "kafka-clients-" + version, "kafka-raft-" + version,
		"kafka-metadata-" + version, "kafka-server-common-" + version, "kafka-tools-" + version,
		"scala-library-2.13.18", "slf4j-api-1.7.36", "log4j-core-2.25.4",
		"log4j-slf4j-impl-2.25.4",
	} {
		files["libs/"+jar+".jar"] = fakeJar(jar)
	}
	below := tree{}
	for name, text := range files {
		below[filepath.Join(folder, name)] = text
	}
	return below
}

// with returns a copy with some files changed; an empty text removes one.
func (files tree) with(changes tree) tree {
	changed := tree{}
	for name, text := range files {
		changed[name] = text
	}
	for name, text := range changes {
		changed[name] = text
		if text == "" {
			delete(changed, name)
		}
	}
	return changed
}

func (files tree) write(t *testing.T, dir string) string {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tar packs the files and then some more entries.
func (files tree) tar(t *testing.T, more ...*tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		mode := int64(0o644)
		if strings.HasSuffix(name, ".sh") {
			mode = 0o755
		}
		h := &tar.Header{Name: name, Mode: mode, Size: int64(len(text)), ModTime: time.Now()}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, h := range more {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	w.Close() // complains of an entry that promises more than it holds, which is wanted of a bomb
	return b.Bytes()
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// goodArchive is an archive as upstream publishes it.
func goodArchive(t *testing.T, version string) []byte {
	t.Helper()
	return zipped(t, kafkaTree("kafka_2.13-"+version, version).tar(t))
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, dir string, progress func(Progress)) *Cache {
	t.Helper()
	c, err := Open(dir, progress)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parse(t *testing.T, dist, version string) Source {
	t.Helper()
	src, err := ParseSource(dist, version)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func fetch(t *testing.T, c *Cache, src Source) Dist {
	t.Helper()
	d, err := c.Fetch(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// names lists a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// wantNames checks how many files a cache has, and that none is a lock or a working folder.
func wantNames(t *testing.T, dir string, count int) {
	t.Helper()
	list := names(t, dir)
	for _, name := range list {
		if leftoverKey(name) != "" {
			t.Errorf("left behind: %s", name)
		}
	}
	if len(list) != count {
		t.Errorf("the cache holds %v, want %d files", list, count)
	}
}

// eventually polls a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
