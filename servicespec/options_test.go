package servicespec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var optionTests = []struct {
	name, data string
	want       Options
	wrong      string
}{
	{name: "empty", data: " \n", want: Options{}},
	{name: "null", data: "null", want: Options{}},
	{name: "json", data: "{\n\t\"brokers\": {\"count\": 5, \"heap\": {\"size\": 1024}},\n" +
		"\t\"service\": {\"name\": \"dev/kafka\"}, \"kafka\": {\"num_partitions\": 3}}",
		want: Options{"brokers.count": "5", "brokers.heap.size": "1024",
			"service.name": "dev/kafka", "kafka.num_partitions": "3"}},
	{name: "yaml", data: "brokers:\n  cpus: 0.5\nkafka:\n  log.retention.ms: -1\n",
		want: Options{"brokers.cpus": "0.5", "kafka.log.retention.ms": "-1"}},
	{name: "dotted", data: "brokers.count: 4\nkafka: {log: {retention: {hours: 1}}}",
		want: Options{"brokers.count": "4", "kafka.log.retention.hours": "1"}},
	{name: "null value", data: "brokers: {count: null}\nkafka:", want: Options{}},
	{name: "unknown", data: "brokers:\n  cuont: 3\n  cpu: 1\nbroker: {mem: 3}\nservce: {}\n" +
		"xyz: 1\n",
		wrong: `o:2:3: brokers.cuont: unknown option; did you mean brokers.count?
o:3:3: brokers.cpu: unknown option; did you mean brokers.cpus?
o:4:10: broker.mem: unknown option; did you mean brokers.mem?
o:6:1: xyz: unknown option`},
	{name: "bad values", data: "brokers: {count: 0, cpus: 0, mem: -1, disk: 1.5, port: 65536,\n" +
		" disk_type: SSD, heap: {size: all}, kill_grace_period: 9999}\n" +
		"service: {name: a__b, deploy_strategy: fast, kafka_version: four, user: a b}",
		wrong: `o:1:18: brokers.count: must be at least 1, not 0
o:1:27: brokers.cpus: must be at least 0.001, not 0
o:1:35: brokers.mem: must be at least 1, not -1
o:1:45: brokers.disk: must be a whole number, not "1.5"
o:1:56: brokers.port: must be at most 65535, not 65536
o:2:13: brokers.disk_type: must be one of ROOT, PATH, MOUNT, not "SSD"
o:2:31: brokers.heap.size: must be a whole number, not "all"
o:2:56: brokers.kill_grace_period: must be at most 3600, not 9999
o:3:17: service.name: "a__b" must not contain __, which stands for / in roles
o:3:40: service.deploy_strategy: must be one of serial, parallel, serial-canary, ` +
			`parallel-canary, not "fast"
o:3:61: service.kafka_version: "four" is not a Kafka version, as 4.3.1
o:3:73: service.user: "a b" is not the name of a user`},
	{name: "owned", data: "kafka:\n  node_id: 1\n  log.dirs: /tmp\n  zookeeper.connect: x\n" +
		"  kafka_zookeeper_uri: x\n  a b: 1\n  ok_name: 1\n  ok.name: 2\n",
		wrong: `o:2:12: kafka.node_id: the property cannot be set: ` +
			`it follows from the pod's index; remove it
o:3:13: kafka.log.dirs: the property cannot be set: logs lie on the pod's volume; remove it
o:4:22: kafka.zookeeper.connect: the property cannot be set: this Kafka runs without ` +
			`ZooKeeper; remove it
o:5:24: kafka.kafka_zookeeper_uri: the option cannot be set: this Kafka runs without ` +
			`ZooKeeper; remove it
o:6:8: kafka.a b: "a b" is not the name of a property
o:8:12: kafka.ok.name: it was said already, as kafka.ok_name`},
	{name: "list", data: "service: {placement_constraint: [[hostname, UNIQUE]]}\n" +
		"brokers: [1]\n",
		wrong: `o:1:33: service.placement_constraint: must be a single value, not a list; ` +
			"quote it\no:2:1: brokers: unknown option"},
	{name: "no mapping", data: "- a", wrong: "o:1:1: options are a mapping, not a list"},
	{name: "twice", data: `{"brokers": {"count": 1, "count": 2}}`,
		wrong: "o:1:26: brokers.count: already said in line 1; remove one of them"},
	{name: "lines", data: `kafka: {a: "b\nc"}`,
		wrong: "o:1:12: kafka.a: must be a single line"},
}

