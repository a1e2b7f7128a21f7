package server

import (
	"net"
	"net/http"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// brokersOf are the brokers that Kafka told of lately.
func brokersOf(v *scheduler.View) []scheduler.BrokerFacts {
	if v.Kafka.Facts == nil {
		return nil
	}
	return v.Kafka.Facts.Brokers
}

// brokerIDs answers with the ids as texts, as ZooKeeper had them.
func brokerIDs(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	ids := []string{}
	for _, broker := range brokersOf(v) {
		ids = append(ids, strconv.Itoa(broker.ID))
	}
	writeJSON(w, http.StatusOK, ids)
}

// brokerNode answers with a broker in the shape that ZooKeeper had it in. What protocol its
// listener speaks nobody tells; there are only plain ones yet.
func brokerNode(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	id := param(r, "broker")
	for _, broker := range brokersOf(v) {
		if strconv.Itoa(broker.ID) != id {
			continue
		}
		shape := api.BrokerNode{Endpoints: []string{}, JMXPort: -1, Version: 4,
			Protocols: map[string]string{"PLAINTEXT": "PLAINTEXT"}}
		if host, port, err := net.SplitHostPort(broker.Address); err == nil {
			shape.Endpoints = []string{"PLAINTEXT://" + broker.Address}
			shape.Host = host
			// A port that is no number stays 0.
			shape.Port, _ = strconv.Atoi(port)
		}
		writeJSON(w, http.StatusOK, shape)
		return
	}
	missing(w, r, "Broker", id)
}
