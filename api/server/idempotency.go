package server

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/kafka-sched/kafka-sched/api"
)

const (
	// mostKeys is how many answers are kept for the keys that they were asked under.
	mostKeys = 1024
	// keyAge is how long they are kept at most.
	keyAge = 24 * time.Hour
)

// keyring keeps the answers to requests that came with an Idempotency-Key: in memory only, and
// only the latest ones.
type keyring struct {
	now func() time.Time

	mu    sync.Mutex
	known map[string]*keyed
	order []*keyed // oldest first
}

// keyed is a request that came under a key, with its answer once there is one.
type keyed struct {
	key     string
	request [sha256.Size]byte
	at      time.Time
	done    bool
	status  int
	header  http.Header
	body    []byte
}

func newKeyring(now func() time.Time) *keyring {
	return &keyring{now: now, known: map[string]*keyed{}}
}

// claim gives what is known under a key; fresh says that nothing was and that the caller is to
// answer. Nil says that there is no room, because every request that is known is under way.
func (k *keyring) claim(key string, request [sha256.Size]byte) (entry *keyed, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.order) > 0 && k.order[0].done && k.now().Sub(k.order[0].at) > keyAge {
		k.drop(k.order[0])
	}
	if entry = k.known[key]; entry != nil {
		same := *entry // a copy: the answer may come at any moment
		return &same, false
	}
	if len(k.order) >= mostKeys && !k.dropOldest() {
		return nil, false
	}
	entry = &keyed{key: key, request: request, at: k.now()}
	k.known[key], k.order = entry, append(k.order, entry)
	return entry, true
}

// dropOldest drops the oldest answer; false says that there is none.
func (k *keyring) dropOldest() bool {
	for _, entry := range k.order {
		if entry.done {
			k.drop(entry)
			return true
		}
	}
	return false
}

func (k *keyring) drop(entry *keyed) {
	delete(k.known, entry.key)
	for i, other := range k.order {
		if other == entry {
			k.order = append(k.order[:i:i], k.order[i+1:]...)
			return
		}
	}
}

// settle keeps an answer, or forgets the request when the answer says nothing about whether it
// was carried out.
func (k *keyring) settle(entry *keyed, status int, header http.Header, body []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if status == 0 || status >= http.StatusInternalServerError {
		k.drop(entry)
		return
	}
	entry.done, entry.status, entry.header, entry.body = true, status, header.Clone(), body
}

// once answers a change that comes again under the same key as it did before.
func (x *v2) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(api.HeaderKey)
		if key == "" && len(r.Header.Values(api.HeaderKey)) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if !plainKey(key) {
			fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, "The "+api.HeaderKey+
				" must be 1 to 128 printable ASCII characters.")
			return
		}
		body, ok := x.readAhead(w, r)
		if !ok {
			return
		}
		entry, fresh := x.keys.claim(key, fingerprint(r, body))
		switch {
		case entry == nil:
			busy(w, r)
		case fresh:
			x.answerOnce(w, r, entry, next)
		case entry.request != fingerprint(r, body):
			fail(w, r, http.StatusUnprocessableEntity, api.CodeKeyReused,
				"The "+api.HeaderKey+" came before with another request; make a new one.")
		case !entry.done:
			w.Header().Set("Retry-After", "1")
			fail(w, r, http.StatusConflict, api.CodeKeyInUse,
				"The request that this "+api.HeaderKey+" came with is not answered yet.")
		default:
			answerAgain(w, entry)
		}
	})
}

// answerOnce answers a request and keeps the answer.
func (x *v2) answerOnce(w http.ResponseWriter, r *http.Request, entry *keyed, next http.Handler) {
	var answer bytes.Buffer
	recorder := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
	recorder.Tee(&answer)
	finished := false
	defer func() {
		status := recorder.Status()
		if !finished {
			status = 0 // a bug; who knows how far it came
		}
		x.keys.settle(entry, status, w.Header(), answer.Bytes())
	}()
	next.ServeHTTP(recorder, r)
	finished = true
}

func answerAgain(w http.ResponseWriter, entry *keyed) {
	for name, values := range entry.header {
		w.Header()[name] = values
	}
	w.Header().Set(api.HeaderReplayed, "true")
	write(w, entry.status, entry.header.Get("Content-Type"), entry.body)
}

// plainKey says whether a key is one that is taken.
func plainKey(key string) bool {
	if len(key) == 0 || len(key) > api.MaxKey {
		return false
	}
	for _, c := range []byte(key) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// readAhead reads the body and leaves it there for the handler.
func (x *v2) readAhead(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		unreadable(w, r, err)
		return nil, false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, true
}

// fingerprint tells requests apart: by what they ask of what under which conditions.
func fingerprint(r *http.Request, body []byte) [sha256.Size]byte {
	var d digest
	d.add(r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"))
	d.add(r.Header.Values("If-Match")...)
	d.add(string(body))
	return sha256.Sum256(d.data)
}
