package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) updateCmd() *cobra.Command {
	c := group("update", "Change a running service, and steer how it is rolled out",
		"  kafka-sched update start --set brokers.mem=4096 --dry-run\n"+
			"  kafka-sched update status", e.updateStartCmd(), e.updateStatusCmd())
	for _, v := range []planVerb{pausing, resuming, restarting, forcing} {
		c.AddCommand(e.updateVerbCmd(v))
	}
	c.AddCommand(e.rollbackCmd(), e.packageVersionsCmd())
	return c
}

// updating are the flags of update start.
type updating struct {
	waiting
	specFlags
	dryRun, replace bool
	version         string
}

func (e *env) updateStartCmd() *cobra.Command {
	var u updating
	c := &cobra.Command{
		Use: "start", Short: "Change the options or the spec of a running service",
		Args: arguments(0, 0),
		Long: "Change the options or the spec of a running service: show what will differ,\n" +
			"make it the target, and follow the deploy plan. Options that are not named stay,\n" +
			"unless --replace says that these are all. With --dry-run the scheduler only says\n" +
			"which steps it would do, in order, and why.\n\n" +
			"Variables of the environment that begin with TASKCFG_ALL_ or TASKCFG_<POD>_ become\n" +
			"variables of all tasks or of that pod's, and stay until they are given anew.\n\n" +
			"A service that is named by its URL has no options on this machine: give the whole\n" +
			"of it with --file, or with --options and --replace.",
		Example: "  kafka-sched update start --set brokers.mem=4096\n" +
			"  kafka-sched update start --options options.json --dry-run\n" +
			"  kafka-sched describe | jq '.brokers.mem = 4096' | " +
			"kafka-sched update start --options -",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.update(cmd.Context(), u)
		},
	}
	u.waiting.flags(c, 30*time.Minute)
	u.specFlags.flags(c)
	f := c.Flags()
	f.BoolVar(&u.dryRun, "dry-run", false, "only show what would be done")
	f.BoolVar(&u.replace, "replace", false, "forget the options that are not named")
	f.StringVar(&u.version, "package-version", "", "refused unless it is the present one")
	reasonFlag(c, &u.reason)
	return c
}

// updated is the JSON document with the result of an update.
type updated struct {
	Name     string            `json:"name"`
	Changes  []change          `json:"changes"`
	Applied  bool              `json:"applied"`
	TargetID string            `json:"target_id,omitempty"`
	DryRun   bool              `json:"dry_run,omitempty"`
	Steps    []api.PlannedStep `json:"steps,omitempty"`
	// Properties are those of the brokers that change, live or with a restart.
	Properties []api.PropertyChange `json:"properties,omitempty"`
}

// update makes another configuration the target, or has the scheduler say what that would do.
func (e *env) update(ctx context.Context, u updating) error {
	scheduler, s, at, err := e.recorded(ctx)
	if err != nil {
		return err
	}
	if u.version != "" && u.version != s.Version {
		return fail(exitUsage, "--package-version %s: the scheduler is version %s, and another "+
			"one comes with another kafka-sched; see: kafka-sched update package-versions",
			u.version, s.Version)
	}
	if at, err = e.sync(ctx, scheduler, at); err != nil {
		return err
	}
	w, err := e.wantUpdate(u, at)
	if err != nil {
		return err
	}
	changes, err := at.changes(w)
	if err != nil {
		return err
	}
	if !e.json && !u.quiet && at.here {
		e.printChanges(changes)
	}
	result := updated{Name: s.Name, Changes: jsonChanges(changes), DryRun: u.dryRun}
	if u.dryRun {
		return e.preview(ctx, scheduler, w, result)
	}
	return e.apply(ctx, scheduler, s, at, w, u, result)
}

// wantUpdate reads what the flags ask for, upon what is recorded.
func (e *env) wantUpdate(u updating, at record) (wanted, error) {
	if !at.here && u.file == "" && !u.replace {
		return wanted{}, fail(exitUsage, "the options of %s are recorded on the machine that it "+
			"was installed from; here, give the whole of it: --file, or --options and --replace",
			e.name)
	}
	base := at.cluster.Options
	if u.replace {
		base = nil
	} else {
		u.taskConfig = at.cluster.TaskConfig
	}
	if u.file == "" {
		u.file = at.cluster.Spec
	}
	w, err := e.want(u.specFlags, base)
	if err != nil {
		return w, err
	}
	if version := at.cluster.Kafka.Version; version != "" && w.version != version {
		return w, fail(exitUsage, "%q runs Kafka %s: another version comes with kafka-sched "+
			"upgrade --to %s", e.name, version, w.version)
	}
	return w, nil
}

func (e *env) printChanges(changes []servicespec.Change) {
	for _, c := range changes {
		e.printf("%s\n", c)
	}
}

// preview has the scheduler say what a configuration would lead to.
func (e *env) preview(
	ctx context.Context, c *client.Client, w wanted, result updated,
) error {
	outcome, err := c.PutTarget(ctx, w.asTarget(""), client.DryRun())
	if err != nil {
		return e.answer(err)
	}
	result.Steps, result.Properties = listOf(outcome.Steps), outcome.Properties
	return e.print(result, func() error {
		if err := e.printLive(outcome.Properties); err != nil {
			return err
		}
		return e.printSteps(outcome)
	})
}

// asTarget is a wanted service as the API takes it.
func (w wanted) asTarget(reason string) api.SetTarget {
	return api.SetTarget{Spec: string(w.text), Files: w.files, Reason: reason}
}

