package servicespec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// ZooKeeper declares that each instance of a pod is a server of one ZooKeeper ensemble, whose
// command and configuration the scheduler makes. The ids of the servers are FirstID plus their
// index.
type ZooKeeper struct {
	// KafkaVersion is the Kafka whose distribution brings the ZooKeeper along, as "3.9.1".
	KafkaVersion string `json:"kafka-version,omitempty"`
	// Heap is the JVM's heap, both -Xms and -Xmx.
	Heap resource.MiB `json:"heap,omitempty"`
	// JVMFlags are added to the JVM's command line.
	JVMFlags []string `json:"jvm-flags,omitempty"`
	// Properties are the operator's own lines of zoo.cfg; they win over the defaults.
	Properties map[string]string `json:"properties,omitempty"`
	// TLS has the servers answer over TLS alone, nil in plain text alone.
	TLS *ZooKeeperTLS `json:"tls,omitempty"`
	// JAAS is the path of the secret with the login configuration of servers and clients, which
	// then have to authenticate by SASL; "" for no authentication.
	JAAS string `json:"jaas,omitempty"`
	// Task is the task that runs the server, by name.
	Task string `json:"task,omitempty"`
	// ClientPort, QuorumPort and ElectionPort name ports of that task.
	ClientPort   string `json:"client-port,omitempty"`
	QuorumPort   string `json:"quorum-port,omitempty"`
	ElectionPort string `json:"election-port,omitempty"`
	// FirstID is the id of the server of instance 0; the others count on from it.
	FirstID int `json:"first-id,omitempty"`
	// Volume is the container path of the volume that holds snapshots and logs.
	Volume string `json:"volume,omitempty"`
}

// ServerID is the id that the ensemble knows an instance by, for ever.
func (z ZooKeeper) ServerID(index int) int { return z.FirstID + index }

// LastZooKeeperKafka is the Kafka of the last line that works with ZooKeeper and brings it along.
const LastZooKeeperKafka = "3.9.1"

// maxServerID is the highest id that a ZooKeeper server may have.
const maxServerID = 255

var zooKeeperLanguage = languageOf(podPath + ".zookeeper")

// zooKeeper reads the zookeeper section of a pod whose other keys are read already.
func (p *parser) zooKeeper(v value, path string, pod *Pod) *ZooKeeper {
	z := &ZooKeeper{KafkaVersion: LastZooKeeperKafka, FirstID: 1}
	f, ok := p.fieldsOf(v, path, zooKeeperLanguage)
	if !ok {
		return z
	}
	if pod.Kafka != nil {
		f.at("", BadValue, "a pod is one of Kafka nodes or one of ZooKeeper servers, not both",
			"make a pod of each")
	}
	if !slices.Contains([]int{1, 3, 5}, pod.Count) {
		f.at("", BadValue, fmt.Sprintf("an ensemble of %d servers", pod.Count),
			"give the pod a count of 1, 3 or 5: an even one bears no more failures")
	}
	if version, ok := f.text("kafka-version"); ok {
		z.KafkaVersion = version
		if wrong, hint := zooKeeperKafka(version); wrong != "" {
			f.at("kafka-version", BadValue, wrong, hint)
		}
	}
	if id, ok := f.whole("first-id", 1, int64(maxServerID-max(0, pod.Count-1))); ok {
		z.FirstID = int(id)
	}
	z.JVMFlags = p.jvmFlags(f)
	z.Properties = p.zooKeeperProperties(f)
	p.secure(f, z)
	task := p.serverTask(f, "ZooKeeper", pod)
	if task == nil {
		return z
	}
	z.Task = task.Name
	z.ClientPort = p.serverPort(f, "ZooKeeper", "client-port", "client", task)
	z.QuorumPort = p.serverPort(f, "ZooKeeper", "quorum-port", "quorum", task)
	z.ElectionPort = p.serverPort(f, "ZooKeeper", "election-port", "election", task)
	if z.ClientPort == z.QuorumPort || z.QuorumPort == z.ElectionPort ||
		z.ClientPort == z.ElectionPort {
		f.at("", BadValue, "client-port, quorum-port and election-port must differ", "")
	}
	z.Volume = p.serverVolume(f, "ZooKeeper", pod, task)
	z.Heap = f.heap(task, "ZooKeeper")
	return z
}

