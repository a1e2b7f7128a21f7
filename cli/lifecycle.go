package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// claim takes the right to install, start, stop or uninstall a cluster, until release is
// called; calling it again does nothing.
func claim(f folder) (release func(), err error) {
	lock, err := takeLock(f.installLock(), 0)
	if errors.Is(err, errHeld) {
		return nil, fail(exitConflict, "another command is installing, starting or stopping %q "+
			"at this moment; wait for it", f.name)
	}
	if err != nil {
		return nil, err
	}
	return func() {
		if lock.file != nil {
			os.Remove(f.installLock())
			lock.release()
			lock.file = nil
		}
	}, nil
}

// own gives the cluster that the flags name, which must be one of this machine.
func (e *env) own() (folder, cluster, error) {
	if e.url != "" {
		return folder{}, cluster{}, fail(exitUsage,
			"this command is for a cluster of this machine: use --name, not --url")
	}
	f, err := e.folder()
	if err != nil {
		return f, cluster{}, err
	}
	c, err := f.load()
	return f, c, err
}

func (e *env) startCmd() *cobra.Command {
	var w waiting
	var forget string
	c := &cobra.Command{
		Use: "start", Short: "Start a cluster that was stopped, with its data",
		Args:    arguments(0, 0),
		Example: "  kafka-sched start\n  kafka-sched start --name test",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := e.forget(forget); err != nil {
				return err
			}
			return e.start(cmd.Context(), w)
		},
	}
	w.flags(c, 10*time.Minute)
	reasonFlag(c, &w.reason)
	c.Flags().StringVar(&forget, "forget-framework", "",
		"go on as a new framework: the id of the old one, which the master has ended for ever")
	return c
}

// forget leaves word for the scheduler of a cluster to go on without its framework.
func (e *env) forget(framework string) error {
	if framework == "" {
		return nil
	}
	f, _, err := e.own()
	if err != nil {
		return err
	}
	pid, err := holder(f.schedulerLock())
	if err != nil {
		return err
	}
	if pid != 0 {
		return fail(exitConflict, "the scheduler of %q runs (process %d), so its framework has "+
			"not ended", f.name, pid)
	}
	return writeFile(f.file("scheduler", "forget-framework"), []byte(framework+"\n"))
}

// start starts what of a cluster does not run, and waits until everything does.
func (e *env) start(ctx context.Context, w waiting) error {
	f, c, err := e.own()
	if err != nil {
		return err
	}
	if exists(f.uninstalled()) {
		return fail(exitConflict, "%q is uninstalled; kafka-sched uninstall%s removes the rest",
			f.name, e.nameFlag())
	}
	p := e.progress(w.quiet)
	release, err := claim(f)
	if err != nil {
		return err
	}
	defer release()
	scheduler, err := e.bringUp(ctx, f, c, w, p)
	if err != nil {
		return err
	}
	s, err := undoStop(ctx, scheduler, w.reason)
	if err != nil {
		return e.answer(err)
	}
	release()
	if !w.noWait {
		if s, err = e.awaitRunning(ctx, f, scheduler, s, w, p); err != nil {
			return err
		}
	}
	if e.json {
		doc, err := statusDocument(scheduler.URL(), s)
		if err != nil {
			return err
		}
		return e.printJSON(doc)
	}
	e.printf("%s: %s\n", f.name, summary(s))
	if b := bootstrap(s); b != "" {
		e.printf("  Bootstrap servers  %s\n", b)
	}
	e.printf("  API                %s\n", scheduler.URL())
	return nil
}

// bringUp starts the keeper, unless it runs, and waits for the API. A keeper that was just
// killed may still hold its lock for a moment and look as if it ran; then it is done once more.
func (e *env) bringUp(
	ctx context.Context, f folder, c cluster, w waiting, p progress,
) (*client.Client, error) {
	ran, err := e.haveKeeper(ctx, f, c, p)
	if err != nil {
		return nil, err
	}
	scheduler, err := awaitAPI(ctx, f, w.timeout)
	if err != nil && ran && keeperAlive(f) != nil {
		if _, err = e.haveKeeper(ctx, f, c, p); err != nil {
			return nil, err
		}
		scheduler, err = awaitAPI(ctx, f, w.timeout)
	}
	if err != nil {
		return nil, err
	}
	return scheduler, awaitView(ctx, scheduler)
}

