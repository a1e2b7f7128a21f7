package cli

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// daemonPatience is how long a background process waits for its own lock.
const daemonPatience = 2 * time.Second

// keepCmd is the background parent of a cluster's processes.
func (e *env) keepCmd() *cobra.Command {
	return &cobra.Command{
		Use: "keep", Short: "Keep the processes of a cluster running (started by install)",
		Hidden: true, Args: cobra.NoArgs, Example: "  kafka-sched keep --name kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := e.folder()
			if err != nil {
				return err
			}
			k, lock, err := e.newKeeper(f)
			if err != nil {
				return err
			}
			defer lock.release()
			k.log = e.stderr
			return k.run(cmd.Context())
		},
	}
}

// newKeeper makes the keeper of a cluster and takes its lock.
func (e *env) newKeeper(f folder) (*keeper, procLock, error) {
	c, err := f.load()
	if err != nil {
		return nil, procLock{}, err
	}
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
	c := &cobra.Command{
		Use: "scheduler", Short: "Run the scheduler of a cluster (started by the keeper)",
		Hidden: true, Args: cobra.NoArgs, Example: "  kafka-sched scheduler --name kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := e.folder()
			if err != nil {
				return err
			}
			c, err := f.load()
			if err != nil {
				return err
			}
			lock, err := takeLock(f.schedulerLock(), daemonPatience)
			if err != nil {
				return fmt.Errorf("scheduler of %q: %w", f.name, err)
			}
			defer lock.release()
			if err := w.check(); err != nil {
				return err
			}
			c.Watch = w.over(c.Watch)
			options, err := schedulerOptions(f, c)
			if err != nil {
				return err
			}
			return e.daemons.Scheduler(cmd.Context(), options)
		},
	}
	w.flags(c.Flags())
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
		Master: master, Listen: c.Listen, AnyPort: c.AnyPort, Advertise: c.Advertise,
		KafkaDist: c.Kafka.Archive, KafkaVersion: c.Kafka.Version,
		ExecutorBinary: exe, Java: c.Java, LogFile: f.schedulerLog(),
		Webhook: c.Watch.Webhook, WebhookSecretFile: c.Watch.SecretFile,
		StalledAfter: c.Watch.StalledAfter,
	}, nil
}

// localMesosCmd runs the embedded Mesos of a cluster in this process.
func (e *env) localMesosCmd() *cobra.Command {
	return &cobra.Command{
		Use: "localmesos", Short: "Run the embedded Mesos of a cluster (started by the keeper)",
		Hidden: true, Args: cobra.NoArgs, Example: "  kafka-sched localmesos --name kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := e.folder()
			if err != nil {
				return err
			}
			c, err := f.load()
			if err != nil {
				return err
			}
			if c.Mesos == nil {
				return fail(exitUsage, "%q uses the Mesos at %s", f.name, c.Master)
			}
			lock, err := takeLock(f.mesosLock(), daemonPatience)
			if err != nil {
				return fmt.Errorf("embedded Mesos of %q: %w", f.name, err)
			}
			defer lock.release()
			return e.daemons.LocalMesos(cmd.Context(), LocalMesosOptions{
				Dir: f.mesosDir(), MasterAddr: c.Mesos.MasterAddr, Name: f.name,
				Agents: c.Mesos.Agents, LogFile: f.mesosLog(),
			})
		},
	}
}

// executorCmd is what agents run.
func (e *env) executorCmd() *cobra.Command {
	return &cobra.Command{
		Use: "executor", Short: "Run the tasks of a pod (started by a Mesos agent)",
		Hidden: true, Args: cobra.NoArgs, Example: "  kafka-sched executor",
		RunE: func(cmd *cobra.Command, _ []string) error {
			e.exitCode = e.daemons.Executor(cmd.Context())
			return nil
		},
	}
}
