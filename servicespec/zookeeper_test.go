package servicespec

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const onZooKeeper = `
name: kafka
pods:
  zk:
    count: 3
    zookeeper: {heap: 300, properties: {maxClientCnxns: 200}}
    tasks:
      server:
        goal: RUNNING
        cpus: 0.5
        memory: 600
        ports: {client: {port: 0}, quorum: {port: 0}, election: {port: 0}}
        volume: {path: data, type: ROOT, size: 100}
  kafka:
    count: 3
    kafka: {version: 3.9.1, zookeeper: zk, properties: {zookeeper.session.timeout.ms: 9000}}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 1024
        ports: {broker: {port: 0}}
        volume: {path: data, type: ROOT, size: 100}
`

func TestZooKeeperAndItsBrokers(t *testing.T) {
	s := parse(t, onZooKeeper)
	z, k := s.Pods[0].ZooKeeper, s.Pods[1].Kafka
	if z.KafkaVersion != LastZooKeeperKafka || z.Heap != 300 || z.Task != "server" ||
		z.ClientPort != "client" || z.QuorumPort != "quorum" || z.ElectionPort != "election" ||
		z.Volume != "data" || z.ServerID(0) != 1 || z.ServerID(2) != 3 ||
		z.Properties["maxClientCnxns"] != "200" {
		t.Errorf("the ensemble is %+v", z)
	}
	if k.Process != "broker" || k.Ensemble() != "zk" || k.External() != "" || k.Controls() ||
		k.ControllerPort != "" || k.NodeID(0) != 0 {
		t.Errorf("the brokers are %+v", k)
	}
	if list := s.Conflicts(); len(list) > 0 {
		t.Errorf("the plan of a service without plans conflicts: %q", list)
	}
	deploy := s.Plans[0]
	if deploy.Phases[0].Pod != "zk" || deploy.Phases[0].Strategy != Parallel ||
		deploy.Phases[1].Strategy != Serial {
		t.Errorf("the plan is %+v", deploy)
	}
	again, err := DecodeService(encoded(t, s))
	if diff := cmp.Diff(s.Pods[0].ZooKeeper, again.Pods[0].ZooKeeper); err != nil || diff != "" {
		t.Errorf("after encoding: %v (-was +is):\n%s", err, diff)
	}
	if diff := cmp.Diff(k, again.Pods[1].Kafka); diff != "" {
		t.Errorf("after encoding (-was +is):\n%s", diff)
	}
}

