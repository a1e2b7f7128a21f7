package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// agentOf gives a sandbox whose agent answers with a handler.
func agentOf(t *testing.T, handler http.HandlerFunc) *Sandbox {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Sandbox{http: Finder{}.http(), agents: []string{server.URL}, dir: "/box"}
}

func TestFiles(t *testing.T) {
	binary := []byte{0, 0xff, 'x', '\n'}
	s := agentOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path + " " + r.URL.Query().Get("path") {
		case "/files/browse /box":
			fmt.Fprint(w, `[{"path":"/x/box/data","mode":"drwxr-xr-x","size":4096,"mtime":1.5},
				{"path":"/x/box/a b","mode":"-rw-r--r--","size":4,"mtime":2},
				{"path":"/x/box/vol","mode":"lrwxrwxrwx"},
				{"path":"/x/box/to","mode":"lrwxrwxrwx"}]`)
		case "/files/browse /box/data", "/files/browse /box/to":
			fmt.Fprint(w, `[]`)
		case "/files/browse /box/vol":
			fmt.Fprint(w, `[{"path":"/y/log","mode":"-rw-r--r--","size":7}]`)
		case "/files/download /box/a b":
			_, _ = w.Write(binary)
		case "/files/browse /box/secret":
			http.Error(w, "no access", http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	})
	ctx := context.Background()
	files, err := s.Folder(ctx, "")
	if err != nil || len(files) != 4 || !files[0].IsDir() || files[1].IsDir() ||
		files[1].Name() != "a b" || files[0].MTime != 1.5 {
		t.Errorf("%+v, %v", files, err)
	}
	if files, err = s.Folder(ctx, "vol"); err != nil || len(files) != 1 || files[0].Size != 7 {
		t.Errorf("a link to a folder: %+v, %v", files, err)
	}
	if files, err = s.Folder(ctx, "data"); err != nil || len(files) != 0 {
		t.Errorf("an empty folder: %+v, %v", files, err)
	}
	for at, want := range map[string]error{"a b": ErrNoFolder, "to": ErrNoFolder,
		"c": ErrNoFile, "data/c": ErrNoFile, "nosuch/c": ErrNoFile} {
		if _, err := s.Folder(ctx, at); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", at, err, want)
		}
	}
	if _, err := s.Folder(ctx, "secret/x"); err == nil ||
		!strings.HasSuffix(err.Error(), "answered 403 Forbidden: no access") {
		t.Errorf("a folder that is not for us: %v", err)
	}
	var got bytes.Buffer
	if err := s.Download(ctx, "a b", &got); err != nil || !bytes.Equal(got.Bytes(), binary) {
		t.Errorf("%q, %v", got.Bytes(), err)
	}
	if err := s.Download(ctx, "c", &got); !errors.Is(err, ErrNoFile) {
		t.Error(err)
	}
}

// An agent whose address cannot be reached is asked by its name, and over TLS when it breaks
// plain connections off.
func TestWaysToAnAgent(t *testing.T) {
	secured := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode([]File{}) }))
	secured.Listener = strictly{secured.Listener}
	secured.StartTLS()
	defer secured.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	s := &Sandbox{http: secured.Client(), agents: []string{"http://" + closed.Addr().String(),
		"http://" + secured.Listener.Addr().String()}}
	if _, err := s.Folder(context.Background(), ""); err != nil {
		t.Error(err)
	}
	s.agents = s.agents[:1]
	if _, err := s.Folder(context.Background(), ""); err == nil {
		t.Error("nobody listens, and no error")
	}
}

// strictly ends connections that do not begin with a TLS handshake, as a Mesos does.
type strictly struct{ net.Listener }

func (l strictly) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &checked{Conn: c}, nil
}

// checked looks at the first byte that comes.
type checked struct {
	net.Conn
	seen bool
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.seen && n > 0 && p[0] != 0x16 {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	c.seen = c.seen || n > 0
	return n, err
}
