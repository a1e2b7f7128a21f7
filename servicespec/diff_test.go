package servicespec

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) Service {
	t.Helper()
	s, errs := Parse("test.yml", []byte(text), templates)
	if errs != nil {
		t.Fatal(errs)
	}
	return s
}

func TestDiff(t *testing.T) {
	text := string(read(t, "testdata/good/kafka.yml"))
	a := parse(t, text)
	b := parse(t, strings.NewReplacer("count: 3", "count: 4", "cpus: 1", "cpus: 1.5",
		"num.partitions: 3", "log.retention.ms: 4", "broker:\n", "broker:\n        env: {A: b}\n",
		"path: data", "path: other").Replace(text))
	var got []string
	for _, change := range Diff(a, b) {
		got = append(got, fmt.Sprintf("%s [%s]", change, change.Class))
	}
	want := []string{
		`pods.kafka.count: 3 -> 4 [live]`,
		`pods.kafka.kafka.properties.log.retention.ms: (none) -> "4" [restart]`,
		`pods.kafka.kafka.properties.num.partitions: "3" -> (none) [restart]`,
		`pods.kafka.kafka.volume: "data" -> "other" [forbidden]`,
		`pods.kafka.tasks.broker.env.A.name: (none) -> "A" [restart]`,
		`pods.kafka.tasks.broker.env.A.value: (none) -> "b" [restart]`,
		`pods.kafka.tasks.broker.resource-set.cpus: 1 -> 1.5 [restart]`,
		`pods.kafka.tasks.broker.resource-set.volumes.data.path: "data" -> (none) [forbidden]`,
		`pods.kafka.tasks.broker.resource-set.volumes.data.size: 100 -> (none) [forbidden]`,
		`pods.kafka.tasks.broker.resource-set.volumes.data.type: "ROOT" -> (none) [forbidden]`,
		`pods.kafka.tasks.broker.resource-set.volumes.other.path: (none) -> "other" [forbidden]`,
		`pods.kafka.tasks.broker.resource-set.volumes.other.size: (none) -> 100 [forbidden]`,
		`pods.kafka.tasks.broker.resource-set.volumes.other.type: (none) -> "ROOT" [forbidden]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeServiceRefusesOther(t *testing.T) {
	for _, text := range []string{"", "[]", `{"pods": [{"type": "a", "placement": 3}]}`,
		`{"pods": [{"tasks": [{"kill-grace-period": "soon"}]}]}`} {
		if _, err := DecodeService([]byte(text)); err == nil {
			t.Errorf("%q was decoded", text)
		}
	}
}
