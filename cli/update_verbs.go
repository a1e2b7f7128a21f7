package cli

import (
	"context"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) updateStatusCmd() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use: "status", Aliases: []string{"show"}, Args: arguments(0, 0),
		Short:   "Show how far the present configuration is rolled out",
		Example: "  kafka-sched update status\n  kafka-sched update status --watch",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if watch {
				return e.watchPlan(cmd.Context(), c, api.PlanDeploy)
			}
			return e.planStatus(cmd.Context(), c, api.PlanDeploy)
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "follow it until it is complete")
	return c
}

// updateVerbCmd is a verb of plan for the plan that rolls out.
func (e *env) updateVerbCmd(v planVerb) *cobra.Command {
	c := e.planVerbCmd(v)
	c.Use = strings.Replace(c.Use, " PLAN", "", 1)
	c.Args = arguments(0, v.most-1)
	c.Short = "The same as plan " + v.use + " " + api.PlanDeploy
	c.Example = "  kafka-sched update " + v.use
	complete, run := c.ValidArgsFunction, c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return run(cmd, append([]string{api.PlanDeploy}, args...))
	}
	c.ValidArgsFunction = func(
		cmd *cobra.Command, args []string, word string,
	) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, append([]string{api.PlanDeploy}, args...), word)
	}
	return c
}

// rollingBack are the flags of update rollback.
type rollingBack struct {
	waiting
	to     api.Rollback
	dryRun bool
}

func (e *env) rollbackCmd() *cobra.Command {
	var r rollingBack
	c := &cobra.Command{
		Use: "rollback [ID]", Short: "Make an earlier configuration the target again",
		Args: arguments(0, 1), ValidArgsFunction: e.completeConfigs,
		Long: "Make an earlier configuration the target again, the one before the target unless\n" +
			"an ID of config list is named, and follow the deploy plan.",
		Example: "  kafka-sched update rollback --dry-run\n" +
			"  kafka-sched update rollback --reason 'brokers ran out of memory'",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.to.ID = append(args, "")[0]
			return e.rollback(cmd.Context(), r)
		},
	}
	r.waiting.flags(c, 30*time.Minute)
	c.Flags().BoolVar(&r.dryRun, "dry-run", false, "only show what would be done")
	reasonFlag(c, &r.to.Reason)
	return c
}

func (e *env) rollback(ctx context.Context, r rollingBack) error {
	c, s, at, err := e.recorded(ctx)
	if err != nil {
		return err
	}
	result := updated{Name: s.Name, Changes: []change{}, DryRun: r.dryRun}
	if r.dryRun {
		outcome, err := c.Rollback(ctx, r.to, client.DryRun())
		if err != nil {
			return e.noConfig(ctx, c, err)
		}
		result.Steps = listOf(outcome.Steps)
		return e.print(result, func() error { return e.printSteps(outcome) })
	}
	if r.to.ID == "" { // so that it is known below which one became the target
		if ids, err := configIDs(ctx, c); err == nil && len(ids) > 1 {
			r.to.ID = ids[1]
		}
	}
	outcome, err := at.change(s.TargetID, func() (api.Outcome, error) {
		return c.Rollback(ctx, r.to)
	}, func() error { return e.restore(at, r.to.ID) })
	if err != nil {
		return e.noConfig(ctx, c, err)
	}
	if !outcome.Changed {
		return e.alreadyDone(outcome, "%s could not be rolled back", s.Name)
	}
	result.TargetID, result.Applied = outcome.TargetID, true
	return e.rollOut(ctx, c, at, r.waiting, result)
}

// restore writes down a configuration that became the target again, if this machine knows it.
func (e *env) restore(at record, id string) error {
	found, err := at.restore(id)
	if err == nil && !found {
		e.hint("this machine has no record of %s; until it is changed from here, %s is not what "+
			"the service has", id, at.folder.specFile())
	}
	return err
}

// noConfig is the error of a request for a configuration; it names those that are there.
func (e *env) noConfig(ctx context.Context, c *client.Client, err error) error {
	return e.namesOf(err, func() ([]string, error) { return configIDs(ctx, c) })
}

func (e *env) packageVersionsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "package-versions", Short: "Show which versions run", Args: arguments(0, 0),
		Long: "Show which versions run. There is no repository of packages here: the scheduler\n" +
			"is this program, and another version of it comes with another kafka-sched binary;\n" +
			"so the lists of versions to upgrade or downgrade to are empty.",
		Example: "  kafka-sched update package-versions",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			version, err := c.Version(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			v := versions{Package: version, Program: e.daemons.Version,
				Downgrades: []string{}, Upgrades: []string{}}
			return e.print(v, func() error { return e.printVersions(v) })
		},
	}
}

// versions is what the predecessor's package manager told, with the version of this program.
type versions struct {
	Package    string   `json:"packageVersion"`
	Program    string   `json:"program_version"`
	Downgrades []string `json:"downgradesTo"`
	Upgrades   []string `json:"upgradesTo"`
}

func (e *env) printVersions(v versions) error {
	e.printf("Current package version is: %q\n", v.Package)
	e.printf("No package versions to downgrade or upgrade to are known: the scheduler is this\n" +
		"program, and another version of it comes with another kafka-sched binary.\n")
	if v.Program != v.Package {
		e.printf("This program is version %q. To have the scheduler run it:\n"+
			"  kafka-sched stop%s && kafka-sched start%[2]s\n", v.Program, e.nameFlag())
	}
	return nil
}