// zooKeeperKafka says why a Kafka version does not work with ZooKeeper, "" when it does.
func zooKeeperKafka(version string) (wrong, hint string) {
	var major, minor int
	if !kafkaVersion.MatchString(version) {
		return quote(version) + " is not a Kafka version", "write it in full, as " +
			LastZooKeeperKafka
	}
	fmt.Sscanf(version, "%d.%d", &major, &minor)
	switch {
	case major >= 4:
		return fmt.Sprintf("Kafka %s does not work with ZooKeeper: the last that does is 3.9",
				version), "take " + LastZooKeeperKafka +
				", or let the pods be KRaft nodes, with process instead of zookeeper"
	case major < 3:
		return fmt.Sprintf("Kafka %s is too old: its brokers do not answer what the scheduler asks",
			version), "take " + LastZooKeeperKafka
	}
	return "", ""
}

// zooKeeperOwned are the lines of zoo.cfg that the scheduler writes; a name that ends with a dot
// stands for all that begin with it.
var zooKeeperOwned = []struct{ name, reason string }{
	{"dataDir", "data lies on the pod's volume"},
	{"dataLogDir", "logs lie on the pod's volume"},
	{"clientPort", "it follows from the ports that Mesos gave"},
	{"clientPortAddress", "it follows from the agent that the server runs on"},
	{"secureClientPort", "with tls it is the client port"},
	{"secureClientPortAddress", "with tls it is that of the client port"},
	{"client.portUnification", "with tls nothing is answered in plain text"},
	{"ssl.clientAuth", "the scheduler asks servers without a certificate; clients authenticate " +
		"by jaas"},
	{"server.", "servers follow from the pod's instances"},
	{"dynamicConfigFile", "servers follow from the pod's instances"},
	{"reconfigEnabled", "servers follow from the pod's instances"},
	{"standaloneEnabled", "it follows from the pod's count"},
	{"quorumListenOnAllIPs", "servers listen on the address of their agent"},
	{"admin.", "the admin server is off: the scheduler asks at the client port"},
	{"4lw.commands.whitelist", "srvr alone is answered, which the scheduler asks"},
}

func (p *parser) zooKeeperProperties(f fields) map[string]string {
	return p.propertiesBut(f, func(name string) (string, string) {
		for _, o := range zooKeeperOwned {
			if name == o.name || strings.HasSuffix(o.name, ".") && strings.HasPrefix(name, o.name) {
				return "the line cannot be set: " + o.reason, "remove it"
			}
		}
		return "", ""
	})
}

// connection is the form of zookeeper.connect: hosts with ports, and maybe a path.
var connection = regexp.MustCompile(
	`^[^\s,:/@]+:[0-9]{1,5}(,[^\s,:/@]+:[0-9]{1,5})*(/[^\s,:]*[^\s,:/])?$`)

// External gives the connection string of an ensemble that is none of this service's, "" if the
// nodes have none.
func (k Kafka) External() string {
	if strings.Contains(k.ZooKeeper, ":") {
		return k.ZooKeeper
	}
	return ""
}

// Ensemble is the pod type of the ZooKeeper servers of this service that the nodes use, "" if
// they use none.
func (k Kafka) Ensemble() string {
	if k.External() != "" {
		return ""
	}
	return k.ZooKeeper
}

// OnZooKeeper reports whether the nodes are brokers whose metadata is in ZooKeeper. Controllers
// have to do with it only as long as a cluster migrates.
func (k Kafka) OnZooKeeper() bool { return k.ZooKeeper != "" && k.Serves() }

