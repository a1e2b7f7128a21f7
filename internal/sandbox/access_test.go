package sandbox

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// letIn adds a header to requests.
type letIn struct{ next *http.Transport }

func (l letIn) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer geheim")
	return l.next.RoundTrip(r)
}

// TestFindWithAccess finds and reads where master and agent want credentials over TLS, and never
// sends these over a connection without it.
func TestFindWithAccess(t *testing.T) {
	m := newMesos(t)
	plain := m.server
	var open atomic.Int32
	plain.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
	})
	m.server = httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer geheim" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			m.ServeHTTP(w, r)
		}))
	m.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	m.server.StartTLS()
	t.Cleanup(m.server.Close)
	m.server.URL = strings.TrimPrefix(m.server.URL, "https://")
	m.put("stdout", "hello\n")
	finder := Finder{Scheme: "https", Over: func(transport *http.Transport) http.RoundTripper {
		transport.TLSClientConfig = m.server.Client().Transport.(*http.Transport).TLSClientConfig
		return letIn{transport}
	}}
	e := Executor{m.address(), "fw-1", "ag-1", "ex-1"}
	s, err := finder.Find(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	if size, err := s.Size(context.Background(), "stdout"); err != nil || size != 6 {
		t.Errorf("%d bytes, %v", size, err)
	}
	if _, err := Find(context.Background(), e); err == nil {
		t.Error("it is found without access")
	}
	e.Master = strings.TrimPrefix(plain.URL, "http://")
	if _, err := finder.Find(context.Background(), e); err == nil || open.Load() != 0 {
		t.Errorf("%d requests without TLS, %v", open.Load(), err)
	}
}
