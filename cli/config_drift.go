package cli

import (
	"context"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) configDriftCmd() *cobra.Command {
	var correct bool
	c := kafkaCmd(e, asking[api.Drift]{
		use: "drift", short: "Show what brokers have otherwise than the target",
		long: "Compares the properties of the brokers that answer with those of the target:\n" +
			"what somebody changed in Kafka, and what a broker was started with before. Nothing\n" +
			"is changed; --correct has the brokers have what the target has, as far as they\n" +
			"take it while they run.",
		example: "config drift\n  kafka-sched config drift --correct",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.Drift, error) {
			if correct {
				return c.CorrectDrift(ctx)
			}
			return c.Drift(ctx)
		},
		draw: func(d api.Drift) error { return e.printDrift(d) },
	})
	c.Flags().BoolVar(&correct, "correct", false, "have the brokers have what the target has")
	return c
}

func (e *env) topicDriftCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.DeclaredTopics]{
		use: "drift", short: "Show how the topics are that the target declares",
		long: "Shows the topics that the target declares, whether each is as declared, what\n" +
			"differs and what holds the change. The scheduler makes, grows and configures them\n" +
			"by itself and deletes none.",
		example: "topic drift",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.DeclaredTopics, error) {
			return c.DeclaredTopics(ctx)
		},
		draw: func(d api.DeclaredTopics) error { return e.printDeclared(d) },
	})
}

func (e *env) printDeclared(d api.DeclaredTopics) error {
	if len(d.Topics) == 0 {
		e.printf("the target declares no topics\n")
		return nil
	}
	e.printf("declared topics: %d of %d as declared\n", d.AsDeclared, len(d.Topics))
	t := e.table([]string{"TOPIC", "PARTITIONS", "REPLICAS", "STATE", "WHY"})
	for _, topic := range d.Topics {
		row(t, topic.Name, numberOr(topic.Partitions), numberOr(topic.ReplicationFactor),
			topic.State, topic.Reason)
	}
	return t.Flush()
}

// numberOr is a number, and - for what is not declared.
func numberOr(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func (e *env) printDrift(d api.Drift) error {
	for _, id := range d.Silent {
		e.hint("broker %d did not tell what it has", id)
	}
	if len(d.Properties) == 0 {
		e.printf("the brokers have what the target has\n")
		return nil
	}
	t := e.table([]string{"BROKER", "PROPERTY", "TARGET", "BROKER HAS", "WHY"}, "FROM", "RESTART")
	for _, p := range d.Properties {
		wanted := ""
		if p.Wanted != nil {
			wanted = *p.Wanted
		}
		row(t, strconv.Itoa(p.Broker), p.Name, wanted, p.Actual, p.Reason, p.Source,
			yesNo(&p.NeedsRestart))
	}
	return t.Flush()
}
