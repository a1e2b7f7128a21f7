package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

// asking is a command that asks something of Kafka and prints the answer.
type asking[T any] struct {
	use, short, long, example string
	alias                     []string
	least, most               int // arguments
	complete                  completion
	// danger is the question before it is done, with %s for the first argument; "" for none.
	danger string
	ask    func(ctx context.Context, c *client.Client, args []string) (T, error)
	draw   func(T) error
	// known gives what there is, for the error of what is not.
	known func(ctx context.Context, c *client.Client) ([]string, error)
}

// completion gives the words that may follow.
type completion func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// kafkaCmd makes a command of what is to be asked.
func kafkaCmd[T any](e *env, a asking[T]) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: a.use, Short: a.short, Long: a.long, Aliases: a.alias,
		Args: arguments(a.least, a.most), Example: "  kafka-sched " + a.example,
		ValidArgsFunction: a.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			dry := cmd.Flags().Lookup("dry-run")
			if a.danger != "" && (dry == nil || dry.Value.String() != "true") {
				what := strings.ReplaceAll(a.danger, "%s", firstArg(args))
				err := e.agree(yes, "Really "+what+"?", "this would "+what)
				if err != nil {
					return err
				}
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			answer, err := a.ask(cmd.Context(), c, args)
			if err != nil && a.known != nil {
				return e.namesOf(err, func() ([]string, error) { return a.known(cmd.Context(), c) })
			}
			if err != nil {
				return e.answer(err)
			}
			return e.print(answer, func() error { return a.draw(answer) })
		},
	}
	if a.long == "" {
		c.Long = a.short
	}
	if a.danger != "" {
		c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	}
	return c
}

func firstArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// said prints what came of a change.
func (e *env) said(o api.Outcome) error {
	e.printf("%s\n", o.Message)
	return nil
}

// assignments reads arguments as name=value.
func assignments(args []string) (map[string]string, error) {
	set := map[string]string{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, fail(exitUsage, "%s is not written as name=value", quote(arg))
		}
		set[name] = value
	}
	return set, nil
}

// partitionsOf reads arguments as topic:partition; those that are only topics stand for all
// partitions of them.
func partitionsOf(
	ctx context.Context, c *client.Client, args []string,
) ([]api.PartitionName, error) {
	var list []api.PartitionName
	for _, arg := range args {
		topic, number, one := strings.Cut(arg, ":")
		if one {
			p, err := strconv.Atoi(number)
			if err != nil || p < 0 {
				return nil, fail(exitUsage, "%s is not written as topic:partition", quote(arg))
			}
			list = append(list, api.PartitionName{Topic: topic, Partition: p})
			continue
		}
		detail, err := c.ReadTopic(ctx, topic)
		if err != nil {
			return nil, err
		}
		for _, p := range detail.State {
			list = append(list, api.PartitionName{Topic: topic, Partition: p.Partition})
		}
	}
	return list, nil
}

// dryRun is the option of a command that is only to be tried.
func dryRun(dry bool) []client.ChangeOption {
	if dry {
		return []client.ChangeOption{client.DryRun()}
	}
	return nil
}

func dryRunFlag(c *cobra.Command, dry *bool) *cobra.Command {
	c.Flags().BoolVar(dry, "dry-run", false, "change nothing; only tell what would be done")
	return c
}

// sortedNames gives the keys of a map in order.
func sortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// long writes a number of bytes or records, "-" for one that is not known.
func long(n int64) string {
	if n < 0 {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}
