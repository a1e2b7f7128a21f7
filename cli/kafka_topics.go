package cli

import (
	"context"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

// topicNames gives the names of the topics.
func topicNames(ctx context.Context, c *client.Client) ([]string, error) { return c.Topics(ctx) }

// topicShowCmd shows all topics, or one, with more than the predecessor's commands tell.
func (e *env) topicShowCmd() *cobra.Command {
	var internal bool
	c := kafkaCmd(e, asking[any]{
		use: "show [TOPIC]", short: "Show all topics with their health, or one with everything",
		example: "topic show\n  kafka-sched topic show orders", most: 1, complete: e.completeTopics,
		known: topicNames,
		ask: func(ctx context.Context, c *client.Client, args []string) (any, error) {
			if len(args) == 1 {
				return c.ReadTopic(ctx, args[0])
			}
			return c.FindTopics(ctx, internal, api.Page{})
		},
		draw: func(answer any) error {
			if one, ok := answer.(api.TopicDetail); ok {
				return e.printTopic(one)
			}
			return e.printTopics(answer.(api.TopicList).Topics)
		},
	})
	c.Flags().BoolVar(&internal, "internal", false, "Kafka's own topics, too")
	return c
}

func (e *env) printTopics(list []api.TopicSummary) error {
	t := e.table([]string{"TOPIC", "PARTITIONS", "REPLICAS", "NOT IN SYNC", "NO LEADER"})
	for _, topic := range list {
		row(t, topic.Name, strconv.Itoa(topic.Partitions), strconv.Itoa(topic.ReplicationFactor),
			strconv.Itoa(topic.UnderReplicated), strconv.Itoa(topic.Unavailable))
	}
	return t.Flush()
}

func (e *env) printTopic(topic api.TopicDetail) error {
	e.printf("Topic       %s\nId          %s\nPartitions  %d\nReplicas    %d\n",
		topic.Name, topic.ID, topic.Partitions, topic.ReplicationFactor)
	for _, entry := range topic.Config {
		e.printf("Set         %s = %s\n", entry.Name, entry.Value)
	}
	e.printf("\n")
	t := e.table([]string{"PARTITION", "LEADER", "REPLICAS", "IN SYNC", "OFFLINE"}, "EPOCH")
	for _, p := range topic.State {
		leader := strconv.Itoa(p.Leader)
		if p.Unavailable() {
			leader = "none"
		}
		row(t, strconv.Itoa(p.Partition), leader, numbers(p.Replicas), numbers(p.ISR),
			numbers(p.Offline), strconv.Itoa(p.LeaderEpoch))
	}
	return t.Flush()
}

// topicConfigsCmd shows the properties of a topic.
func (e *env) topicConfigsCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.ConfigList]{
		use: "configs TOPIC", short: "Show all properties of a topic and where they are from",
		example: "topic configs orders", least: 1, most: 1, complete: e.completeTopics,
		known: topicNames,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.ConfigList, error) {
			return c.TopicConfig(ctx, args[0])
		},
		draw: func(list api.ConfigList) error { return e.printProperties(list.Config) },
	})
}

func (e *env) printProperties(list []api.ConfigEntry) error {
	t := e.table([]string{"PROPERTY", "VALUE", "FROM"}, "READ ONLY")
	for _, entry := range list {
		value := entry.Value
		if entry.Sensitive {
			value = "(secret)"
		}
		row(t, entry.Name, value, entry.Source, yesNo(&entry.ReadOnly))
	}
	return t.Flush()
}

func (e *env) topicReplicationCmd() *cobra.Command {
	var dry bool
	return dryRunFlag(kafkaCmd(e, asking[api.ReassignResult]{
		use: "replication TOPIC FACTOR", short: "Give each partition of a topic so many replicas",
		long: "Gives each partition of a topic more replicas, or fewer. New ones go to racks\n" +
			"that have none of the partition, and to the brokers that have the fewest; the\n" +
			"copying goes on after the command, and reassignment list shows it.",
		example: "topic replication orders 3 --dry-run", least: 2, most: 2,
		complete: e.completeTopics, known: topicNames,
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.ReassignResult, error) {
			factor := countOf(args[1])
			if factor < 1 {
				return api.ReassignResult{}, fail(exitUsage,
					"%s is no whole number above zero", quote(args[1]))
			}
			return c.SetTopicReplication(ctx, args[0], factor, dryRun(dry)...)
		},
		draw: e.printPlacements,
	}), &dry)
}

func (e *env) printPlacements(result api.ReassignResult) error {
	e.printf("%s\n", result.Message)
	if len(result.Partitions) == 0 {
		return nil
	}
	t := e.table([]string{"TOPIC", "PARTITION", "REPLICAS"})
	for _, p := range result.Partitions {
		row(t, p.Topic, strconv.Itoa(p.Partition), numbers(p.Replicas))
	}
	return t.Flush()
}

func (e *env) topicConsumerTestCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.TopicTested]{
		use: "consumer_test TOPIC MESSAGES", alias: []string{"consumer-test"},
		short:   "Read so many records of a topic from its beginning and tell how fast that was",
		example: "topic consumer_test orders 1000", least: 2, most: 2, complete: e.completeTopics,
		known: topicNames,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.TopicTested, error) {
			records := countOf(args[1])
			if records < 1 {
				return api.TopicTested{}, fail(exitUsage,
					"%s is no whole number above zero", quote(args[1]))
			}
			return c.TestTopic(ctx, args[0], api.TopicTest{Kind: api.TestConsumer,
				Records: records})
		},
		draw: func(test api.TopicTested) error {
			seconds := max(test.Seconds, 1e-6)
			e.printf("%d records read, %d bytes in %.3f s: %.0f records/s, %.2f MiB/s\n",
				test.Records, test.Bytes, test.Seconds, float64(test.Records)/seconds,
				float64(test.Bytes)/seconds/(1<<20))
			return nil
		},
	})
}
