package app

import (
	"context"

	"github.com/kafka-sched/kafka-sched/internal/brokers"
	"github.com/kafka-sched/kafka-sched/internal/kafkaadmin"
	"github.com/kafka-sched/kafka-sched/internal/loop"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// cluster is Kafka as the loop knows it: facts and what they need come straight from the brokers,
// topics and properties by way of the client that operators' requests use.
type cluster struct {
	*brokers.Asker
	admin kafkaadmin.Admin
	clock *loop.Clock
}

// Configs gives what Kafka has of what is declared.
func (c cluster) Configs(
	ctx context.Context, at []string, wish scheduler.ConfigWish,
) scheduler.Configs {
	asked := c.clock.Now()
	found := c.admin.Configs(ctx, at, wish)
	found.Asked = asked
	return found
}

// Change has Kafka changed by who knows how.
func (c cluster) Change(ctx context.Context, at []string, change scheduler.KafkaChange) error {
	if known, err := c.admin.Change(ctx, at, change); known {
		return err
	}
	return c.Asker.Change(ctx, at, change)
}