// kafkaMode reads whether the nodes keep their metadata in ZooKeeper, and what each of them is.
func (p *parser) kafkaMode(f fields, k *Kafka) {
	process, said := f.oneOf("process", "combined", "broker", "controller")
	if said {
		k.Process = process
	}
	where, ok := f.text("zookeeper")
	if !ok {
		return
	}
	k.ZooKeeper = where
	if said && process != "broker" {
		f.at("process", BadValue, fmt.Sprintf(
			"a node with ZooKeeper is a broker, not %s: ZooKeeper elects the controller", process),
			"remove process, or remove zookeeper")
	}
	k.Process = "broker"
	if strings.Contains(where, ":") && !connection.MatchString(where) {
		f.at("zookeeper", BadValue, quote(where)+" is not where a ZooKeeper is",
			"write host:port,host:port/path, or the name of a pod of this service")
	}
}

// checkZooKeeper checks what pods of Kafka nodes say of ZooKeeper against the other pods.
func (p *parser) checkZooKeeper(root fields, pods []Pod) {
	kinds := map[string]*Pod{}
	for i := range pods {
		kinds[pods[i].Type] = &pods[i]
	}
	first := ""
	for _, pod := range pods {
		if pod.Kafka == nil {
			continue
		}
		report := func(key, message, hint string) {
			p.addAt(root, append([]string{"pods", pod.Type, "kafka"}, strings.Split(key, "/")...),
				BadValue, message, hint)
		}
		if first == "" {
			first = pod.Type
		} else if was := kinds[first].Kafka; was.ZooKeeper != pod.Kafka.ZooKeeper {
			report("zookeeper", fmt.Sprintf("pods %s and %s do not keep metadata in one place",
				first, pod.Type),
				"one service runs one cluster: give both the same zookeeper, or none")
		}
		checkEnsemble(pod, kinds, report)
	}
	p.shareSecrets(root, pods)
}

// checkEnsemble checks one pod of brokers with the ensemble that it uses.
func checkEnsemble(pod Pod, kinds map[string]*Pod, report func(key, message, hint string)) {
	kind := pod.Kafka.Ensemble()
	if kind == "" {
		return
	}
	servers := kinds[kind]
	switch {
	case servers == nil:
		report("zookeeper", "there is no pod "+quote(kind), didYouMean(kind, sortedNames(kinds)))
	case servers.ZooKeeper == nil:
		report("zookeeper", fmt.Sprintf("pod %s is none of ZooKeeper servers", kind),
			"give it the key zookeeper, or name another pod")
	case servers.ZooKeeper.KafkaVersion != pod.Kafka.Version:
		report("version", fmt.Sprintf("the brokers are of version %s, and the servers of pod %s "+
			"come along with %s", pod.Kafka.Version, kind, servers.ZooKeeper.KafkaVersion),
			"one service runs one distribution of Kafka: give both the same version")
	case servers.ZooKeeper.TLS == nil && pod.Kafka.says(zooKeeperTLS, "true"):
		report("properties/"+zooKeeperTLS, fmt.Sprintf("the servers of pod %s answer in plain text",
			kind), "remove it, or give them zookeeper.tls")
	case servers.ZooKeeper.TLS != nil && pod.Kafka.says(zooKeeperTLS, "false"):
		report("properties/"+zooKeeperTLS, fmt.Sprintf("the servers of pod %s answer over TLS "+
			"alone", kind), "remove it")
	}
}

// zooKeeperTLS is the property by which brokers talk to ZooKeeper over TLS.
const zooKeeperTLS = "zookeeper.ssl.client.enable"

// says reports whether any of the nodes has a property with a value.
func (k Kafka) says(name, value string) bool {
	says := k.Properties[name] == value
	for _, own := range k.Instances { //tidy:unordered one is enough
		says = says || own.Properties[name] == value
	}
	return says
}
