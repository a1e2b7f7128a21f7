package zktest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Identity is a certificate for 127.0.0.1 to 127.0.0.9 with its key, and the authority that signed
// it, as files in PEM form.
type Identity struct{ CAFile, CertFile, KeyFile string }

// StartSecure starts a server alone that has TLS at its address Secure and demands certificates
// of its clients, and gives one for these.
func StartSecure(t testing.TB) (*Server, Identity) {
	t.Helper()
	ports := freePorts(t, 2)
	s := prepare(t, ports[0], 1, nil)
	id := NewIdentity(t)
	s.Secure = "127.0.0.1:" + ports[1]
	s.secure = []string{"secureClientPort=" + ports[1], "secureClientPortAddress=127.0.0.1",
		"serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
		"ssl.keyStore.location=" + id.Both(t), "ssl.keyStore.type=PEM",
		"ssl.trustStore.location=" + id.CAFile, "ssl.trustStore.type=PEM"}
	s.launch()
	s.await()
	return s, id
}

// StartSASL starts a server alone that lets in only who logs in by SASL, as the user with the
// password.
func StartSASL(t testing.TB, user, password string) *Server {
	t.Helper()
	s := prepare(t, freePorts(t, 1)[0], 1, nil)
	jaas := filepath.Join(s.folder, "jaas.conf")
	s.write(jaas, fmt.Sprintf("Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule "+
		"required\n  user_%s=%q;\n};\n", user, password))
	s.jvm = []string{"-Djava.security.auth.login.config=" + jaas}
	s.secure = []string{
		"authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
		"enforce.auth.enabled=true", "enforce.auth.schemes=sasl"}
	s.launch()
	s.await()
	return s
}

// NewIdentity makes an authority of its own and a certificate.
func NewIdentity(t testing.TB) Identity {
	t.Helper()
	authority := x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true,
		Subject: pkix.Name{CommonName: "authority"}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	own := x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "own"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for host := range byte(9) {
		own.IPAddresses = append(own.IPAddresses, net.IPv4(127, 0, 0, 1+host))
	}
	signer, key := newKey(t), newKey(t)
	folder := t.TempDir()
	id := Identity{CAFile: filepath.Join(folder, "ca.pem"),
		CertFile: filepath.Join(folder, "cert.pem"), KeyFile: filepath.Join(folder, "key.pem")}
	writePEM(t, id.CAFile, "CERTIFICATE", signed(t, &authority, &authority, signer, signer))
	writePEM(t, id.CertFile, "CERTIFICATE", signed(t, &own, &authority, key, signer))
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, id.KeyFile, "PRIVATE KEY", encoded)
	return id
}

// Both gives the certificate and its key in one file, as servers want them.
func (id Identity) Both(t testing.TB) string {
	t.Helper()
	path := id.KeyFile + ".both"
	var all []byte
	for _, file := range []string{id.KeyFile, id.CertFile} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed gives a certificate for the owner of a key.
func signed(t testing.TB, what, by *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, what, by, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t testing.TB, path, kind string, content []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
