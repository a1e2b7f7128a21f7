package cli

import (
	"context"
	"maps"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) upgradeCmd() *cobra.Command {
	var to string
	var dryRun bool
	c := &cobra.Command{
		Use: "upgrade", Short: "Show how a cluster gets to another version of Kafka",
		Args: arguments(0, 0),
		Long: "Show how a cluster gets to another version of Kafka: whether that way exists, in\n" +
			"which phases it goes, and up to which of them there is a way back. Nothing is\n" +
			"changed; this release does not carry it out, so --dry-run has to be said.",
		Example: "  kafka-sched upgrade --to 4.3.1 --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			version, err := upgrade.ParseVersion(to)
			if err != nil {
				return fail(exitUsage, "--to: %w", err)
			}
			if !dryRun {
				return fail(exitUsage, "this release shows upgrades and does not carry them out; "+
					"say --dry-run")
			}
			return e.upgrade(cmd.Context(), version)
		},
	}
	c.Flags().StringVar(&to, "to", "", "version to get to, in full")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would be done")
	return c
}

// upgradePlan is the JSON document of a plan.
type upgradePlan struct {
	Name     string         `json:"name"`
	From     string         `json:"from"`
	To       string         `json:"to"`
	Refusals []string       `json:"refusals,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	Phases   []upgradePhase `json:"phases,omitempty"`
}

type upgradePhase struct {
	Name string `json:"name"`
	What string `json:"what"`
	Undo string `json:"undo,omitempty"`
}

func (e *env) upgrade(ctx context.Context, to upgrade.Version) error {
	c, s, err := e.service(ctx)
	if err != nil {
		return err
	}
	target, _, err := c.ReadTarget(ctx)
	if err != nil {
		return e.answer(err)
	}
	service, err := servicespec.DecodeService(target.Service)
	if err != nil {
		return err
	}
	features, err := c.Features(ctx)
	if err != nil {
		features = api.FeatureList{Epoch: -1} // it is warned of in the plan
	}
	cluster, err := upgradable(service, features)
	if err != nil {
		return err
	}
	plan := upgrade.Make(cluster, to)
	if err := e.printUpgrade(s.Name, cluster.Version, to, plan); err != nil {
		return err
	}
	if len(plan.Refusals) > 0 {
		return fail(exitConflict, "there is no way from Kafka %s to %s", cluster.Version, to)
	}
	return nil
}

// upgradable is what is known of a service's cluster.
func upgradable(s servicespec.Service, features api.FeatureList) (upgrade.Cluster, error) {
	cluster, runs := upgrade.Cluster{Properties: map[string]string{}}, false
	for _, p := range s.Pods {
		if p.Kafka == nil {
			continue
		}
		version, err := upgrade.ParseVersion(p.Kafka.Version)
		if err != nil {
			return cluster, fail(exitUsage, "pod %s: %w", p.Type, err)
		}
		runs, cluster.Version = true, version
		cluster.ZooKeeper = cluster.ZooKeeper || p.Kafka.ZooKeeper != ""
		cluster.Controllers = cluster.Controllers || !p.Kafka.Serves()
		maps.Copy(cluster.Properties, p.Kafka.Properties)
		for _, node := range p.Kafka.Instances {
			maps.Copy(cluster.Properties, node.Properties)
		}
	}
	if !runs {
		return cluster, fail(exitUsage, "no pod of %s runs Kafka", s.Name)
	}
	if features.Epoch >= 0 {
		cluster.Features = map[string]int{}
		for _, f := range features.Features {
			cluster.Features[f.Name] = f.Finalized
		}
	}
	return cluster, nil
}

func (e *env) printUpgrade(name string, from, to upgrade.Version, plan upgrade.Plan) error {
	if e.json {
		doc := upgradePlan{Name: name, From: from.String(), To: to.String(),
			Refusals: plan.Refusals, Warnings: plan.Warnings}
		for _, p := range plan.Phases {
			doc.Phases = append(doc.Phases, upgradePhase(p))
		}
		return e.printJSON(doc)
	}
	for _, text := range plan.Refusals {
		e.printf("refused: %s\n", text)
	}
	for _, text := range plan.Warnings {
		e.printf("warning: %s\n", text)
	}
	if len(plan.Phases) == 0 {
		return nil
	}
	t := e.table([]string{"PHASE", "WHAT", "WAY BACK"})
	for _, p := range plan.Phases {
		row(t, p.Name, p.What, p.Undo)
	}
	return t.Flush()
}
