package zk

import (
	"bytes"
	"crypto/md5" // the mechanism is made of it
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
)

// SASL, which go-zookeeper does not speak: ZooKeeper's own requests carry it, and a client sends
// them once it has its session and before anything else (ZooKeeperSaslClient.java). So it is done
// below go-zookeeper, when that reads the first answer on a connection. The mechanism is DIGEST-MD5
// (RFC 2831), which servers offer whose JAAS file has a DigestLoginModule.

// Login is a user of ZooKeeper's DigestLoginModule.
type Login struct{ User, Password string }

const (
	saslRequest = 102      // OpCode.sasl of ZooDefs.java
	saslMost    = 64 << 10 // bytes of an answer
	// saslURI is what clients and servers of ZooKeeper call each other (ClientCnxn.java).
	saslURI  = "zookeeper/zk-sasl-md5"
	saslOnce = "00000001" // how often the server's nonce was used
)

var (
	jaasRemark = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|//[^\n]*|(?s:/\*.*?\*/)`) // or a text
	jaasClient = regexp.MustCompile(`\bClient\s*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}`)
	jaasOption = regexp.MustCompile(`\b(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"`)
	saslPair   = regexp.MustCompile(`([a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^,]*))`)
	saslEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
)

// loginOf gives the login that the section Client of a JAAS file has, nil for what is no such file.
func loginOf(text string) (*Login, error) {
	plain := jaasRemark.ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, `"`) {
			return part
		}
		return ""
	})
	section := jaasClient.FindStringSubmatch(plain)
	if section == nil {
		return nil, nil
	}
	if !strings.Contains(section[1], "DigestLoginModule") {
		return nil, errors.New("its section Client has no DigestLoginModule, and others " +
			"(Kerberos) are not supported")
	}
	var l Login
	for _, option := range jaasOption.FindAllStringSubmatch(section[1], -1) {
		if value := unescaped(option[2]); option[1] == "username" {
			l.User = value
		} else {
			l.Password = value
		}
	}
	if l.User == "" || l.Password == "" {
		return nil, errors.New(`its section Client has no username="…" and password="…"`)
	}
	return &l, nil
}

// sasl is a connection that logs in behind the answer to the request for a session.
type sasl struct {
	net.Conn
	login Login
	first []byte // what is left to be read of that answer
	done  bool
}

// Read implements net.Conn.
func (c *sasl) Read(b []byte) (int, error) {
	if !c.done {
		answer, err := c.frame()
		// Where the session that was wanted has expired there is none, and nothing to log in to.
		const id, end = 8, 16
		if err == nil && len(answer) >= end && binary.BigEndian.Uint64(answer[id:end]) != 0 {
			err = c.logIn()
		}
		if err != nil {
			return 0, err
		}
		c.done = true
		c.first = append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...)
	}
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// logIn exchanges the tokens of the mechanism.
func (c *sasl) logIn() error {
	challenge, err := c.exchange(nil)
	if err != nil {
		return err
	}
	nonce := make([]byte, 16)
	rand.Read(nonce)
	d := digest{c.login, pairs(challenge), hex.EncodeToString(nonce), saslURI}
	if d.server["nonce"] == "" {
		return errors.New("logging in by SASL: the server does not offer DIGEST-MD5")
	}
	last, err := c.exchange([]byte(d.response()))
	if err != nil {
		return err
	}
	if pairs(last)["rspauth"] != d.proof("") {
		return errors.New("logging in by SASL: the server does not know the password itself")
	}
	return nil
}

// exchange sends a token and gives the server's.
func (c *sasl) exchange(token []byte) ([]byte, error) {
	const header = 12 // the number of the request, its kind, the length of the token
	request := binary.BigEndian.AppendUint32(nil, uint32(header+len(token)))
	request = binary.BigEndian.AppendUint32(request, 0)
	request = binary.BigEndian.AppendUint32(request, saslRequest)
	request = binary.BigEndian.AppendUint32(request, uint32(len(token)))
	if _, err := c.Conn.Write(append(request, token...)); err != nil {
		return nil, fmt.Errorf("logging in by SASL: %w", err)
	}
	answer, err := c.frame()
	if err != nil {
		return nil, fmt.Errorf("logging in by SASL: %w", err)
	}
	const refused, length, content = 12, 16, 20 // behind the request's number and the zxid
	if len(answer) >= length && binary.BigEndian.Uint32(answer[refused:]) != 0 {
		return nil, fmt.Errorf("logging in by SASL: the server refuses user %s, or its password",
			c.login.User)
	}
	if len(answer) < content {
		return nil, errors.New("logging in by SASL: the server's answer is cut off")
	}
	return answer[content:], nil
}

// frame reads one answer.
func (c *sasl) frame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > saslMost {
		return nil, fmt.Errorf("an answer of %d bytes is none of ZooKeeper's", n)
	}
	answer := make([]byte, n)
	_, err := io.ReadFull(c.Conn, answer)
	return answer, err
}

// digest is what the two sides know of each other.
type digest struct {
	login  Login
	server map[string]string // what it said
	nonce  string            // ours
	uri    string            // of the service
}

// response is what answers the server's challenge.
func (d digest) response() string {
	return fmt.Sprintf(`charset=utf-8,username="%s",realm="%s",nonce="%s",nc=%s,cnonce="%s",`+
		`digest-uri="%s",qop=auth,response=%s`, saslEscape.Replace(d.login.User),
		saslEscape.Replace(d.server["realm"]), saslEscape.Replace(d.server["nonce"]), saslOnce,
		d.nonce, d.uri, d.proof("AUTHENTICATE"))
}

// proof shows that one side knows the password: we with AUTHENTICATE, the server without.
func (d digest) proof(method string) string {
	secret := md5.Sum(bytes.Join([][]byte{latin(d.login.User), latin(d.server["realm"]),
		latin(d.login.Password)}, []byte(":")))
	who := hashed(string(secret[:]), d.server["nonce"], d.nonce)
	return hashed(who, d.server["nonce"], saslOnce, d.nonce, "auth", hashed(method, d.uri))
}

// hashed is the sum of texts with colons between them.
func hashed(texts ...string) string {
	sum := md5.Sum([]byte(strings.Join(texts, ":")))
	return hex.EncodeToString(sum[:])
}

// latin encodes a text in ISO 8859-1 where that can, as the mechanism wants it hashed.
func latin(text string) []byte {
	var encoded []byte
	for _, r := range text {
		if r > 0xff {
			return []byte(text)
		}
		encoded = append(encoded, byte(r))
	}
	return encoded
}

// pairs reads the names and values of a token.
func pairs(token []byte) map[string]string {
	list := map[string]string{}
	for _, pair := range saslPair.FindAllStringSubmatch(string(token), -1) {
		list[pair[1]] = unescaped(pair[2]) + pair[3]
	}
	return list
}

// unescaped is the content of a quoted text.
func unescaped(text string) string {
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		plain.WriteByte(text[i])
	}
	return plain.String()
}