func TestDecodeOptions(t *testing.T) {
	for _, test := range optionTests {
		t.Run(test.name, func(t *testing.T) {
			got, errs := DecodeOptions("o", []byte(test.data))
			if diff := cmp.Diff(test.want, got); diff != "" && test.wrong == "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var wrong []string
			for _, e := range errs {
				wrong = append(wrong, e.Error())
			}
			if diff := cmp.Diff(test.wrong, strings.Join(wrong, "\n")); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSet(t *testing.T) {
	o := Options{}
	for _, good := range []string{"brokers.count=5", "kafka.a=b=c", " service.name = /x/y "} {
		if err := o.Set(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	want := Options{"brokers.count": "5", "kafka.a": "b=c", "service.name": "/x/y"}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	tests := map[string]string{
		"brokers.count":   `"brokers.count" is not name=value; write for example brokers.count=5`,
		"broker.count=1":  "broker.count: unknown option; did you mean brokers.count?",
		"brokers.count=0": "brokers.count: must be at least 1, not 0",
		"service.placement_constraint=a'": "service.placement_constraint: must not contain " +
			"a single quote",
	}
	for _, bad := range sortedNames(tests) {
		err := o.Set(bad)
		if err == nil || err.Error() != tests[bad] {
			t.Errorf("%s: %v", bad, err)
		}
		var e Error
		if !errors.As(err, &e) || e.Code == "" {
			t.Errorf("%s: %#v", bad, err)
		}
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("refused options left something behind:\n%s", diff)
	}
}

func TestOptionsDefaultsAreGood(t *testing.T) {
	o := Options{}
	previous := ""
	for _, option := range KnownOptions() {
		if option.Default != "" {
			if err := o.Set(option.Name + "=" + option.Default); err != nil {
				t.Error(err)
			}
		}
		if option.Help == "" || option.Variable == "" || option.Name <= previous {
			t.Errorf("%+v", option)
		}
		previous = option.Name
	}
	if diff := cmp.Diff(Options{}.Environment(), o.Environment()); diff != "" {
		t.Error(diff)
	}
	if errs := o.Check(); errs != nil {
		t.Error(errs)
	}
}

func TestEnvironment(t *testing.T) {
	o := Options{"brokers.count": "5", "service.name": "/dev/kafka",
		"kafka.num_partitions": "3", "kafka.log.message.timestamp_type": "<\"x\">"}
	env := o.Environment()
	want := map[string]string{"BROKER_COUNT": "5", "BROKER_CPUS": "1", "BROKER_DISK": "5000",
		"BROKER_DISK_TYPE": "ROOT", "BROKER_HEAP_MB": "512", "BROKER_MEM": "2048",
		"BROKER_PORT": "0", "DEPLOY_STRATEGY": "serial", "FRAMEWORK_NAME": "/dev/kafka",
		"FRAMEWORK_PRINCIPAL": "dev/kafka-principal", "KAFKA_VERSION": DefaultKafkaVersion,
		"KAFKA_PROPERTIES":      `{"log.message.timestamp_type": "<\"x\">", "num.partitions": "3"}`,
		"KILL_GRACE_PERIOD":     "300",
		"PLACEMENT_CONSTRAINTS": `[["hostname","MAX_PER","1"]]`}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Error(diff)
	}
	if env := (Options{"service.user": "me"}).Environment(); env["FRAMEWORK_USER"] != "me" {
		t.Error(env)
	}
	env = Options{"service.placement_constraint": ""}.Environment()
	if text, said := env["PLACEMENT_CONSTRAINTS"]; !said || text != "" {
		t.Error("an empty rule, which allows every agent, is not taken")
	}
}

func TestCheck(t *testing.T) {
	errs := Options{"brokers.mem": "512"}.Check()
	if len(errs) != 1 || errs[0].Error() != "brokers.heap.size: a heap of 512 MB leaves nothing "+
		"of brokers.mem, 512 MB; use about half of brokers.mem" {
		t.Error(errs)
	}
}
