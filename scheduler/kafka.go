package scheduler

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// kafkaID prints 16 random bytes as Kafka prints a Uuid: URL-safe base64 without padding. Ids
// that begin with a dash upset Kafka's command line tools, so none does.
func kafkaID(b [16]byte) string {
	if b[0]>>2 == 62 {
		b[0] ^= 0x80
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// nodeID is the id that Kafka knows an instance of a Kafka pod by.
func nodeID(name PodName, spec servicespec.Pod) int { return spec.Kafka.NodeID(name.Index) }

// founder is the instance whose volume the cluster is born on: the first controller that gets a
// place. There is none before that.
func (m *Machine) founder() (PodName, bool) {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		if p.Place != nil && m.hard.Kafka.Founder != "" &&
			p.Place.hasVolume(m.hard.Kafka.Founder) {
			return name, true
		}
	}
	return PodName{}, false
}

// holdFounding says why a Kafka node may not be launched yet: only the founder may, until it
// was seen to be up. See KafkaCluster.
func (m *Machine) holdFounding(name PodName, spec servicespec.Pod) string {
	switch {
	case spec.Kafka == nil:
		return ""
	case spec.Kafka.OnZooKeeper():
		return m.holdEnsemble(*spec.Kafka)
	case m.withdraws(spec):
		return "stays down, as the migration is being undone"
	case m.hard.Kafka.hasQuorum(), m.hard.Kafka.Founded && !spec.Kafka.Controls():
		return ""
	}
	switch founder, chosen := m.founder(); {
	case chosen && founder != name:
		return fmt.Sprintf("waits for %s, which founds the Kafka cluster", founder)
	case !spec.Kafka.Controls():
		return "waits for a controller, which founds the Kafka cluster"
	}
	return ""
}

// found records, before the founder's launch leaves, which volume may be formatted as the
// first of a new cluster.
func (m *Machine) found(p Pod, spec servicespec.Pod) {
	if spec.Kafka == nil || !spec.Kafka.Controls() || m.hard.Kafka.hasQuorum() {
		return
	}
	for _, r := range placeResources(*p.Place) {
		disk := r.DiskInfo()
		if m.hard.Kafka.Founder == "" && disk.PersistenceID != "" &&
			disk.ContainerPath == spec.Kafka.Volume {
			cluster := m.hard.Kafka
			cluster.Founder = mesos.PersistenceID(disk.PersistenceID)
			m.setKafka(cluster)
		}
	}
}

// unfound takes the right to found the cluster from a volume that is given up before it did.
// Nobody can have joined a cluster that was never up, so another volume may found it.
func (m *Machine) unfound(list resource.List) {
	if !m.hard.Kafka.hasQuorum() && slices.Contains(volumesIn(list), m.hard.Kafka.Founder) {
		cluster := m.hard.Kafka
		cluster.Founder = ""
		m.setKafka(cluster)
		m.freshAfter = m.now
	}
}

// founds reports whether a node is to format its volume as the first of a new cluster.
func (m *Machine) founds(p Pod) bool {
	return !m.hard.Kafka.hasQuorum() && m.hard.Kafka.Founder != "" &&
		p.Place.hasVolume(m.hard.Kafka.Founder)
}

// startKafka finds Java and the distribution, formats the log directories that nobody did, and
// becomes the node. kafka.tools.StorageTool writes meta.properties last, so its presence means
// that a directory is wholly formatted; those that are it leaves alone. Kafka does not start as
// long as one of them is not. It is told whole paths: it knows its directories by these when it is
// to cordon them.
const startKafka = findJava + `libs="$PWD/kafka/libs/*"
jvm="-Dlog4j2.configurationFile=$PWD/log4j2.yaml -Djava.awt.headless=true"
jvm="$jvm -Dlog4j.configuration=file:$PWD/log4j.properties" # of Kafka below 4
cp server.properties node.properties
echo "controller.quorum.bootstrap.servers=$KAFKA_SCHED_CONTROLLERS" >> node.properties
raw=
dirs=
IFS=,
for dir in $KAFKA_LOG_DIRS; do
  [ -f "$dir/meta.properties" ] || raw="$raw $dir"
  dirs="$dirs,$PWD/$dir"
done
unset IFS
dirs="${dirs#,}"
echo "log.dirs=$dirs" >> node.properties
! grep -q '^metadata.log.dir=' node.properties ||
  echo "metadata.log.dir=${dirs%%,*}" >> node.properties
if [ -n "$raw" ]; then
  echo "formatting$raw for cluster $KAFKA_CLUSTER_ID ($KAFKA_SCHED_FORMAT)"
  "$java" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 $jvm -cp "$libs" \
    kafka.tools.StorageTool format --ignore-formatted \
    -t "$KAFKA_CLUSTER_ID" -c node.properties $KAFKA_SCHED_FORMAT
fi
exec "$java" -Djava.io.tmpdir="$temp" $KAFKA_HEAP_OPTS $KAFKA_JVM_FLAGS $jvm -cp "$libs" \
  kafka.Kafka node.properties
`

// log4j2 sends everything to standard output, which the executor rotates.
const log4j2 = `Configuration:
  status: WARN
  Appenders:
    Console:
      name: STDOUT
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n"
  Loggers:
    Root:
      level: INFO
      AppenderRef:
        - ref: STDOUT
`

// log4j does the same for Kafka below 4.
const log4j = `log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=[%d] %p %m (%c)%n
`

// orderKafka makes a task's order that of a Kafka node.
func (m *Machine) orderKafka(o *executor.Order, p Pod, spec servicespec.Pod) {
	k := nodeOf(p, spec)
	if k.OnZooKeeper() {
		m.orderBroker(o, p, spec)
		return
	}
	format := "--no-initial-controllers"
	if m.founds(p) {
		format = "--standalone"
	}
	o.Command = startKafka
	o.Env = append([]executor.EnvVar{
		{Name: "KAFKA_CLUSTER_ID", Value: m.hard.Kafka.ID},
		{Name: "KAFKA_LOG_DIRS", Value: strings.Join(logDirs(k), ",")},
		{Name: "KAFKA_SCHED_FORMAT", Value: format},
		{Name: "KAFKA_SCHED_CONTROLLERS", Value: strings.Join(m.controllers(), ",")},
	}, append(jvmVariables(k), o.Env...)...)
	o.Files = append(o.Files,
		executor.File{Path: "server.properties", Text: m.serverProperties(o, p, spec)},
		executor.File{Path: "log4j2.yaml", Text: log4j2},
		executor.File{Path: "log4j.properties", Text: log4j})
}

// jvmVariables are those of the environment that size and tune a node's JVM.
func jvmVariables(k servicespec.Kafka) []executor.EnvVar {
	return []executor.EnvVar{
		{Name: "KAFKA_HEAP_OPTS", Value: fmt.Sprintf("-Xms%dm -Xmx%dm", k.Heap, k.Heap)},
		{Name: "KAFKA_JVM_FLAGS", Value: strings.Join(jvmFlags(k), " ")},
	}
}

// smallHeap is the heap below which the serial collector is the better one: it needs the least
// memory and threads, and its pauses are short because the heap is.
const smallHeap resource.MiB = 1024

// jvmFlags are those of Kafka's own start script, less what suits no small heap, and the
// operator's behind them, so that these win. A JVM without memory ends instead of lingering.
func jvmFlags(k servicespec.Kafka) []string {
	flags := []string{"-server", "-XX:+ExitOnOutOfMemoryError"}
	chosen := slices.ContainsFunc(k.JVMFlags, func(flag string) bool {
		return strings.HasPrefix(flag, "-XX:+Use") && strings.HasSuffix(flag, "GC")
	})
	switch {
	case chosen: // a JVM refuses two collectors
	case k.Heap < smallHeap:
		flags = append(flags, "-XX:+UseSerialGC")
	default:
		flags = append(flags, "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
			"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent")
	}
	return append(flags, k.JVMFlags...)
}

// nodeOf is how an instance runs Kafka: as declared, or its controller alone.
func nodeOf(p Pod, spec servicespec.Pod) servicespec.Kafka {
	k := spec.Kafka.Node(p.Name.Index)
	if p.Caretaker {
		k.Process = "controller"
	}
	return k
}

// logDirs are the log directories of a node, one on each of its volumes; the metadata lies in
// the first.
func logDirs(k servicespec.Kafka) []string {
	volumes := k.Volumes
	if len(volumes) == 0 {
		volumes = []string{k.Volume}
	}
	dirs := make([]string, len(volumes))
	for i, volume := range volumes {
		dirs[i] = volume + "/logs"
	}
	return dirs
}

// controllers are the addresses of all controllers that have a place, as host:port.
func (m *Machine) controllers() []string {
	var list []string
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		if !ok || p.Place == nil || spec.Kafka == nil || !spec.Kafka.Controls() {
			continue
		}
		port := portOf(taskPlace(*p.Place, spec, spec.Kafka.Task), spec.Kafka.ControllerPort)
		list = append(list, fmt.Sprintf("%s:%d", p.Place.Hostname, port))
	}
	return list
}