func encoded(t *testing.T, s Service) []byte {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestExternalZooKeeper(t *testing.T) {
	i, j := strings.Index(onZooKeeper, "  zk:"), strings.Index(onZooKeeper, "  kafka:")
	alone := onZooKeeper[:i] + onZooKeeper[j:]
	where := "a.example:2181,b.example:2181/kafka/one"
	s := parse(t, strings.Replace(alone, "zookeeper: zk,", "zookeeper: '"+where+"',", 1))
	if k := s.Pods[0].Kafka; k.External() != where || k.Ensemble() != "" {
		t.Errorf("the brokers are %+v", k)
	}
	if list := s.Conflicts(); len(list) > 0 {
		t.Errorf("conflicts: %q", list)
	}
}

// securely is the ensemble with TLS and authentication.
var securely = strings.Replace(onZooKeeper, "heap: 300",
	"heap: 300, tls: {certificate: zk/server.pem, authority: zk/ca.pem}, jaas: zk/jaas.conf", 1)

// Servers and brokers get the secrets that they need, and a pod cannot have others in their place.
func TestSecureEnsemble(t *testing.T) {
	s := parse(t, securely)
	authority := Secret{Name: "zookeeper-authority", Secret: "zk/ca.pem", File: ZooKeeperAuthority}
	jaas := Secret{Name: "zookeeper-jaas", Secret: "zk/jaas.conf", File: ZooKeeperJAAS}
	certificate := Secret{Name: "zookeeper-certificate", Secret: "zk/server.pem",
		File: ZooKeeperCertificate}
	if diff := cmp.Diff([]Secret{authority, jaas, certificate}, s.Pods[0].Secrets); diff != "" {
		t.Errorf("the servers' secrets (-want +are):\n%s", diff)
	}
	if diff := cmp.Diff([]Secret{authority, jaas}, s.Pods[1].Secrets); diff != "" {
		t.Errorf("the brokers' secrets (-want +are):\n%s", diff)
	}
	again, err := DecodeService(encoded(t, s))
	if diff := cmp.Diff(s.Pods, again.Pods); err != nil || diff != "" {
		t.Errorf("after encoding: %v (-was +is):\n%s", err, diff)
	}
	for _, c := range []struct{ old, next, want string }{
		{"zookeeper.session.timeout.ms: 9000", "zookeeper.ssl.client.enable: 'false'",
			"spec.yml:16:86: pods.kafka.kafka.properties.zookeeper.ssl.client.enable: the " +
				"servers of pod zk answer over TLS alone; remove it"},
		{"    tasks:\n      broker", "    secrets: {a: {secret: x, file: " + ZooKeeperJAAS +
			"}}\n    tasks:\n      broker", "spec.yml:17:18: pods.kafka.secrets.a: the name " +
			"zookeeper-jaas and the file zookeeper-secrets/jaas.conf are those of a secret of " +
			"the ensemble; give the pod's own another one"},
	} {
		_, errs := Parse("spec.yml", []byte(strings.Replace(securely, c.old, c.next, 1)), nil)
		if len(errs) != 1 || errs[0].Error() != c.want {
			t.Errorf("%s: %q, not %q", c.next, errs, c.want)
		}
	}
}

// What cannot work with ZooKeeper is refused, with what to do.
func TestZooKeeperRefusals(t *testing.T) {
	for _, c := range []struct{ old, next, want string }{
		{"count: 3\n    zookeeper", "count: 2\n    zookeeper", "a count of 1, 3 or 5"},
		{"heap: 300", "kafka-version: 4.3.1", "the last that does is 3.9"},
		{"heap: 300", "kafka-version: '3.9'", "write it in full"},
		{"heap: 300", "kafka-version: 3.8.0", "give both the same version"},
		{"heap: 300", "heap: 600", "leaves nothing of the task's 600 MB"},
		{"heap: 300", "first-id: 254", "first-id"},
		{"heap: 300", "quorum-port: client", "must differ"},
		{"heap: 300", "client-port: x", "ZooKeeper needs the port x"},
		{"maxClientCnxns", "server.1", "servers follow from the pod's instances"},
		{"maxClientCnxns", "dataDir", "data lies on the pod's volume"},
		{"maxClientCnxns", "admin.serverPort", "the admin server is off"},
		{"maxClientCnxns", "secureClientPort", "with tls it is the client port"},
		{"maxClientCnxns", "ssl.clientAuth", "clients authenticate by jaas"},
		{"zookeeper.session.timeout.ms: 9000", "zookeeper.ssl.client.enable: 'true'",
			"spec.yml:16:86: pods.kafka.kafka.properties.zookeeper.ssl.client.enable: the " +
				"servers of pod zk answer in plain text; remove it, or give them zookeeper.tls"},
		{"heap: 300", "jaas: ''", "spec.yml:6:23: pods.zk.zookeeper.jaas: must not be empty"},
		{"heap: 300", "tls: true", "spec.yml:6:22: pods.zk.zookeeper.tls: must be a mapping"},
		{"heap: 300", "tls: {certificate: a}",
			"spec.yml:6:22: pods.zk.zookeeper.tls: authority is missing"},
		{"heap: 300", "tls: {certificate: a, authority: ''}",
			"spec.yml:6:50: pods.zk.zookeeper.tls.authority: must not be empty"},
		{"heap: 300", "tls: {certificate: a, autority: b}", "did you mean authority?"},
		{"zookeeper: zk", "zookeeper: zkk", "spec.yml:16:40: pods.kafka.kafka.zookeeper: there " +
			"is no pod \"zkk\"; did you mean zk?"},
		{"zookeeper: zk", "zookeeper: kafka", "pod kafka is none of ZooKeeper servers"},
		{"zookeeper: zk", "zookeeper: 'a:1/'", "is not where a ZooKeeper is"},
		{"zookeeper: zk", "zookeeper: zk, process: combined", "ZooKeeper elects the controller"},
		{"zookeeper: zk", "zookeeper: zk, process: controller", "not controller"},
		{"version: 3.9.1", "version: 4.3.1", "or let the pods be KRaft nodes"},
		{"version: 3.9.1", "version: 2.8.2", "Kafka 2.8.2 is too old"},
		{"zookeeper.session.timeout.ms", "zookeeper.connect", "it is said by zookeeper"},
		{"    tasks:\n      broker", "    zookeeper: {}\n    tasks:\n      broker", "not both"},
		{"    tasks:\n      server", "    update: {by-rack: true}\n    tasks:\n      server",
			"followers go first"},
	} {
		if !strings.Contains(onZooKeeper, c.old) {
			t.Fatalf("there is no %q", c.old)
		}
		_, errs := Parse("spec.yml", []byte(strings.Replace(onZooKeeper, c.old, c.next, 1)), nil)
		var all []string
		for _, e := range errs {
			all = append(all, e.Error())
		}
		if text := strings.Join(all, "\n"); !strings.Contains(text, c.want) {
			t.Errorf("%q instead of %q: %q, without %q", c.next, c.old, text, c.want)
		}
	}
}

// The pods of a service keep metadata in one place, and KRaft nodes have nothing of ZooKeeper.
func TestOneModeForAll(t *testing.T) {
	text := onZooKeeper + `
  more:
    count: 1
    kafka: {version: 3.9.1, process: broker, first-id: 100}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 1024
        ports: {broker: {port: 0}}
        volume: {path: data, type: ROOT, size: 100}
`
	_, errs := Parse("spec.yml", []byte(text), nil)
	if len(errs) != 2 || !strings.Contains(errs[1].Error(), "spec.yml:27:12: pods.more.kafka."+
		"zookeeper: pods kafka and more do not keep metadata in one place") {
		t.Errorf("the problems are %v", errs)
	}
	_, errs = Parse("spec.yml", []byte(strings.Replace(nodesSpec, "num.io.threads: 8",
		"zookeeper.session.timeout.ms: 8", 1)), nil)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "runs without ZooKeeper") {
		t.Errorf("the problems are %v", errs)
	}
}

