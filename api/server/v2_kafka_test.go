package server

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// kafkaCase is a request of /v2 with what Kafka is asked for then, and what comes of it.
type kafkaCase struct {
	method, path, body string
	status             int
	asked, says        string
}

// What is asked of Kafka reaches it as it was asked, and what makes no sense never does. Each
// change is in the journal, and nothing else is.
func TestKafkaRoutes(t *testing.T) {
	for _, c := range kafkaCases() {
		k := &topics{}
		v := fullView()
		v.Kafka.Facts.Brokers[0].Fenced = false
		m := &machine{}
		cfg := config(v, m)
		cfg.Kafka = k
		r := httptest.NewRequest(c.method, "/v2/"+c.path, strings.NewReader(c.body))
		if c.body != "" {
			r.Header.Set("Content-Type", api.JSONType)
		}
		w := ask(t, cfg, r)
		asked := strings.Replace(k.asked, " [10.0.0.2:9092]", "", 1)
		if w.Code != c.status || asked != c.asked || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s %s: %d %s, asked %q", c.method, c.path, c.body, w.Code, w.Body, asked)
		}
		remark, told := m.command.(scheduler.Remark)
		changes := c.method != "GET" && c.asked != "" &&
			!strings.Contains(c.path, "dry-run=true") && !strings.Contains(c.body, "consumer")
		if told != changes || told && !strings.HasPrefix(remark.What, c.method+" /v2/") ||
			strings.Contains(fmt.Sprint(remark), "secret") {
			t.Errorf("%s %s: the journal is told %+v", c.method, c.path, m.command)
		}
	}
}

func kafkaCases() []kafkaCase {
	return append(topicCases(), append(clientCases(), clusterCases()...)...)
}

func topicCases() []kafkaCase {
	return []kafkaCase{
		{"GET", "topics", "", 200, " list", `"name": "events"`},
		{"GET", "topics?internal=true&limit=1", "", 200, " list", `"next_cursor"`},
		{"GET", "topics?x=1", "", 400, "", "no parameter"},
		{"GET", "topics/events", "", 200, "events describe", `"leader": -1`},
		{"GET", "topics/nosuch", "", 404, "nosuch describe", `"UNKNOWN_TOPIC_OR_PARTITION"`},
		{"GET", "topics/events/config", "", 200, "events config", `"retention.ms"`},
		{"GET", "topics/events/offsets?at=earliest", "", 200, "events offsets -2", "334"},
		{"GET", "topics/events/offsets?at=noon", "", 400, "", "earliest, latest, or"},
		{"POST", "topics", `{"name":"x","partitions":3,"config":{"a":"b"}}`, 200,
			"x create 3 0map[a:b] false", "topic x is made"},
		{"POST", "topics?dry-run=true", `{"name":"x"}`, 200, "x create 0 0map[] true",
			"Kafka would take it"},
		{"POST", "topics", `{}`, 400, "", "no name"},
		{"POST", "topics", "", 400, "", "body is missing"},
		{"POST", "topics", `{"name":"x","partitions":-1}`, 400, "", "partitions must be"},
		{"DELETE", "topics/events", "", 200, "events delete", "is deleted"},
		{"POST", "topics/events/config", `{"set":{"a":"1"},"delete":["b"]}`, 200,
			"events change map[a:1] [b] false", "a=1, b as the brokers have it"},
		{"POST", "topics/events/config", `{}`, 400, "", "nothing to change"},
		{"POST", "topics/events/partitions", `{"count":6}`, 200, "events partitions 6 false",
			"has 6 partitions"},
		{"POST", "topics/events/partitions", `{"count":0}`, 400, "", "count must be"},
		{"POST", "topics/events/replication", `{"factor":3}`, 200, "events replication 3 false",
			"1 partitions are getting 3 replicas"},
		{"POST", "topics/events/replication?dry-run=true", `{"factor":3}`, 200,
			"events replication 3 true", "would get"},
		{"POST", "topics/events/replication", `{"factor":2}`, 200, "events replication 2 false",
			`"changed": false`},
		{"POST", "topics/events/test", `{"kind":"producer","records":9}`, 200,
			"events producer 9 1024", `"bytes": 9216`},
		{"POST", "topics/events/test", `{"kind":"consumer","records":9}`, 200,
			"events consumer 9 1024", `"kind": "consumer"`},
		{"POST", "topics/events/test", `{"kind":"x","records":9}`, 400, "", "kind must be"},
	}
}

