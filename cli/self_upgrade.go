package cli

import (
	"context"
	"errors"
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
	"github.com/kafka-sched/kafka-sched/internal/store"
)

// selfUpgrade is one run of self-upgrade: this program takes the place of the one whose keeper,
// scheduler and embedded Mesos run a cluster.
type selfUpgrade struct {
	env *env
	waiting
	dryRun, roll  bool
	executorFiles []string
	jre           string

	folder   folder
	cluster  cluster
	progress progress
	began    time.Time
	// own is this program, and runs the one that runs the cluster; keeper is its keeper's process.
	own, runs program
	keeper    int
	// schema is that of the state as the scheduler announced it, 0 if it did not.
	schema int
	// before is what the scheduler told before, nil if it did not answer.
	before *api.Service
	from   string // its release
}

func (e *env) selfUpgradeCmd() *cobra.Command {
	u := &selfUpgrade{env: e}
	c := &cobra.Command{
		Use: "self-upgrade", Args: arguments(0, 0),
		Short: "Have this program take over a cluster from the one that runs it",
		Long: "Have this program take over a cluster of this machine from the release that runs\n" +
			"it: end that one's scheduler in good order (and the embedded Mesos, if it is one),\n" +
			"and start this one's in their place, with the same state, address and framework.\n" +
			"Brokers and executors go on meanwhile. If this one does not come up, the one\n" +
			"before is started again. Each pod has its executor until it is launched anew;\n" +
			"with --roll-executors those of other releases are exchanged, node by node, each\n" +
			"as soon as Kafka can do without it. The way back is the same command of the\n" +
			"release before, as long as that one can read the state.",
		Example: "  ./kafka-sched-new self-upgrade --dry-run\n" +
			"  ./kafka-sched-new self-upgrade\n" +
			"  ./kafka-sched-new self-upgrade --roll-executors",
		RunE: func(cmd *cobra.Command, _ []string) error { return u.run(cmd.Context()) },
	}
	u.waiting.flags(c, 10*time.Minute)
	f := c.Flags()
	f.BoolVar(&u.dryRun, "dry-run", false, "only show what would be done")
	f.BoolVar(&u.roll, "roll-executors", false,
		"launch pods anew whose executors are of another release")
	f.StringArrayVar(&u.executorFiles, "executor", nil,
		"kafka-sched built for agents on another platform: [linux/arm64=]FILE; repeatable")
	f.StringVar(&u.jre, "jre", "",
		"Java runtime that agents fetch from now on: folder, archive or URL")
	reasonFlag(c, &u.reason)
	return c
}

func (u *selfUpgrade) run(ctx context.Context) error {
	u.began, u.progress = time.Now(), u.env.progress(u.quiet)
	if err := u.look(ctx); err != nil {
		return err
	}
	if err := u.checkState(ctx); err != nil {
		return err
	}
	if u.dryRun {
		return u.print(u.planned())
	}
	if u.same() && !u.roll {
		return fail(exitAlready, "%q is run by this program already, which is release %s",
			u.folder.name, u.from)
	}
	if !u.same() {
		if err := u.fetchJRE(ctx); err != nil {
			return err
		}
		if err := u.takeOver(ctx); err != nil {
			return err
		}
	}
	c, s, err := u.env.service(ctx)
	if err != nil {
		return err
	}
	if u.roll {
		if s, err = u.rollExecutors(ctx, c); err != nil {
			return err
		}
	}
	return u.print(u.done(s))
}

// same reports whether there is nothing to be exchanged.
func (u *selfUpgrade) same() bool {
	return u.runs == u.own && u.jre == "" && len(u.executorFiles) == 0
}

// fetchJRE gets the Java runtime that agents are to fetch, if they are to fetch another one.
func (u *selfUpgrade) fetchJRE(ctx context.Context) error {
	if u.jre == "" {
		return nil
	}
	source, err := kafkadist.ParseJRE(u.jre)
	if err != nil {
		return fail(exitUsage, "--jre: %w", err)
	}
	d, err := fetchKafka(ctx, source, u.progress)
	if err != nil {
		return err
	}
	u.cluster.JRE = dist{Asked: source.Location, Version: d.Version, Digest: d.Digest,
		Archive: d.Path}
	u.cluster.Java = ""
	return nil
}

