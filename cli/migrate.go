package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
)

// aMigration is the campaign that brings a cluster from ZooKeeper to KRaft.
var aMigration = campaign{name: "migrate", noun: "migration", status: (*client.Client).Migration,
	command: func(
		c *client.Client, ctx context.Context, verb string, by steering,
	) (api.Outcome, error) {
		return c.MigrateCommand(ctx, verb, api.MigrateCommand{Accept: by.accept,
			Reason: by.reason})
	},
	failed: (*env).deployFailed, ended: (*env).ended, accepts: true}

// toKRaft are the flags of migrate start.
type toKRaft struct {
	waiting
	specFlags
	dryRun     bool
	pauseAfter []string
	then       string // the version to go on to
	thenDist   string
	thenAll    bool // without waiting again
}

func (e *env) migrateCmd() *cobra.Command {
	verb := func(verb, text string) *cobra.Command {
		return e.campaignVerbCmd(aMigration, verb, text)
	}
	return group("migrate", "Bring a cluster of Kafka 3.9 from ZooKeeper to KRaft",
		"  kafka-sched migrate start --file kraft.yml --dry-run\n"+
			"  kafka-sched migrate status\n  kafka-sched migrate finalize",
		e.migrateStartCmd(), e.campaignStatusCmd(aMigration), e.migrateCompareCmd(),
		verb(api.CommandPauseCampaign, "Have no other node go down for the migration"),
		verb(api.CommandContinueCampaign, "Let a paused migration go on"),
		verb(api.CommandFinalize, "Let go of ZooKeeper, for ever"),
		verb(api.CommandRollback, "Bring the cluster back to ZooKeeper"))
}

func (e *env) migrateStartCmd() *cobra.Command {
	var m toKRaft
	c := &cobra.Command{
		Use: "start", Short: "Begin to bring the cluster from ZooKeeper to KRaft",
		Args: arguments(0, 0),
		Long: "Begin to bring the cluster from ZooKeeper to KRaft, without an outage. The spec\n" +
			"is that of the service as it is to be in the end: the brokers with process:\n" +
			"broker instead of zookeeper, and a pod of controllers; all else stays. It is\n" +
			"shown what is done, and up to where there is a way back. The controllers come\n" +
			"up, the brokers are rolled into the migration and then into KRaft, each as soon\n" +
			"as Kafka can do without it. Then it waits, for as long as you like, until\n" +
			"migrate finalize lets go of ZooKeeper, or migrate rollback goes back to it.\n" +
			"With --then-upgrade the upgrade to that version begins by itself once all is\n" +
			"done; it waits once more before it raises features, unless --then-finalize lets\n" +
			"it. --pause-after upgrade:PHASE pauses behind a phase of that.",
		Example: "  kafka-sched migrate start --file kraft.yml --dry-run\n" +
			"  kafka-sched migrate start --file kraft.yml --pause-after dual-write\n" +
			"  kafka-sched migrate start --file kraft.yml --then-upgrade 4.3.1 --dry-run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.file == "" {
				return fail(exitUsage, "say by --file what the service is to be in the end")
			}
			if err := m.checkThen(); err != nil {
				return err
			}
			return e.migrateToKRaft(cmd.Context(), m)
		},
	}
	m.waiting.flags(c, 2*time.Hour)
	m.specFlags.flags(c)
	f := c.Flags()
	f.BoolVar(&m.dryRun, "dry-run", false, "only show what would be done")
	f.StringSliceVar(&m.pauseAfter, "pause-after", nil, "phase to pause after (repeatable)")
	f.StringVar(&m.then, "then-upgrade", "", "version to go on to once the migration is done")
	f.StringVar(&m.thenDist, "kafka-dist", "",
		"where that Kafka comes from: folder, archive or URL (default: Maven artifacts)")
	f.BoolVar(&m.thenAll, "then-finalize", false,
		"have the upgrade raise features without waiting to be told")
	reasonFlag(c, &m.reason)
	return c
}

// ofUpgrade begins the name of a phase of the upgrade behind a migration.
const ofUpgrade = "upgrade:"

// checkThen refuses what is said of an upgrade that there is not to be.
func (m *toKRaft) checkThen() error {
	if m.then != "" {
		if _, err := upgrade.ParseVersion(m.then); err != nil {
			return fail(exitUsage, "--then-upgrade: %w", err)
		}
		return nil
	}
	ofOne := func(phase string) bool { return strings.HasPrefix(phase, ofUpgrade) }
	if m.thenDist != "" || m.thenAll || slices.ContainsFunc(m.pauseAfter, ofOne) {
		return fail(exitUsage, "--kafka-dist, --then-finalize and --pause-after %s… are about an "+
			"upgrade: say by --then-upgrade to which version", ofUpgrade)
	}
	return nil
}

