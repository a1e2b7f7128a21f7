package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

// logsEvery is how often logs -f looks for more.
const logsEvery = 500 * time.Millisecond

func (e *env) logsCmd() *cobra.Command {
	var l logs
	c := &cobra.Command{
		Use: "logs POD [TASK]", Short: "Show what a task printed", Args: arguments(1, 2),
		Long: "Show what a task printed, through the Mesos agent that it runs on. Without\n" +
			"TASK it is the first task of the pod.",
		Example:           "  kafka-sched logs kafka-0\n  kafka-sched logs kafka-0 broker -f -n 50",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.lines < 0 {
				return fail(exitUsage, "--lines %d: must not be negative", l.lines)
			}
			return e.logs(cmd.Context(), l, append(args, "")[:2])
		},
	}
	c.Flags().BoolVarP(&l.follow, "follow", "f", false, "go on with what is printed later")
	c.Flags().IntVarP(&l.lines, "lines", "n", 100, "how many of the last lines to show")
	c.Flags().BoolVar(&l.stderr, "stderr", false, "show the error output instead")
	return c
}

// logs are the flags of the command.
type logs struct {
	follow, stderr bool
	lines          int
}

// suffix is the end of the output file's name.
func (l logs) suffix() string {
	if l.stderr {
		return ".err"
	}
	return ".out"
}

func (e *env) logs(ctx context.Context, l logs, args []string) error {
	_, s, err := e.service(ctx)
	if errors.Is(err, errNotRunning) {
		return e.logsOnDisk(err, args[0])
	}
	if err != nil {
		return err
	}
	box, err := sandboxOf(ctx, s, args[0], args[1])
	if err != nil {
		return err
	}
	file := box.task + l.suffix()
	text, end, err := box.tail(ctx, file, l.lines)
	if errors.Is(err, errNoFile) && !l.follow {
		return fail(exitNotFound, "%s has printed nothing yet: its sandbox has no file %s",
			box.task, file)
	}
	if err != nil && !errors.Is(err, errNoFile) {
		return err
	}
	if e.json && !l.follow {
		return e.printJSON(map[string]any{
			"pod": args[0], "task": box.task, "file": file,
			"lines": strings.Split(strings.TrimSuffix(text, "\n"), "\n"),
		})
	}
	e.printf("%s", text)
	if !l.follow {
		e.hintAtErrors(ctx, l, box)
		return nil
	}
	return e.followLog(ctx, box, file, end)
}

// hintAtErrors says so when a task wrote error output as well: that is where Java says why a
// broker does not start.
func (e *env) hintAtErrors(ctx context.Context, l logs, box *sandbox) {
	if l.stderr {
		return
	}
	size, err := box.read(ctx, box.task+".err", -1)
	if err == nil && size.Offset > 0 {
		fmt.Fprintf(e.stderr, "(%s has error output too, which --stderr shows)\n", box.task)
	}
}

// logsOnDisk adds to the error of a cluster that is stopped where the output of a pod lies.
func (e *env) logsOnDisk(err error, pod string) error {
	f, wrong := e.folder()
	if wrong != nil {
		return err
	}
	found, wrong := filepath.Glob(f.file("mesos", "agents", "*", "slaves", "*", "frameworks", "*",
		"executors", "*", "runs", "latest", pod+"-*.out"))
	if wrong != nil || len(found) == 0 {
		return err
	}
	return fmt.Errorf("%w\nuntil then, what %s printed is in:\n  %s", err, pod,
		strings.Join(found, "\n  "))
}

// sandboxOf finds the sandbox of a task by the names of its pod and, unless "", itself.
func sandboxOf(ctx context.Context, s api.Service, pod, task string) (*sandbox, error) {
	p := s.Pod(pod)
	if p == nil {
		return nil, noPod(s, pod)
	}
	var names []string
	for _, t := range p.Tasks {
		if task == "" || t.Name == task || t.FullName == task {
			return findSandbox(ctx, s, *p, t)
		}
		names = append(names, t.Name)
	}
	return nil, fail(exitNotFound, "pod %s has no task %q; there are: %s",
		pod, task, orUnknown(strings.Join(names, ", ")))
}

// followLog prints what comes until it is interrupted. A file that became shorter was rotated,
// or belongs to a new start of the pod, and is read from its beginning. An agent that does not
// answer is asked again.
func (e *env) followLog(ctx context.Context, box *sandbox, file string, end int64) error {
	tick := time.NewTicker(logsEvery)
	defer tick.Stop()
	for {
		size, err := box.read(ctx, file, -1)
		if err == nil && size.Offset < end {
			end = 0
		}
		for err == nil && end < size.Offset {
			var p piece
			if p, err = box.read(ctx, file, end); err == nil {
				if p.Data == "" {
					break
				}
				e.printf("%s", p.Data)
				end += p.length(size.Offset - end)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
