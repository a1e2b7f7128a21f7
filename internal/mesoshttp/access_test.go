package mesoshttp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// write makes a file of a test, or replaces it.
func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitStatus waits until things stand as they should.
func awaitStatus(t testing.TB, c *Client, so func(Status) bool) Status {
	t.Helper()
	for timeout := time.After(patience); ; {
		s, changed := c.Watch()
		if so(s) {
			return s
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("%+v", s)
		}
	}
}

// TestReadCredential reads the forms that Mesos itself reads, and shows nothing of what cannot
// be read.
func TestReadCredential(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credential")
	for text, want := range map[string]string{
		"anna geheim\n": "anna/geheim",
		`{"principal": "anna", "secret": "ge heim"}`:   "anna/ge heim",
		`{"principal": "anna"}`:                        "",
		"geheim":                                       "",
		"anna geheim too":                              "",
		`{"principal": "an:na", "secret": "geheim"}`:   "",
		`{"principal": "anna", "secret": ["geheim"] }`: "",
	} {
		principal, secret, err := ReadCredential(write(t, path, text))
		if got := principal + "/" + secret; want != "" && (got != want || err != nil) {
			t.Errorf("%s: %s, %v", text, got, err)
		}
		if want == "" && (err == nil || strings.Contains(err.Error(), "geheim")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// guarded is a master that lets in who sends the header that counts now.
type guarded struct {
	master
	header  atomic.Value
	refused atomic.Int32
}

func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != g.header.Load() {
		g.refused.Add(1)
		http.Error(w, "", http.StatusUnauthorized)
		return
	}
	g.master.ServeHTTP(w, r)
}

// TestCredentialsExchanged says that credentials which are refused are asked for again, for a
// subscription and for a call; a stream goes on meanwhile.
func TestCredentialsExchanged(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "it")
	for name, test := range map[string]struct {
		authorize Authorizer
		prefix    string
		first     string // what the file holds for "one"
		second    string
	}{
		"Basic":         {Basic(file), "Basic ", "p one", "p two"},
		"token file":    {TokenFile(file), "Bearer ", "one\n", "two\n"},
		"token command": {TokenCommand("cat " + file), "Bearer ", "one\n", "two\n"},
	} {
		t.Run(name, func(t *testing.T) {
			header := func(text string) string {
				write(t, file, text)
				h, err := test.authorize(context.Background())
				if err != nil || !strings.HasPrefix(h, test.prefix) {
					t.Fatal(h, err)
				}
				return h
			}
			second, first := header(test.second), header(test.first)
			g := &guarded{}
			g.header.Store(first)
			c, r := g.start(t, func(c *Config) {
				c.Access = NewAccess(test.authorize, nil)
				c.Master = serve(t, g.ServeHTTP)
			})
			want(t, r, subscribedText)
			g.header.Store(second)
			write(t, file, test.second)
			c.Send(mesos.Revive{})
			if got := g.next(); got != (mesos.Revive{}) || g.refused.Load() != 1 {
				t.Errorf("%s, refused %d times", got, g.refused.Load())
			}
		})
	}
}

// TestCredentialsRefused shows why there is no stream, without the secret.
func TestCredentialsRefused(t *testing.T) {
	g := &guarded{}
	g.header.Store("another")
	c, r := g.start(t, func(c *Config) {
		c.Access = NewAccess(Constant("Bearer geheim"), nil)
		c.Master = serve(t, g.ServeHTTP)
	})
	event := r.next().String()
	if !strings.Contains(event, "401 Unauthorized (the master wants credentials, or other") {
		t.Error(event)
	}
	s := awaitStatus(t, c, func(s Status) bool { return s.Attempts >= 3 })
	if s.Connected || s.Attempts == 0 || s.Next.IsZero() || !strings.Contains(s.Reason, "401") ||
		strings.Contains(s.Reason, "geheim") {
		t.Errorf("%+v", s)
	}
}

// TestTokenErrors says what is wrong with a token's command, and never shows a token.
func TestTokenErrors(t *testing.T) {
	for command, want := range map[string]string{
		"echo why it failed >&2; exit 3": "ended with exit status 3: why it failed",
		"echo two geheim":                "not one word",
		"true":                           "not one word",
	} {
		_, err := TokenCommand(command)(context.Background())
		if err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", command, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := TokenCommand("sleep 1000")(ctx); err == nil {
		t.Error("it was waited for")
	}
	if _, err := TokenFile("/none")(context.Background()); err == nil {
		t.Error("no file")
	}
}

// authority signs certificates for 127.0.0.1 and writes them into a folder.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir(), pool: x509.NewCertPool()}
	a.cert, a.key = a.sign("ca", &x509.Certificate{
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a certificate and its key, as files name.pem and name.key.
func (a *authority) sign(
	name string, template *x509.Certificate,
) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: name}
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	write(a.t, a.file(name+".pem"), string(pem.EncodeToMemory(
		&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(a.t, a.file(name+".key"), string(pem.EncodeToMemory(
		&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})))
	return cert, key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// serve runs a TLS server that wants certificates of its clients.
func (a *authority) serve(handler http.HandlerFunc) (address string) {
	a.sign("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	pair, err := tls.LoadX509KeyPair(a.file("server.pem"), a.file("server.key"))
	if err != nil {
		a.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(&logBuffer{}, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: a.pool,
		ClientAuth: tls.RequireAndVerifyClientCert}
	server.StartTLS()
	a.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return strings.TrimPrefix(server.URL, "https://")
}

// TestClientTLS subscribes at a master of TLS that wants to see a certificate, by host:port
// alone, over a redirect without a scheme; and says what is wrong when it cannot.
func TestClientTLS(t *testing.T) {
	a := newAuthority(t)
	a.sign("us", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	m := &master{}
	leading := a.serve(m.ServeHTTP)
	other := a.serve(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "//"+leading+schedulerPath)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	plain := a.serve(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+leading+schedulerPath, http.StatusTemporaryRedirect)
	})
	ours := AccessOptions{CA: a.file("ca.pem"), Cert: a.file("us.pem"), Key: a.file("us.key")}
	for _, test := range []struct {
		name, master, want string
		options            AccessOptions
	}{
		{"host:port", leading, subscribedText, ours},
		{"redirected", other, subscribedText, ours},
		{"https", "https://" + leading, subscribedText, ours},
		{"redirected to http", plain, "it leads away from https", ours},
		{"no certificate", leading, "tls: ", AccessOptions{CA: ours.CA}},
		{"no authority", "https://" + leading, "certificate signed by unknown authority",
			AccessOptions{Cert: ours.Cert, Key: ours.Key}},
		{"http", "http://" + leading, "HTTP status 400", AccessOptions{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			access, err := test.options.Access()
			if err != nil {
				t.Fatal(err)
			}
			c, r := m.start(t, func(c *Config) { c.Access, c.Master = access, test.master })
			got := r.next().String()
			for strings.Contains(got, "timeout") { // on a machine that is busy
				got = r.next().String()
			}
			if !strings.Contains(got, test.want) {
				t.Fatalf("got %s, want %s", got, test.want)
			}
			if test.want != subscribedText {
				return
			}
			if at := c.Status().Master; at != "https://"+leading {
				t.Error(at)
			}
		})
	}
}

// TestAccessOptions refuses what cannot be used.
func TestAccessOptions(t *testing.T) {
	a := newAuthority(t)
	credential := write(t, a.file("credential"), "anna geheim")
	for want, o := range map[string]AccessOptions{
		"exclude each other":        {Credential: credential, TokenFile: credential},
		"need each other":           {Cert: a.file("ca.pem")},
		"reading the credential":    {Credential: a.file("none")},
		"holds none in PEM form":    {CA: credential},
		"certificates of authoriti": {CA: a.file("none")},
		"the client certificate":    {Cert: a.file("ca.pem"), Key: credential},
	} {
		if _, err := o.Access(); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if p, err := (AccessOptions{Credential: credential}).Principal(); p != "anna" || err != nil {
		t.Error(p, err)
	}
}

// TestVersion asks a master, and something else.
func TestVersion(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/version" {
			fmt.Fprint(w, `{"version": "1.11.0"}`)
		}
	})
	var a *Access
	if v, err := a.Version(context.Background(), address); v != "1.11.0" || err != nil {
		t.Error(v, err)
	}
	other := serve(t, http.NotFound)
	if _, err := a.Version(context.Background(), other); err == nil ||
		!strings.Contains(err.Error(), "no Mesos master") {
		t.Error(err)
	}
}

// TestClientElection tells of an election that goes on without a leader, and finds the one that
// comes of it at once.
func TestClientElection(t *testing.T) {
	elected := make(chan string, 1)
	m := &master{subscribe: func(_ int, _ *scheduler.Call, s *stream) {
		s.send(subscribedWire("f1", 15))
		<-s.gone
	}}
	leader := ""
	c, r := m.start(t, func(c *Config) {
		leader, c.Master = c.Master, ""
		c.DetectLimit, c.BackoffMin, c.BackoffMax = 5*time.Millisecond, time.Hour, time.Hour
		c.Detect = func(ctx context.Context) (string, error) {
			select {
			case at := <-elected:
				return at, nil
			case <-ctx.Done():
				return "", fmt.Errorf("no master leads (%w)", ctx.Err())
			}
		}
	})
	want(t, r, `disconnected "detecting the leading master: no master leads (context deadline`)
	awaitStatus(t, c, func(s Status) bool { return s.Attempts >= 3 })
	elected <- leader
	want(t, r, subscribedText)
	if s := c.Status(); !s.Connected || s.Reason != "" || s.Attempts != 0 {
		t.Errorf("%+v", s)
	}
}
