package store

import (
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// rebalancing is the latest work of moving replicas.
type rebalancing struct {
	Number     *int64       `json:"number"`
	Goal       balance.Goal `json:"goal"`
	Brokers    []int        `json:"brokers"`
	Throttle   int64        `json:"throttle,omitempty"`
	Leaving    bool         `json:"leaving,omitempty"`
	Since      time.Time    `json:"since,omitzero"`
	By         string       `json:"by,omitempty"`
	Round      int          `json:"round"`
	Batch      []moved      `json:"batch"`
	Over       bool         `json:"over,omitempty"`
	Throttled  bool         `json:"throttled,omitempty"`
	Ordered    bool         `json:"ordered,omitempty"`
	Done       int          `json:"done"`
	Total      int          `json:"total"`
	DoneBytes  int64        `json:"done_bytes"`
	TotalBytes int64        `json:"total_bytes"`
	Cancelled  bool         `json:"cancelled,omitempty"`
	Ended      time.Time    `json:"ended,omitzero"`
	Problem    string       `json:"problem,omitempty"`
}

// moved is one partition on its way.
type moved struct {
	Topic     string             `json:"topic"`
	Partition int32              `json:"partition"`
	Before    []balance.BrokerID `json:"before"`
	After     []balance.BrokerID `json:"after"`
	Bytes     int64              `json:"bytes"`
	From      string             `json:"from,omitempty"`
	To        string             `json:"to,omitempty"`
}

func rebalancingToRow(r scheduler.Rebalancing) rebalancing {
	return rebalancing{Number: &r.Number, Goal: r.Goal, Brokers: r.Brokers, Throttle: r.Throttle,
		Leaving: r.Leaving, Since: r.Since.UTC(), By: r.By, Round: r.Round,
		Batch: each(r.Batch, func(m balance.Move) moved { return moved(m) }),
		Over:  r.Over, Throttled: r.Throttled, Ordered: r.Ordered, Done: r.Done, Total: r.Total,
		DoneBytes: r.DoneBytes, TotalBytes: r.TotalBytes, Cancelled: r.Cancelled,
		Ended: r.Ended.UTC(), Problem: r.Problem}
}

func (r rebalancing) domain() (scheduler.Rebalancing, error) {
	number, err := required("number", r.Number)
	return scheduler.Rebalancing{Number: number, Goal: r.Goal, Brokers: r.Brokers,
		Throttle: r.Throttle, Leaving: r.Leaving, Since: r.Since.UTC(), By: r.By, Round: r.Round,
		Batch: each(r.Batch, func(m moved) balance.Move { return balance.Move(m) }),
		Over:  r.Over, Throttled: r.Throttled, Ordered: r.Ordered, Done: r.Done, Total: r.Total,
		DoneBytes: r.DoneBytes, TotalBytes: r.TotalBytes, Cancelled: r.Cancelled,
		Ended: r.Ended.UTC(), Problem: r.Problem}, err
}
