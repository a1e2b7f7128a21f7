package cli

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) groupCmd() *cobra.Command {
	return group("group", "Show consumer groups, let them go on elsewhere, delete them",
		"  kafka-sched group list", e.groupListCmd(), e.groupDescribeCmd(), e.groupResetCmd(),
		e.groupDeleteCmd())
}

// groupNames gives the names of the groups.
func groupNames(ctx context.Context, c *client.Client) ([]string, error) {
	list, err := c.FindGroups(ctx, api.Page{})
	var names []string
	for _, g := range list.Groups {
		names = append(names, g.Group)
	}
	return names, err
}

func (e *env) completeGroups(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return e.completeBy(cmd, groupNames)
}

func (e *env) groupListCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.GroupList]{
		use: "list", alias: []string{"ls"}, short: "List the consumer groups",
		example: "group list",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.GroupList, error) {
			return c.FindGroups(ctx, api.Page{})
		},
		draw: func(list api.GroupList) error {
			t := e.table([]string{"GROUP", "STATE", "PROTOCOL", "COORDINATOR"})
			for _, g := range list.Groups {
				row(t, g.Group, g.State, g.Protocol, strconv.Itoa(g.Coordinator))
			}
			return t.Flush()
		},
	})
}

func (e *env) groupDescribeCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.Group]{
		use: "describe GROUP", short: "Show a group with its members, offsets and lag",
		example: "group describe billing", least: 1, most: 1, complete: e.completeGroups,
		known: groupNames,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Group, error) {
			return c.ReadGroup(ctx, args[0])
		},
		draw: e.printGroup,
	})
}

func (e *env) printGroup(g api.Group) error {
	e.printf("Group        %s\nState        %s\nCoordinator  %d\nLag          %d\n",
		g.Group, g.State, g.Coordinator, g.Lag)
	clients := map[string]string{}
	for _, m := range g.Members {
		clients[m.ID] = m.Client + m.Host
		e.printf("Member       %s of %s%s\n", m.ID, m.Client, m.Host)
	}
	if len(g.Offsets) == 0 {
		return nil
	}
	e.printf("\n")
	t := e.table([]string{"TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "CLIENT"}, "MEMBER")
	for _, o := range g.Offsets {
		row(t, o.Topic, strconv.Itoa(o.Partition), long(o.Committed), long(o.End), long(o.Lag),
			clients[o.Member], o.Member)
	}
	return t.Flush()
}

// whole is the value of a flag for a number that may be left out.
type whole struct{ value *int64 }

func (w *whole) String() string {
	if w.value == nil {
		return ""
	}
	return strconv.FormatInt(*w.value, 10)
}
func (w *whole) Type() string { return "number" }

// Set takes a whole number.
func (w *whole) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errors.New("this is no whole number")
	}
	w.value = &n
	return nil
}

// instantFlag is the value of a flag for a time that may be left out.
type instantFlag struct{ value *time.Time }

func (i *instantFlag) String() string { return "" }
func (i *instantFlag) Type() string   { return "time" }

// Set takes a time with its zone.
func (i *instantFlag) Set(text string) error {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return errors.New("this is no time; write for example 2026-01-31T23:59:59Z")
	}
	i.value = &at
	return nil
}

func (e *env) groupResetCmd() *cobra.Command {
	var reset api.GroupReset
	var at instantFlag
	var offset, shift whole
	var dry bool
	c := kafkaCmd(e, asking[api.GroupResetResult]{
		use: "reset GROUP", short: "Let a group that has no members go on elsewhere",
		long: "Sets the offsets of a group: exactly one of --to, --time, --offset and --shift\n" +
			"says where. It is refused while the group has members, who would go on where they\n" +
			"are, and never goes before the first record of a partition or behind the last.",
		example: "group reset billing --to earliest --dry-run\n" +
			"  kafka-sched group reset billing --topic orders:0 --shift -100 --yes",
		least: 1, most: 1, complete: e.completeGroups, known: groupNames,
		danger: "change the offsets of group %s",
		ask: func(
			ctx context.Context, c *client.Client, args []string,
		) (api.GroupResetResult, error) {
			reset.Time, reset.Offset, reset.Shift = at.value, offset.value, shift.value
			return c.ResetGroup(ctx, args[0], reset, dryRun(dry)...)
		},
		draw: func(result api.GroupResetResult) error {
			e.printf("%s\n", result.Message)
			t := e.table([]string{"TOPIC", "PARTITION", "FROM", "TO"})
			for _, m := range result.Moves {
				row(t, m.Topic, strconv.Itoa(m.Partition), long(m.From), long(m.To))
			}
			return t.Flush()
		},
	})
	flags := c.Flags()
	flags.StringVar(&reset.To, "to", "", "earliest or latest")
	flags.Var(&at, "time", "the first record that is not older, as 2026-01-31T23:59:59Z")
	flags.Var(&offset, "offset", "this offset of every partition")
	flags.Var(&shift, "shift", "so many records on, or back with a minus")
	flags.StringSliceVar(&reset.Topics, "topic", nil,
		"only this topic, or topic:partition (default: all that the group has offsets of)")
	return dryRunFlag(c, &dry)
}

func (e *env) groupDeleteCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.Outcome]{
		use: "delete GROUP", short: "Delete a group that has no members, with its offsets",
		example: "group delete billing --yes", least: 1, most: 1, complete: e.completeGroups,
		known: groupNames, danger: "delete group %s with its offsets",
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			return c.DeleteGroup(ctx, args[0])
		},
		draw: e.said,
	})
}