func clientCases() []kafkaCase {
	rule := `{"acls":[{"principal":"User:alice","host":"","resource_type":"TOPIC",` +
		`"resource":"events","pattern":"","operation":"READ","permission":""}]}`
	return []kafkaCase{
		{"GET", "groups?limit=1", "", 200, " groups", `"billing"`},
		{"GET", "groups/billing", "", 200, "billing group", `"lag": 5`},
		{"GET", "groups/nosuch", "", 404, "nosuch group", "no such thing"},
		{"POST", "groups/g/reset", `{"to":"earliest","topics":["events"]}`, 200,
			"g reset to earliest events false", "1 offsets of group g are reset"},
		{"POST", "groups/g/reset?dry-run=true", `{"shift":-5}`, 200, "g reset to -5 true",
			"would be reset"},
		{"POST", "groups/g/reset", `{"to":"earliest","offset":3}`, 400, "", "Exactly one"},
		{"POST", "groups/g/reset", `{"to":"noon"}`, 400, "", "earliest or latest"},
		{"POST", "groups/g/reset", `{"offset":-3}`, 400, "", "negative"},
		{"DELETE", "groups/g", "", 200, "g delete group", "is deleted"},
		{"GET", "quotas", "", 200, " quotas", `<default>`},
		{"POST", "quotas", `{"user":"bob","set":{"producer_byte_rate":5}}`, 200,
			"bob quota map[producer_byte_rate:5] [] false", "producer_byte_rate=5"},
		{"POST", "quotas", `{"set":{"x":5}}`, 400, "", "Whose quota"},
		{"POST", "quotas", `{"user":"bob","ip":"10.0.0.1","set":{"x":5}}`, 400, "", "of an ip"},
		{"POST", "quotas", `{"user":"bob"}`, 400, "", "nothing to change"},
		{"GET", "users", "", 200, " users", `"alice"`},
		{"POST", "users", `{"name":"bob","password":"secret"}`, 200, "bob password secret",
			"user bob has a new password"},
		{"POST", "users", `{"name":"bob","password":""}`, 400, "", "no password"},
		{"POST", "users", `{"name":"bob","password":"x","iterations":5}`, 400, "", "iterations"},
		{"DELETE", "users/bob?mechanism=SCRAM-SHA-256", "", 200, "bob delete user SCRAM-SHA-256",
			"bob"},
		{"GET", "acls?principal=User:alice", "", 200, " acls User:alice", `"READ"`},
		{"POST", "acls", rule, 200, "events add [{User:alice  TOPIC events  READ }]", "alice"},
		{"POST", "acls/remove", rule, 200, "events remove [{User:alice  TOPIC events  READ }]",
			"LITERAL"},
		{"POST", "acls", `{"acls":[]}`, 400, "", "no acls"},
		{"GET", "transactions?state=Ongoing", "", 200, " transactions Ongoing", `"t-1"`},
		{"GET", "transactions/t-1", "", 200, "t-1 transaction", `"started"`},
		{"POST", "transactions/t-1/abort", "", 200, "t-1 abort", "is aborted"},
	}
}

