package migrate

import (
	"fmt"
	"slices"
	"strings"
)

// Facts are what was seen of a cluster that migrates.
type Facts struct {
	// Wanted are the ids of the controllers, Voters those that vote, Leader the one that leads,
	// -1 when it is not known.
	Wanted, Voters []int
	Leader         int
	// Told are the controllers that told whether they take part in a migration, Takes those of
	// them that do.
	Told, Takes []int
	// Runs are the controllers that may still run.
	Runs []int
	// ZooKeeper is what stands there, nil when it is not known.
	ZooKeeper *Nodes
}

// Nodes are the two nodes in ZooKeeper that tell of a migration.
type Nodes struct {
	// Controller is the id at /controller, -1 when there is none.
	Controller int
	// KRaft says that it is one of KRaft's controllers.
	KRaft bool
	// Migration says that there is /migration, and Offset is up to where the metadata of the
	// controllers is in ZooKeeper; it is above 0 once all was copied from there.
	Migration bool
	Offset    int64
}

// Copied reports whether the controllers have got all the metadata.
func (n Nodes) Copied() bool { return n.Migration && n.Offset > 0 }

// Deletes are the nodes that have to go before a broker can be the controller again.
func (n Nodes) Deletes() []string {
	var list []string
	if n.KRaft && n.Controller >= 0 {
		list = append(list, "/controller")
	}
	if n.Migration {
		list = append(list, "/migration")
	}
	return list
}

// Lacks says what has to be seen before a phase is over, beside that all nodes run as it wants
// them; "" for nothing.
func (f Facts) Lacks(phase string) string {
	switch phase {
	case Controllers:
		return first(f.quorum(), f.takesPart())
	case Finalize:
		return first(f.quorum(), f.left())
	}
	return first(f.quorum(), f.copied())
}

// quorum says what the controllers lack, "" for nothing.
func (f Facts) quorum() string {
	if f.Leader < 0 {
		return "the controllers have no leader yet"
	}
	for _, id := range f.Wanted {
		if !slices.Contains(f.Voters, id) {
			return fmt.Sprintf("controller %d does not vote yet", id)
		}
	}
	if !slices.Contains(f.Wanted, f.Leader) {
		return fmt.Sprintf("node %d leads the controllers, and is none of them", f.Leader)
	}
	return ""
}

// takesPart says which controller does not tell that it takes part in the migration.
func (f Facts) takesPart() string {
	for _, id := range f.Wanted {
		if !slices.Contains(f.Takes, id) {
			return fmt.Sprintf("controller %d does not tell that it takes part in the migration",
				id)
		}
	}
	return ""
}

// left says which controller does not tell that it has left the migration.
func (f Facts) left() string {
	for _, id := range f.Wanted {
		if !slices.Contains(f.Told, id) || slices.Contains(f.Takes, id) {
			return fmt.Sprintf("controller %d does not tell that it has left the migration", id)
		}
	}
	return ""
}

// copied says why the controllers do not have all metadata, "" if they have.
func (f Facts) copied() string {
	switch n := f.ZooKeeper; {
	case n == nil:
		return "ZooKeeper does not tell how far the migration is"
	case n.Controller < 0:
		return "ZooKeeper knows no controller"
	case !n.KRaft:
		return fmt.Sprintf("broker %d is still the controller: not all brokers have registered "+
			"with the controllers yet", n.Controller)
	case !n.Copied():
		return "the controllers are copying the metadata"
	}
	return ""
}

// Withdrawn says why the controllers do not count as gone, "" if they do.
func (f Facts) Withdrawn() string {
	if len(f.Runs) == 0 {
		return ""
	}
	words := make([]string, len(f.Runs))
	for i, id := range f.Runs {
		words[i] = fmt.Sprint(id)
	}
	return "waits for the end of controller " + strings.Join(words, ", ")
}

// HandedBack says why no broker is the controller again, "" if one is.
func (f Facts) HandedBack() string {
	switch n := f.ZooKeeper; {
	case n == nil:
		return "ZooKeeper does not tell who is the controller"
	case len(n.Deletes()) > 0:
		return "waits until ZooKeeper has forgotten the migration: " +
			strings.Join(n.Deletes(), ", ")
	case n.Controller < 0:
		return "no broker is the controller yet"
	}
	return ""
}

// first is the first text that says something.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
