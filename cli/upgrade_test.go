package cli

import (
	"bytes"
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
