package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A service runs one version of Kafka, but for the middle of an upgrade.
func TestVersionOf(t *testing.T) {
	s := servicespec.Service{Pods: []servicespec.Pod{{Type: "web"},
		{Type: "controller", Kafka: &servicespec.Kafka{Version: "4.3.1"}},
		{Type: "broker", Kafka: &servicespec.Kafka{Version: "3.9.1"}}}}
	if version, whole := versionOf(s); whole {
		t.Errorf("%s, although pods differ", version)
	}
	s.Pods[2].Kafka.Version = "4.3.1"
	if version, whole := versionOf(s); version != "4.3.1" || !whole {
		t.Errorf("%s, %v", version, whole)
	}
	if version, whole := versionOf(servicespec.Service{}); whole {
		t.Errorf("%s of a service without Kafka", version)
	}
}

// What a service was to be by its migration is the record of this machine once nothing of it needs
// ZooKeeper any more, and not before.
func TestSettle(t *testing.T) {
	f := folder{name: "kafka", dir: t.TempDir()}
	r := record{folder: f, here: true, cluster: cluster{Format: clusterFormat, Name: "kafka",
		Spec: "/zk.yml", Options: servicespec.Options{"service.name": "kafka"}}}
	for _, err := range []error{r.save(wanted{text: []byte("before"), path: "/zk.yml"}),
		r.expect(wanted{text: []byte("after"), path: "/kraft.yml",
			options: servicespec.Options{"brokers.mem": "900"}})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	pods := []servicespec.Pod{{Type: "kafka", Kafka: &servicespec.Kafka{Process: "broker"}},
		{Type: "controller", Kafka: &servicespec.Kafka{ZooKeeper: "zk:2181", Migrates: true}}}
	for _, want := range []struct{ zooKeeper, text, spec string }{
		{"zk:2181", "before", "/zk.yml"}, {"", "after", "/kraft.yml"}, {"", "after", "/kraft.yml"},
	} {
		pods[1].Kafka.ZooKeeper = want.zooKeeper
		now, err := r.settle(servicespec.Service{Pods: pods})
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(f.specFile())
		if err != nil || string(text) != want.text {
			t.Errorf("with ZooKeeper at %q the spec is %q, %v", want.zooKeeper, text, err)
		}
		stored, err := f.load()
		if err != nil || stored.Spec != want.spec {
			t.Errorf("with ZooKeeper at %q the record is %+v, %v", want.zooKeeper, stored, err)
		}
		if r = now; r.cluster.Spec != want.spec {
			t.Errorf("with ZooKeeper at %q it goes on with %s", want.zooKeeper, r.cluster.Spec)
		}
	}
	if _, set := r.cluster.Options["brokers.mem"]; !set {
		t.Errorf("the options are %v", r.cluster.Options)
	}
}

// What was said of a version that cannot be is answered before anybody is asked.
func TestUpgradeUsage(t *testing.T) {
	for _, args := range [][]string{{"upgrade"}, {"upgrade", "--to", "4.3"}} {
		var out, errs bytes.Buffer
		args = append(args, "--url", "http://127.0.0.1:1")
		code := Main(args, strings.NewReader(""), &out, &errs, Daemons{})
		if code != exitUsage || !strings.Contains(errs.String(), "in full") {
			t.Errorf("%v: exit %d, %s", args, code, &errs)
		}
	}
}
