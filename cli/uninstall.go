package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) uninstallCmd() *cobra.Command {
	var w waiting
	var yes, force bool
	c := &cobra.Command{
		Use: "uninstall", Short: "End a cluster for ever and delete its data",
		Args: arguments(0, 0),
		Long: "End a cluster for ever: its brokers, its data, its reservations, its processes\n" +
			"and its folder. Only the cache of Kafka distributions stays. With --force an\n" +
			"embedded cluster is removed without its scheduler, if that cannot be started.",
		Example: "  kafka-sched uninstall\n  kafka-sched uninstall --name test --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, c, err := e.own()
			if err != nil {
				return err
			}
			if force && c.Mesos == nil {
				return fail(exitUsage, "--force is for embedded clusters: at %s it would leave "+
					"brokers and reservations behind", redactText(c.Master))
			}
			err = e.agree(yes, fmt.Sprintf("Delete cluster %q with all its data?", f.name),
				fmt.Sprintf("this deletes all data of %q", f.name))
			if err != nil {
				return err
			}
			return e.uninstall(cmd.Context(), f, c, w, force)
		},
	}
	w.flags(c, 10*time.Minute)
	reasonFlag(c, &w.reason)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&force, "force", false, "do without the scheduler (embedded Mesos only)")
	return c
}

func (e *env) uninstall(
	ctx context.Context, f folder, c cluster, w waiting, force bool,
) error {
	release, err := claim(f)
	if err != nil {
		return err
	}
	defer release()
	if !force && !isUninstalled(f) {
		if err := e.runUninstallPlan(ctx, f, c, w); err != nil || w.noWait {
			return err
		}
	}
	if err := stopProcesses(ctx, f); err != nil {
		return err
	}
	patience := 15 * time.Second
	if force {
		patience = 0
	}
	if err := endLeftovers(ctx, f, patience); err != nil {
		return err
	}
	if err := removeCluster(f); err != nil {
		return err
	}
	return e.stopDone(f, "is uninstalled; nothing of it is left")
}

// isUninstalled says whether the scheduler has finished its uninstallation and ended.
func isUninstalled(f folder) bool {
	pid, err := holder(f.schedulerLock())
	return err == nil && pid == 0 && exists(f.uninstalled())
}

// runUninstallPlan has the scheduler end and free everything, and follows its plan.
func (e *env) runUninstallPlan(
	ctx context.Context, f folder, c cluster, w waiting,
) error {
	p := e.progress(w.quiet)
	scheduler, err := e.bringUp(ctx, f, c, w, p)
	if err != nil {
		if c.Mesos != nil && ctx.Err() == nil {
			stopProcesses(ctx, f)
			return fmt.Errorf("%w\nif the scheduler cannot be started any more: "+
				"kafka-sched uninstall --force%s", err, e.nameFlag())
		}
		return err
	}
	_, err = scheduler.CommandService(ctx, "uninstall", api.ServiceCommand{Reason: w.reason})
	if err != nil {
		return e.answer(err)
	}
	if w.noWait {
		return e.stopDone(f, "is being uninstalled; kafka-sched uninstall goes on with it")
	}
	_, err = follow{
		client: scheduler,
		lines:  func(s api.Service) []line { return planLines(s, api.PlanUninstall) },
		done:   func(api.Service) bool { return isUninstalled(f) },
		silence: func() (bool, error) {
			if isUninstalled(f) {
				return true, nil
			}
			return false, keeperAlive(f)
		},
		timeout: w.timeout,
	}.run(ctx, p)
	return err
}

// leftovers are the processes that run in a sandbox of a cluster's embedded Mesos: executors
// and what they started. A process with a terminal is somebody who looks around there, and
// not one of them.
func leftovers(f folder) []int {
	dir, err := filepath.EvalSymlinks(f.mesosDir())
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		cwd, err := os.Readlink(filepath.Join("/proc", entry.Name(), "cwd"))
		if err != nil || !strings.HasPrefix(cwd, dir+string(filepath.Separator)) {
			continue
		}
		if !hasTerminal(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// hasTerminal says whether a process has a controlling terminal.
func hasTerminal(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The name is in parentheses and may hold anything; tty_nr is the fifth field after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return len(fields) > 4 && fields[4] != "0"
}

// endLeftovers waits for the processes of a cluster's sandboxes to end, then ends them.
func endLeftovers(ctx context.Context, f folder, patience time.Duration) error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{0, patience}, {syscall.SIGTERM, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if step.signal != 0 {
			for _, pid := range leftovers(f) {
				syscall.Kill(pid, step.signal) // it may have ended just now
			}
		}
		if err := awaitNoLeftovers(ctx, f, step.wait); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("processes %v in the sandboxes of %q do not end", leftovers(f), f.name)
}

func awaitNoLeftovers(ctx context.Context, f folder, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(2 * lockPoll)
	defer tick.Stop()
	for len(leftovers(f)) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST)
}
