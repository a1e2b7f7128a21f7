package kafkadist

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSourcesAgree fetches the same files as a folder, in archives of different shape, and from a
// URL: the archive in the cache is the same one each time, and nothing else is left there.
func TestSourcesAgree(t *testing.T) {
	const version = "4.3.1"
	folder := kafkaTree("", version).write(t, t.TempDir())
	top := writeFile(t, "kafka.tgz", goodArchive(t, version))
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(top))))
	defer server.Close()
	flags := []string{
		folder, top, "file://" + top, server.URL + "/kafka.tgz",
		writeFile(t, "flat.tar", kafkaTree("", version).tar(t)),
		writeFile(t, "dot.tar.gz", zipped(t, kafkaTree("./kafka", version).tar(t))),
	}
	dir := filepath.Join(t.TempDir(), "made", "on", "demand")
	c := open(t, dir, nil)
	var first Dist
	for i, flag := range flags {
		d := fetch(t, c, parse(t, flag, version))
		if i == 0 {
			first = d
		}
		if d.Path != first.Path || d.Digest != first.Digest || d.Version != version {
			t.Errorf("%s: %+v, want the archive of %+v", flag, d, first)
		}
	}
	wantNames(t, dir, 6) // the archive and five sources: top is known by two names
	list, err := c.List()
	if err != nil || len(list) != 1 || list[0].Path != first.Path || list[0].Size != first.Size {
		t.Errorf("list: %+v, %v", list, err)
	}
	again := fetch(t, open(t, filepath.Join(dir, "new"), nil), parse(t, first.Path, ""))
	if again.Digest != first.Digest {
		t.Errorf("a packed archive packed again is %s, want %s", again.Digest, first.Digest)
	}
}

