package cli

import (
	"context"
	"encoding/json"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) configCmd() *cobra.Command {
	return group("config", "Show configurations and what differs between them",
		"  kafka-sched config list\n  kafka-sched config diff",
		e.configListCmd(), e.configShowCmd(), e.configTargetCmd(), e.configDiffCmd(),
		e.configDriftCmd())
}

func (e *env) configListCmd() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List the configurations, the latest first", Args: arguments(0, 0),
		Example: "  kafka-sched config list", Aliases: []string{"ls"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			list, err := c.FindConfigurations(cmd.Context(), api.Page{Limit: limit})
			if err != nil {
				return e.answer(err)
			}
			return e.print(list, func() error { return e.printConfigs(list.Configurations) })
		},
	}
	limitFlag(c, &limit)
	return c
}

func (e *env) printConfigs(list []api.Configuration) error {
	t := e.table([]string{"ID", "NUMBER", "TARGET", "SINCE", "DEPLOYED", "BY"})
	for _, c := range list {
		since, done := "", ""
		if c.Since != nil {
			since = moment(*c.Since)
		}
		if c.Done != nil {
			done = moment(*c.Done)
		}
		row(t, c.ID, number(c.Number), yesNo(&c.Target), since, done, c.By)
	}
	return t.Flush()
}

func (e *env) configShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show [ID]", Short: "Show a configuration, or the target (JSON)",
		Args: arguments(0, 1), ValidArgsFunction: e.completeConfigs,
		Example: "  kafka-sched config show -o yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.configShow(cmd.Context(), append(args, "")[0])
		},
	}
}

func (e *env) configTargetCmd() *cobra.Command {
	return &cobra.Command{
		Use: "target", Short: "Show the configuration that the service shall have (JSON)",
		Args: arguments(0, 0), Example: "  kafka-sched config target",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.configShow(cmd.Context(), "")
		},
	}
}

// configShow prints the service of a configuration, "" for the target.
func (e *env) configShow(ctx context.Context, id string) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	var config api.Configuration
	if id == "" {
		config, _, err = c.ReadTarget(ctx)
	} else {
		config, _, err = c.ReadConfiguration(ctx, id)
	}
	if err != nil {
		return e.namesOf(err, func() ([]string, error) { return configIDs(ctx, c) })
	}
	if len(config.Service) == 0 {
		config.Service = json.RawMessage("null")
	}
	return e.printJSON(config.Service)
}

// configIDs gives the ids of the configurations, the latest first.
func configIDs(ctx context.Context, c *client.Client) ([]string, error) {
	list, err := c.FindConfigurations(ctx, api.Page{})
	var ids []string
	for _, config := range list.Configurations {
		ids = append(ids, config.ID)
	}
	return ids, err
}

func (e *env) configDiffCmd() *cobra.Command {
	return &cobra.Command{
		Use: "diff [FROM [TO]]", Short: "Show what differs between two configurations",
		Args: arguments(0, 2), ValidArgsFunction: e.completeConfigs,
		Long: "Show what differs between two configurations, and what the change does to what\n" +
			"runs. TO is the target unless it is named, and FROM the one before the target.",
		Example: "  kafka-sched config diff\n  kafka-sched config diff 3f2c0e6e-…",
		RunE: func(cmd *cobra.Command, args []string) error {
			at := append(args, "", "")
			return e.configDiff(cmd.Context(), at[0], at[1])
		},
	}
}

func (e *env) configDiff(ctx context.Context, from, to string) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	ids, err := configIDs(ctx, c)
	if err != nil {
		return e.answer(err)
	}
	if from == "" {
		if len(ids) < 2 {
			return fail(exitNotFound, "there is no configuration before the target to compare "+
				"it with")
		}
		from = ids[1]
	}
	diff, err := c.Diff(ctx, from, to)
	if err != nil {
		return e.namesOf(err, func() ([]string, error) { return ids, nil })
	}
	return e.print(diff, func() error { return e.printDiff(changesOf(diff.Changes)) })
}

// changesOf are changes as package servicespec has them.
func changesOf(list []api.Change) []servicespec.Change {
	var changes []servicespec.Change
	for _, c := range list {
		changes = append(changes, servicespec.Change{Path: c.Path, Old: c.Old, New: c.New,
			Class: servicespec.Class(c.Class), Reason: c.Reason})
	}
	return changes
}
