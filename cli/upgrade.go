package cli

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// planUpgrade is the plan of an upgrade of Kafka.
const planUpgrade = "upgrade"

// upgrading are the flags of upgrade.
type upgrading struct {
	waiting
	to, dist   string
	dryRun     bool
	finalize   bool
	pauseAfter []string
}

func (e *env) upgradeCmd() *cobra.Command {
	var u upgrading
	c := &cobra.Command{
		Use: "upgrade", Short: "Bring a cluster to another version of Kafka",
		Args: arguments(0, 0),
		Long: "Bring a cluster to another version of Kafka, without an outage: show how, and up\n" +
			"to where there is a way back; get that version; then roll the nodes, controllers\n" +
			"first, each as soon as Kafka can do without it. Then it waits, for as long as you\n" +
			"like, until upgrade finalize raises Kafka's features (or, with ZooKeeper, its\n" +
			"protocol), or upgrade rollback goes back. With --finalize it does not wait.",
		Example: "  kafka-sched upgrade --to 4.3.1 --dry-run\n" +
			"  kafka-sched upgrade --to 4.3.1\n  kafka-sched upgrade status\n" +
			"  kafka-sched upgrade finalize",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := upgrade.ParseVersion(u.to); err != nil {
				return fail(exitUsage, "--to: %w", err)
			}
			return e.upgrade(cmd.Context(), u)
		},
	}
	u.waiting.flags(c, 2*time.Hour)
	f := c.Flags()
	f.StringVar(&u.to, "to", "", "version to get to, in full")
	f.StringVar(&u.dist, "kafka-dist", "",
		"where that Kafka comes from: folder, archive or URL (default: Maven artifacts)")
	f.BoolVar(&u.dryRun, "dry-run", false, "only show what would be done")
	f.BoolVar(&u.finalize, "finalize", false,
		"go on to what cannot be undone without waiting to be told")
	f.StringSliceVar(&u.pauseAfter, "pause-after", nil, "phase to pause after (repeatable)")
	reasonFlag(c, &u.reason)
	c.AddCommand(e.upgradeStatusCmd(),
		e.upgradeVerbCmd(api.CommandPauseCampaign, "Have no other node go down for the upgrade"),
		e.upgradeVerbCmd(api.CommandContinueCampaign, "Let a paused upgrade go on"),
		e.upgradeVerbCmd(api.CommandFinalize, "Let the upgrade do what cannot be undone"),
		e.upgradeVerbCmd(api.CommandRollback, "Bring the nodes back to the version before"))
	return c
}

// upgrade shows how the cluster gets to a version, and brings it there.
func (e *env) upgrade(ctx context.Context, u upgrading) error {
	c, s, err := e.service(ctx)
	if err != nil {
		return err
	}
	at, err := e.record(s.Name)
	if err != nil {
		return err
	}
	preview, err := c.UpgradePreview(ctx, u.to)
	if err != nil {
		return e.answer(err)
	}
	if u.dryRun || !e.json && !u.quiet {
		if err := e.printUpgrade(preview); err != nil {
			return err
		}
	}
	switch {
	case len(preview.Refusals) > 0:
		text := fmt.Sprintf("there is no way from Kafka %s to %s now", preview.From, preview.To)
		if !u.dryRun && (e.json || u.quiet) {
			text += ": " + strings.Join(preview.Refusals, "; ")
		}
		return fail(exitConflict, "%s", text)
	case u.dryRun:
		return nil
	}
	digest, err := e.fetchFor(ctx, at, u)
	if err != nil {
		return err
	}
	outcome, err := c.Upgrade(ctx, api.Upgrade{To: u.to, Distribution: digest,
		PauseAfter: u.pauseAfter, Finalize: u.finalize, Reason: u.reason})
	if err != nil {
		return e.answer(err)
	}
	return e.followUpgrade(ctx, c, at, outcome, u.waiting)
}

