package server

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"testing"
	"time"
)

type closer struct{ io.ReadSeeker }

func (closer) Close() error { return nil }

// files are artifacts by kind, digest and name; opened counts what was asked for.
type files struct {
	content map[string]string
	opened  []string
}

func (f *files) OpenArtifact(kind ArtifactKind, digest, file string) (Artifact, error) {
	key := fmt.Sprintf("%s/%s/%s", kind, digest, file)
	f.opened = append(f.opened, key)
	content, ok := f.content[key]
	switch {
	case file == "broken":
		return Artifact{}, fmt.Errorf("a disk is broken")
	case !ok:
		return Artifact{}, fmt.Errorf("opening %s: %w", key, fs.ErrNotExist)
	}
	return Artifact{closer{bytes.NewReader([]byte(content))}, time.Unix(1_700_000_000, 0)}, nil
}

func TestArtifacts(t *testing.T) {
	provider := &files{content: map[string]string{
		"executor/ab12/kafka-sched": "0123456789", "kafka/cd34/kafka_2.13-4.3.1.tgz": "tgz",
	}}
	cfg := config(nil, &machine{})
	cfg.Artifacts = provider
	const executor = "/v1/artifacts/executor/ab12/kafka-sched"
	for _, c := range []struct {
		method, path, key, value string
		status                   int
		body                     string
	}{
		{"GET", executor, "", "", 200, "0123456789"},
		{"HEAD", executor, "", "", 200, ""},
		{"GET", executor, "Range", "bytes=2-4", 206, "234"},
		{"GET", executor, "Range", "bytes=99-", 416, "invalid range: failed to overlap\n"},
		{"GET", executor, "If-None-Match", `"ab12"`, 304, ""},
		{"GET", executor, "If-Match", `"other"`, 412, ""},
		{"GET", "/v1/artifacts/kafka/cd34/kafka_2.13-4.3.1.tgz", "", "", 200, "tgz"},
		{"GET", "/v1/artifacts/kafka/ab12/kafka-sched", "", "", 404,
			"Artifact kafka-sched not found"},
		{"POST", executor, "", "", 405, "This path answers only to GET and HEAD."},
		{"GET", "/v1/artifacts/kafka/cd34/broken", "", "", 500,
			"The artifact cannot be read; the scheduler's log has the details."},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		if c.key != "" {
			r.Header.Set(c.key, c.value)
		}
		w := ask(t, cfg, r)
		if w.Code != c.status || (c.status != 405 && w.Body.String() != c.body) {
			t.Errorf("%s %s %s: %d %q", c.method, c.path, c.value, w.Code, w.Body)
		}
	}
}

// deadlines records the write deadline that a handler sets.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// A slow agent may take longer for a file than other answers may take.
func TestArtifactsHaveNoWriteDeadline(t *testing.T) {
	cfg := config(nil, &machine{})
	cfg.Artifacts = &files{content: map[string]string{"kafka/cd34/a.tgz": "x"}}
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	New(cfg).ServeHTTP(w, httptest.NewRequest("GET", "/v1/artifacts/kafka/cd34/a.tgz", nil))
	if len(w.set) != 1 || !w.set[0].IsZero() || w.Code != 200 {
		t.Errorf("%d, deadlines %v", w.Code, w.set)
	}
}

// Names that are not plain never reach the provider.
func TestArtifactNames(t *testing.T) {
	provider := &files{}
	cfg := config(nil, &machine{})
	cfg.Artifacts = provider
	for _, path := range []string{
		"/v1/artifacts/executor/../../etc/passwd",
		"/v1/artifacts/executor/ab12/..",
		"/v1/artifacts/executor/ab12/..%2F..%2Fetc%2Fpasswd",
		"/v1/artifacts/executor/%2e%2e/passwd",
		"/v1/artifacts/executor/ab12/.hidden",
		"/v1/artifacts/executor/ab12/a%00b",
		"/v1/artifacts/executor/ab12/a%5Cb",
		"/v1/artifacts/executor//kafka-sched",
		"/v1/artifacts/executor/ab12/",
		"/v1/artifacts/kafka/ab12/a/b",
	} {
		if w := ask(t, cfg, httptest.NewRequest("GET", path, nil)); w.Code != 404 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if len(provider.opened) > 0 {
		t.Errorf("asked for %q", provider.opened)
	}
}
