package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Version is a Kafka version: 3.9.1.
type Version struct{ Major, Minor, Patch int }

// ParseVersion reads a version that is written in full.
func ParseVersion(text string) (Version, error) {
	parts := strings.Split(text, ".")
	numbers := make([]int, len(parts))
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || len(parts) != 3 {
			return Version{}, fmt.Errorf("%q is not a Kafka version; write it in full, as 4.3.1",
				text)
		}
		numbers[i] = n
	}
	return Version{numbers[0], numbers[1], numbers[2]}, nil
}

// String prints the version in full.
func (v Version) String() string { return fmt.Sprintf("%s.%d", v.Line(), v.Patch) }

// Line is the version without its patch level: 3.9.
func (v Version) Line() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// before compares without patch levels.
func (v Version) before(o Version) bool {
	return v.Major < o.Major || v.Major == o.Major && v.Minor < o.Minor
}

func (v Version) sameLine(o Version) bool { return v.Major == o.Major && v.Minor == o.Minor }

// Cluster is what is known of the cluster that is to be upgraded.
type Cluster struct {
	Version Version
	// ZooKeeper says that the metadata is in ZooKeeper; else it is a KRaft cluster.
	ZooKeeper bool
	// Controllers says that there are nodes that are controllers and no brokers.
	Controllers bool
	// Features are the finalized levels by name, nil when nobody told.
	Features map[string]int
	// Properties are the operator's own, of any node; Single are those that single nodes have.
	Properties map[string]string
	Single     map[string]string
	// Java is the major version that brokers run with, 0 when it is not known.
	Java int
}

// Phase is one part of an upgrade.
type Phase struct {
	Name string
	// What is done, and how it is undone; Undo is "" if it cannot be.
	What, Undo string
	// Nodes are those that it rolls.
	Nodes Nodes
	// Binaries says that they come to run the version that the cluster is to have.
	Binaries bool
	// Set and Unset are changes of their properties.
	Set   map[string]string
	Unset []string
	// Raise are the features that it raises, in this order; Others stands for all but those of
	// the phases before and kraft.version.
	Raise []string
	// Waits says that it lasts until an operator says that what is behind it may be done.
	Waits bool
}

// Nodes says whose nodes a phase rolls.
type Nodes string

// The nodes of phases.
const (
	NoNodes     Nodes = ""
	AllNodes    Nodes = "all"
	Controllers Nodes = "controllers" // that are no brokers
	Brokers     Nodes = "brokers"
)

// Others stands for features whose names the new nodes tell once they run.
const Others = "*"

// Plan is how a cluster gets to a version.
type Plan struct {
	// Refusals are why it cannot, with what to do; there are no Phases then.
	Refusals []string
	// Warnings are what an operator should know before.
	Warnings []string
	Phases   []Phase
}

// protocol is the property that pins what brokers speak among each other, format that of messages.
const (
	protocol = "inter.broker.protocol.version"
	format   = "log.message.format.version"
	// Metadata is the feature that is raised before all others.
	Metadata = "metadata.version"
	// Quorum is the feature that is raised only by who asks for it by its name.
	Quorum = "kraft.version"
)

// leastMetadata is the level of metadata.version that Kafka 4 demands: 3.3-IV3.
const leastMetadata = 7

var (
	kafka3 = Version{Major: 3}
	kafka4 = Version{Major: 4}
	kraft  = Version{Major: 3, Minor: 3} // the first that was meant for production
)

// Make plans an upgrade.
func Make(c Cluster, to Version) Plan {
	p := Plan{Refusals: refusals(c, to)}
	if len(p.Refusals) > 0 {
		return p
	}
	p.Warnings = warnings(c, to)
	if c.ZooKeeper {
		p.Phases = withZooKeeper(c, to)
	} else {
		p.Phases = withControllers(c, to)
	}
	return p
}

// refusals say why there is no way.
func refusals(c Cluster, to Version) []string {
	var list []string
	refuse := func(when bool, text string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(text, args...))
		}
	}
	refuse(c.Version == to, "the cluster runs Kafka %s already", to)
	refuse(to.before(c.Version) || to.sameLine(c.Version) && to.Patch < c.Version.Patch,
		"Kafka %s is older than %s: the way back is that of the upgrade that led here (upgrade "+
			"rollback)", to, c.Version)
	if len(list) > 0 {
		return list
	}
	toFour := !to.before(kafka4)
	refuse(c.Version.before(kafka3), "Kafka %s is too old to be upgraded from here: bring it to "+
		"3.9 first", c.Version)
	for _, name := range []string{protocol, format} {
		_, single := c.Single[name]
		refuse(c.ZooKeeper && single, "single brokers have a %s of their own: give all of them "+
			"the same first", name)
	}
	refuse(c.ZooKeeper && toFour, "Kafka %s works without ZooKeeper only: upgrade to 3.9, migrate "+
		"to KRaft there, and go on from that", to)
	if c.ZooKeeper || !toFour {
		return list
	}
	refuse(c.Version.before(kraft), "Kafka %s takes clusters from 3.3 on, and this is %s: upgrade "+
		"to 3.9 first", to, c.Version)
	level, told := c.Features[Metadata]
	refuse(told && level < leastMetadata, "the level of %s is %d, and Kafka %s demands %d "+
		"(3.3-IV3) at least: raise it first", Metadata, level, to, leastMetadata)
	refuse(c.Java > 0 && c.Java < 17, "brokers run with Java %d, and Kafka %s needs 17: install "+
		"it on the agents, or let them fetch one (--jre)", c.Java, to)
	return append(list, removed(c.Properties)...)
}

