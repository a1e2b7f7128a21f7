package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

// rebalanceFlags say what is to be moved.
type rebalanceFlags struct {
	toNew    bool
	dirs     bool
	to       []int
	evacuate []int
	throttle string
	preview  bool
	body     api.Rebalance
}

func (e *env) rebalanceCmd() *cobra.Command {
	var f rebalanceFlags
	c := &cobra.Command{
		Use: "rebalance", Short: "Move replicas until all brokers have about the same",
		Long: "Plans from the sizes of what lies where, keeps racks apart, and moves as\n" +
			"little as possible, in portions. The plan rebalance shows how far it is; it can\n" +
			"be cancelled, and goes on after a restart of the scheduler. Throttles are always\n" +
			"removed.",
		Args: arguments(0, 0),
		Example: "  kafka-sched rebalance --preview\n" +
			"  kafka-sched rebalance --to-new --throttle 50M\n" +
			"  kafka-sched rebalance --evacuate 3\n  kafka-sched rebalance cancel",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.read(); err != nil {
				return err
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			if f.preview {
				return e.rebalancePreview(cmd.Context(), c, f.body)
			}
			return e.rebalance(cmd.Context(), c, f.body)
		},
	}
	flags := c.Flags()
	flags.BoolVar(&f.preview, "preview", false, "change nothing, and show what would be moved")
	flags.BoolVar(&f.toNew, "to-new", false, "only fill brokers that host nothing")
	flags.BoolVar(&f.dirs, "dirs", false, "only between the log directories inside each broker")
	flags.IntSliceVar(&f.to, "to", nil, "only fill these brokers, by their ids")
	flags.IntSliceVar(&f.evacuate, "evacuate", nil, "move everything off these brokers")
	flags.StringVar(&f.throttle, "throttle", "",
		"bytes a second that each broker may copy, as 50M (default: as fast as they can)")
	reasonFlag(c, &f.body.Reason)
	c.AddCommand(e.rebalanceStatusCmd(), e.rebalanceCancelCmd())
	return c
}

// read makes the body of the flags.
func (f *rebalanceFlags) read() error {
	f.body.Goal = api.GoalEven
	chosen := 0
	if f.toNew {
		f.body.Goal = api.GoalFill
		chosen++
	}
	if f.dirs {
		f.body.Goal = api.GoalDirs
		chosen++
	}
	if len(f.to) > 0 {
		f.body.Goal, f.body.Brokers = api.GoalFill, f.to
		chosen++
	}
	if len(f.evacuate) > 0 {
		f.body.Goal, f.body.Brokers = api.GoalEmpty, f.evacuate
		chosen++
	}
	if chosen > 1 {
		return fail(exitUsage, "give one of --to-new, --to, --evacuate and --dirs")
	}
	throttle, err := byteCount(f.throttle)
	f.body.Throttle = throttle
	return err
}

// byteCount reads an amount of bytes, as 1048576, 50M or 1G; "" is 0.
func byteCount(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number, shift := strings.ToUpper(text), 0
	for i, unit := range []string{"K", "M", "G"} {
		if cut, ok := strings.CutSuffix(number, unit); ok {
			number, shift = cut, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || n <= 0 {
		return 0, fail(exitUsage, "%q is no amount of bytes, as 50M", text)
	}
	return n << shift, nil
}

func (e *env) rebalance(ctx context.Context, c *client.Client, body api.Rebalance) error {
	outcome, err := c.Rebalance(ctx, body)
	if err != nil {
		return e.answer(err)
	}
	if !outcome.Changed {
		return e.alreadyDone(outcome, "rebalance: %s", body.Goal)
	}
	if err := e.print(outcome, func() error {
		e.printLine("%s", outcome.Message)
		return nil
	}); err != nil {
		return err
	}
	e.hintPlan("rebalance")
	return nil
}

func (e *env) rebalancePreview(
	ctx context.Context, c *client.Client, body api.Rebalance,
) error {
	p, err := c.RebalancePreview(ctx, body.Goal, body.Brokers)
	if err != nil {
		return e.answer(err)
	}
	return e.print(p, func() error {
		e.printLine("%s would be moved, %s to be copied", plural(p.Partitions, "partition"),
			byteText(p.Bytes))
		if p.Moving > 0 {
			e.printLine("%s being reassigned now, and waited for", plural(p.Moving, "partition"))
		}
		if len(p.Brokers) == 0 {
			return e.printLeft(p)
		}
		t := e.table([]string{"BROKER", "BYTES", "AFTER", "REPLICAS", "AFTER", "LEADERS", "AFTER",
			"IN", "OUT"})
		for _, b := range p.Brokers {
			row(t, strconv.Itoa(b.ID), byteText(b.Before.Bytes), byteText(b.After.Bytes),
				strconv.Itoa(b.Before.Replicas), strconv.Itoa(b.After.Replicas),
				strconv.Itoa(b.Before.Leaders), strconv.Itoa(b.After.Leaders), byteText(b.In),
				byteText(b.Out))
		}
		if err := t.Flush(); err != nil {
			return err
		}
		return e.printLeft(p)
	})
}

// printLeft names the replicas that cannot leave.
func (e *env) printLeft(p api.RebalancePreview) error {
	for _, l := range p.Left {
		e.printLine("%s-%d cannot leave broker %d: %s", l.Topic, l.Partition, l.Broker, l.Reason)
	}
	return nil
}

// byteText prints an amount of bytes for people.
func byteText(n int64) string {
	value, units := float64(n), []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	unit := -1
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}

func (e *env) rebalanceStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how far the latest rebalance is", Args: arguments(0, 0),
		Example: "  kafka-sched rebalance status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			s, err := c.RebalanceStatus(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			return e.print(s, func() error {
				e.printRebalance(s)
				return nil
			})
		},
	}
}

func (e *env) printRebalance(s api.RebalanceStatus) {
	if s.State == api.RebalanceNone {
		e.printLine("nothing was rebalanced yet")
		return
	}
	e.printLine("rebalance %d (%s) is %s", s.Number, s.Goal, s.State)
	e.printLine("  wanted by %s", s.By)
	e.printLine("  %d of %s moved, %s of %s", s.Moved, plural(s.Partitions, "partition"),
		byteText(s.MovedBytes), byteText(s.Bytes))
	if s.Throttle > 0 {
		e.printLine("  throttled to %s a second and broker", byteText(s.Throttle))
	}
	if s.Reason != "" {
		e.printLine("  %s", s.Reason)
	}
}

func (e *env) rebalanceCancelCmd() *cobra.Command {
	var body api.RebalanceCancel
	c := &cobra.Command{
		Use: "cancel", Short: "End the rebalance, and take back what is on its way",
		Args: arguments(0, 0), Example: "  kafka-sched rebalance cancel --reason 'too slow'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			outcome, err := c.CancelRebalance(cmd.Context(), body)
			if err != nil {
				return e.answer(err)
			}
			if !outcome.Changed {
				return e.alreadyDone(outcome, "rebalance cancel")
			}
			return e.print(outcome, func() error {
				e.printLine("%s", outcome.Message)
				return nil
			})
		},
	}
	reasonFlag(c, &body.Reason)
	return c
}