// serverProperties is a node's configuration: our defaults, the operator's own on top, and
// what only the scheduler can know last. The controllers' addresses are added at the start,
// because they change without concern to a node that runs.
func (m *Machine) serverProperties(o *executor.Order, p Pod, spec servicespec.Pod) string {
	k := nodeOf(p, spec)
	props := m.defaultProperties()
	if k.OnZooKeeper() {
		props = m.brokerProperties(k)
	}
	for key, value := range k.Properties {
		props[key] = value
	}
	got := taskPlace(*p.Place, spec, k.Task)
	var roles, listeners, advertised []string
	if k.Serves() {
		port := portOf(got, k.ClientPort)
		roles = append(roles, "broker")
		listeners = append(listeners, fmt.Sprintf("PLAINTEXT://%s:%d", o.Address, port))
		advertised = append(advertised,
			fmt.Sprintf("PLAINTEXT://%s:%d", p.Place.Hostname, port))
	}
	if k.Controls() {
		port := portOf(got, k.ControllerPort)
		roles = append(roles, "controller")
		listeners = append(listeners, fmt.Sprintf("CONTROLLER://%s:%d", o.Address, port))
		advertised = append(advertised,
			fmt.Sprintf("CONTROLLER://%s:%d", p.Place.Hostname, port))
		props["controller.quorum.auto.join.enable"] = "true"
	}
	id := strconv.Itoa(nodeID(p.Name, spec))
	if k.ZooKeeper != "" {
		props["zookeeper.connect"], _, _ = m.connect(k)
	}
	if k.Migrates {
		props["zookeeper.metadata.migration.enable"] = "true"
	}
	if k.OnZooKeeper() {
		props["broker.id"] = id
	} else {
		props["node.id"] = id
		props["process.roles"] = strings.Join(roles, ",")
	}
	if k.Migrates || !k.OnZooKeeper() {
		props["listener.security.protocol.map"] = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
		props["controller.listener.names"] = "CONTROLLER"
	}
	props["listeners"] = strings.Join(listeners, ",")
	props["advertised.listeners"] = strings.Join(advertised, ",")
	dirs := logDirs(k)
	props["log.dirs"] = strings.Join(dirs, ",")
	if len(dirs) > 1 && !k.OnZooKeeper() {
		props["metadata.log.dir"] = dirs[0]
	}
	if _, set := props["broker.rack"]; !set && p.Place.Domain.Zone != "" {
		props["broker.rack"] = p.Place.Domain.Zone
	}
	return propertiesText(props)
}

