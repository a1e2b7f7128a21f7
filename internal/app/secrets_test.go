package app

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const secretSpec = `
name: web
pods:
  web:
    count: 1
    secrets:
      password: {secret: web/password, env-key: PASSWORD}
      key: {secret: web/key, file: keys/web.key}
    tasks:
      server:
        goal: RUNNING
        cmd: |
          printf '%s' "$PASSWORD" > data/password
          cat keys/web.key > data/key
          exec sleep 100000
        cpus: 0.1
        memory: 32
        volume: {path: data, type: ROOT, size: 10}
        readiness-check: {cmd: test -s data/key, interval: 1, timeout: 5}
        kill-grace-period: 2
`

// TestSecrets gives a task secrets through all processes, and looks for them in everything that
// these say and keep.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const password, key = "hunter-2-password", "hunter-2-key"
	s := newSite(t, secretSpec)
	for name, text := range map[string]string{"password": password + "\n", "key": key} {
		if err := os.MkdirAll(filepath.Join(s.cfg.Secrets, "web"), 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.cfg.Secrets, "web", name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.start()
	volume := s.volume(s.whole(), "web-0")
	if got := s.read(volume, "password"); got != password {
		t.Errorf("the variable is %q", got)
	}
	if got := s.read(volume, "key"); got != key {
		t.Errorf("the file holds %q", got)
	}
	for _, route := range []string{"/v1/configurations/target", "/v1/pod/web-0/info",
		"/v1/debug/taskStatuses", "/v2/service", "/metrics"} {
		if text := s.get(route); strings.Contains(text, "hunter-2") {
			t.Errorf("%s tells a secret: %s", route, text)
		}
	}
	s.stop()
	but := []string{s.cfg.Secrets, volume}
	for _, a := range s.cfg.Agents {
		but = append(but, filepath.Join(s.cfg.Dir, "agents", a.Name, "secrets"))
	}
	s.nowhere("hunter-2", but...)
	s.start()
}

// get gives what the scheduler's API answers.
func (s *site) get(route string) string {
	s.t.Helper()
	resp, err := http.Get(s.client.URL() + route)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %s %v", route, resp.StatusCode, body, err)
	}
	return string(body)
}

// nowhere demands that no file of the site has a text in it, but for those below some folders.
func (s *site) nowhere(text string, but ...string) {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what ended meanwhile holds nothing
		}
		if slices.Contains(but, path) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		files++
		data, err := os.ReadFile(path)
		if err == nil && bytes.Contains(data, []byte(text)) {
			s.t.Errorf("%s has a secret in it", path)
		}
		return nil
	})
	if err != nil || files == 0 {
		s.t.Errorf("%d files, %v", files, err)
	}
}