// Plans that would wait for ever, because no server of an ensemble serves alone, are told.
func TestPlansOfEnsemblesThatConflict(t *testing.T) {
	for plans, want := range map[string]string{
		"{servers: {pod: zk}, brokers: {pod: kafka}}": "give the phase the strategy parallel",
		"{brokers: {pod: kafka}, servers: {pod: zk, strategy: parallel}}": "before the servers " +
			"of pod zk do; put a phase of the servers of pod zk first",
	} {
		s := parse(t, onZooKeeper+"plans: {deploy: {strategy: serial, phases: "+plans+"}}\n")
		if list := strings.Join(s.Conflicts(), "\n"); !strings.Contains(list, want) {
			t.Errorf("%s: %q, without %q", plans, list, want)
		}
	}
}

// What the ensemble bears for ever cannot change, and a change of it restarts its servers.
func TestChangesOfEnsembles(t *testing.T) {
	for _, c := range []struct {
		old, next string
		class     Class
	}{
		{"heap: 300", "heap: 301", Restart},
		{"heap: 300", "heap: 300, first-id: 7", Forbidden},
		{"count: 3\n    zookeeper", "count: 5\n    zookeeper", Restart},
		{"count: 3\n    zookeeper", "count: 1\n    zookeeper", Forbidden},
		{"count: 3\n    zookeeper", "count: 1\n    allow-decommission: true\n    zookeeper",
			Restart},
		{"zookeeper: zk", "zookeeper: 'a:1'", Forbidden},
		{"heap: 300", "heap: 300, tls: {certificate: a, authority: b}", Forbidden},
		{"heap: 300", "heap: 300, jaas: a", Forbidden},
	} {
		demandClass(t, onZooKeeper, strings.Replace(onZooKeeper, c.old, c.next, 1), c.class)
	}
	for _, c := range []struct {
		old, next string
		class     Class
	}{
		{", jaas: zk/jaas.conf", "", Forbidden},
		{"tls: {certificate: zk/server.pem, authority: zk/ca.pem}, ", "", Forbidden},
		{"zk/jaas.conf", "zk/jaas-2.conf", Restart},
		{"zk/server.pem", "zk/server-2.pem", Restart},
	} {
		demandClass(t, securely, strings.Replace(securely, c.old, c.next, 1), c.class)
	}
}

// demandClass demands the class of the worst change between two specs.
func demandClass(t *testing.T, was, is string, class Class) {
	t.Helper()
	worst := Nothing
	order := []Class{Nothing, Live, Restart, Replace, Forbidden}
	for _, change := range Diff(parse(t, was), parse(t, is)) {
		if slices.Index(order, change.Class) > slices.Index(order, worst) {
			worst = change.Class
		}
	}
	if worst != class {
		t.Errorf("%s: %s, not %s", is, worst, class)
	}
}
