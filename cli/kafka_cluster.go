package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) logDirCmd() *cobra.Command {
	broker := -1
	list := kafkaCmd(e, asking[api.LogDirList]{
		use: "list", alias: []string{"ls"}, short: "List the log directories of the brokers",
		example: "log-dir list --broker 1",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.LogDirList, error) {
			return c.LogDirs(ctx, broker)
		},
		draw: func(list api.LogDirList) error {
			t := e.table([]string{"BROKER", "PATH", "REPLICAS", "BYTES", "FREE", "DISK", "ERROR"},
				"CORDONED")
			for _, d := range list.LogDirs {
				row(t, strconv.Itoa(d.Broker), d.Path, strconv.Itoa(d.Replicas), long(d.Bytes),
					long(d.UsableBytes), long(d.TotalBytes), d.Error, yesNo(&d.Cordoned))
			}
			return t.Flush()
		},
	})
	list.Flags().IntVar(&broker, "broker", -1, "only of this broker")
	return group("log-dir", "Show where the brokers keep their data", "  kafka-sched log-dir list",
		list)
}

func (e *env) transactionCmd() *cobra.Command {
	return group("transaction", "Show transactions, and abort one that hangs",
		"  kafka-sched transaction list", e.transactionListCmd(), e.transactionDescribeCmd(),
		e.transactionAbortCmd())
}

func (e *env) transactionListCmd() *cobra.Command {
	var state string
	c := kafkaCmd(e, asking[api.TransactionList]{
		use: "list", alias: []string{"ls"}, short: "List the transactional ids",
		example: "transaction list --state Ongoing",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.TransactionList, error) {
			return c.Transactions(ctx, state)
		},
		draw: func(list api.TransactionList) error {
			t := e.table([]string{"ID", "STATE", "PRODUCER", "COORDINATOR"})
			for _, x := range list.Transactions {
				row(t, x.ID, x.State, strconv.FormatInt(x.ProducerID, 10),
					strconv.Itoa(x.Coordinator))
			}
			return t.Flush()
		},
	})
	c.Flags().StringVar(&state, "state", "", "only those in it: Ongoing, Empty, CompleteCommit, …")
	return c
}

func (e *env) transactionDescribeCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.Transaction]{
		use: "describe ID", short: "Show a transactional id with the partitions of its transaction",
		example: "transaction describe payments-1", least: 1, most: 1,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Transaction, error) {
			return c.ReadTransaction(ctx, args[0])
		},
		draw: func(x api.Transaction) error {
			e.printf("Id           %s\nState        %s\nProducer     %d, epoch %d\n"+
				"Coordinator  %d\nTime-out     %d ms\n", x.ID, x.State, x.ProducerID,
				x.ProducerEpoch, x.Coordinator, x.TimeoutMS)
			if x.Started != nil {
				e.printf("Started      %s\n", moment(*x.Started))
			}
			for _, p := range x.Partitions {
				e.printf("Partition    %s-%d\n", p.Topic, p.Partition)
			}
			return nil
		},
	})
}

func (e *env) transactionAbortCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.Outcome]{
		use: "abort ID", short: "Abort a transaction, and fence its producer out",
		example: "transaction abort payments-1 --yes", least: 1, most: 1,
		danger: "abort the transaction of %s",
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			return c.AbortTransaction(ctx, args[0])
		},
		draw: e.said,
	})
}

func (e *env) electionCmd() *cobra.Command {
	return group("election", "Have leaders of partitions elected",
		"  kafka-sched election preferred", e.electionPreferredCmd(), e.electionUncleanCmd())
}

func (e *env) electionPreferredCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.ElectionResult]{
		use:   "preferred [TOPIC[:PARTITION]...]",
		short: "Give partitions their preferred leaders back, without names all",
		long: "Has the first replica of each partition lead it, if it is in sync. Nothing is\n" +
			"lost, and nobody waits for more than a moment.",
		example: "election preferred\n  kafka-sched election preferred orders payments:3",
		most:    1000,
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.ElectionResult, error) {
			partitions, err := partitionsOf(ctx, c, args)
			if err != nil {
				return api.ElectionResult{}, err
			}
			return c.Elect(ctx, api.Election{Kind: api.ElectPreferred, Partitions: partitions})
		},
		draw: e.printElected,
	})
}

