package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Live is what the cluster tells before a migration.
type Live struct {
	// Brokers are the ids that the service has, Registered those that are registered and serve.
	Brokers, Registered []int
	// Protocols and Authorizers are what brokers run with, by their ids; one that did not tell is
	// not there.
	Protocols, Authorizers map[int]string
	// Directories says that log directories were told of, and Failed are those that cannot be
	// used.
	Directories bool
	Failed      []string
	// Behind are the replicas that are not in sync, Offline the partitions without a leader.
	Behind, Offline int
	// ZooKeeper is what stands there, nil when it is not known; Silent is why.
	ZooKeeper *Nodes
	Silent    string
}

// Check is something that was looked at, and found good, or not.
type Check struct {
	Name string
	OK   bool
	Text string
}

// Checks say whether a cluster is as it has to be for a migration to begin.
func (l Live) Checks() []Check {
	return []Check{l.checkBrokers(), l.checkProtocol(), l.checkAuthorizer(), l.checkReplicas(),
		l.checkDirectories(), l.checkZooKeeper()}
}

// Wrong are the texts of those that are not good.
func Wrong(checks []Check) []string {
	var list []string
	for _, c := range checks {
		if !c.OK {
			list = append(list, c.Text)
		}
	}
	return list
}

// made makes a check of what is wrong, "" for nothing, and what is said if it is not.
func made(name, wrong, right string) Check {
	if wrong != "" {
		return Check{name, false, wrong}
	}
	return Check{name, true, right}
}

func (l Live) checkBrokers() Check {
	wrong := ""
	for _, id := range l.Brokers {
		if !slices.Contains(l.Registered, id) {
			wrong = fmt.Sprintf("broker %d is not registered, and all have to be", id)
		}
	}
	for _, id := range l.Registered {
		if !slices.Contains(l.Brokers, id) {
			wrong = fmt.Sprintf("broker %d is registered and none of this service's: the metadata "+
				"would never be copied, as it waits for all brokers", id)
		}
	}
	return made("brokers", wrong, fmt.Sprintf("all %d brokers are registered", len(l.Brokers)))
}

func (l Live) checkProtocol() Check {
	wrong := ""
	for _, id := range l.Brokers {
		switch value, told := l.Protocols[id]; {
		case !told:
			wrong = fmt.Sprintf("broker %d does not tell its %s", id, Protocol)
		case value != line && !strings.HasPrefix(value, line+"-"):
			wrong = fmt.Sprintf("broker %d has %s=%s: raise it to %s first", id, Protocol, value,
				line)
		}
	}
	return made("protocol", wrong, "all brokers speak "+line)
}

func (l Live) checkAuthorizer() Check {
	wrong := ""
	for _, id := range slices.Sorted(maps.Keys(l.Authorizers)) {
		if name := l.Authorizers[id]; name != "" && name != zooKeeperAuthorizer {
			wrong = fmt.Sprintf("broker %d has the authorizer %s, whose rules do not migrate",
				id, name)
		}
	}
	return made("authorizer", wrong, "what the authorizer knows, if there is one, migrates")
}

func (l Live) checkReplicas() Check {
	wrong := ""
	if l.Behind > 0 {
		wrong = fmt.Sprintf("%d replicas are not in sync", l.Behind)
	}
	if l.Offline > 0 {
		wrong = fmt.Sprintf("%d partitions have no leader", l.Offline)
	}
	return made("replicas", wrong, "all replicas are in sync")
}

func (l Live) checkDirectories() Check {
	wrong := ""
	if len(l.Failed) > 0 {
		wrong = "a log directory cannot be used: " + l.Failed[0]
	} else if !l.Directories {
		wrong = "brokers do not tell of their log directories"
	}
	return made("log directories", wrong, "all log directories can be used")
}

func (l Live) checkZooKeeper() Check {
	wrong := ""
	switch n := l.ZooKeeper; {
	case n == nil:
		wrong = first(l.Silent, "ZooKeeper was not asked yet")
	case n.KRaft:
		wrong = fmt.Sprintf("ZooKeeper names node %d as the controller, which is one of KRaft's: "+
			"another migration was begun", n.Controller)
	case n.Copied():
		wrong = "ZooKeeper has a node /migration with metadata of an earlier migration: if that " +
			"was undone, delete the node"
	case n.Controller < 0:
		wrong = "ZooKeeper knows no controller"
	default:
		return made("ZooKeeper", "", fmt.Sprintf("broker %d is the controller", n.Controller))
	}
	return made("ZooKeeper", wrong, "")
}
