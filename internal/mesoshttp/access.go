package mesoshttp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Authorizer gives the value of the Authorization header. It is asked before the first request
// and again when one is answered with 401, since credentials end and are exchanged.
type Authorizer func(context.Context) (string, error)

// Access is how one is let in at a Mesos, and how one knows that it is the right Mesos. All
// clients of one Mesos share one.
type Access struct {
	authorize Authorizer
	tls       *tls.Config // nil for a Mesos without TLS

	mu     sync.Mutex
	header string // the latest one, "" before the first
}

// NewAccess makes an Access; authorize may be nil, and so may config. With a config, addresses
// that do not say otherwise are those of https.
func NewAccess(authorize Authorizer, config *tls.Config) *Access {
	return &Access{authorize: authorize, tls: config}
}

// Secure says whether the Mesos is one of TLS.
func (a *Access) Secure() bool { return a != nil && a.tls != nil }

// Scheme is that of addresses that have none.
func (a *Access) Scheme() string {
	if a.Secure() {
		return "https"
	}
	return "http"
}

// Over gives a transport that authorizes each request and, when it is answered with 401, asks
// for newer credentials and tries once more. The transport is changed.
func (a *Access) Over(transport *http.Transport) http.RoundTripper {
	if a.Secure() {
		transport.TLSClientConfig = a.tls.Clone()
	}
	if a == nil || a.authorize == nil {
		return transport
	}
	return &authorized{access: a, next: transport}
}

// authorization gives the header's value: the latest, unless that is the one that was refused.
func (a *Access) authorization(ctx context.Context, refused string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.header != "" && a.header != refused {
		return a.header, nil
	}
	header, err := a.authorize(ctx)
	if err != nil {
		return "", err
	}
	a.header = header
	return header, nil
}

// authorized is the http.RoundTripper of Access.Over.
type authorized struct {
	access *Access
	next   *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t *authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	header, err := t.access.authorization(request.Context(), "")
	if err != nil {
		closeBody(request)
		return nil, err
	}
	response, err := t.with(request, header)
	if err != nil || response.StatusCode != http.StatusUnauthorized || !repeatable(request) {
		return response, err
	}
	fresh, err := t.access.authorization(request.Context(), header)
	if err != nil || fresh == header {
		return response, nil // the refusal tells more than what the authorizer complains of
	}
	again := request.Clone(request.Context())
	if request.GetBody != nil {
		if again.Body, err = request.GetBody(); err != nil {
			return response, nil
		}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorText))
	response.Body.Close()
	return t.with(again, fresh)
}

func (t *authorized) with(request *http.Request, header string) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", header)
	return t.next.RoundTrip(request)
}

// CloseIdleConnections is what http.Client.CloseIdleConnections looks for.
func (t *authorized) CloseIdleConnections() { t.next.CloseIdleConnections() }

func repeatable(request *http.Request) bool {
	return request.Body == nil || request.Body == http.NoBody || request.GetBody != nil
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		request.Body.Close()
	}
}

// Constant authorizes with one header for ever.
func Constant(header string) Authorizer {
	return func(context.Context) (string, error) { return header, nil }
}

// Basic authorizes with a principal and its secret in a file, which ReadCredential reads each
// time.
func Basic(file string) Authorizer {
	return func(context.Context) (string, error) {
		principal, secret, err := ReadCredential(file)
		if err != nil {
			return "", err
		}
		pair := base64.StdEncoding.EncodeToString([]byte(principal + ":" + secret))
		return "Basic " + pair, nil
	}
}

// ReadCredential reads a credential in the two forms that Mesos itself reads:
// {"principal": "p", "secret": "s"}, or the two words "p s". Its errors show nothing of it.
func ReadCredential(file string) (principal, secret string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("reading the credential: %w", err)
	}
	var c struct{ Principal, Secret string }
	if json.Unmarshal(text, &c) != nil {
		if words := strings.Fields(string(text)); len(words) == 2 {
			c.Principal, c.Secret = words[0], words[1]
		}
	}
	if c.Principal == "" || c.Secret == "" || strings.Contains(c.Principal, ":") {
		return "", "", fmt.Errorf(`reading the credential %s: it must be "PRINCIPAL SECRET" or `+
			`{"principal": "…", "secret": "…"}, and a principal has no colon`, file)
	}
	return c.Principal, c.Secret, nil
}

// TokenFile authorizes with the bearer token that is all of a file.
func TokenFile(file string) Authorizer {
	return func(context.Context) (string, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the bearer token: %w", err)
		}
		return bearer("the file "+file, string(text))
	}
}

// tokenPatience is how long a command may take to print a token.
const tokenPatience = 30 * time.Second