// gone are properties that Kafka 4 does not have any more, with what takes their place; a name that
// ends with a dot stands for all that begin with it.
var gone = []struct{ name, instead string }{
	{protocol, "features take its place"},
	{format, "there is one format"},
	{"log.message.timestamp.difference.max.ms", "use log.message.timestamp.before.max.ms and " +
		"log.message.timestamp.after.max.ms"},
	{"offsets.commit.required.acks", "it is always all"},
	{"zookeeper.", "controllers keep the metadata"},
}

// leastSegment is the least log.segment.bytes of Kafka 4.
const leastSegment = 1 << 20

// removed says which properties are in the way of Kafka 4.
func removed(properties map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		for _, g := range gone {
			if name == g.name || strings.HasSuffix(g.name, ".") && strings.HasPrefix(name, g.name) {
				list = append(list, fmt.Sprintf("Kafka 4 has no property %s: remove it, %s", name,
					g.instead))
			}
		}
	}
	bytes, err := strconv.Atoi(properties["log.segment.bytes"])
	if err == nil && bytes < leastSegment {
		list = append(list, fmt.Sprintf("log.segment.bytes is %d, and Kafka 4 takes %d at least",
			bytes, leastSegment))
	}
	return list
}

// warnings are what no check here can find out.
func warnings(c Cluster, to Version) []string {
	var list []string
	if c.Version.before(kafka4) && !to.before(kafka4) {
		list = append(list, "clients older than 2.1 cannot talk to Kafka "+to.String())
		if c.Java == 0 {
			list = append(list, "it is not known which Java the agents have; Kafka 4 needs 17")
		}
	}
	if !c.ZooKeeper && c.Features == nil {
		list = append(list, "Kafka does not say which features are finalized, so their levels "+
			"were not checked")
	}
	return list
}

// withZooKeeper are the phases of a cluster whose metadata is in ZooKeeper. Brokers are launched
// with the protocol pinned to their own version, so that it is in force already when the new
// binaries come.
func withZooKeeper(c Cluster, to Version) []Phase {
	back := "roll them back to " + c.Version.String()
	if c.Version.sameLine(to) {
		return []Phase{{Name: "binaries", What: fmt.Sprintf("roll the brokers to Kafka %s, the "+
			"controller last", to), Undo: back, Nodes: AllNodes, Binaries: true}}
	}
	old, own := c.Properties[protocol]
	binaries := Phase{Name: "binaries", Undo: back, Nodes: AllNodes, Binaries: true}
	raise := Phase{Name: "protocol", Nodes: Brokers, What: fmt.Sprintf("raise %s to %s and roll "+
		"the brokers, the controller last", protocol, to.Line())}
	if own {
		raise.Set = map[string]string{protocol: to.Line()}
	} else {
		old = c.Version.Line()
		binaries.Set, raise.Unset = map[string]string{protocol: old}, []string{protocol}
	}
	binaries.What = fmt.Sprintf("roll the brokers to Kafka %s, the controller last; they go on "+
		"to speak as %s", to, old)
	phases := []Phase{binaries, {Name: "verify", What: "wait for as long as the operator likes",
		Undo: "roll the brokers back to " + c.Version.String(), Waits: true}, raise}
	if _, overridden := c.Properties[format]; overridden && old < "3" {
		phases = append(phases, Phase{Name: "format", Nodes: Brokers, Unset: []string{format},
			What: fmt.Sprintf("remove %s, so that messages have the present format, and roll the "+
				"brokers, the controller last", format)})
	}
	return phases
}

// withControllers are the phases of a KRaft cluster.
func withControllers(c Cluster, to Version) []Phase {
	back := "roll them back to " + c.Version.String()
	var phases []Phase
	if c.Controllers {
		phases = append(phases, Phase{Name: "controllers", Undo: back, Nodes: Controllers,
			Binaries: true, What: fmt.Sprintf("roll the controllers to Kafka %s, their leader "+
				"last", to)},
			Phase{Name: "brokers", Undo: back, Nodes: Brokers, Binaries: true,
				What: fmt.Sprintf("roll the brokers to Kafka %s", to)})
	} else {
		phases = append(phases, Phase{Name: "nodes", Undo: back, Nodes: AllNodes, Binaries: true,
			What: fmt.Sprintf("roll the nodes to Kafka %s, the leader of the controllers last",
				to)})
	}
	if c.Version.sameLine(to) {
		return phases
	}
	return append(phases,
		Phase{Name: "verify", What: "wait for as long as the operator likes", Waits: true,
			Undo: "roll the nodes back to " + c.Version.String()},
		Phase{Name: "metadata", Raise: []string{Metadata}, What: "raise " + Metadata + " to what " +
			"all nodes tell that they can",
			Undo: "lower it again, as long as no level in between has changed the metadata"},
		Phase{Name: "features", Raise: []string{Others}, What: "raise the other features one at " +
			"a time, but for " + Quorum, Undo: "lower each again, where Kafka allows it"})
}
