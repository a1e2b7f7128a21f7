package api

import (
	"net/http"
	"net/url"
	"strings"
)

// The routes of this project's half.
const (
	PathService          = "/v2/service"
	PathServiceStop      = "/v2/service/stop"
	PathServiceStart     = "/v2/service/start"
	PathServiceUninstall = "/v2/service/uninstall"
	PathServiceTarget    = "/v2/service/target"
	PathPlansV2          = "/v2/plans"
	PathPodsV2           = "/v2/pods"
	PathVersion          = "/v2/version"
	PathMetrics          = "/metrics"
	PathOpenAPI          = "/openapi.yaml"
)

// Route is one path of the API with one method that it answers to; whatever answers to GET
// answers to HEAD as well.
type Route struct{ Method, Path string }

// Routes lists every route, each once.
func Routes() []Route {
	routes := routesV1()
	for _, path := range []string{
		PathService, PathPlansV2, PathPodsV2, PathVersion, PathMetrics, PathOpenAPI,
	} {
		routes = append(routes, Route{http.MethodGet, path})
	}
	for _, path := range []string{PathServiceStop, PathServiceStart, PathServiceUninstall} {
		routes = append(routes, Route{http.MethodPost, path})
	}
	return append(routes, Route{http.MethodPut, PathServiceTarget})
}

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