// TokenCommand authorizes with the bearer token that a shell command prints. What it says on
// standard error is part of the error when it fails.
func TokenCommand(command string) Authorizer {
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, tokenPatience)
		defer cancel()
		shell := exec.CommandContext(ctx, "/bin/sh", "-c", command)
		shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		shell.Cancel = func() error { return syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) }
		shell.WaitDelay = time.Second
		out, err := shell.Output()
		if ctx.Err() != nil {
			return "", fmt.Errorf("getting a bearer token: the command did not end within %s",
				tokenPatience)
		}
		if exit, is := errors.AsType[*exec.ExitError](err); is {
			return "", fmt.Errorf("getting a bearer token: the command ended with %s: %s", exit,
				strings.TrimSpace(string(exit.Stderr)))
		}
		if err != nil {
			return "", fmt.Errorf("getting a bearer token: %w", err)
		}
		return bearer("the command", string(out))
	}
}

// bearer makes the header of a token; it never shows what cannot be one.
func bearer(from, text string) (string, error) {
	token := strings.TrimSpace(text)
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if token == "" || strings.ContainsFunc(token, odd) {
		return "", fmt.Errorf("getting a bearer token: what %s gives is not one word", from)
	}
	return "Bearer " + token, nil
}

// TLSFiles are the PEM files of TLS to a Mesos.
type TLSFiles struct {
	// CA holds the authorities that sign the masters' and agents' certificates, "" for those
	// of the system.
	CA string
	// Cert and Key are our own certificate with its key, "" for none. They are read anew for
	// each connection.
	Cert, Key string
}

// Config gives the TLS configuration, and fails for files that cannot be used.
func (f TLSFiles) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		text, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("reading the certificates of authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("reading the certificates of authorities: %s holds none in "+
				"PEM form", f.CA)
		}
	}
	if f.Cert == "" && f.Key == "" {
		return config, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err != nil {
			return nil, fmt.Errorf("reading the client certificate %s with its key %s: %w",
				f.Cert, f.Key, err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return load()
	}
	return config, nil
}

// AccessOptions are what an operator says of how one is let in. They name files and a command,
// never a secret itself, and may be kept and shown.
type AccessOptions struct {
	// Credential is a file with a principal and its secret, as ReadCredential reads it.
	Credential string `json:"credential,omitempty"`
	// TokenFile holds a bearer token, and TokenCommand prints one.
	TokenFile    string `json:"auth_token_file,omitempty"`
	TokenCommand string `json:"auth_token_command,omitempty"`
	// CA, Cert and Key are the PEM files of TLSFiles.
	CA   string `json:"ca,omitempty"`
	Cert string `json:"cert,omitempty"`
	Key  string `json:"key,omitempty"`
}

// Access makes the Access. It fails for options that exclude each other, and for files that
// cannot be used now.
func (o AccessOptions) Access() (*Access, error) {
	var authorizers []Authorizer
	if o.Credential != "" {
		if _, _, err := ReadCredential(o.Credential); err != nil {
			return nil, err
		}
		authorizers = append(authorizers, Basic(o.Credential))
	}
	if o.TokenFile != "" {
		authorizers = append(authorizers, TokenFile(o.TokenFile))
	}
	if o.TokenCommand != "" {
		authorizers = append(authorizers, TokenCommand(o.TokenCommand))
	}
	if len(authorizers) > 1 {
		return nil, errors.New("a credential, a token's file and a token's command exclude each " +
			"other: one of them is how Mesos lets us in")
	}
	if (o.Cert == "") != (o.Key == "") {
		return nil, errors.New("a client certificate and its key need each other")
	}
	var config *tls.Config
	if o.CA != "" || o.Cert != "" {
		var err error
		if config, err = (TLSFiles{CA: o.CA, Cert: o.Cert, Key: o.Key}).Config(); err != nil {
			return nil, err
		}
	}
	return NewAccess(append(authorizers, nil)[0], config), nil
}

// Principal is the one that the credential is of, "" without one.
func (o AccessOptions) Principal() (string, error) {
	if o.Credential == "" {
		return "", nil
	}
	principal, _, err := ReadCredential(o.Credential)
	return principal, err
}

// Version asks a master, at host:port or a URL, for its version; nobody needs credentials for
// that. The error says whether nobody answers or no master does.
func (a *Access) Version(ctx context.Context, address string) (string, error) {
	to, err := endpoint(a.Scheme(), address, "/version")
	if err != nil {
		return "", err
	}
	client := newPoster(true, a).client
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return "", fmt.Errorf("asking %s: %w", to, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct{ Version string }
	body := io.LimitReader(response.Body, 1<<20)
	if json.NewDecoder(body).Decode(&answer) != nil || answer.Version == "" {
		return "", &StatusError{Status: response.StatusCode, Text: "it is no Mesos master"}
	}
	return answer.Version, nil
}
