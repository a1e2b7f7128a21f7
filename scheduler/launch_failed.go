package scheduler

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// What agents say of a container that they could not prepare; Mesos has no reasons for these
// cases. (src/slave/containerizer/fetcher.cpp, src/slave/paths.cpp)
const (
	saysFetch = "Failed to fetch all URIs"
	saysChown = "Failed to chown"
)

// explained is the message of a terminal status, with what there is to do about it in front where
// an agent says in its own words that it could not even begin.
func (m *Machine) explained(p Pod, s mesos.Status) string {
	why := m.fallen[p.Executor.ID]
	switch {
	case why != "":
		return why + " (" + s.Message + ")"
	case strings.Contains(s.Message, saysFetch):
		return m.notFetched(p) + " (" + s.Message + ")"
	case strings.Contains(s.Message, saysChown):
		return fmt.Sprintf("the agent on %s cannot run tasks as the user %q: make that user "+
			"there, name another one (service.user, in a spec scheduler.user), or let the agent "+
			"run as root (%s)", p.hostname(), m.hard.Target.Service.User, s.Message)
	default:
		return s.Message
	}
}

// notFetched says from where an agent could not fetch, as Mesos does not tell which URI it was.
func (m *Machine) notFetched(p Pod) string {
	own := addressOf(m.cfg.ExecutorURI)
	text := fmt.Sprintf("the agent on %s cannot fetch what it needs from the scheduler at %s: "+
		"that address must be one that agents reach, see --advertise", p.hostname(), own)
	if isLoopback(own) && p.Place != nil && p.Place.IP != "" && !isLoopback(p.Place.IP) {
		text += "; this one is loopback, which is the agent itself there"
	}
	if spec, ok := m.spec(p.Name); ok && len(spec.URIs) > 0 {
		text += "; or it cannot fetch " + strings.Join(spec.URIs, ", ")
	}
	return text
}

// addressOf is the host:port of a URL.
func addressOf(url string) string {
	_, rest, found := strings.Cut(url, "://")
	if !found {
		return url
	}
	address, _, _ := strings.Cut(rest, "/")
	return address
}

// isLoopback says whether an address, with or without a port, is the machine itself.
func isLoopback(address string) bool {
	return strings.HasPrefix(address, "127.") || strings.HasPrefix(address, "localhost") ||
		strings.HasPrefix(address, "[::1]") || address == "::1"
}
