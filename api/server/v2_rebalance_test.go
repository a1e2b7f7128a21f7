package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// crowded is a cluster of three brokers of which one has nothing.
func crowded(_ context.Context, _ []string, topics []string) scheduler.Layout {
	l := scheduler.Layout{Error: fmt.Sprintf("some topics only: %v", topics)}
	if topics != nil {
		return l
	}
	l.Error = ""
	for id := range 3 {
		l.Cluster.Brokers = append(l.Cluster.Brokers, balance.Broker{ID: balance.BrokerID(id)})
	}
	for i := range 8 {
		l.Cluster.Partitions = append(l.Cluster.Partitions, balance.Partition{Topic: "events",
			ID: int32(i), Replicas: []balance.Replica{{Broker: 0, Bytes: 1 << 30},
				{Broker: 1, Bytes: 1 << 30}}})
	}
	return l
}

// serving is a view with a broker that serves.
func serving() *scheduler.View {
	v := fullView()
	v.Kafka.Facts = &scheduler.KafkaFacts{Asked: viewTime, Brokers: []scheduler.BrokerFacts{
		{ID: 0, Address: "10.0.0.1:9092", Hosted: 8}}}
	return v
}

// TestRebalancePreview: what would be moved is told, and nothing is asked of the machine.
func TestRebalancePreview(t *testing.T) {
	for _, c := range []struct {
		query      string
		code       int
		partitions int // at least
		text       string
	}{
		{"?goal=fill&brokers=2", 200, 5, `"id": 2`},
		{"?goal=even", 200, 5, `"left": []`},
		{"?goal=empty&brokers=1", 200, 8, `"goal": "empty"`},
		{"?goal=empty&brokers=0,1", 200, 8, "every broker that stays has a replica"},
		{"?goal=empty", 400, 0, "Name the brokers"},
		{"?goal=most", 400, 0, "The goal must be one of dirs, empty, even, fill."},
		{"?goal=empty&brokers=1,x", 400, 0, "with commas"},
	} {
		m := &machine{}
		cfg := config(serving(), m)
		cfg.Layout = crowded
		w := ask(t, cfg, httptest.NewRequest("GET", api.PathRebalancePreview+c.query, nil))
		var p api.RebalancePreview
		err := json.Unmarshal(w.Body.Bytes(), &p)
		if err != nil || w.Code != c.code || p.Partitions < c.partitions || m.times > 0 ||
			c.code == 200 && p.Bytes < 4<<30 && len(p.Left) == 0 ||
			!strings.Contains(w.Body.String(), c.text) {
			t.Errorf("%s: %d %s", c.query, w.Code, w.Body)
		}
	}
	cfg := config(serving(), &machine{})
	cfg.Layout = func(context.Context, []string, []string) scheduler.Layout {
		return scheduler.Layout{Error: "no answer in time"}
	}
	w := ask(t, cfg, httptest.NewRequest("GET", api.PathRebalancePreview, nil))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "no answer in time") {
		t.Errorf("Kafka is silent: %d %s", w.Code, w.Body)
	}
}

// TestRebalanceStatus: each way in which a rebalance stands has its state.
func TestRebalanceStatus(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	under := scheduler.Rebalancing{Number: 3, Goal: balance.Even, Since: since, Done: 2, Total: 5,
		DoneBytes: 10, TotalBytes: 50, Throttle: 7, By: "alice"}
	cancelled, done := under, under
	cancelled.Cancelled = true
	done.Ended = since.Add(time.Minute)
	undone, failed := done, done
	undone.Cancelled, failed.Problem = true, "no room"
	for want, r := range map[string]scheduler.Rebalancing{
		"NONE": {}, "RUNNING": under, "CANCELING": cancelled, "DONE": done,
		"CANCELED": undone, "FAILED": failed,
	} {
		v := fullView()
		v.Kafka.Rebalancing, v.Kafka.Rebalance = r, "so far"
		w := ask(t, config(v, &machine{}), httptest.NewRequest("GET", api.PathRebalance, nil))
		var s api.RebalanceStatus
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 200 ||
			s.State != want || s.Reason != "so far" || s.MovedBytes != r.DoneBytes ||
			s.Partitions != r.Total || (s.Ended != nil) != !r.Ended.IsZero() {
			t.Errorf("%s: %d %s", want, w.Code, w.Body)
		}
	}
}

// TestRebalanceCommands: what is asked for reaches the machine, and what makes no sense does not.
func TestRebalanceCommands(t *testing.T) {
	for _, c := range []struct {
		path, body string
		want       scheduler.Command
	}{
		{api.PathRebalance, `{"goal":"even","throttle":1000}`,
			scheduler.Rebalance{Goal: balance.Even, Throttle: 1000}},
		{api.PathRebalance, `{"goal":"empty","brokers":[1,2]}`,
			scheduler.Rebalance{Goal: balance.Empty, Brokers: []int{1, 2}}},
		{api.PathRebalance, `{"goal":"fill"}`, scheduler.Rebalance{Goal: balance.Fill}},
		{api.PathRebalanceCancel, "", scheduler.RebalanceCancel{}},
		{api.PathRebalance, `{"goal":"empty"}`, nil},
		{api.PathRebalance, `{"goal":"even","brokers":[1]}`, nil},
		{api.PathRebalance, `{"goal":"even","throttle":-1}`, nil},
		{api.PathRebalance, "", nil},
	} {
		m := &machine{reply: scheduler.Reply{Message: "It begins."}}
		w := ask(t, config(fullView(), m), change("POST", c.path, c.body))
		if !reflect.DeepEqual(m.command, c.want) || (w.Code == 200) != (c.want != nil) {
			t.Errorf("%s %s: %d %s, the machine was asked %#v", c.path, c.body, w.Code, w.Body,
				m.command)
		}
	}
}
