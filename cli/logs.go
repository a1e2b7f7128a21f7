package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
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

// file is the name of a task's output file.
func (l logs) file(task string) string {
	if l.stderr {
		return sandbox.Stderr(task)
	}
	return sandbox.Stdout(task)
}

func (e *env) logs(ctx context.Context, l logs, args []string) error {
	_, s, err := e.service(ctx)
	if errors.Is(err, errNotRunning) {
		return e.logsOnDisk(err, l, args[0], args[1])
	}
	if err != nil {
		return err
	}
	box, task, err := e.sandboxOf(ctx, s, args[0], args[1])
	if err != nil {
		return err
	}
	file := l.file(task)
	text, end, err := box.Tail(ctx, file, l.lines)
	if errors.Is(err, sandbox.ErrNoFile) && !l.follow {
		return fail(exitNotFound, "%s has printed nothing yet: its sandbox has no file %s",
			task, file)
	}
	if err != nil && !errors.Is(err, sandbox.ErrNoFile) {
		return err
	}
	if !l.follow {
		e.hintAtErrors(ctx, l, box, task)
		return e.printLog(args[0], task, file, text)
	}
	e.printf("%s", text)
	return box.Follow(ctx, file, end, logsEvery, func(more string) error {
		e.printf("%s", more)
		return nil
	})
}

// logDocument is the JSON document with what a task printed.
type logDocument struct {
	Pod   string   `json:"pod"`
	Task  string   `json:"task"`
	File  string   `json:"file"`
	Lines []string `json:"lines"`
}

// printLog prints the end of a task's output.
func (e *env) printLog(pod, task, file, text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return e.print(logDocument{pod, task, file, lines}, func() error {
		_, err := io.WriteString(e.stdout, text)
		return printing(err)
	})
}

// hintAtErrors says so when a task wrote error output as well: that is where Java says why a
// broker does not start.
func (e *env) hintAtErrors(ctx context.Context, l logs, box *sandbox.Sandbox, task string) {
	if l.stderr {
		return
	}
	size, err := box.Size(ctx, sandbox.Stderr(task))
	if err == nil && size > 0 {
		e.hint("(%s has error output too, which --stderr shows)", task)
	}
}

// sandboxOf finds the sandbox of a task by the names of its pod and, unless "", itself; and gives
// the task's full name.
func (e *env) sandboxOf(
	ctx context.Context, s api.Service, pod, task string,
) (*sandbox.Sandbox, string, error) {
	p := s.Pod(pod)
	if p == nil {
		return nil, "", noPod(s, pod)
	}
	var names []string
	for _, t := range p.Tasks {
		if task == "" || t.Name == task || t.FullName == task {
			box, err := e.findSandbox(ctx, s, *p, t)
			return box, t.FullName, err
		}
		names = append(names, t.Name)
	}
	return nil, "", noTask(pod, task, names)
}

// noTask is the error for a task that a pod does not have; it names those that it has.
func noTask(pod, task string, names []string) error {
	return fail(exitNotFound, "pod %s has no task %q; there are: %s", pod, task,
		listing(names))
}
