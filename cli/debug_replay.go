package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// replaying is one run of debug replay: its flags, and what it has come to so far.
type replaying struct {
	env         *env
	from, until int
	diff        bool
	state       string

	steps, differ int
}

// debugReplayCmd replays a recording.
func (e *env) debugReplayCmd() *cobra.Command {
	r := &replaying{env: e}
	c := &cobra.Command{
		Use: "replay FILE", Short: "Replay a recording of a scheduler, step by step",
		Args: arguments(1, 1),
		Long: "Replay a segment of a recording, or a copy of one: the scheduler's machine is " +
			"given all\nthat it was told, offline, and does it all again. Each step is printed " +
			"with what is written\nand called; one that does other things than it did is marked, " +
			"and then the command fails.",
		Example: "  kafka-sched debug replay kafka.rec --until 40 --state state.json\n" +
			"  kafka-sched debug replay kafka.rec --diff",
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.from < 0 || r.until < 0 {
				return wrongUsage(cmd, "steps are counted from 1")
			}
			return r.run(args[0])
		},
	}
	c.Flags().IntVar(&r.from, "from", 0, "print from this step on")
	c.Flags().IntVar(&r.until, "until", 0, "stop behind this step")
	c.Flags().BoolVar(&r.diff, "diff", false, "print only steps that do other things than they did")
	c.Flags().StringVar(&r.state, "state", "",
		"write the state that it comes to to this file, as state export does")
	return c
}

func (r *replaying) run(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fail(exitUsage, "%s: %w", path, plain(err))
	}
	defer file.Close()
	p, err := flight.Open(file)
	if errors.Is(err, flight.ErrForeign) {
		return fail(exitUsage, "%s: %w", path, err)
	}
	if err != nil {
		return err
	}
	ended, err := r.play(p)
	if err != nil {
		return err
	}
	if r.state != "" {
		if err := r.export(p.Hard()); err != nil {
			return err
		}
	}
	r.env.printf("steps=%d differ=%d end=%s\n", r.steps, r.differ, ended)
	if r.differ > 0 || ended == endDiffers {
		return fail(exitFailed, "this is not what the scheduler did")
	}
	return nil
}

// How a replay ends, besides what flight.Player says.
const (
	endDiffers = "another-state"
	endUntil   = "until"
	endCut     = "killed"
)

// play takes the steps, and says how it ended.
func (r *replaying) play(p *flight.Player) (string, error) {
	for r.until == 0 || r.steps < r.until {
		s, err := p.Next()
		switch {
		case errors.Is(err, flight.ErrDiffers):
			r.env.printf("%v\n", err)
			return endDiffers, nil
		case err == io.EOF && p.End == "":
			return endCut, nil
		case err == io.EOF:
			return p.End, nil
		case err != nil:
			return "", err
		}
		r.steps++
		if s.Differs != "" {
			r.differ++
		}
		if s.N >= r.from && (!r.diff || s.Differs != "") {
			r.print(s)
		}
	}
	return endUntil, nil
}

// print prints a step.
func (r *replaying) print(s flight.Step) {
	r.env.printf("#%d %s %s\n", s.N, s.At.UTC().Format(time.RFC3339Nano), s.Text)
	for _, w := range s.Out.Writes {
		r.env.printf("  %s\n", scheduler.WriteText(w))
	}
	for _, c := range s.Out.Calls {
		r.env.printf("  %s\n", scheduler.CallText(c))
	}
	if s.Panic != "" {
		r.env.printf("  panic %q\n", s.Panic)
	}
	if s.Differs != "" {
		r.env.printf("  DIFFERS: %s\n", s.Differs)
	}
}

// export writes a state down.
func (r *replaying) export(hard scheduler.Hard) error {
	entries, err := store.Entries(hard)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(r.state, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fail(exitUsage, "--state: %w", err)
	}
	if err := errors.Join(store.Export(file, entries), file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", r.state, err)
	}
	return nil
}
