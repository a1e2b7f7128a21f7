package server

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// ArtifactKind is a kind of file that agents fetch.
type ArtifactKind string

// The kinds of artifact.
const (
	ExecutorArtifact ArtifactKind = "executor" // the program itself
	KafkaArtifact    ArtifactKind = "kafka"    // a packed Kafka distribution
	JavaArtifact     ArtifactKind = "jre"      // a packed Java runtime
)

// Artifact is an open file. Its content never changes, so that its digest is its ETag.
type Artifact struct {
	Content io.ReadSeekCloser
	ModTime time.Time
}

// ArtifactProvider opens artifacts by exact name.
type ArtifactProvider interface {
	// OpenArtifact opens the file of that kind, digest and name. The error wraps
	// fs.ErrNotExist when there is none. Digest and file are single plain names, but must
	// still be compared with what exists and not be joined to a path.
	OpenArtifact(kind ArtifactKind, digest, file string) (Artifact, error)
}

// plainName has no separator and does not begin with a dot.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,254}$`)

// artifact serves files of one kind, with ranges and conditions.
func (h *handlers) artifact(kind ArtifactKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		digest, file := param(r, "digest"), param(r, "file")
		if h.Artifacts == nil || !plainName.MatchString(digest) || !plainName.MatchString(file) {
			missing(w, r, "Artifact", file)
			return
		}
		content, err := h.Artifacts.OpenArtifact(kind, digest, file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing(w, r, "Artifact", file)
			return
		case err != nil:
			h.Logger.Error("api: an artifact cannot be opened", "path", r.URL.Path, "error", err)
			fail(w, r, http.StatusInternalServerError, api.CodeInternal,
				"The artifact cannot be read; the scheduler's log has the details.")
			return
		}
		defer content.Content.Close()
		// A large file to a slow agent may take longer than other answers. Writers without
		// deadlines, as those of tests, need none lifted.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
		header := w.Header()
		header.Set("Content-Type", "application/octet-stream")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
		header.Set("ETag", `"`+digest+`"`)
		http.ServeContent(w, r, "", content.ModTime, content.Content)
	}
}