// defaultProperties are those of an experienced operator, for as many brokers as there are. A
// follower that hears of a new leader before that one does itself tries again after a tenth of a
// second, not after a whole one, for which all producers would wait.
func (m *Machine) defaultProperties() map[string]string {
	brokers := 0
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil && p.Kafka.Serves() {
			brokers += p.Count
		}
	}
	replicas := min(3, max(1, brokers))
	insync := max(1, replicas-1)
	return map[string]string{
		"default.replication.factor":                       strconv.Itoa(replicas),
		"min.insync.replicas":                              strconv.Itoa(insync),
		"offsets.topic.replication.factor":                 strconv.Itoa(replicas),
		"transaction.state.log.replication.factor":         strconv.Itoa(replicas),
		"transaction.state.log.min.isr":                    strconv.Itoa(insync),
		"share.coordinator.state.topic.replication.factor": strconv.Itoa(replicas),
		"share.coordinator.state.topic.min.isr":            strconv.Itoa(insync),
		"auto.create.topics.enable":                        "false",
		"num.recovery.threads.per.data.dir":                "2",
		"replica.fetch.backoff.ms":                         "100",
	}
}

func propertiesText(props map[string]string) string {
	escape := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r", "\t", "\\t")
	var b strings.Builder
	for _, key := range sortedKeys(props) {
		fmt.Fprintf(&b, "%s=%s\n", key, escape.Replace(props[key]))
	}
	return b.String()
}

// fromKafka takes in what the cluster says of itself.
func (m *Machine) fromKafka(f KafkaFacts) {
	m.facts = &f
	m.polling.took(m.now)
	if m.usesZooKeeper() && !m.hard.Kafka.Founded && f.Error == "" && f.ClusterID != "" {
		m.foundByZooKeeper(f)
	}
	if m.hard.Kafka.hasQuorum() || f.Error != "" || f.ClusterID != m.hard.Kafka.ID {
		return
	}
	name, chosen := m.founder()
	spec, wanted := m.spec(name)
	if !chosen || spec.Kafka == nil || !slices.Contains(f.Present, nodeID(name, spec)) ||
		f.Asked.Before(m.freshAfter) {
		return
	}
	// A founder that is being replaced takes its cluster with it, nobody else having joined; so
	// does one that is not wanted any more, and one that does not run any more, if its agent is
	// gone for good.
	if p := m.hard.Pods[name]; !wanted || p.Request == Replace || !p.anyRuns() {
		return
	}
	k := m.hard.Kafka
	k.Founded, k.Joins = true, false
	m.setKafka(k)
	m.note(Info, "", "the Kafka cluster is founded", "cluster", f.ClusterID,
		"by", name.String())
}

