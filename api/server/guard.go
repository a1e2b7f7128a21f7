package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5/middleware"

	"github.com/kafka-sched/kafka-sched/api"
)

// HostPolicy gives the AllowHost for a server that listens on this host: when it is a loopback
// name or address only these and the extra ones are allowed, else all are (nil). Each may
// carry a port, which does not matter.
func HostPolicy(listen string, extra ...string) func(host string) bool {
	if !Loopback(hostOnly(listen)) {
		return nil
	}
	return func(host string) bool {
		for _, name := range extra {
			if host != "" && strings.EqualFold(host, hostOnly(name)) {
				return true
			}
		}
		return Loopback(host)
	}
}

// Loopback reports whether a host, without a port, is a loopback address or a name that can
// only mean this machine (RFC 6761).
func Loopback(host string) bool {
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// checkHost refuses requests under a foreign name, as those of a web page whose name was
// rebound to this machine's address are.
func (h *handlers) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.AllowHost != nil && !h.AllowHost(hostOnly(r.Host)) {
			fail(w, r, http.StatusForbidden, api.CodeForbidden,
				"This scheduler does not answer under this host name.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOnly takes the port off a Host header.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// checkOrigin refuses changes that a browser makes for a page of another origin.
func (h *handlers) checkOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Logger.Warn("api: refused a change from another origin", "path", r.URL.Path,
			"caller", r.RemoteAddr, "origin", r.Header.Get("Origin"))
		fail(w, r, http.StatusForbidden, api.CodeForbidden,
			"Changes are not taken from web pages of another origin.")
	}))
	return protection.Handler(next)
}

// limitBody refuses bodies over api.MaxBody, those of unknown length while they are read.
func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > api.MaxBody {
			tooLarge(w, r)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, api.MaxBody)
		next.ServeHTTP(w, r)
	})
}

func tooLarge(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Connection", "close")
	fail(w, r, http.StatusRequestEntityTooLarge, api.CodeTooLarge,
		fmt.Sprintf("The body is larger than %d bytes.", api.MaxBody))
}

// unreadable answers a body that could not be read.
func unreadable(w http.ResponseWriter, r *http.Request, err error) {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		tooLarge(w, r)
		return
	}
	fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest,
		"The body could not be read to its end.")
}

// recoverPanic ends a request that met a bug, and only that.
func (h *handlers) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			bug := recover()
			if bug == nil {
				return
			}
			if bug == http.ErrAbortHandler {
				panic(bug) // not a bug: the way to drop a connection
			}
			h.Logger.Error("api: a handler panicked", "method", r.Method, "path", r.URL.Path,
				"panic", fmt.Sprint(bug), "stack", string(debug.Stack()))
			fail(w, r, http.StatusInternalServerError, api.CodeInternal,
				"The scheduler met a bug while it answered; its log has the details.")
		}()
		next.ServeHTTP(w, r)
	})
}

// audit logs every request that may change something, when it was answered.
func (h *handlers) audit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		recorder := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			h.Logger.Info("api: change asked for", "method", r.Method, "path", r.URL.Path,
				"query", r.URL.RawQuery, "caller", caller(r),
				"status", recorder.Status(), "took", time.Since(began))
		}()
		next.ServeHTTP(recorder, r)
	})
}

// errAnswered says that the request was answered already.
var errAnswered = errors.New("answered")

// readAll reads a body of any type; it answers itself when it cannot.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		unreadable(w, r, err)
		return nil, false
	}
	return body, true
}

// readBody reads a body that must be of this media type; it answers itself when it is not.
// An empty body is given back as nil, whatever its type.
func readBody(w http.ResponseWriter, r *http.Request, wanted string) ([]byte, error) {
	body, ok := readAll(w, r)
	switch {
	case !ok:
		return nil, errAnswered
	case len(bytes.TrimSpace(body)) == 0:
		return nil, nil
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		fail(w, r, http.StatusUnsupportedMediaType, api.CodeUnsupportedType,
			"The body must be sent as it is, not in a Content-Encoding.")
		return nil, errAnswered
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != wanted {
		fail(w, r, http.StatusUnsupportedMediaType, api.CodeUnsupportedType,
			"The body must be of the content type "+wanted+".")
		return nil, errAnswered
	}
	return body, nil
}