// printUpgrade prints how a cluster gets to another version.
func (e *env) printUpgrade(p api.UpgradePreview) error {
	return e.print(p, func() error {
		for _, text := range p.Refusals {
			e.printf("refused: %s\n", text)
		}
		for _, text := range p.Warnings {
			e.printf("warning: %s\n", text)
		}
		if len(p.Phases) == 0 {
			return nil
		}
		t := e.table([]string{"PHASE", "WHAT", "WAY BACK"})
		for _, phase := range p.Phases {
			row(t, phase.Name, phase.What, or(phase.Undo, "none, once it has begun"))
		}
		return t.Flush()
	})
}

// fetchFor gets the version to upgrade to into the cache that the cluster's scheduler serves from,
// and gives its digest. Of a service that is named by its URL nothing is on this machine: there
// it has to be in the cache.
func (e *env) fetchFor(ctx context.Context, at record, u upgrading) (string, error) {
	if !at.here || at.cluster.Kafka.Archive == "" {
		if u.dist != "" {
			return "", fail(exitUsage, "--kafka-dist is for a cluster of this machine")
		}
		return "", nil
	}
	source, err := kafkadist.ParseSource(u.dist, u.to)
	if err != nil {
		return "", fail(exitUsage, "--kafka-dist: %w", err)
	}
	d, err := fetchInto(ctx, filepath.Dir(at.cluster.Kafka.Archive), source, e.progress(u.quiet))
	return d.Digest, err
}

// followUpgrade waits until the upgrade is done or waits for the operator, and prints where it is.
func (e *env) followUpgrade(
	ctx context.Context, c *client.Client, at record, outcome api.Outcome, w waiting,
) error {
	if !outcome.Changed {
		return e.alreadyDone(outcome, "upgrade")
	}
	if w.noWait {
		return e.print(outcome, func() error {
			e.printLine("%s", outcome.Message)
			return nil
		})
	}
	f := follow{client: c, timeout: w.timeout,
		lines: func(s api.Service) []line { return planLines(s, planUpgrade) },
		done: func(s api.Service) bool {
			p := s.Plan(planUpgrade)
			return p == nil || p.Status == api.StatusComplete || p.Status == api.StatusWaiting
		},
		failed: func(s api.Service) error { return e.nodeFailed(ctx, s) }}
	if at.here {
		f.silence = func() (bool, error) { return false, keeperAlive(at.folder) }
	}
	if _, err := f.run(ctx, e.progress(w.quiet)); err != nil {
		return err
	}
	if _, err := e.sync(ctx, c, at); err != nil {
		return err
	}
	return e.upgradeStatus(ctx, c)
}

// nodeFailed says why a node does not come up in another version, and what can be done.
func (e *env) nodeFailed(ctx context.Context, s api.Service) error {
	err := e.deployFailed(ctx, s)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nno other node goes down meanwhile; kafka-sched upgrade rollback%s "+
		"brings it back to the version before, with its data", err, e.nameFlag())
}

func (e *env) upgradeStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how far the latest upgrade is", Args: arguments(0, 0),
		Example: "  kafka-sched upgrade status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.upgradeStatus(cmd.Context(), c)
		},
	}
}

func (e *env) upgradeStatus(ctx context.Context, c *client.Client) error {
	s, err := c.UpgradeStatus(ctx)
	if err != nil {
		return e.answer(err)
	}
	return e.print(s, func() error { return e.printCampaign(planUpgrade, s) })
}

