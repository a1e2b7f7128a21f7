package server

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// errorPage is what the predecessor's HTTP server sends for errors that have no text of their
// own, but for the line that names that server. Its header and its meta element name different
// character sets, so that everything is escaped down to ASCII here.
const errorPage = `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<title>Error %[1]d %[2]s</title>
</head>
<body><h2>HTTP ERROR %[1]d</h2>
<p>Problem accessing %[3]s. Reason:
<pre>    %[2]s</pre></p>
</body>
</html>
`

// predecessors says whether a path belongs to the predecessor's half: all but our own /v2.
func predecessors(path string) bool {
	const debug = "/v2/debug"
	return !strings.HasPrefix(path, "/v2/") || path == debug || strings.HasPrefix(path, debug+"/")
}

// page answers with the predecessor's error page, which PUT, DELETE and the like go without.
func page(w http.ResponseWriter, r *http.Request, status int) {
	pageWith(w, r, status, http.StatusText(status))
}

func pageWith(w http.ResponseWriter, r *http.Request, status int, reason string) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
		body := fmt.Sprintf(errorPage, status, reason, html.EscapeString(r.URL.EscapedPath()))
		write(w, status, api.PageType, []byte(body))
	default:
		empty(w, status)
	}
}

// empty answers with a status alone.
func empty(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Length", "0")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
}

// sentence answers in plain text.
func sentence(w http.ResponseWriter, status int, text string) {
	write(w, status, api.TextType, []byte(text))
}
