package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) updateCmd() *cobra.Command {
	return group("update", "Change a running service",
		"  kafka-sched update start --set brokers.mem=4096", e.updateStartCmd())
}

// updating are the flags of update start.
type updating struct {
	waiting
	specFlags
	dryRun bool
}

func (e *env) updateStartCmd() *cobra.Command {
	var u updating
	c := &cobra.Command{
		Use: "start", Short: "Change the options or the spec of a running service",
		Args: arguments(0, 0),
		Long: "Change the options or the spec of a running service: show what will differ,\n" +
			"make it the target, and follow the deploy plan. Options that are not named stay.",
		Example: "  kafka-sched update start --set brokers.mem=4096\n" +
			"  kafka-sched update start --options options.json --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.update(cmd.Context(), u)
		},
	}
	u.waiting.flags(c, 30*time.Minute)
	u.specFlags.flags(c)
	c.Flags().BoolVar(&u.dryRun, "dry-run", false, "only show what would be different")
	return c
}

// updated is the JSON document with the result of an update.
type updated struct {
	Name     string   `json:"name"`
	Changes  []change `json:"changes"`
	Applied  bool     `json:"applied"`
	TargetID string   `json:"target_id,omitempty"`
}

func (e *env) update(ctx context.Context, u updating) error {
	f, c, err := e.own()
	if err != nil {
		return err
	}
	e.nameGiven, e.name = true, f.name
	if u.file == "" {
		u.file = c.Spec
	}
	w, err := e.want(u.specFlags, c.Options)
	if err != nil {
		return err
	}
	if c.Kafka.Version != "" && w.version != c.Kafka.Version {
		return fail(exitUsage, "%q runs Kafka %s: changing the version of a running service is "+
			"not supported", f.name, c.Kafka.Version)
	}
	now, err := f.recorded()
	if err != nil {
		return err
	}
	changes := servicespec.Diff(now, w.service)
	result := updated{Name: f.name, Changes: jsonChanges(changes)}
	if !e.json && !u.quiet {
		e.printChanges(changes)
	}
	if len(changes) > 0 && !u.dryRun {
		if result.TargetID, err = e.apply(ctx, f, c, w, u); err != nil {
			return err
		}
		result.Applied = true
	}
	if e.json {
		return e.printJSON(result)
	}
	if result.Applied && !u.noWait {
		e.printf("%s is updated\n", f.name)
	}
	return nil
}

func (e *env) printChanges(changes []servicespec.Change) {
	if len(changes) == 0 {
		e.printf("nothing is different\n")
	}
	for _, c := range changes {
		e.printf("%s\n", c)
	}
}

// apply makes the wanted service the target, writes it down, and follows the deployment.
func (e *env) apply(
	ctx context.Context, f folder, c cluster, w wanted, u updating,
) (string, error) {
	release, err := claim(f)
	if err != nil {
		return "", err
	}
	defer release()
	scheduler, err := e.connect()
	if err != nil {
		return "", err
	}
	outcome, err := scheduler.SetTarget(ctx, "", string(w.text), w.files)
	if err != nil {
		return "", e.answer(err)
	}
	if err := f.saveSpec(w); err != nil {
		return "", err
	}
	c.Options, c.Spec = w.options, w.path
	if err := f.save(c); err != nil {
		return "", err
	}
	release()
	if u.noWait {
		if !e.json {
			e.printf("follow it with: kafka-sched plan status deploy --watch%s\n", e.nameFlag())
		}
		return outcome.TargetID, nil
	}
	return outcome.TargetID, e.followTarget(ctx, f, scheduler, outcome.TargetID, u)
}

// followTarget waits until a target is deployed.
func (e *env) followTarget(
	ctx context.Context, f folder, c *client.Client, target string, u updating,
) error {
	s, err := follow{
		client: c,
		lines:  func(s api.Service) []line { return planLines(s, api.PlanDeploy) },
		done: func(s api.Service) bool {
			return (target == "" || s.TargetID == target) && complete(s, api.PlanDeploy)
		},
		failed:  func(s api.Service) error { return e.deployFailed(ctx, s) },
		silence: func() (bool, error) { return false, keeperAlive(f) },
		timeout: u.timeout,
	}.run(ctx, e.progress(u.quiet))
	if err == nil && s.TargetID != target && target != "" {
		return fmt.Errorf("the target is %s, not %s", s.TargetID, target)
	}
	return err
}