func (e *env) electionUncleanCmd() *cobra.Command {
	election := api.Election{Kind: api.ElectUnclean}
	c := kafkaCmd(e, asking[api.ElectionResult]{
		use:   "unclean TOPIC[:PARTITION]...",
		short: "Let a replica lead that is not in sync; what it has not got is lost",
		long: "The last way to bring back a partition whose replicas in sync are gone for good.\n" +
			"Records that were acknowledged and never came to the new leader are lost, so\n" +
			"--force is needed.",
		example: "election unclean orders:3 --force", least: 1, most: 1000,
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.ElectionResult, error) {
			if !election.Force {
				return api.ElectionResult{}, fail(exitUsage, "an unclean election may lose "+
					"acknowledged records for good; if there is no other way, say --force")
			}
			var err error
			if election.Partitions, err = partitionsOf(ctx, c, args); err != nil {
				return api.ElectionResult{}, err
			}
			return c.Elect(ctx, election)
		},
		draw: e.printElected,
	})
	c.Flags().BoolVar(&election.Force, "force", false, "although records may be lost")
	return c
}

func (e *env) printElected(result api.ElectionResult) error {
	e.printf("%s\n", result.Message)
	for _, p := range result.Failed {
		e.printf("%s-%d: %s\n", p.Topic, p.Partition, p.Error)
	}
	if len(result.Failed) > 0 {
		return fail(exitFailed, "%s could not be elected", plural(len(result.Failed), "leader"))
	}
	return nil
}

func (e *env) reassignmentCmd() *cobra.Command {
	return group("reassignment", "Show and change where partitions are being moved",
		"  kafka-sched reassignment list", e.reassignmentListCmd(), e.reassignmentStartCmd(),
		e.reassignmentCancelCmd())
}

func (e *env) reassignmentListCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.ReassignmentList]{
		use: "list", alias: []string{"ls"}, short: "List the partitions that are being moved",
		example: "reassignment list",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.ReassignmentList, error) {
			return c.Reassignments(ctx)
		},
		draw: func(list api.ReassignmentList) error {
			t := e.table([]string{"TOPIC", "PARTITION", "REPLICAS", "ADDING", "REMOVING"})
			for _, r := range list.Reassignments {
				row(t, r.Topic, strconv.Itoa(r.Partition), numbers(r.Replicas), numbers(r.Adding),
					numbers(r.Removing))
			}
			return t.Flush()
		},
	})
}

func (e *env) reassignmentStartCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.ReassignResult]{
		use: "start FILE", short: "Begin to move partitions as a file of Kafka's own tool says",
		long: "Reads the JSON that kafka-reassign-partitions writes:\n" +
			`{"partitions": [{"topic": "orders", "partition": 0, "replicas": [1, 2, 3]}]}.` + "\n" +
			"The first replica is the preferred leader. - is the standard input.",
		example: "reassignment start moves.json", least: 1, most: 1,
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.ReassignResult, error) {
			moves, err := e.readMoves(args[0])
			if err != nil {
				return api.ReassignResult{}, err
			}
			return c.Reassign(ctx, moves)
		},
		draw: e.printPlacements,
	})
}

// readMoves reads a file of reassignments.
func (e *env) readMoves(name string) (moves api.Reassign, err error) {
	var data []byte
	if name == "-" {
		data, err = io.ReadAll(e.stdin)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return moves, fail(exitUsage, "%s: %w", name, plain(err))
	}
	if err := api.DecodeJSON(data, &moves); err != nil {
		return moves, fail(exitUsage, "reading %s: %w", name, err)
	}
	if len(moves.Partitions) == 0 {
		return moves, fail(exitUsage, "%s has no partitions", name)
	}
	return moves, nil
}

func (e *env) reassignmentCancelCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.ReassignResult]{
		use:     "cancel [TOPIC[:PARTITION]...]",
		short:   "Bring partitions back that are being moved, without names all",
		example: "reassignment cancel orders:3 --yes", most: 1000,
		danger: "cancel what is being moved",
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.ReassignResult, error) {
			partitions, err := partitionsOf(ctx, c, args)
			if err != nil {
				return api.ReassignResult{}, err
			}
			return c.CancelReassignments(ctx, partitions)
		},
		draw: e.printPlacements,
	})
}

func (e *env) featureCmd() *cobra.Command {
	describe := kafkaCmd(e, asking[api.FeatureList]{
		use: "describe", alias: []string{"list"},
		short:   "Show Kafka's features: what the brokers can have and what the cluster has",
		example: "feature describe",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.FeatureList, error) {
			return c.Features(ctx)
		},
		draw: func(list api.FeatureList) error {
			if len(list.Features) == 0 {
				fmt.Fprintln(e.stdout, "none: Kafka has features with its metadata in KRaft alone")
				return nil
			}
			t := e.table([]string{"FEATURE", "FINALIZED", "LEAST", "GREATEST"})
			for _, f := range list.Features {
				row(t, f.Name, strconv.Itoa(f.Finalized), strconv.Itoa(f.Least),
					strconv.Itoa(f.Greatest))
			}
			return t.Flush()
		},
	})
	return group("feature", "Show Kafka's features", "  kafka-sched feature describe", describe)
}