// brokerReady reports whether a Kafka node does its part: registered, unfenced, in the ISR of
// all that it hosts, and a voter if it is a controller.
func (m *Machine) brokerReady(p Pod, spec servicespec.Pod) (bool, string) {
	if spec.Kafka == nil {
		return true, ""
	}
	f, id := m.facts, nodeID(p.Name, spec)
	switch {
	case f == nil || f.Asked.Before(m.freshAfter):
		return false, "Kafka has not answered yet"
	case f.Error != "":
		return false, "Kafka does not answer: " + f.Error
	case f.ClusterID != m.hard.Kafka.ID:
		return false, fmt.Sprintf("another Kafka cluster (%s) answers at its address",
			f.ClusterID)
	case spec.Kafka.Controls() && (f.follows(id) || !slices.Contains(f.Present, id)):
		return false, fmt.Sprintf("node %d is not a voter of the quorum yet", id)
	case !spec.Kafka.Serves():
		return true, ""
	}
	b := f.broker(id)
	switch {
	case b == nil:
		return false, fmt.Sprintf("broker %d is not registered yet", id)
	case b.Fenced:
		return false, fmt.Sprintf("broker %d is fenced", id)
	case b.NotInSync > 0:
		return false, fmt.Sprintf("broker %d is not in the ISR of %d of its %d partitions%s",
			id, b.NotInSync, b.Hosted, m.diskAdvice(p, spec, b.Failed))
	}
	return true, ""
}

func (f *KafkaFacts) broker(id int) *BrokerFacts {
	for i := range f.Brokers {
		if f.Brokers[i].ID == id {
			return &f.Brokers[i]
		}
	}
	return nil
}

// refuseReplace says why a node may not lose its data now, "" if it may. A controller's vote is
// lost with its volume, and the quorum can only let the new one in while a majority of the
// present voters runs without it.
func (m *Machine) refuseReplace(p Pod) string {
	spec, ok := m.spec(p.Name)
	if ok && spec.ZooKeeper != nil {
		if reason := m.holdServerData(p, spec); reason != "" {
			return fmt.Sprintf("%s cannot be replaced now: %s", p.Name, reason)
		}
		return ""
	}
	if !ok || spec.Kafka == nil || !spec.Kafka.Controls() || !m.hard.Kafka.Founded {
		return ""
	}
	f := m.facts
	if f == nil || f.Error != "" || len(f.Voters) == 0 {
		return fmt.Sprintf("%s cannot be replaced now: Kafka does not say who votes, so nobody "+
			"knows whether the quorum can do without it", p.Name)
	}
	others := 0
	for _, name := range m.podNames() {
		ok, _ := m.ready(m.hard.Pods[name])
		if name != p.Name && ok && m.votes(name) && !m.endsNow(name) {
			others++
		}
	}
	if need := len(f.Voters)/2 + 1; others < need {
		return fmt.Sprintf("%s cannot be replaced now: without it %d of the %d voters are ready, "+
			"and the quorum needs %d; its metadata would be lost for ever",
			p.Name, others, len(f.Voters), need)
	}
	return ""
}

// votes reports whether an instance is a controller that votes, as far as Kafka tells.
func (m *Machine) votes(name PodName) bool {
	spec, _ := m.spec(name)
	return spec.Kafka != nil && spec.Kafka.Controls() &&
		slices.Contains(m.facts.Voters, nodeID(name, spec))
}

// forbiddenKafka says what in a change of a pod's Kafka section cannot be rolled out.
func forbiddenKafka(pod string, o, n servicespec.Kafka) []string {
	var reasons []string
	refuse := func(changed bool, what string) {
		if changed {
			reasons = append(reasons, fmt.Sprintf("pod %s: its %s cannot change", pod, what))
		}
	}
	if o.ZooKeeper != "" && n.ZooKeeper == "" {
		reasons = append(reasons, fmt.Sprintf("pod %s: brokers leave ZooKeeper by a migration "+
			"only (kafka-sched migrate)", pod))
	} else {
		refuse(o.Process != n.Process, "kafka.process")
		refuse(o.ZooKeeper != n.ZooKeeper, "kafka.zookeeper")
	}
	refuse(o.FirstID != n.FirstID, "kafka.first-id")
	refuse(!slices.Equal(logDirs(o), logDirs(n)), "Kafka volumes")
	if o.Version != n.Version {
		reasons = append(reasons, fmt.Sprintf("pod %s: Kafka %s becomes %s by an upgrade only "+
			"(kafka-sched upgrade)", pod, o.Version, n.Version))
	}
	return reasons
}
