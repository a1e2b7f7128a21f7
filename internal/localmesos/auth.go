package localmesos

import (
	"crypto/subtle"
	"net/http"
)

// Basic authentication, as far as Mesos has it built in: every endpoint belongs
// to a realm, but for those that tell that the master lives.
const (
	realmScheduler = "mesos-master-scheduler"
	realmReadOnly  = "mesos-master-readonly"
	realmReadWrite = "mesos-master-readwrite"
)

func realmOf(path string) string {
	switch path {
	case "/version", "/health", "/redirect":
		return ""
	case "/api/v1/scheduler":
		return realmScheduler
	case "/api/v1", "/teardown":
		return realmReadWrite
	}
	return realmReadOnly
}

// authenticate lets a request through that shows good credentials or needs none.
func (c *Cluster) authenticate(w http.ResponseWriter, r *http.Request, path string) bool {
	realm := realmOf(path)
	if len(c.cfg.Credentials) == 0 || realm == "" {
		return true
	}
	name, secret, _ := r.BasicAuth()
	want, known := c.cfg.Credentials[name]
	if subtle.ConstantTimeCompare([]byte(secret), []byte(want)) == 1 && known {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="`+realm+`"`)
	fail(http.StatusUnauthorized, "401 Unauthorized.").write(w, false)
	return false
}

// principal is who sent a request, "" if nobody has to say.
func (c *Cluster) principal(r *http.Request) string {
	if len(c.cfg.Credentials) == 0 {
		return ""
	}
	name, _, _ := r.BasicAuth()
	return name
}
