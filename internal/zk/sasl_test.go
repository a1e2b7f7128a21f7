package zk

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// jaasFile writes a JAAS file as ZooKeeper's own clients have it.
func jaasFile(t *testing.T, client string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jaas.conf")
	text := "Server {\n  none required;\n};\nClient {\n  " + client + "\n};\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const digestModule = "org.apache.zookeeper.server.auth.DigestLoginModule required\n  "

// dialSASL begins a session with a JAAS file.
func dialSASL(
	t *testing.T, server *zktest.Server, login string, patience time.Duration,
) (*Session, error) {
	t.Helper()
	return dialBy(t, Access{URI: "zk://" + server.Address + "/private",
		SessionTimeout: 20 * time.Second, AuthFile: jaasFile(t, digestModule+login)}, patience)
}

// A server that demands SASL lets in who has the password, whose nodes are its own, also over a
// restart of the server; others are told that they are refused.
func TestSASL(t *testing.T) {
	t.Parallel()
	const password = `se"cr\et: ü`
	server := zktest.StartSASL(t, "kafka", password)
	login := fmt.Sprintf("username=%q\n  password=%q;", "kafka", password)
	s, err := dialSASL(t, server, login, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Ensure(s.Path); err != nil {
		t.Fatal(err)
	}
	acl, _, err := s.Conn.GetACL(s.Path)
	if err != nil || len(acl) != 1 || acl[0].Scheme != "sasl" || acl[0].ID != "kafka" {
		t.Errorf("the node is of %v: %v", acl, err)
	}
	server.Stop()
	server.Start()
	eventually(t, func() error {
		_, err := s.Conn.Set(s.Path, []byte("again"), -1)
		return err
	})

	_, err = dialSASL(t, server, `username="kafka" password="wrong";`, 3*time.Second)
	if err == nil || !strings.Contains(err.Error(), "the server refuses user kafka") {
		t.Errorf("with a wrong password it says %v", err)
	}
	bare, err := Dial(t.Context(), SessionConfig{URI: "zk://" + server.Address + "/private",
		Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		defer bare.Close()
		_, _, err = bare.Conn.Get(bare.Path)
	}
	if err == nil || errors.Is(err, zk.ErrNoNode) {
		t.Errorf("without a login it says %v", err)
	}
}

// A server that has no SASL says so, instead of letting anybody in.
func TestSASLNotOffered(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	_, err := dialSASL(t, server, `username="kafka" password="x";`, 3*time.Second)
	if err == nil || !strings.Contains(err.Error(), "logging in by SASL") {
		t.Errorf("it says %v", err)
	}
}

// JAAS files that cannot be used are told before anybody is asked.
func TestBadJAAS(t *testing.T) {
	t.Parallel()
	for says, client := range map[string]string{
		"has no DigestLoginModule":  "com.sun.security.auth.module.Krb5LoginModule required;",
		"has no username=":          digestModule + `password="x";`,
		"has no username=\"…\" and": digestModule + `username="x";`,
	} {
		_, err := Access{AuthFile: jaasFile(t, client)}.Config()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, not %q", err, says)
		}
	}
}

// A JAAS file may have remarks, other sections, and any sign in a password.
func TestJAAS(t *testing.T) {
	t.Parallel()
	cfg, err := Access{AuthFile: jaasFile(t, digestModule+`username="kafka"
  // password="old"
  /* username="old"
  */ password="a}\"b\\//c/*d*/"; // }`)}.Config()
	want := Login{"kafka", `a}"b\//c/*d*/`}
	if err != nil || cfg.SASL == nil || *cfg.SASL != want {
		t.Errorf("it is read as %+v: %v", cfg.SASL, err)
	}
}

// The answer to a challenge is that of RFC 2831, section 4, but for the names of the service.
func TestDigestMD5(t *testing.T) {
	t.Parallel()
	d := digest{Login{"chris", "secret"}, pairs([]byte(
		`realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,` +
			`charset=utf-8`)), "OA6MHXh6VqTrRk", "imap/elwood.innosoft.com"}
	if d.server["realm"] != "elwood.innosoft.com" || d.server["algorithm"] != "md5-sess" {
		t.Errorf("the challenge is read as %v", d.server)
	}
	if d.proof("AUTHENTICATE") != "d388dad90d4bbd760a152321f2143af7" {
		t.Error("the proof is another one")
	}
	if d.proof("") != "ea40f60335c427b5527b84dbabcdfffd" {
		t.Error("the server's proof is another one")
	}
}