// wanted is the body of the request for a migration of a service to what is wanted.
func (m *toKRaft) wanted(w wanted) api.Migrate {
	body := api.Migrate{Spec: string(w.text), Files: w.files, Reason: m.reason}
	if m.then != "" {
		body.Then = &api.Upgrade{To: m.then, Finalize: m.thenAll}
	}
	for _, name := range m.pauseAfter {
		if phase, of := strings.CutPrefix(name, ofUpgrade); of {
			body.Then.PauseAfter = append(body.Then.PauseAfter, phase)
			continue
		}
		body.PauseAfter = append(body.PauseAfter, name)
	}
	return body
}

// migrateToKRaft shows how the cluster gets to KRaft, and brings it there.
func (e *env) migrateToKRaft(ctx context.Context, m toKRaft) error {
	c, _, at, err := e.recorded(ctx)
	if err != nil {
		return err
	}
	m.taskConfig = at.cluster.TaskConfig
	w, err := e.want(m.specFlags, at.cluster.Options)
	if err != nil {
		return err
	}
	body := m.wanted(w)
	preview, err := c.MigratePreview(ctx, body)
	if err != nil {
		return e.answer(err)
	}
	if m.dryRun || !e.json && !m.quiet {
		if err := e.printMigration(preview); err != nil {
			return err
		}
	}
	switch wrong := wrongIn(preview); {
	case len(wrong) > 0 && (m.dryRun || !e.json && !m.quiet):
		return fail(exitConflict, "the cluster cannot migrate now")
	case len(wrong) > 0:
		return fail(exitConflict, "the cluster cannot migrate now: %s", strings.Join(wrong, "; "))
	case m.dryRun:
		return nil
	}
	if body.Then != nil {
		body.Then.Distribution, err = e.fetchFor(ctx, at,
			upgrading{waiting: m.waiting, to: m.then, dist: m.thenDist})
		if err != nil {
			return err
		}
	}
	outcome, err := c.Migrate(ctx, body)
	if err != nil {
		return e.answer(err)
	}
	if err := at.expect(w); err != nil {
		return err
	}
	file := ""
	if !at.here { // else it is recorded
		file = " --file " + quote(m.file)
	}
	e.hint("until the migration is finalized the configuration cannot be changed; from then on "+
		"change it with: kafka-sched update start%s%s", file, e.nameFlag())
	return e.followCampaign(ctx, aMigration, c, at, outcome, m.waiting)
}

// wrongIn is all that is against a migration.
func wrongIn(p api.MigratePreview) []string {
	wrong := slices.Clone(p.Refusals)
	if p.Then != nil {
		for _, text := range p.Then.Refusals {
			wrong = append(wrong, "the upgrade behind it: "+text)
		}
	}
	for _, check := range p.Checks {
		if !check.OK {
			wrong = append(wrong, check.Text)
		}
	}
	return wrong
}

// printMigration prints how a cluster gets to KRaft, and whether it can.
func (e *env) printMigration(p api.MigratePreview) error {
	return e.print(p, func() error {
		for _, text := range p.Refusals {
			e.printf("refused: %s\n", text)
		}
		t := e.table([]string{"CHECK", "GOOD", "FOUND"})
		for _, check := range p.Checks {
			row(t, check.Name, yesNo(&check.OK), check.Text)
		}
		if err := t.Flush(); err != nil || len(p.Phases) == 0 {
			return err
		}
		if err := e.phasesOf(p.Phases); err != nil || p.Then == nil {
			return err
		}
		e.printLine("then the upgrade from Kafka %s to %s:", p.Then.From, p.Then.To)
		return e.upgradeOf(*p.Then)
	})
}

func (e *env) migrateCompareCmd() *cobra.Command {
	return &cobra.Command{
		Use: "compare", Short: "Show what is not as it was before the migration",
		Long: "Show what is not as it was when the migration began: topic configurations, ACLs,\n" +
			"quotas, SCRAM users and consumer offsets. As long as there is any difference,\n" +
			"migrate finalize needs --accept.",
		Args: arguments(0, 0), Example: "  kafka-sched migrate compare",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			s, err := c.MigrateComparison(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			return e.print(s, func() error { return e.printComparison(s) })
		},
	}
}

func (e *env) printComparison(s api.MigrateComparison) error {
	t := e.table([]string{"WHAT", "BEFORE", "NOW"})
	for _, k := range s.Kinds {
		row(t, k.Kind, number(int64(k.Before)), number(int64(k.Now)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Differences) == 0 {
		e.printLine("nothing is different")
		return nil
	}
	t = e.table([]string{"DIFFERENT", "NAME", "WAS", "IS"})
	for _, d := range s.Differences {
		row(t, d.Kind, d.Name, orHyphen(d.Before), orHyphen(d.Now))
	}
	return t.Flush()
}
