package app

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
)

// guard stands before a master: it speaks TLS and lets in who knows the secret of the moment.
type guard struct {
	*httptest.Server
	secret atomic.Value
}

func newGuard(t *testing.T, master string) *guard {
	to, err := url.Parse(master)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1, // events come one by one
		ErrorLog:      log.New(io.Discard, "", 0),
		Transport:     &http.Transport{},
	}
	g := &guard{}
	g.Server = httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			principal, secret, _ := r.BasicAuth()
			if principal != "web-principal" || secret != g.secret.Load() {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			proxy.ServeHTTP(w, r)
		}))
	g.Config.ErrorLog = log.New(io.Discard, "", 0)
	g.StartTLS()
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
		proxy.Transport.(*http.Transport).CloseIdleConnections()
	})
	return g
}

// TestLetIn deploys over a master of TLS and credentials, which are exchanged on the way. While
// they are not, all that asks is told so; the secret is told to nobody.
func TestLetIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, strings.Replace(webSpec, "count: 3", "count: 1", 1))
	g := newGuard(t, s.options.Master)
	g.secret.Store("geheim-1")
	file := func(name, text string) string {
		path := filepath.Join(s.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s.options.Master = strings.TrimPrefix(g.URL, "https://")
	s.options.Access.CA = file("ca.pem", string(pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: g.Certificate().Raw})))
	s.options.Access.Credential = file("credential", "other geheim-1")
	err := RunScheduler(context.Background(), s.options, "test")
	if err == nil || !strings.Contains(err.Error(), `is of principal "other", and the service's`) {
		t.Fatal(err)
	}
	file("credential", "web-principal geheim-1")
	s.start()
	s.whole()
	s.listed(g.URL)

	g.secret.Store("geheim-2")
	g.CloseClientConnections()
	s.eventually("it is told why there is no master", func() error {
		m := s.status().Mesos
		if m.Connected || m.Attempts < 2 || m.Next == nil || !strings.Contains(m.Reason, "401") {
			return fmt.Errorf("%+v", m)
		}
		return nil
	})
	if health := s.text("/v1/health?verbose=true"); !strings.Contains(health, "HTTP status 401") {
		t.Error(health)
	}
	if text := s.text("/metrics"); !strings.Contains(text,
		"kafka_sched_connected 0") || strings.Contains(text, "subscribe_attempts 0") {
		t.Error(text)
	}
	file("credential", "web-principal geheim-2")
	s.whole()
	s.listed(g.URL)
	s.silent("geheim")
}

// listed waits until the operator API has listed the agents of a master.
func (s *site) listed(master string) {
	s.t.Helper()
	s.eventually("the agents are listed", func() error {
		m := s.status().Mesos
		if !m.Connected || m.Master != master || m.Agents != 3 || m.AgentsReason != "" {
			return fmt.Errorf("%+v", m)
		}
		return nil
	})
}

// text is an answer of the API, whatever its status.
func (s *site) text(path string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), "GET", s.client.URL()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// silent demands that a word is neither in the log nor in what the API and the scheduler's files
// say.
func (s *site) silent(word string) {
	s.t.Helper()
	said := map[string]string{"API": s.text("/v2/service"), "health": s.text("/v1/health")}
	files, _ := filepath.Glob(filepath.Join(s.options.Dir, "*"))
	for _, path := range append(files, s.options.LogFile) {
		if text, err := os.ReadFile(path); err == nil && filepath.Base(path) != "executor-binary" {
			said[path] = string(text)
		}
	}
	for where, text := range said {
		if strings.Contains(text, word) {
			s.t.Errorf("%s says %s", where, word)
		}
	}
	var shape api.Service
	if err := json.NewDecoder(bytes.NewReader([]byte(said["API"]))).Decode(&shape); err != nil {
		s.t.Error(err)
	}
}

// TestNotAdvertised says in the step, in so many words, that agents cannot fetch from the address
// that is advertised.
func TestNotAdvertised(t *testing.T) {
	t.Parallel()
	s := newSite(t, strings.Replace(webSpec, "count: 3", "count: 1", 1))
	s.options.Advertise = "127.0.0.1:1"
	s.start()
	s.waits("cannot fetch what it needs from the scheduler at 127.0.0.1:1: that address must be " +
		"one that agents reach, see --advertise")
}
