package localmesos

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"strconv"
)

// serveFiles is an agent's /files/read, /files/browse and /files/download.
func (a *agentNode) serveFiles(w http.ResponseWriter, r *http.Request, what string) {
	if !checkMethod(w, r, http.MethodGet) {
		return
	}
	path := r.URL.Query().Get("path")
	if path == "" {
		fail(http.StatusBadRequest, "Expecting 'path=value' in query.\n").write(w, false)
		return
	}
	switch what {
	case "read":
		a.serveRead(w, r, path)
	case "browse":
		a.serveBrowse(w, path)
	case "download":
		a.serveDownload(w, path)
	default:
		notFound().write(w, false)
	}
}

// fileError answers for a file that cannot be read.
func fileError(err error) *reply {
	switch {
	case errors.Is(err, errIsDirectory):
		return &reply{status: http.StatusBadRequest, text: err.Error()}
	case errors.Is(err, errNoFile):
		return &reply{status: http.StatusNotFound}
	}
	return fail(http.StatusInternalServerError, "%s", err)
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(http.StatusInternalServerError, "%s", err).write(w, false)
		return
	}
	w.Header().Set("Content-Type", mediaJSON)
	_, _ = w.Write(body)
}

func (a *agentNode) serveRead(w http.ResponseWriter, r *http.Request, path string) {
	number := func(name string) (int64, error) {
		v := r.URL.Query().Get(name)
		if v == "" {
			return -1, nil
		}
		n, err := strconv.ParseInt(v, 10, 64)
		return max(n, -1), err
	}
	offset, err := number("offset")
	if err != nil {
		fail(http.StatusBadRequest, "Failed to parse offset: %s.\n", err).write(w, false)
		return
	}
	length, err := number("length")
	if err != nil {
		fail(http.StatusBadRequest, "Failed to parse length: %s.\n", err).write(w, false)
		return
	}
	size, data, err := a.readFile(path, offset, length)
	if err != nil {
		fileError(err).write(w, false)
		return
	}
	if offset < 0 {
		offset = size
	}
	writeJSON(w, map[string]any{"data": string(data), "offset": offset})
}

func (a *agentNode) serveBrowse(w http.ResponseWriter, path string) {
	infos, err := a.listFiles(path)
	if err != nil {
		fileError(err).write(w, false)
		return
	}
	out := []map[string]any{}
	for _, i := range infos {
		out = append(out, map[string]any{
			"gid": i.GetGID(), "uid": i.GetUID(), "mode": modeString(i.GetMode()),
			"mtime": float64(i.GetMtime().GetNanoseconds()) / 1e9, "nlink": i.GetNlink(),
			"path": i.Path, "size": i.GetSize_()})
	}
	writeJSON(w, out)
}

func modeString(m uint32) string {
	kind := "-"
	switch m & 0o170000 {
	case 0o040000:
		kind = "d"
	case 0o120000:
		kind = "l"
	}
	return kind + fs.FileMode(m & 0o777).String()[1:]
}

func (a *agentNode) serveDownload(w http.ResponseWriter, path string) {
	f, err := a.openFile(path)
	if err != nil {
		notFound().write(w, false)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.IsDir() {
		fail(http.StatusBadRequest, "Cannot download a directory.\n").write(w, false)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(filepath.Base(path)))
	h.Set("Content-Length", strconv.FormatInt(st.Size(), 10))
	_, _ = copyN(w, f, st.Size())
}
