package cli

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) topicCmd() *cobra.Command {
	return group("topic", "Show and change topics", "  kafka-sched topic list",
		e.topicListCmd(), e.topicDescribeCmd(), e.topicCreateCmd(), e.topicOffsetsCmd(),
		e.topicShowCmd(), e.topicDriftCmd(), e.topicConfigsCmd(),
		e.topicReplicationCmd(), e.topicConsumerTestCmd(),
		e.topicDoCmd(topicDo{use: "delete TOPIC", short: "Delete a topic with all that is in it",
			example: "topic delete orders",
			do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
				return c.DeleteTopic(ctx, args[0])
			}}),
		e.topicDoCmd(topicDo{use: "config TOPIC KEY VALUE", short: "Give a topic a setting",
			example: "topic config orders retention.ms 3600000",
			do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
				return c.SetTopicConfig(ctx, args[0], args[1], args[2])
			}}),
		e.topicDoCmd(topicDo{use: "delete-config TOPIC KEY",
			short:   "Take a topic's own setting away",
			example: "topic delete-config orders retention.ms",
			do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
				return c.DeleteTopicConfig(ctx, args[0], args[1])
			}}),
		e.topicDoCmd(topicDo{use: "partitions TOPIC COUNT", number: true,
			short:   "Give a topic more partitions: so many in all",
			example: "topic partitions orders 12",
			do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
				return c.SetTopicPartitions(ctx, args[0], countOf(args[1]))
			}}),
		e.topicDoCmd(topicDo{use: "producer_test TOPIC MESSAGES", alias: "producer-test",
			short:  "Write so many records of 1 KiB to a topic and tell how fast that was",
			number: true, example: "topic producer_test orders 1000",
			do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
				return c.TestProducer(ctx, args[0], countOf(args[1]))
			}}),
		e.getterCmd(getter{use: "unavailable_partitions", alias: "unavailable-partitions",
			short:   "List the partitions that have no leader",
			example: "topic unavailable_partitions",
			ask:     asked((*client.Client).UnavailablePartitions)}),
		e.getterCmd(getter{use: "under_replicated_partitions",
			alias:   "under-replicated-partitions",
			short:   "List the partitions of which a replica is not in sync",
			example: "topic under_replicated_partitions",
			ask:     asked((*client.Client).UnderReplicatedPartitions)}),
	)
}

func (e *env) topicListCmd() *cobra.Command {
	return e.getterCmd(getter{use: "list", alias: "ls", short: "List the topics",
		example: "topic list", ask: asked((*client.Client).Topics)})
}

func (e *env) topicDescribeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "describe TOPIC", Args: arguments(1, 1), ValidArgsFunction: e.completeTopics,
		Short:   "Show the partitions of a topic (JSON; -o table for people)",
		Example: "  kafka-sched topic describe orders -o table",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			raw, err := c.Topic(cmd.Context(), args[0])
			if err != nil {
				return e.noTopic(cmd.Context(), c, err)
			}
			return e.printRaw(raw, func() error { return e.printPartitions(raw) })
		},
	}
}

// noTopic is the error of a request for a topic; it names those that are there.
func (e *env) noTopic(ctx context.Context, c *client.Client, err error) error {
	return e.namesOf(err, func() ([]string, error) { return c.Topics(ctx) })
}

// partition is what is told of one: the list has objects with its id as their one key.
type partition struct {
	Leader   int   `json:"leader"`
	ISR      []int `json:"isr"`
	Replicas []int `json:"replicas"`
}

func (e *env) printPartitions(raw json.RawMessage) error {
	var topic struct {
		Partitions []map[string]partition `json:"partitions"`
	}
	if err := json.Unmarshal(raw, &topic); err != nil {
		return e.printJSON(raw) // a topic of another shape
	}
	t := e.table([]string{"PARTITION", "LEADER", "REPLICAS", "IN SYNC"})
	for _, one := range topic.Partitions {
		for id, p := range one {
			leader := strconv.Itoa(p.Leader)
			if p.Leader < 0 {
				leader = "none"
			}
			row(t, id, leader, numbers(p.Replicas), numbers(p.ISR))
		}
	}
	return t.Flush()
}

func numbers(list []int) string {
	var words []string
	for _, n := range list {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ",")
}

func (e *env) topicCreateCmd() *cobra.Command {
	var partitions, replication int
	var settings []string
	var dry bool
	c := e.topicDoCmd(topicDo{use: "create TOPIC", short: "Make a topic",
		example: "topic create orders --partitions 12 --replication 3\n" +
			"  kafka-sched topic create state --config cleanup.policy=compact --dry-run",
		newName: true,
		do: func(ctx context.Context, c *client.Client, args []string) (api.Message, error) {
			if len(settings) == 0 && !dry {
				return c.CreateTopic(ctx, args[0], partitions, replication)
			}
			config, err := assignments(settings)
			if err != nil {
				return api.Message{}, err
			}
			outcome, err := c.NewTopic(ctx, api.TopicCreate{Name: args[0], Config: config,
				Partitions: partitions, ReplicationFactor: replication}, dryRun(dry)...)
			return api.Message{Message: outcome.Message}, err
		}})
	c.Flags().StringArrayVar(&settings, "config", nil, "a setting of its own, as name=value")
	dryRunFlag(c, &dry)
	c.Flags().Var((*atLeastOne)(&partitions), "partitions", "how many (default: the brokers')")
	c.Flags().Var((*atLeastOne)(&replication), "replication",
		"replicas of each partition (default: the brokers')")
	return c
}

func (e *env) topicOffsetsCmd() *cobra.Command {
	var at string
	c := &cobra.Command{
		Use: "offsets TOPIC", Short: "Show the offsets of a topic's partitions (JSON)",
		Args: arguments(1, 1), ValidArgsFunction: e.completeTopics,
		Example: "  kafka-sched topic offsets orders --time first",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			offsets, err := c.TopicOffsets(cmd.Context(), args[0], at)
			if err != nil {
				return e.noTopic(cmd.Context(), c, err)
			}
			return e.printJSON(offsets)
		},
	}
	c.Flags().StringVar(&at, "time", "last", "first, last, or milliseconds since 1970")
	return c
}

// topicDo is a command that changes a topic. It prints the answer as JSON.
type topicDo struct {
	use, alias, short, example string
	number                     bool // the second argument is one
	newName                    bool // the topic is not there yet
	do                         func(context.Context, *client.Client, []string) (api.Message, error)
}

func (e *env) topicDoCmd(t topicDo) *cobra.Command {
	n := strings.Count(t.use, " ")
	c := &cobra.Command{
		Use: t.use, Short: t.short, Args: arguments(n, n), Example: "  kafka-sched " + t.example,
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.number && countOf(args[1]) < 1 {
				return wrongUsage(cmd, "%s is no whole number above zero", quote(args[1]))
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			message, err := t.do(cmd.Context(), c, args)
			if err != nil {
				return e.noTopic(cmd.Context(), c, err)
			}
			return e.printRaw(message, func() error {
				e.printf("%s\n", strings.TrimSpace(message.Message))
				return nil
			})
		},
	}
	if !t.newName {
		c.ValidArgsFunction = e.completeTopics
	}
	if t.alias != "" {
		c.Aliases = []string{t.alias}
	}
	return c
}

// countOf reads a number of things, 0 for what is none.
func countOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// completeTopics gives the names of the topics that Kafka has now.
func (e *env) completeTopics(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return e.completeBy(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		topics, err := c.Topics(ctx)
		return slices.DeleteFunc(topics, func(name string) bool {
			return strings.HasPrefix(name, "__")
		}), err
	})
}
