package scheduler

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What ZooKeeper servers, and brokers that keep their metadata there, are launched with.

// nowhere is what stands in the list for a server that has no place yet: nobody is there.
const nowhere = "127.0.0.1:1:2"

// servers lists the lines of zoo.cfg that name the servers of an ensemble, and how many of them
// have a place. own is the address of the one that the list is for.
func (m *Machine) serverLines(spec servicespec.Pod, index int, own string) ([]string, int) {
	var lines []string
	placed := 0
	for i := range m.members(spec) {
		p := m.hard.Pods[PodName{spec.Type, i}]
		at := nowhere
		if p.Place != nil {
			placed++
			got, z := taskPlace(*p.Place, spec, spec.ZooKeeper.Task), spec.ZooKeeper
			host := p.Place.Hostname
			if i == index {
				host = own
			}
			at = fmt.Sprintf("%s:%d:%d", host, portOf(got, z.QuorumPort),
				portOf(got, z.ElectionPort))
		}
		lines = append(lines, fmt.Sprintf("server.%d=%s", spec.ZooKeeper.ServerID(i), at))
	}
	return lines, placed
}

// findJava is the beginning of all scripts that start a JVM. Native libraries are unpacked into the
// sandbox: a JVM that is killed leaves them behind, and nothing on /tmp may be allowed to run.
const findJava = `set -eu
temp="$PWD/java-temp"
rm -rf "$temp"
mkdir "$temp"
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
command -v "$java" >/dev/null || {
  echo "no Java found on $(hostname): install Java 17 or newer there, set JAVA_HOME for its" \
    "agent, or let agents fetch one (kafka-sched install --jre)" >&2; exit 1; }
`

// startZooKeeper writes the server's id to where ZooKeeper wants it, and becomes the server.
const startZooKeeper = findJava + `mkdir -p "$ZOOKEEPER_DATA"
echo "$ZOOKEEPER_ID" > "$ZOOKEEPER_DATA/myid"
exec "$java" -Djava.io.tmpdir="$temp" $ZOOKEEPER_HEAP_OPTS $ZOOKEEPER_JVM_FLAGS \
  -Djava.awt.headless=true \
  -Dlog4j.configuration="file:$PWD/log4j.properties" -Dzookeeper.jmx.log4j.disable=true \
  -cp "$PWD/kafka/libs/*" org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg
`

// awaitPlaces takes the place of startZooKeeper while the places of a majority are not known, or
// the server has yet to join.
const awaitPlaces = `echo "waiting for the places of the other servers"; trap 'exit 0' TERM; ` +
	`while :; do sleep 1 & wait $!; done`

// startBroker becomes a broker whose metadata is in ZooKeeper, which needs no formatting.
const startBroker = findJava + `exec "$java" -Djava.io.tmpdir="$temp" $KAFKA_HEAP_OPTS \
  $KAFKA_JVM_FLAGS -Djava.awt.headless=true \
  -Dlog4j.configuration="file:$PWD/log4j.properties" \
  -cp "$PWD/kafka/libs/*" kafka.Kafka server.properties
`

// startMigrating is startBroker of one that migrates. The controllers' addresses are added at the
// start, because they change without concern to a broker that runs.
const startMigrating = `echo "controller.quorum.bootstrap.servers=$KAFKA_SCHED_CONTROLLERS" ` +
	`>> server.properties
` + startBroker

// orderZooKeeper makes a task's order that of a ZooKeeper server.
func (m *Machine) orderZooKeeper(o *executor.Order, p Pod, spec servicespec.Pod) {
	z := spec.ZooKeeper
	lines, placed := m.serverLines(spec, p.Name.Index, o.Address)
	if placed <= len(lines)/2 || p.Name.Index >= len(lines) {
		o.Command, o.Health, o.Readiness = awaitPlaces, nil, neverReady()
		return
	}
	data := z.Volume + "/data"
	jvm := jvmFlags(servicespec.Kafka{Heap: z.Heap, JVMFlags: loginFlags(*z, z.JVMFlags)})
	o.Command = startZooKeeper
	o.Env = append([]executor.EnvVar{
		{Name: "ZOOKEEPER_ID", Value: strconv.Itoa(serverID(p.Name, spec))},
		{Name: "ZOOKEEPER_DATA", Value: data},
		{Name: "ZOOKEEPER_HEAP_OPTS", Value: fmt.Sprintf("-Xms%dm -Xmx%dm", z.Heap, z.Heap)},
		{Name: "ZOOKEEPER_JVM_FLAGS", Value: strings.Join(jvm, " ")},
	}, o.Env...)
	got := taskPlace(*p.Place, spec, z.Task)
	props := map[string]string{
		"tickTime": "2000", "initLimit": "10", "syncLimit": "5",
		"autopurge.snapRetainCount": "3", "autopurge.purgeInterval": "24",
		"snapCount": "100000", "maxClientCnxns": "0",
	}
	maps.Copy(props, secureLines(*z))
	maps.Copy(props, z.Properties)
	props["dataDir"] = data
	port := "clientPort"
	if z.TLS != nil {
		port = "secureClientPort"
	}
	props[port] = strconv.Itoa(portOf(got, z.ClientPort))
	props[port+"Address"] = o.Address
	props["admin.enableServer"] = "false"
	props["4lw.commands.whitelist"] = "srvr"
	text := propertiesText(props)
	if len(lines) > 1 {
		text += strings.Join(lines, "\n") + "\n"
	}
	o.Files = append(o.Files, executor.File{Path: "zoo.cfg", Text: text},
		executor.File{Path: "log4j.properties", Text: log4j})
}

// orderBroker makes a task's order that of a broker whose metadata is in ZooKeeper.
func (m *Machine) orderBroker(o *executor.Order, p Pod, spec servicespec.Pod) {
	k := nodeOf(p, spec)
	k.JVMFlags = loginFlags(m.ensembleSpec(k), k.JVMFlags)
	o.Command = startBroker
	o.Env = append(jvmVariables(k), o.Env...)
	if k.Migrates {
		o.Command = startMigrating
		o.Env = append([]executor.EnvVar{{Name: "KAFKA_SCHED_CONTROLLERS",
			Value: strings.Join(m.controllers(), ",")}}, o.Env...)
	}
	o.Files = append(o.Files,
		executor.File{Path: "server.properties", Text: m.serverProperties(o, p, spec)},
		executor.File{Path: "log4j.properties", Text: log4j})
}

// brokerProperties gives those of a broker whose metadata is in ZooKeeper, over the defaults.
func (m *Machine) brokerProperties(k servicespec.Kafka) map[string]string {
	props := m.defaultProperties()
	for _, unknown := range []string{"share.coordinator.state.topic.replication.factor",
		"share.coordinator.state.topic.min.isr"} {
		delete(props, unknown)
	}
	// Pinned, so that a later Kafka speaks as this one until an operator says otherwise.
	major, minor, _ := strings.Cut(k.Version, ".")
	minor, _, _ = strings.Cut(minor, ".")
	props["inter.broker.protocol.version"] = major + "." + minor
	maps.Copy(props, secureProperties(m.ensembleSpec(k)))
	return props
}