// printSteps prints what would be done, in order, with the reasons of each.
func (e *env) printSteps(outcome api.Outcome) error {
	if len(outcome.Steps) == 0 {
		e.printf("there is nothing to do: %s\n", outcome.Message)
		return nil
	}
	e.printf("what would be done, in this order:\n")
	t := e.table([]string{"NO", "PHASE", "STEP", "ACTION", "REASON"})
	for i, s := range outcome.Steps {
		row(t, number(int64(i+1)), s.Phase, s.Step, s.Action, strings.Join(s.Reasons, "; "))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return e.printFragile(outcome.Unavailable)
}

// printFragile names the topics that no restart can keep available, with what becomes of them.
func (e *env) printFragile(topics []api.FragileTopic) error {
	if len(topics) == 0 {
		return nil
	}
	e.printf("topics that no restart can keep available, as they have no more replicas than " +
		"min.insync.replicas:\n")
	t := e.table([]string{"TOPIC", "PARTITIONS", "REPLICAS", "MIN ISR", "WHAT BECOMES OF IT"})
	for _, f := range topics {
		row(t, f.Topic, number(int64(f.Partitions)), number(int64(f.Replicas)),
			number(int64(f.MinISR)), f.Choice+": "+fate(f))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	e.hint("update.fragile of the pod chooses: move-first, allow or refuse; a higher " +
		"replication factor is better than all of them")
	return nil
}

// fate is what becomes of a topic that no restart can keep available.
func fate(f api.FragileTopic) string {
	switch {
	case f.Choice == servicespec.FragileRefuse:
		return "the brokers that have it stay, and the update waits"
	case f.Choice == servicespec.FragileMoveFirst && f.Movable:
		return "it moves to another broker before one goes"
	case f.Choice == servicespec.FragileMoveFirst:
		return "unavailable while one is down, as no other broker can take all of it"
	}
	return "unavailable while a broker that has it is down"
}

// printLive prints what becomes of the brokers' properties.
func (e *env) printLive(list []api.PropertyChange) error {
	if len(list) == 0 {
		return nil
	}
	t := e.table([]string{"PROPERTY", "BROKERS", "FROM", "TO", "RESTART", "WHY"})
	for _, p := range list {
		restart := !p.Live
		row(t, p.Name, numbers(p.Brokers), p.Old, p.New, yesNo(&restart), p.Reason)
	}
	return t.Flush()
}

// apply makes the wanted service the target, writes it down, and follows the deployment.
func (e *env) apply(
	ctx context.Context, c *client.Client, before api.Service, at record, w wanted, u updating,
	result updated,
) error {
	if !e.json && !u.quiet {
		// What cannot be kept available is named before anything goes down. That nobody can tell is
		// no reason to refuse.
		if plan, err := c.PutTarget(ctx, w.asTarget(""), client.DryRun()); err == nil {
			if err := e.printFragile(plan.Unavailable); err != nil {
				return err
			}
		}
	}
	outcome, err := at.change(before.TargetID, func() (api.Outcome, error) {
		return c.PutTarget(ctx, w.asTarget(u.reason))
	}, func() error { return at.save(w) })
	if err != nil {
		return e.answer(err)
	}
	result.TargetID, result.Applied = outcome.TargetID, outcome.Changed
	if result.Properties = outcome.Properties; !e.json && !u.quiet {
		if err := e.printLive(outcome.Properties); err != nil {
			return err
		}
	}
	return e.rollOut(ctx, c, at, u.waiting, result)
}

// hintLeaving says how to follow the instances that are not wanted any more, if there are any.
func (e *env) hintLeaving(ctx context.Context, c *client.Client) {
	s, err := c.Service(ctx)
	if err == nil && slices.ContainsFunc(s.Pods, func(p api.Pod) bool { return p.Leaving }) {
		e.hintPlan(api.PlanDecommission)
	}
}

// rollOut follows a target until it is deployed, and prints the result.
func (e *env) rollOut(
	ctx context.Context, c *client.Client, at record, w waiting, result updated,
) error {
	if result.Applied && !w.noWait {
		if err := e.followTarget(ctx, at, c, result.TargetID, w); err != nil {
			return err
		}
	}
	return e.print(result, func() error {
		switch {
		case !result.Applied && !w.quiet:
			e.printf("nothing is different\n")
		case result.Applied && w.noWait:
			e.printf("%s is the target of %s now\n", result.TargetID, result.Name)
			e.hint("follow it with: kafka-sched update status%s", e.nameFlag())
		case result.Applied:
			e.printf("%s is updated\n", result.Name)
			e.hintLeaving(ctx, c)
		}
		return nil
	})
}

// followTarget waits until a target is deployed.
func (e *env) followTarget(
	ctx context.Context, at record, c *client.Client, target string, w waiting,
) error {
	f := follow{
		client: c,
		lines:  func(s api.Service) []line { return planLines(s, api.PlanDeploy) },
		done: func(s api.Service) bool {
			return (target == "" || s.TargetID == target) && complete(s, api.PlanDeploy)
		},
		failed:  func(s api.Service) error { return e.deployFailed(ctx, s) },
		timeout: w.timeout,
	}
	if at.here {
		f.silence = func() (bool, error) { return false, keeperAlive(at.folder) }
	}
	s, err := f.run(ctx, e.progress(w.quiet))
	if err == nil && s.TargetID != target && target != "" {
		return fmt.Errorf("the target is %s, not %s", s.TargetID, target)
	}
	return err
}
