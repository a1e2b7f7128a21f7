package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
)

// campaign is what the commands on an upgrade and those on a migration differ in.
type campaign struct {
	// name is that of the command and of the plan, noun what it is called.
	name, noun string
	// status says how far it is, command steers it.
	status  func(*client.Client, context.Context) (api.Campaign, error)
	command func(*client.Client, context.Context, string, steering) (api.Outcome, error)
	// failed says why it does not get on, nil if it does.
	failed func(*env, context.Context, api.Service) error
	// ended brings what this machine knows up to date.
	ended func(*env, context.Context, *client.Client, record) error
	// accepts says that it is finalized in spite of differences if told so.
	accepts bool
}

// steering are the flags of a command on a campaign.
type steering struct {
	waiting
	accept bool
}

// followCampaign waits until a campaign is done or waits for the operator, and prints where it is.
func (e *env) followCampaign(
	ctx context.Context, k campaign, c *client.Client, at record, outcome api.Outcome, w waiting,
) error {
	if !outcome.Changed {
		return e.alreadyDone(outcome, "%s", k.name)
	}
	if w.noWait {
		return e.print(outcome, func() error {
			e.printLine("%s", outcome.Message)
			return nil
		})
	}
	f := follow{client: c, timeout: w.timeout,
		lines: func(s api.Service) []line { return planLines(s, k.name) },
		done: func(s api.Service) bool {
			p := s.Plan(k.name)
			return p == nil || p.Status == api.StatusComplete || p.Status == api.StatusWaiting
		},
		failed: func(s api.Service) error { return k.failed(e, ctx, s) }}
	if at.here {
		f.silence = func() (bool, error) { return false, keeperAlive(at.folder) }
	}
	if _, err := f.run(ctx, e.progress(w.quiet)); err != nil {
		return err
	}
	if err := k.ended(e, ctx, c, at); err != nil {
		return err
	}
	return e.campaignStatus(ctx, k, c)
}

func (e *env) campaignStatusCmd(k campaign) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how far the latest " + k.noun + " is",
		Args: arguments(0, 0), Example: "  kafka-sched " + k.name + " status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.campaignStatus(cmd.Context(), k, c)
		},
	}
}

func (e *env) campaignStatus(ctx context.Context, k campaign, c *client.Client) error {
	s, err := k.status(c, ctx)
	if err != nil {
		return e.answer(err)
	}
	return e.print(s, func() error { return e.printCampaign(k, s) })
}

// printCampaign prints how far a campaign is.
func (e *env) printCampaign(k campaign, s api.Campaign) error {
	if s.State == api.CampaignNone {
		e.printLine("there was no %s yet", k.noun)
		return nil
	}
	e.printLine("the %s from %s to %s is %s", k.noun, s.From, s.To, s.State)
	if err := e.printPhases(s); err != nil {
		return err
	}
	if s.Then != nil {
		e.printLine("then the upgrade to %s, which is %s", s.Then.To, s.Then.State)
		if err := e.printPhases(*s.Then); err != nil {
			return err
		}
		if s.Then.State == api.CampaignWaiting || s.Then.State == api.CampaignPaused {
			return e.printWay(anUpgrade, *s.Then)
		}
	}
	return e.printWay(k, s)
}

// printPhases prints how far the phases of a campaign are, and what holds it.
func (e *env) printPhases(s api.Campaign) error {
	t := e.table([]string{"PHASE", "STATE", "WHAT", "WAY BACK"})
	for _, p := range s.Phases {
		row(t, p.Name, p.State, p.What, orHyphen(p.Undo))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if s.Reason != "" {
		e.printLine("%s", s.Reason)
	}
	return nil
}

// printWay says how a campaign that waits goes on.
func (e *env) printWay(k campaign, s api.Campaign) error {
	switch s.State {
	case api.CampaignWaiting:
		e.hint("look at the cluster for as long as you like, and then: kafka-sched %s finalize%s, "+
			"or kafka-sched %[1]s rollback%[2]s", k.name, e.nameFlag())
	case api.CampaignPaused:
		e.hint("kafka-sched %s continue%s goes on", k.name, e.nameFlag())
	}
	return nil
}

// phasesOf prints what a campaign would do, phase by phase.
func (e *env) phasesOf(phases []api.Phased) error {
	t := e.table([]string{"PHASE", "WHAT", "WAY BACK"})
	for _, phase := range phases {
		row(t, phase.Name, phase.What, or(phase.Undo, "none, once it has begun"))
	}
	return t.Flush()
}

// campaignVerbCmd is a command on a campaign.
func (e *env) campaignVerbCmd(k campaign, verb, text string) *cobra.Command {
	var w steering
	c := &cobra.Command{
		Use: verb, Short: text, Args: arguments(0, 0),
		Example: "  kafka-sched " + k.name + " " + verb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			c, _, at, err := e.recorded(ctx)
			if err != nil {
				return err
			}
			outcome, err := k.command(c, ctx, verb, w)
			if err != nil {
				return e.answer(err)
			}
			w.noWait = w.noWait || verb == api.CommandPauseCampaign
			return e.followCampaign(ctx, k, c, at, outcome, w.waiting)
		},
	}
	reasonFlag(c, &w.reason)
	if verb == api.CommandPauseCampaign {
		return c
	}
	w.waiting.flags(c, 2*time.Hour)
	if verb == api.CommandFinalize && k.accepts {
		c.Flags().BoolVar(&w.accept, "accept", false,
			"although the comparison shows differences")
	}
	return c
}
