package rolling_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// TestEncode writes facts down and reads them: they are the same, all that is not shown too.
func TestEncode(t *testing.T) {
	for name, facts := range map[string]*rolling.Facts{
		"none":  rolling.NewBuilder(start).Facts(),
		"large": large(),
		"all kinds": cluster(t, `
brokers 0@a 1@b 2@c 3@a
fenced 3
voters 0 1 2 leader 0
lagging 1
topic t min 2: 0+1+2-
topic t min 2: 1+2+3-
topic u min 0: 3-
moving t 0
answer 1
topic t min 2: 0+1+2+
`),
	} {
		data, err := json.Marshal(facts)
		if err != nil {
			t.Fatal(err)
		}
		got := new(rolling.Facts)
		if err := json.Unmarshal(data, got); err != nil || !reflect.DeepEqual(got, facts) {
			t.Errorf("%s: they became others: %v", name, err)
		}
	}
	for _, text := range []string{"{", `{"Partitions":[1]}`, `{"On":[[1]]}`} {
		if err := json.Unmarshal([]byte(text), new(rolling.Facts)); err == nil {
			t.Errorf("%s are facts", text)
		}
	}
}
