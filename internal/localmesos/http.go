package localmesos

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/x-protobuf"
	maxBody       = 32 << 20
)

// reply is the answer to a call: a text, a message, or a stream.
type reply struct {
	status  int
	text    string
	message message
	stream  *stream
}

func fail(status int, format string, args ...any) *reply {
	return &reply{status: status, text: fmt.Sprintf(format, args...)}
}

func accepted() *reply { return &reply{status: http.StatusAccepted} }

func answer(m message) *reply { return &reply{status: http.StatusOK, message: m} }

// write sends a reply that is not a stream.
func (p *reply) write(w http.ResponseWriter, protobuf bool) {
	body := []byte(p.text)
	switch {
	case p.message != nil:
		var err error
		if body, err = encode(p.message, protobuf); err != nil {
			fail(http.StatusInternalServerError, "encoding the answer: %v", err).write(w, false)
			return
		}
		w.Header().Set("Content-Type", mediaJSON)
		if protobuf {
			w.Header().Set("Content-Type", mediaProtobuf)
		}
	case len(body) > 0 || p.status == http.StatusNotFound:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.WriteHeader(p.status)
	// The client may be gone; there is nobody to tell.
	_, _ = w.Write(body)
}

// checkMethod answers 405 in Mesos' words.
func checkMethod(w http.ResponseWriter, r *http.Request, allowed ...string) bool {
	for _, m := range allowed {
		if r.Method == m {
			return true
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	fail(http.StatusMethodNotAllowed,
		"405 Method Not Allowed. Expecting one of { '%s' }, but received '%s'.",
		strings.Join(allowed, "', '"), r.Method).write(w, false)
	return false
}

// readCall decodes the body of a request by its content type.
func readCall(r *http.Request, call interface{ Unmarshal([]byte) error }) *reply {
	body, bad := readBody(r)
	if bad != nil {
		return bad
	}
	return decodeCall(r, body, call)
}

// readBody reads the body of a call.
func readBody(r *http.Request) ([]byte, *reply) {
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		return nil, fail(http.StatusBadRequest, "Expecting 'Content-Type' to be present")
	}
	if kind != mediaJSON && kind != mediaProtobuf {
		return nil, fail(http.StatusUnsupportedMediaType,
			"Expecting 'Content-Type' of application/json or application/x-protobuf")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, fail(http.StatusRequestEntityTooLarge, "The body is too large")
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, "Failed to read the body: %v", err)
	}
	return body, nil
}

// decodeCall decodes the body of a call in the form that its header names.
func decodeCall(r *http.Request, body []byte, call interface{ Unmarshal([]byte) error }) *reply {
	if r.Header.Get("Content-Type") == mediaProtobuf {
		if err := unmarshal(call, body); err != nil {
			return fail(http.StatusBadRequest, "Failed to parse body into Call protobuf")
		}
		return nil
	}
	if err := decodeJSON(body, call); err != nil {
		return fail(http.StatusBadRequest, "%s", err)
	}
	return nil
}

// unmarshal decodes protobuf; the generated code must not take the process down
// with a hostile body.
func unmarshal(m interface{ Unmarshal([]byte) error }, body []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoding protobuf: %v", p)
		}
	}()
	return m.Unmarshal(body)
}

// wantsProtobuf reads the Accept header; ok is false if neither form is accepted.
func wantsProtobuf(r *http.Request) (protobuf, ok bool) {
	header := r.Header.Get("Accept")
	if header == "" {
		return false, true
	}
	var json, proto bool
	for part := range strings.SplitSeq(header, ",") {
		kind, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil || params["q"] == "0" {
			continue
		}
		switch kind {
		case "*/*", "application/*":
			json, proto = true, true
		case mediaJSON:
			json = true
		case mediaProtobuf:
			proto = true
		}
	}
	return proto && !json, json || proto
}

func notAcceptable() *reply {
	return fail(http.StatusNotAcceptable,
		"Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'")
}

func notFound() *reply { return fail(http.StatusNotFound, "404 Not Found.") }

// trimPath removes trailing slashes and the name of the libprocess actor.
func trimPath(path, actor string) string {
	path = strings.TrimRight(path, "/")
	if rest, ok := strings.CutPrefix(path, actor); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path
}
