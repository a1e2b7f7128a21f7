package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
	"github.com/spf13/cobra"
)

// shortestPause leaves an agent the time to go and to come back before the next fault.
const shortestPause = 10 * time.Second

// randomCmd draws faults for a while.
func (ch *chaos) randomCmd() *cobra.Command {
	var seed uint64
	lasting, pause := 10*time.Minute, 20*time.Second
	c := &cobra.Command{
		Use: "random", Short: "Draw faults at random for a while, and print each",
		Args: arguments(0, 0),
		Long: "Draw faults at random for a while, and print each. At most one agent is " +
			"away at any time,\nand none is removed for good, so that no data is at stake. " +
			"The same --seed draws the same\nfaults. At the end, or at an interrupt, all " +
			"faults are ended.",
		Example: "  kafka-sched localmesos chaos random --for 10m --seed 7 --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if pause < shortestPause {
				return fail(exitUsage, "--pause %s: an agent needs %s to go and come back", pause,
					shortestPause)
			}
			err := ch.env.agree(ch.yes, "Draw faults at random. Anything that the other commands "+
				"of chaos do may happen.\nGo on?", "random disturbs the cluster")
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("seed") {
				seed = rand.Uint64N(1_000_000)
			}
			return ch.random(cmd.Context(), seed, lasting, pause)
		},
	}
	c.Flags().Var((*patience)(&lasting), "for", "how long to go on")
	c.Flags().Var((*patience)(&pause), "pause", "the mean time between two faults")
	c.Flags().Uint64Var(&seed, "seed", 0, "what the faults are drawn from (default: any)")
	return c
}

func (ch *chaos) random(
	ctx context.Context, seed uint64, lasting, pause time.Duration,
) error {
	e := ch.env
	s, err := ch.state(ctx)
	if err != nil {
		return err
	}
	e.printf("seed %d: faults for %s\n", seed, lasting)
	draw := drawer{rng: rand.New(rand.NewPCG(seed, seed)), pause: pause}
	for _, a := range s.Agents {
		draw.agents = append(draw.agents, a.Name)
	}
	defer func() {
		done, err := ch.inject(context.WithoutCancel(ctx),
			localmesos.Fault{Action: localmesos.EndFaults})
		if err == nil {
			e.printf("the end: %s\n", done.Done)
		}
	}()
	over := time.After(lasting)
	for {
		f := draw.fault()
		done, err := ch.inject(ctx, f)
		if code := codeOf(err); err != nil && code != exitUsage {
			return err
		}
		outcome := done.Done
		if err != nil { // such as an agent that is still away
			outcome = "not now: " + err.Error()
		}
		e.printf("%s  %s %s: %s\n", time.Now().UTC().Format("15:04:05"), f.Action, f.Agent,
			outcome)
		next := time.NewTimer(draw.wait())
		select {
		case <-next.C:
		case <-over:
			next.Stop()
			return nil
		case <-ctx.Done():
			next.Stop()
			return errors.Join(ctx.Err(), fmt.Errorf("the faults are being ended"))
		}
	}
}

// drawer draws faults; what it draws depends on nothing but its seed and the agents.
type drawer struct {
	rng    *rand.Rand
	pause  time.Duration
	agents []string
}

// wait is the time until the next fault: half to one and a half of the pause.
func (d *drawer) wait() time.Duration {
	return d.pause/2 + time.Duration(d.rng.Int64N(int64(d.pause)+1))
}

// span is a time of some seconds, shorter than the shortest wait so that agents are back.
func (d *drawer) span(most time.Duration) localmesos.Span {
	most = max(min(most, d.pause/2-4*time.Second), time.Second)
	length := time.Second + time.Duration(d.rng.Int64N(int64(most)))
	return localmesos.Span(length.Round(100 * time.Millisecond))
}

// What is drawn: outages, which shake a cluster by themselves, twice as often as what waits for
// messages to spoil.
var (
	outages = []localmesos.FaultAction{localmesos.KillAgent, localmesos.FreezeAgent,
		localmesos.PartitionAgent, localmesos.RebootAgent, localmesos.FailOver}
	spoilers = []localmesos.FaultAction{localmesos.RescindOffers, localmesos.DropUpdates,
		localmesos.DelayUpdates, localmesos.DoubleUpdates, localmesos.ReorderUpdates,
		localmesos.RefuseOperations, localmesos.DelayAccepts, localmesos.LoseLaunches}
)

// fault draws one.
func (d *drawer) fault() localmesos.Fault {
	actions := outages
	if d.rng.IntN(3) == 0 {
		actions = spoilers
	}
	f := localmesos.Fault{Action: actions[d.rng.IntN(len(actions))]}
	switch f.Action {
	case localmesos.KillAgent, localmesos.FreezeAgent, localmesos.PartitionAgent,
		localmesos.RebootAgent:
		if len(d.agents) > 0 {
			f.Agent = d.agents[d.rng.IntN(len(d.agents))]
		}
		f.For, f.Timeout = d.span(20*time.Second), d.span(20*time.Second)
	case localmesos.FailOver:
		f.Election, f.Rejoin = d.span(5*time.Second), d.span(5*time.Second)
	case localmesos.RefuseOperations:
		f.State = []string{"FAILED", "DROPPED", "ERROR"}[d.rng.IntN(3)]
		f.Count = 1 + d.rng.IntN(3)
	case localmesos.DelayUpdates, localmesos.ReorderUpdates, localmesos.DelayAccepts,
		localmesos.LoseLaunches:
		f.Delay, f.Count = d.span(10*time.Second), 1+d.rng.IntN(3)
	case localmesos.DropUpdates, localmesos.DoubleUpdates:
		f.Count = 1 + d.rng.IntN(5)
	}
	return f
}
