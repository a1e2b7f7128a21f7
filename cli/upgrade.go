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

// anUpgrade is the campaign that brings a cluster to another version of Kafka.
var anUpgrade = campaign{name: "upgrade", noun: "upgrade", status: (*client.Client).UpgradeStatus,
	command: func(
		c *client.Client, ctx context.Context, verb string, by steering,
	) (api.Outcome, error) {
		return c.CommandUpgrade(ctx, verb, api.CampaignCommand{Reason: by.reason})
	},
	failed: (*env).nodeFailed,
	ended:  (*env).ended}

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
			if u.to == "" {
				return wrongUsage(cmd, "say by --to to which version, in full")
			}
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
	verb := func(verb, text string) *cobra.Command {
		return e.campaignVerbCmd(anUpgrade, verb, text)
	}
	c.AddCommand(e.campaignStatusCmd(anUpgrade),
		verb(api.CommandPauseCampaign, "Have no other node go down for the upgrade"),
		verb(api.CommandContinueCampaign, "Let a paused upgrade go on"),
		verb(api.CommandFinalize, "Let the upgrade do what cannot be undone"),
		verb(api.CommandRollback, "Bring the nodes back to the version before"))
	return c
}

// upgrade shows how the cluster gets to a version, and brings it there.
func (e *env) upgrade(ctx context.Context, u upgrading) error {
	c, _, at, err := e.recorded(ctx)
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
	return e.followCampaign(ctx, anUpgrade, c, at, outcome, u.waiting)
}

// printUpgrade prints how a cluster gets to another version.
func (e *env) printUpgrade(p api.UpgradePreview) error {
	return e.print(p, func() error { return e.upgradeOf(p) })
}

// upgradeOf prints the same for people.
func (e *env) upgradeOf(p api.UpgradePreview) error {
	for _, text := range p.Refusals {
		e.printf("refused: %s\n", text)
	}
	for _, text := range p.Warnings {
		e.printf("warning: %s\n", text)
	}
	if len(p.Phases) == 0 {
		return nil
	}
	return e.phasesOf(p.Phases)
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

// nodeFailed says why a node does not come up in another version, and what can be done.
func (e *env) nodeFailed(ctx context.Context, s api.Service) error {
	err := e.deployFailed(ctx, s)
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w\nno other node goes down meanwhile; kafka-sched upgrade rollback%s "+
		"brings it back to the version before, with its data", err, e.nameFlag())
}

// ended brings this machine's record of a service up to date when a campaign waits or is done.
func (e *env) ended(ctx context.Context, c *client.Client, at record) error {
	_, err := e.sync(ctx, c, at)
	return err
}

// sync has this machine's record of a service say what it is since a migration, and the version of
// Kafka that it runs since an upgrade.
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
	if at, err = at.settle(service); err != nil {
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