func clusterCases() []kafkaCase {
	move := `{"version":1,"partitions":[{"topic":"a","partition":0,"replicas":[1,2],` +
		`"log_dirs":["any","any"]}]}`
	return []kafkaCase{
		{"GET", "log-dirs", "", 200, " log dirs false", `"/data"`},
		{"GET", "log-dirs?broker=1", "", 200, " log dirs true", `"/data"`},
		{"POST", "elections", `{"kind":"preferred"}`, 200, " elect preferred []",
			"1 partitions have new leaders"},
		{"POST", "elections", `{"kind":"unclean","partitions":[{"topic":"a","partition":1}]}`,
			400, "", "needs force"},
		{"POST", "elections", `{"kind":"unclean","force":true}`, 400, "", "needs the partitions"},
		{"POST", "elections",
			`{"kind":"unclean","force":true,"partitions":[{"topic":"a","partition":1}]}`,
			200, " elect unclean [{a 1}]", "new leaders"},
		{"GET", "reassignments", "", 200, " reassignments", `"adding"`},
		{"POST", "reassignments", move, 200, "a reassign [1 2]", "begin to move"},
		{"POST", "reassignments", strings.ReplaceAll(move, `"partition":0`, `"partition":99`), 200,
			"a reassign [1 2]", "where they are to be"},
		{"POST", "reassignments", strings.ReplaceAll(move, "[1,2]", "[1,1]"), 400, "", "twice"},
		{"POST", "reassignments", strings.ReplaceAll(move, "[1,2]", "[]"), 400, "",
			"has no replicas"},
		{"POST", "reassignments", strings.ReplaceAll(move, `"any"`, `"/x"`), 400, "", "log_dirs"},
		{"POST", "reassignments", `{"partitions":[]}`, 400, "", "no partitions"},
		{"POST", "reassignments/cancel", "", 200, " cancel []", "go back"},
		{"GET", "features", "", 200, " features", `"metadata.version"`},
	}
}

// The predecessor's requests about ACLs are those of Kafka's own tool.
func TestACLRoutes(t *testing.T) {
	const who, none = "allow-principal=User:alice", "{User:alice  TOPIC events  "
	for _, c := range []kafkaCase{
		{"GET", "list", "", 200, " acls ", "Current ACLs for resource `ResourcePattern("},
		{"GET", "list?topic=events", "", 200, "events acls ", "operation=READ"},
		{"PUT", "?topic=events&operation=read&" + who, "", 200,
			"events add [" + none + "READ ALLOW}]", "Adding ACLs"},
		{"PUT", "?topic=events&" + who, "", 200, "events add [" + none + "ALL ALLOW}]", ""},
		{"PUT", "?topic=events&producer=true&" + who, "", 200, "events add [" + none +
			"WRITE ALLOW} " + none + "DESCRIBE ALLOW} " + none + "CREATE ALLOW}]", ""},
		{"PUT", "?deny_principal=User:bob&group=g&deny_host=10.0.0.1&consumer", "", 200,
			"g add [{User:bob 10.0.0.1 GROUP g  READ DENY}]", ""},
		{"PUT", "?cluster=true&idempotent=true&producer=true&" + who, "", 200,
			"kafka-cluster add [{User:alice  CLUSTER kafka-cluster  IDEMPOTENT_WRITE ALLOW}]", ""},
		{"PUT", "?" + who, "", 400, "", "name a resource"},
		{"PUT", "?topic=events", "", 400, "", "name somebody"},
		{"DELETE", "?topic=events&resource-pattern-type=prefixed", "", 200,
			"events remove [{  TOPIC events PREFIXED  }]", "Removed ACLs"},
		{"DELETE", "", "", 400, "", "name a resource"},
	} {
		k := &topics{}
		v := fullView()
		v.Kafka.Facts.Brokers[0].Fenced = false
		cfg := config(v, &machine{})
		cfg.Kafka = k
		path := api.PathACL + c.path
		if c.method == "GET" {
			path = api.PathACL + "/" + c.path
		}
		w := ask(t, cfg, httptest.NewRequest(c.method, path, nil))
		asked := strings.Replace(k.asked, " [10.0.0.2:9092]", "", 1)
		if w.Code != c.status || asked != c.asked || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, asked %q", c.method, c.path, w.Code, w.Body, asked)
		}
	}
}