// printCampaign prints how far an upgrade, or the like, is.
func (e *env) printCampaign(what string, s api.Campaign) error {
	if s.State == api.CampaignNone {
		e.printLine("there was no %s yet", what)
		return nil
	}
	noun := what
	if what == planMigrate {
		noun = "migration"
	}
	e.printLine("the %s from %s to %s is %s", noun, s.From, s.To, s.State)
	t := e.table([]string{"PHASE", "STATE", "WHAT", "WAY BACK"})
	for _, p := range s.Phases {
		row(t, p.Name, p.State, p.What, orHyphen(p.Undo))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.Reason != "" {
		e.printLine("%s", s.Reason)
	}
	switch s.State {
	case api.CampaignWaiting:
		e.hint("look at the cluster for as long as you like, and then: kafka-sched %s finalize%s, "+
			"or kafka-sched %[1]s rollback%[2]s", what, e.nameFlag())
	case api.CampaignPaused:
		e.hint("kafka-sched %s continue%s goes on", what, e.nameFlag())
	}
	return nil
}

// upgradeVerbCmd is a command on the upgrade.
func (e *env) upgradeVerbCmd(verb, text string) *cobra.Command {
	var w waiting
	c := &cobra.Command{
		Use: verb, Short: text, Args: arguments(0, 0),
		Example: "  kafka-sched upgrade " + verb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, s, err := e.service(ctx)
			if err != nil {
				return err
			}
			at, err := e.record(s.Name)
			if err != nil {
				return err
			}
			outcome, err := c.CommandUpgrade(ctx, verb, api.CampaignCommand{Reason: w.reason})
			if err != nil {
				return e.answer(err)
			}
			w.noWait = w.noWait || verb == api.CommandPauseCampaign
			return e.followUpgrade(ctx, c, at, outcome, w)
		},
	}
	if verb == api.CommandPauseCampaign {
		reasonFlag(c, &w.reason)
		return c
	}
	w.flags(c, 2*time.Hour)
	reasonFlag(c, &w.reason)
	return c
}

// sync has this machine's record of a service say the version of Kafka that it runs since an
// upgrade.
func (e *env) sync(ctx context.Context, c *client.Client, at record) (record, error) {
	if !at.here || at.cluster.Kafka.Version == "" {
		return at, nil
	}
	target, _, err := c.ReadTarget(ctx)
	if err != nil {
		return at, e.answer(err)
	}
	service, err := servicespec.DecodeService(target.Service)
	if err != nil {
		return at, err
	}
	version, whole := versionOf(service)
	if !whole || version == at.cluster.Kafka.Version {
		return at, nil
	}
	base := servicespec.Options{}
	maps.Copy(base, at.cluster.Options)
	if at.cluster.Spec == "" {
		base["service.kafka_version"] = version
	}
	w, err := e.want(specFlags{file: at.cluster.Spec, taskConfig: at.cluster.TaskConfig}, base)
	if err != nil {
		return at, err
	}
	if w.version != version {
		e.hint("%s says Kafka %s, and the service runs %s since its upgrade: change it there",
			at.cluster.Spec, w.version, version)
	}
	return at.upgraded(w, version)
}

// upgraded writes down that a service runs another version of Kafka.
func (r record) upgraded(w wanted, version string) (record, error) {
	release, err := claim(r.folder)
	if err != nil {
		return r, err
	}
	defer release()
	cache, err := kafkadist.Open(filepath.Dir(r.cluster.Kafka.Archive), nil)
	if err != nil {
		return r, err
	}
	list, err := cache.List()
	if err != nil {
		return r, err
	}
	i := slices.IndexFunc(list, func(d kafkadist.Dist) bool {
		return d.Version == version && strings.HasPrefix(filepath.Base(d.Path), "kafka-")
	})
	r.cluster.Kafka = dist{AskedVersion: version, Version: version}
	if i >= 0 {
		r.cluster.Kafka.Digest, r.cluster.Kafka.Archive = list[i].Digest, list[i].Path
	}
	if err := r.save(w); err != nil {
		return r, err
	}
	r.cluster.Options = w.options
	return r, nil
}

// versionOf is the version of Kafka of a service, not whole while its pods differ.
func versionOf(s servicespec.Service) (version string, whole bool) {
	for _, p := range s.Pods {
		if p.Kafka == nil {
			continue
		}
		if version != "" && p.Kafka.Version != version {
			return "", false
		}
		version = p.Kafka.Version
	}
	return version, version != ""
}