// haveKeeper starts the keeper unless it runs, and tells whether it ran.
func (e *env) haveKeeper(
	ctx context.Context, f folder, c cluster, p progress,
) (ran bool, err error) {
	pid, err := holder(f.keeperLock())
	if err != nil || pid != 0 {
		return pid != 0, err
	}
	if c, err = e.haveKafka(ctx, f, c, p); err != nil {
		return false, err
	}
	if err := e.machine.checkAddresses(f, c); err != nil {
		return false, err
	}
	p.say("starting %s", f.name)
	return false, startKeeper(f)
}

// viewPatience is how long a scheduler that answers may take to load its state.
const viewPatience = 30 * time.Second

// awaitView waits until a scheduler that just began knows the service, and so takes commands.
func awaitView(ctx context.Context, c *client.Client) error {
	_, err := follow{
		client: c, timeout: viewPatience,
		lines: func(api.Service) []line { return nil },
		done:  func(api.Service) bool { return true },
	}.run(ctx, silent{})
	return err
}

// haveKafka gets Kafka's distribution again when the cache has lost it.
func (e *env) haveKafka(
	ctx context.Context, f folder, c cluster, p progress,
) (cluster, error) {
	if c.Kafka.Archive == "" || exists(c.Kafka.Archive) {
		return c, nil
	}
	version := c.Kafka.AskedVersion
	if c.Kafka.Asked == "" {
		version = c.Kafka.Version
	}
	source, err := kafkadist.ParseSource(c.Kafka.Asked, version)
	if err != nil {
		return c, fail(exitPrecheck, "getting Kafka again: %w", err)
	}
	d, err := fetchKafka(ctx, source, p)
	if err != nil {
		return c, err
	}
	if d.Version != c.Kafka.Version {
		return c, fail(exitPrecheck, "%s now has Kafka %s, and %q runs %s", source, d.Version,
			c.Name, c.Kafka.Version)
	}
	c.Kafka.Digest, c.Kafka.Archive = d.Digest, d.Path
	return c, f.save(c)
}

