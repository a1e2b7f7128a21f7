package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// dialBy begins a session as people write it down, or says why there is none.
func dialBy(t *testing.T, access Access, patience time.Duration) (*Session, error) {
	t.Helper()
	cfg, err := access.Config()
	if err != nil {
		return nil, err
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return Dial(ctx, cfg)
}

// secured begins a session with files of certificates, or says why there is none.
func secured(t *testing.T, address string, id zktest.Identity, patience time.Duration) error {
	t.Helper()
	s, err := dialBy(t, Access{URI: "zk://user:secret@" + address + "/secured",
		CAFile: id.CAFile, CertFile: id.CertFile, KeyFile: id.KeyFile}, patience)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Ensure(s.Path); err != nil {
		return err
	}
	acl, _, err := s.Conn.GetACL(s.Path)
	// Who has a certificate is a user by that as well.
	if want := zk.DigestACL(zk.PermAll, "user", "secret")[0]; err == nil &&
		(len(acl) != 2 || !slices.Contains(acl, want)) {
		err = errors.New("the node is not its user's")
	}
	return err
}

// A server with TLS lets in who has a certificate, credentials and all; who has none, or takes
// the server for another one, is told why.
func TestTLS(t *testing.T) {
	t.Parallel()
	server, id := zktest.StartSecure(t)
	if err := secured(t, server.Secure, id, time.Minute); err != nil {
		t.Fatal(err)
	}
	refused := func(says, address string, id zktest.Identity) {
		t.Helper()
		eventually(t, func() error { // so soon there may be no answer at all
			err := secured(t, address, id, 2*time.Second)
			if err == nil || !strings.Contains(err.Error(), says) {
				return fmt.Errorf("it says %v, not %q", err, says)
			}
			return nil
		})
	}
	refused("certificate", server.Secure, zktest.Identity{CAFile: id.CAFile})
	refused("certificate signed by unknown authority", server.Secure, zktest.NewIdentity(t))
	refused("the latest try", server.Address, id) // it speaks no TLS there
}

// Files of certificates that cannot be used are told apart before anybody is asked.
func TestBadCertificates(t *testing.T) {
	t.Parallel()
	id := zktest.NewIdentity(t)
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for says, a := range map[string]Access{
		"authorities of ZooKeeper's certificates: open": {CAFile: bad + ".none"},
		"holds no certificate in PEM form":              {CAFile: bad},
		"our certificate for ZooKeeper": {CAFile: id.CAFile, CertFile: id.CertFile,
			KeyFile: bad},
	} {
		if _, err := a.Config(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, not %q", err, says)
		}
	}
}
