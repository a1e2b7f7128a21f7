package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
)

// daemonPatience is how long a background process waits for its own lock.
const daemonPatience = 2 * time.Second

// daemonCmd makes a hidden command that runs one of a cluster's background processes.
func (e *env) daemonCmd(
	name, short string, run func(context.Context, folder, cluster) error,
) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Hidden: true, Args: arguments(0, 0),
		Example: "  kafka-sched " + name + " --name kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := e.folder()
			if err != nil {
				return err
			}
			c, err := f.load()
			if err != nil {
				return err
			}
			return run(cmd.Context(), f, c)
		},
	}
}

// locked runs something while this process holds a lock.
func locked(path, what string, run func() error) error {
	lock, err := takeLock(path, daemonPatience)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer lock.release()
	return run()
}

// keepCmd is the background parent of a cluster's processes.
func (e *env) keepCmd() *cobra.Command {
	return e.daemonCmd("keep", "Keep the processes of a cluster running (started by install)",
		func(ctx context.Context, f folder, c cluster) error {
			k, lock, err := newKeeper(f, c)
			if err != nil {
				return err
			}
			defer lock.release()
			k.log = e.stderr
			return k.run(ctx)
		})
}

// newKeeper makes the keeper of a cluster and takes its lock.
func newKeeper(f folder, c cluster) (*keeper, procLock, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, procLock{}, fmt.Errorf("finding our own program: %w", err)
	}
	lock, err := takeLock(f.keeperLock(), daemonPatience)
	if errors.Is(err, errHeld) {
		return nil, procLock{}, fail(exitConflict, "%q has a keeper already", f.name)
	}
	if err != nil {
		return nil, procLock{}, err
	}
	k := &keeper{
		folder: f, exe: exe, embedded: c.Mesos != nil,
		firstPause: firstPause, longPause: longPause,
	}
	return k, lock, nil
}

// schedulerCmd runs the scheduler of a cluster in this process.
func (e *env) schedulerCmd() *cobra.Command {
	var w watch
	var a access
	c := e.daemonCmd("scheduler", "Run the scheduler of a cluster (started by the keeper)",
		func(ctx context.Context, f folder, c cluster) error {
			if err := w.check(); err != nil {
				return err
			}
			if err := a.check(); err != nil {
				return err
			}
			c.Watch, c.Access = w.over(c.Watch), a.over(c.Access)
			options, err := schedulerOptions(f, c)
			if err != nil {
				return err
			}
			return locked(f.schedulerLock(), fmt.Sprintf("scheduler of %q", f.name), func() error {
				return e.daemons.Scheduler(ctx, options)
			})
		})
	w.flags(c.Flags())
	a.flags(c.Flags())
	return c
}

// schedulerOptions are those of a cluster's scheduler.
func schedulerOptions(f folder, c cluster) (SchedulerOptions, error) {
	exe, err := os.Executable()
	if err != nil {
		return SchedulerOptions{}, fmt.Errorf("finding our own program: %w", err)
	}
	master := c.Master
	if c.Mesos != nil {
		master = "http://" + c.Mesos.MasterAddr
	}
	return SchedulerOptions{
		Name: f.name, Dir: f.schedulerDir(), SpecFile: f.specFile(),
		Master: master, Access: mesoshttp.AccessOptions(c.Access),
		Listen: c.Listen, AnyPort: c.AnyPort, Advertise: c.Advertise,
		KafkaDist: c.Kafka.Archive, KafkaVersion: c.Kafka.Version,
		JRE: c.JRE.Archive, ExecutorBinary: exe, Executors: c.Executors, Java: c.Java,
		Recording: recordingRoom(c.Recording),
		LogFile:   f.schedulerLog(),
		State:     c.State,
		Webhook:   c.Watch.Webhook, WebhookSecretFile: c.Watch.SecretFile,
		StalledAfter: c.Watch.StalledAfter,
	}, nil
}

// executorCmd is what agents run.
func (e *env) executorCmd() *cobra.Command {
	digest := ""
	c := &cobra.Command{
		Use: "executor", Short: "Run the tasks of a pod (started by a Mesos agent)",
		Hidden: true, Args: arguments(0, 0), Example: "  kafka-sched executor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.exitCode = e.daemons.Executor(cmd.Context(), digest)
			return nil
		},
	}
	c.Flags().StringVar(&digest, "sha256", "", "the digest that this program must have")
	return c
}
