package api

import (
	"net/url"
	"strings"
)

// Route is one path of the API with one method that it answers to; whatever answers to GET
// answers to HEAD as well.
type Route struct{ Method, Path string }

// Routes lists every route, each once.
func Routes() []Route { return append(routesV1(), routesV2()...) }

// Fill gives a path with its {parameters} replaced, in order, by the escaped values.
func Fill(path string, values ...string) string {
	for _, value := range values {
		begin, end := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
		if begin < 0 || end < begin {
			return path
		}
		escaped := url.PathEscape(value)
		if escaped == "." || escaped == ".." { // proxies would resolve these
			escaped = strings.ReplaceAll(escaped, ".", "%2E")
		}
		path = path[:begin] + escaped + path[end+1:]
	}
	return path
}