// look finds out what runs the cluster, and refuses what this program cannot take the place of.
func (u *selfUpgrade) look(ctx context.Context) error {
	var err error
	if u.folder, u.cluster, err = u.env.own(); err != nil {
		return err
	}
	u.env.nameGiven = true // whatever the environment names, it is about this cluster
	name := u.folder.name
	if exists(u.folder.uninstalled()) {
		return fail(exitConflict, "%q is uninstalled; kafka-sched uninstall%s removes the rest",
			name, u.env.nameFlag())
	}
	if err := u.wantExecutors(); err != nil {
		return err
	}
	if u.keeper, err = holder(u.folder.keeperLock()); err != nil {
		return err
	}
	scheduler, err := holder(u.folder.schedulerLock())
	switch {
	case err != nil:
		return err
	case u.keeper == 0 && scheduler == 0:
		return fail(exitConflict, "%q does not run; the program that it is started with runs it: "+
			"kafka-sched start%s", name, u.env.nameFlag())
	case u.keeper == 0:
		return fail(exitConflict, "the scheduler of %q (process %d) has no keeper that could be "+
			"exchanged; whatever started it has to start this program instead", name, scheduler)
	case !isKeeper(u.keeper):
		return fail(exitConflict, "%q runs in the foreground of process %d; interrupt that one, "+
			"and start the cluster with this program: kafka-sched start%s", name, u.keeper,
			u.env.nameFlag())
	}
	if u.own, err = programOf(ourselves); err != nil {
		return err
	}
	if u.runs, err = programOf(u.keeper); err != nil {
		return err
	}
	u.ask(ctx)
	return nil
}

// wantExecutors takes the executors for other platforms that the flags name.
func (u *selfUpgrade) wantExecutors() error {
	named, err := executorsOf(u.executorFiles)
	if err != nil {
		return err
	}
	all := maps.Clone(u.cluster.Executors)
	for platform, file := range named { //tidy:unordered a map is put into another
		if all == nil {
			all = map[string]string{}
		}
		all[platform] = file
	}
	for _, platform := range slices.Sorted(maps.Keys(u.cluster.Executors)) {
		if named[platform] == "" {
			u.env.hint("agents on %s go on to fetch %s, of the release before, unless --executor "+
				"names another one", platform, u.cluster.Executors[platform])
		}
	}
	u.cluster.Executors = all
	return nil
}

// ask asks the scheduler what it is and what runs. One that does not answer can be replaced, too.
func (u *selfUpgrade) ask(ctx context.Context) {
	u.from = "an unknown release"
	if a, err := u.folder.address(); err == nil {
		u.schema = a.Schema
		if a.Version != "" {
			u.from = a.Version
		}
	}
	if _, s, err := u.env.service(ctx); err == nil {
		u.before, u.from = &s, s.Version
	}
}

// checkState refuses a state that a later release has brought to a form that this one does not
// know. That of a file is only looked at once its scheduler has ended; see takeOver.
func (u *selfUpgrade) checkState(ctx context.Context) error {
	if u.cluster.State.URI == "" {
		if u.schema > store.Schema {
			return u.newer(fmt.Errorf("its schema is %d, and this release knows %d", u.schema,
				store.Schema))
		}
		return nil
	}
	err := readable(ctx, statePlace{stateFlags: stateFlags{Access: u.cluster.State}})
	if errors.Is(err, store.ErrNewer) {
		return u.newer(err)
	}
	return err
}

// newer is the refusal of a state that is too new.
func (u *selfUpgrade) newer(err error) error {
	text := ""
	copies, _ := filepath.Glob(u.folder.file("scheduler", "*.schema-[0-9]*"))
	if len(copies) > 0 {
		text = "; what it was before is in " + strings.Join(copies, ", ") + ", without all that " +
			"happened since"
	}
	return fail(exitConflict, "this program, release %s, cannot take over from %s: the state of "+
		"%q was brought to a later form (%w)%s", u.env.daemons.Version, u.from, u.folder.name, err,
		text)
}

// readable reads a state as a scheduler does when it begins.
func readable(ctx context.Context, p statePlace) error {
	entries, err := p.read(ctx)
	if err == nil {
		_, err = store.Decode(entries)
	}
	return err
}

// rollExecutors has the executors exchanged and follows that.
func (u *selfUpgrade) rollExecutors(ctx context.Context, c *client.Client) (api.Service, error) {
	e := u.env
	outcome, err := c.CommandService(ctx, api.CommandRollExecutors,
		api.ServiceCommand{Reason: u.reason})
	if err != nil {
		return api.Service{}, e.answer(err)
	}
	u.progress.say("%s", outcome.Message)
	if !outcome.Changed || u.noWait {
		return c.Service(ctx)
	}
	return follow{client: c, timeout: u.timeout,
		lines: func(s api.Service) []line { return planLines(s, api.PlanDeploy) },
		done: func(s api.Service) bool {
			return complete(s, api.PlanDeploy) && len(otherExecutors(s)) == 0
		},
		failed:  func(s api.Service) error { return e.deployFailed(ctx, s) },
		silence: func() (bool, error) { return false, keeperAlive(u.folder) },
	}.run(ctx, u.progress)
}

// otherExecutors are the pods that run under executors of other releases than the scheduler's.
func otherExecutors(s api.Service) []string {
	names := []string{}
	for _, p := range s.Pods {
		if p.Executor != nil && !p.Executor.Current {
			names = append(names, p.Name)
		}
	}
	return names
}
