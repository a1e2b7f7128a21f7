package zk

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"
)

// Access is where a ZooKeeper is and how to be let in, as people write it down. The zero Access
// is none.
type Access struct {
	// URI is zk://[user:password@]host:port,…/path.
	URI string `json:"uri,omitempty"`
	// AuthFile holds user:password for the digest scheme, or is a JAAS file whose section Client
	// has a login for SASL; "" for what the URI says.
	AuthFile string `json:"auth_file,omitempty"`
	// CAFile holds the authorities of the servers' certificates, and turns TLS on; CertFile and
	// KeyFile are for servers that demand a certificate of us.
	CAFile   string `json:"ca_file,omitempty"`
	CertFile string `json:"cert_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`
	// SessionTimeout is as SessionConfig.Timeout.
	SessionTimeout time.Duration `json:"session_timeout,omitempty"`
}

// Config reads the files.
func (a Access) Config() (SessionConfig, error) {
	cfg := SessionConfig{URI: a.URI, Timeout: a.SessionTimeout}
	if a.AuthFile != "" {
		auth, err := os.ReadFile(a.AuthFile)
		if err != nil {
			return cfg, fmt.Errorf("reading the credentials for ZooKeeper: %w", err)
		}
		cfg.SASL, err = loginOf(string(auth))
		switch {
		case err != nil:
			return cfg, fmt.Errorf("reading the credentials for ZooKeeper: %s: %w", a.AuthFile, err)
		case cfg.SASL != nil:
		case !bytes.Contains(auth, []byte(":")):
			return cfg, fmt.Errorf("reading the credentials for ZooKeeper: %s does not hold "+
				"user:password, and is no JAAS file with a section Client", a.AuthFile)
		default:
			cfg.Auth = string(bytes.TrimSpace(auth))
		}
	}
	if a.CAFile == "" {
		return cfg, nil
	}
	authorities, err := os.ReadFile(a.CAFile)
	if err != nil {
		return cfg, fmt.Errorf("reading the authorities of ZooKeeper's certificates: %w", err)
	}
	cfg.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !cfg.TLS.RootCAs.AppendCertsFromPEM(authorities) {
		return cfg, fmt.Errorf("reading the authorities of ZooKeeper's certificates: %s holds "+
			"no certificate in PEM form", a.CAFile)
	}
	if a.CertFile == "" {
		return cfg, nil
	}
	own, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
	if err != nil {
		return cfg, fmt.Errorf("reading our certificate for ZooKeeper: %w", err)
	}
	cfg.TLS.Certificates = []tls.Certificate{own}
	return cfg, nil
}

// String is the URI without its credentials.
func (a Access) String() string {
	if at := strings.LastIndex(a.URI, "@"); at >= 0 {
		return Scheme + a.URI[at+1:]
	}
	return a.URI
}

// Check says what is wrong with the URI, if anything is.
func (a Access) Check() error {
	_, err := parse(a.URI)
	return err
}
