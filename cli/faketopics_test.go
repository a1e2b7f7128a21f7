package cli

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
)

// readsKafka serves what is asked for of brokers and topics.
func (f *fake) readsKafka(get serve) {
	get("/v1/brokers", func(_ *http.Request, s api.Service) any {
		ids := []string{}
		for _, id := range s.Kafka.Brokers {
			ids = append(ids, strconv.Itoa(id))
		}
		return ids
	})
	get("/v1/brokers/{broker}", func(r *http.Request, _ api.Service) any {
		if id := r.PathValue("broker"); id != "1" {
			return errors.New("Broker " + id + " not found")
		}
		return map[string]any{"host": "127.0.0.2", "port": 9092}
	})
	get("/v1/topics", func(*http.Request, api.Service) any { return []string{"__own", "orders"} })
	topic := func(answer any) func(*http.Request, api.Service) any {
		return func(r *http.Request, _ api.Service) any {
			if name := r.PathValue("topic"); name != "orders" {
				return errors.New("Topic " + name + " not found")
			}
			return answer
		}
	}
	get("/v1/topics/{topic}", topic(map[string]any{"partitions": []any{
		map[string]any{"0": partition{Leader: 1, ISR: []int{1}, Replicas: []int{1, 2}}},
		map[string]any{"1": partition{Leader: -1, ISR: []int{}, Replicas: []int{2}}},
	}}))
	get("/v1/topics/{topic}/offsets", topic([]map[string]string{{"0": "17"}}))
	get("/v1/topics/unavailable_partitions", func(*http.Request, api.Service) any {
		return api.Message{Message: ""}
	})
	get("/v1/topics/under_replicated_partitions", func(*http.Request, api.Service) any {
		return api.Message{Message: "\tTopic: orders\tPartition: 0\tLeader: 1\n"}
	})
}

// commandsKafka serves what changes topics.
func (f *fake) commandsKafka(
	act func(method, path string, answer func(*http.Request, api.Service) any),
) {
	done := func(r *http.Request, _ api.Service) any {
		switch name := r.PathValue("topic"); {
		case name == "nosuch":
			return errors.New("Topic nosuch not found")
		case name == "taken":
			return api.Problem{Status: 409, Code: api.CodeConflict, Detail: "Topic taken exists"}
		}
		return api.Message{Message: "Output: done\n"}
	}
	for _, route := range []struct{ method, path string }{
		{"PUT", "/v1/topics/{topic}"}, {"DELETE", "/v1/topics/{topic}"},
		{"PUT", "/v1/topics/{topic}/operation/{operation}"},
		{"DELETE", "/v1/topics/{topic}/operation/config/{key}"},
	} {
		act(route.method, route.path, done)
	}
}