// undoStop tells the scheduler to run the service, unless it does.
func undoStop(
	ctx context.Context, c *client.Client, reason string,
) (api.Service, error) {
	s, err := c.Service(ctx)
	if err != nil {
		return s, err
	}
	switch s.Intent {
	case api.IntentUninstall:
		return s, fail(exitConflict, "%q is being uninstalled; kafka-sched uninstall goes on "+
			"with it", s.Name)
	case api.IntentStop:
		_, err := c.CommandService(ctx, "start", api.ServiceCommand{Reason: reason})
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// settled is how long a service without news from Kafka must look well to count as running.
const settled = 15 * time.Second

// awaitRunning waits until the plans are complete and Kafka itself says that all brokers are
// there. The plans alone do not tell: after a crash of everything they are complete until
// Mesos notices what is gone.
func (e *env) awaitRunning(
	ctx context.Context, f folder, c *client.Client, first api.Service, w waiting, p progress,
) (api.Service, error) {
	spec, err := f.recorded()
	if err != nil {
		return first, err
	}
	return follow{
		client: c,
		lines: func(s api.Service) []line {
			return planLines(s, api.PlanDeploy, api.PlanRecovery)
		},
		done:    func(s api.Service) bool { return running(s, spec, first.Now) },
		failed:  func(s api.Service) error { return e.deployFailed(ctx, s) },
		silence: func() (bool, error) { return false, keeperAlive(f) },
		timeout: w.timeout,
	}.run(ctx, p)
}

// running says whether a service runs, by answers that are younger than a moment.
func running(s api.Service, spec servicespec.Service, since time.Time) bool {
	recovery := s.Plan(api.PlanRecovery)
	well := s.Connected && s.Intent == api.IntentRun && complete(s, api.PlanDeploy) &&
		(recovery == nil || recovery.Status == api.StatusComplete)
	if !well {
		return false
	}
	if s.Now.Sub(since) > settled {
		return true
	}
	for _, p := range spec.Pods {
		if p.Kafka == nil || p.Kafka.Process == "controller" {
			continue
		}
		if s.Kafka.Asked == nil || s.Kafka.Asked.Before(since) || s.Kafka.Error != "" {
			return false
		}
		for i := range p.Count {
			pod := s.Pod(fmt.Sprintf("%s-%d", p.Type, i))
			if pod == nil || pod.Broker == nil || !pod.Broker.Registered || pod.Broker.Fenced {
				return false
			}
		}
	}
	return true
}

func (e *env) stopCmd() *cobra.Command {
	var w waiting
	c := &cobra.Command{
		Use: "stop", Short: "Stop a cluster; its data stays", Args: arguments(0, 0),
		Long: "Stop a cluster: brokers stop cleanly, then the scheduler and the embedded Mesos\n" +
			"end. Data and reservations stay; kafka-sched start brings the cluster back.",
		Example: "  kafka-sched stop\n  kafka-sched stop --name test --timeout 2m",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return e.stop(cmd.Context(), w)
		},
	}
	w.flags(c, 10*time.Minute)
	reasonFlag(c, &w.reason)
	return c
}

func (e *env) stop(ctx context.Context, w waiting) error {
	f, c, err := e.own()
	if err != nil {
		return err
	}
	release, err := claim(f)
	if err != nil {
		return err
	}
	defer release()
	down, err := allDown(f)
	if err != nil {
		return err
	}
	if down {
		return e.stopDone(f, "is stopped already")
	}
	p := e.progress(w.quiet)
	scheduler, err := e.bringUp(ctx, f, c, w, p)
	if err != nil {
		return err
	}
	_, err = scheduler.CommandService(ctx, "stop", api.ServiceCommand{Reason: w.reason})
	if err != nil {
		return e.answer(err)
	}
	if w.noWait {
		return e.stopDone(f, "is stopping")
	}
	_, err = follow{
		client:  scheduler,
		lines:   stopLines(),
		done:    func(s api.Service) bool { return s.Intent != api.IntentRun && live(s) == 0 },
		silence: func() (bool, error) { return false, keeperAlive(f) },
		timeout: w.timeout,
	}.run(ctx, p)
	if err != nil {
		return err
	}
	if err := stopProcesses(ctx, f); err != nil {
		return err
	}
	return e.stopDone(f, "is stopped; its data is kept")
}

// stopLines gives the tasks that end. One that is launched again has only its controller: the
// last broker needs a quorum to end in order.
func stopLines() func(api.Service) []line {
	ending := map[string]bool{}
	return func(s api.Service) []line {
		lines := taskLines(s)
		for i, l := range lines {
			if l.status == "KILLING" || !isLive(l.status) {
				ending[l.key] = true
			} else if ending[l.key] {
				lines[i].reason = "its controller runs alone until the last broker has ended"
			}
		}
		return lines
	}
}

func (e *env) stopDone(f folder, how string) error {
	if e.json {
		return e.printJSON(map[string]any{"name": f.name, "message": f.name + " " + how})
	}
	e.printf("%s %s\n", f.name, how)
	return nil
}

// allDown says whether no process of a cluster runs, brokers included.
func allDown(f folder) (bool, error) {
	for _, lock := range []string{f.keeperLock(), f.schedulerLock(), f.mesosLock()} {
		pid, err := holder(lock)
		if err != nil || pid != 0 {
			return false, err
		}
	}
	return len(leftovers(f)) == 0, nil
}

// removeCluster removes a cluster's folder, and the home folder when it is empty then.
func removeCluster(f folder) error {
	if err := os.RemoveAll(f.dir); err != nil {
		return fmt.Errorf("removing the cluster's folder: %w", err)
	}
	err := os.Remove(string(homeOf(f)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotEmpty(err) {
		return fmt.Errorf("removing the home folder: %w", err)
	}
	return nil
}
