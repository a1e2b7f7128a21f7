package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
)

// tidyPath makes of the path what the router knows, as the predecessor's server does: one
// slash at the end and matrix parameters (";x=1") mean nothing, and what is asked of a service
// by its name is asked of the only one there is. An empty segment is nowhere.
func (h *handlers) tidyPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if r.URL.RawPath != "" {
			path = r.URL.RawPath // handlers unescape their parameters
		}
		if strings.Contains(path, "//") {
			notFound(w, r)
			return
		}
		path = withoutMatrix(path)
		if len(path) > 1 {
			path = strings.TrimSuffix(path, "/")
		}
		if name, rest, named := serviceOf(path); named {
			view := h.View()
			switch {
			case view == nil:
				notStarted(w, r)
				return
			case !sameService(name, view.Service):
				missing(w, r, "Service", name)
				return
			}
			path = "/v1/" + rest
		}
		chi.RouteContext(r.Context()).RoutePath = path
		next.ServeHTTP(w, r)
	})
}

// withoutMatrix takes the matrix parameters off every segment.
func withoutMatrix(path string) string {
	if !strings.Contains(path, ";") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i], _, _ = strings.Cut(segment, ";")
	}
	return strings.Join(segments, "/")
}

// byName are the first segments of the routes that there are for a service by its name.
var byName = map[string]bool{"plans": true, "pod": true, "configurations": true,
	"endpoints": true, "state": true, "artifacts": true}

// serviceOf takes "/v1/service/<name>/<rest>" apart.
func serviceOf(path string) (name, rest string, named bool) {
	for _, prefix := range api.PrefixesOfServices() {
		if after, is := strings.CutPrefix(path, prefix); is {
			name, rest, _ = strings.Cut(after, "/")
			first, _, _ := strings.Cut(rest, "/")
			if plain, err := url.PathUnescape(name); err == nil {
				name = plain
			}
			return name, rest, byName[first]
		}
	}
	return "", "", false
}

// sameService compares a name out of a path, with "." for "/", with a service's.
func sameService(name, service string) bool {
	plain := func(s string) string {
		return strings.TrimPrefix(strings.ReplaceAll(s, "/", "."), ".")
	}
	return plain(name) == plain(service)
}

// routePath is the path that the router matches.
func routePath(r *http.Request) string { return chi.RouteContext(r.Context()).RoutePath }

// allowed lists the methods that a path answers to.
func allowed(r *http.Request) []string {
	routes, path := chi.RouteContext(r.Context()).Routes, routePath(r)
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut,
		http.MethodDelete} {
		match := chi.NewRouteContext()
		if !routes.Match(match, method, path) || unknownCommand(match) {
			continue
		}
		methods = append(methods, method)
		if method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	return methods
}

// unknownCommand says that a route was matched whose last segment is no verb of plans, or no
// operation on topics.
func unknownCommand(match *chi.Context) bool {
	switch match.RoutePattern() {
	case api.PathPlanCommand, api.PathDeployPlanCommand:
		return !knownVerb(match.URLParam("command"))
	case api.PathTopicOperation:
		return !knownOperation(match.URLParam("operation"))
	}
	return false
}

// options says what a path answers to: in the predecessor's half with the WADL of its
// resource, if it is one that the predecessor has as well.
func (h *handlers) options(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || !predecessors(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		methods := allowed(r)
		if len(methods) == 0 {
			empty(w, http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", strings.Join(append(methods, http.MethodOptions), ", "))
		if text, ok := wadlOf(r); ok {
			write(w, http.StatusOK, api.WADLType, []byte(text))
			return
		}
		empty(w, http.StatusOK)
	})
}

func notFound(w http.ResponseWriter, r *http.Request) {
	if predecessors(r.URL.Path) {
		page(w, r, http.StatusNotFound)
		return
	}
	fail(w, r, http.StatusNotFound, api.CodeNotFound, "There is nothing at this path.")
}

// methodNotAllowed says which methods the path does answer to.
func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	methods := allowed(r)
	if len(methods) == 0 {
		notFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	if predecessors(r.URL.Path) {
		page(w, r, http.StatusMethodNotAllowed)
		return
	}
	fail(w, r, http.StatusMethodNotAllowed, api.CodeMethodNotAllowed,
		"This path answers only to "+strings.Join(methods, " and ")+".")
}