// TestPackedArchive reads a packed archive entry by entry.
func TestPackedArchive(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, nil)
	d := fetch(t, c, parse(t, kafkaTree("", "4.3.1").write(t, t.TempDir()), ""))
	if want := "kafka-4.3.1-" + d.Digest[:16] + ".tgz"; filepath.Base(d.Path) != want {
		t.Errorf("path %s, want %s", d.Path, want)
	}
	content, err := os.ReadFile(d.Path)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != d.Size || hexDigest(string(content)) != d.Digest {
		t.Errorf("%d bytes, digest %s; want %+v", len(content), hexDigest(string(content)), d)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for stream := tar.NewReader(unzipped); ; {
		h, err := stream.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%o %s", h.Mode, h.Name))
		if !h.ModTime.Equal(packedTime) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s: time or owner: %+v", h.Name, h)
		}
		if h.Name == "kafka/VERSION" {
			text, err := io.ReadAll(stream)
			if err != nil || !strings.HasPrefix(string(text), "version 4.3.1\ndigest ") {
				t.Errorf("VERSION: %q, %v", text, err)
			}
		}
	}
	want := []string{
		"755 kafka/", "755 kafka/bin/", "755 kafka/bin/kafka-server-start.sh",
		"755 kafka/bin/windows/", "644 kafka/bin/windows/kafka.bat", "755 kafka/config/",
		"644 kafka/config/server.properties", "755 kafka/libs/",
		"644 kafka/libs/kafka-clients-4.3.1.jar", "644 kafka/libs/kafka-metadata-4.3.1.jar",
		"644 kafka/libs/kafka-raft-4.3.1.jar", "644 kafka/libs/kafka-server-common-4.3.1.jar",
		"644 kafka/libs/kafka-tools-4.3.1.jar", "644 kafka/libs/kafka_2.13-4.3.1.jar",
		"644 kafka/libs/log4j-core-2.25.4.jar", "644 kafka/libs/log4j-slf4j-impl-2.25.4.jar",
		"644 kafka/libs/scala-library-2.13.18.jar", "644 kafka/libs/slf4j-api-1.7.36.jar",
		"644 kafka/VERSION",
	}
	if !slices.Equal(got, want) {
		t.Errorf("entries\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCacheAnswers checks when the cache answers and when it must not.
func TestCacheAnswers(t *testing.T) {
	folder := kafkaTree("", "4.3.1").write(t, t.TempDir())
	dir := t.TempDir()
	var last Stage
	progress := func(p Progress) { last = p.Stage }
	src := parse(t, folder, "")
	first := fetch(t, open(t, dir, progress), src)
	step := func(what string, want Stage, change func() error) Dist {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		d := fetch(t, open(t, dir, progress), src)
		if last != want {
			t.Errorf("%s: ended as %s, want %s", what, last, want)
		}
		if sum, err := fileDigest(d.Path); err != nil || sum != d.Digest {
			t.Errorf("%s: digest %s, %v, want %s", what, sum, err, d.Digest)
		}
		return d
	}
	index := filepath.Join(dir, indexPrefix+src.key()+".json")
	step("nothing changed", Cached, func() error { return nil })
	step("archive gone", Ready, func() error { return os.Remove(first.Path) })
	step("archive cut off", Ready, func() error { return os.Truncate(first.Path, first.Size/2) })
	step("one byte changed", Ready, func() error { return flip(first.Path) })
	step("index damaged", Ready, func() error { return os.WriteFile(index, []byte("{"), 0o644) })
	step("index gone", Ready, func() error { return os.Remove(index) })
	step("index of nonsense", Ready, func() error {
		text := `{"kind":"folder","version":"../../x","sha256":"` + first.Digest + `"}`
		return os.WriteFile(index, []byte(text), 0o644)
	})
	step("folder touched", Ready, func() error {
		at := time.Unix(1e9, 0)
		return os.Chtimes(filepath.Join(folder, "config/server.properties"), at, at)
	})
	wantNames(t, dir, 2)
	edited := step("folder edited", Ready, func() error {
		return os.WriteFile(filepath.Join(folder, "config/server.properties"), []byte("x"), 0o644)
	})
	if edited.Digest == first.Digest {
		t.Error("an edited folder has the same digest")
	}
	src.Version = "3.9.1"
	_, err := open(t, dir, nil).Fetch(t.Context(), src)
	wantError(t, err, "is Kafka 4.3.1, but version 3.9.1 was asked for")
}

// TestDamageWithinAProcess damages an archive that this very process has verified before.
func TestDamageWithinAProcess(t *testing.T) {
	c := open(t, t.TempDir(), nil)
	src := parse(t, kafkaTree("", "4.3.1").write(t, t.TempDir()), "")
	d := fetch(t, c, src)
	fetch(t, c, src)
	if err := flip(d.Path); err != nil {
		t.Fatal(err)
	}
	fetch(t, c, src)
	if sum, err := fileDigest(d.Path); err != nil || sum != d.Digest {
		t.Errorf("digest %s, %v; want %s", sum, err, d.Digest)
	}
}

// flip changes a byte in the middle of a file.
func flip(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	content[len(content)/2] ^= 1
	return os.WriteFile(path, content, 0o644)
}

// TestURLFailures has a server that misbehaves in every way that one does.
func TestURLFailures(t *testing.T) {
	good := goodArchive(t, "4.3.1")
	mux := http.NewServeMux()
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(good)))
		w.Write(good[:len(good)/2])
	})
	mux.HandleFunc("/half", func(w http.ResponseWriter, _ *http.Request) {
		w.Write(good[:len(good)/2])
	})
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "\n<!DOCTYPE html><html><title>Mirrors</title></html>")
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(int64(3)<<30))
		w.Write(good)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	gone := httptest.NewServer(mux)
	gone.Close()
	for url, want := range map[string]string{
		server.URL + "/missing": "the server answered 404 Not Found",
		server.URL + "/cut":     "the download ended early",
		server.URL + "/half":    "the archive is truncated",
		server.URL + "/html":    "it is a web page (HTML)",
		server.URL + "/huge":    "more than 2 GiB",
		gone.URL + "/kafka.tgz": "is this machine offline?",
	} {
		dir := t.TempDir()
		_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, url, ""))
		wantError(t, err, "getting Kafka from "+url, want)
		wantNames(t, dir, 0)
	}
}

// TestSecretsStayOut has a password and a token in a URL.
func TestSecretsStayOut(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "http://me:secret1@", 1) + "/k.tgz?token=secret2"
	src := parse(t, url, "")
	_, err := open(t, t.TempDir(), nil).Fetch(t.Context(), src)
	wantError(t, err, "404")
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells a secret: %v", err)
	}
}

// TestCancelledDownload ends the context while a server keeps silent.
func TestCancelledDownload(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("begin"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	dir := t.TempDir()
	_, err := open(t, dir, nil).Fetch(ctx, parse(t, server.URL+"/kafka.tgz", ""))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	wantNames(t, dir, 0)
}
