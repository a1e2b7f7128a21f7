package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// accepts says whether a client takes an answer of this media type, as "text/plain".
func accepts(r *http.Request, media string) bool {
	header := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(header) == "" {
		return true
	}
	kind, _, _ := strings.Cut(media, "/")
	for _, wanted := range strings.Split(header, ",") {
		name, parameters, err := mime.ParseMediaType(strings.TrimSpace(wanted))
		refused := strings.Trim(parameters["q"], "0.") == "" && parameters["q"] != ""
		if err == nil && !refused && (name == media || name == kind+"/*" || name == "*/*") {
			return true
		}
	}
	return false
}

// acceptsText answers 406 to clients that take no plain text, where there is nothing else.
func acceptsText(w http.ResponseWriter, r *http.Request) bool {
	if accepts(r, api.TextType) {
		return true
	}
	empty(w, http.StatusNotAcceptable)
	return false
}

// fileNames answers with the names in the predecessor's form, which is no JSON: "[a, b]".
func fileNames(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !acceptsText(w, r) {
		return
	}
	names := make([]string, 0, len(v.Files))
	for name := range v.Files {
		names = append(names, name)
	}
	sort.Strings(names)
	sentence(w, http.StatusOK, "["+strings.Join(names, ", ")+"]")
}

func file(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !acceptsText(w, r) {
		return
	}
	content, ok := v.Files[param(r, "name")]
	if !ok {
		sentence(w, http.StatusNotFound, "Failed to get the file")
		return
	}
	sentence(w, http.StatusOK, content)
}

// maxFileName is the length in bytes of the longest name of a file.
const maxFileName = 255

// putFile keeps the field "file" of a form.
func (h *handlers) putFile(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
	name, invalid := param(r, "name"), func(text string) {
		sentence(w, http.StatusBadRequest, text)
	}
	if !fileName(name) {
		invalid("This is not a name for a file: at most 255 bytes, no slash, nothing unprintable")
		return
	}
	said := r.Header.Get("Content-Type")
	if said == "" {
		empty(w, http.StatusBadRequest)
		return
	}
	media, parameters, err := mime.ParseMediaType(said)
	if err != nil || media != "multipart/form-data" {
		empty(w, http.StatusUnsupportedMediaType)
		return
	}
	content, complaint, err := fileField(multipart.NewReader(r.Body, parameters["boundary"]))
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit):
		tooLarge(w, r)
		return
	case err != nil:
		complaint = "The form cannot be read to its end"
	}
	if complaint != "" {
		invalid(complaint)
		return
	}
	if _, ok := h.command(w, r, scheduler.PutFile{Name: name, Content: content}); ok {
		empty(w, http.StatusOK)
	}
}

func fileName(name string) bool {
	odd := func(c rune) bool { return c == '/' || !unicode.IsPrint(c) }
	return name != "" && len(name) <= maxFileName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, odd)
}

// fileField reads the field "file" of a form, and nothing after it. The complaint is for the
// client, "" when there is none.
func fileField(form *multipart.Reader) (content, complaint string, err error) {
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return "", `The form has no field "file"`, nil
		}
		if err != nil {
			return "", "", err
		}
		if part.FormName() != "file" {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, api.MaxFile+1))
		switch {
		case err != nil:
			return "", "", err
		case len(text) > api.MaxFile:
			return "", fmt.Sprintf("Stream exceeds %d byte size limit", api.MaxFile), nil
		case !utf8.Valid(text):
			return "", "The file is no text in UTF-8", nil
		}
		return string(text), "", nil
	}
}
