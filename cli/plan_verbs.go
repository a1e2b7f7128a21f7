package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

// planVerb is a command that acts on a plan, one of its phases, or a step.
type planVerb struct {
	use, alias, verb, said, short, example string
	most                                   int  // parts: plan, phase, step
	forces                                 bool // whether --force takes Kafka nodes down
}

// The verbs whose outcome the predecessor told in a sentence. update has them as well, for the
// plan that rolls a configuration out.
var (
	pausing = planVerb{
		use: "pause", alias: "interrupt", verb: api.VerbInterrupt, said: "paused",
		short: "Hold a plan or one of its phases", most: 2,
		example: "  kafka-sched plan pause deploy --reason 'look at kafka-0 first'",
	}
	resuming = planVerb{
		use: "resume", alias: "continue", verb: api.VerbContinue, said: "resumed",
		short: "Let a held plan or phase go on", most: 2,
		example: "  kafka-sched plan resume deploy",
	}
	restarting = planVerb{
		use: "force-restart", alias: "restart", verb: api.VerbRestart, said: "restarted",
		short: "Do a plan, phase or step once more", most: 3, forces: true,
		example: "  kafka-sched plan force-restart deploy broker 'kafka-0:[broker]'",
	}
	forcing = planVerb{
		use: "force-complete", alias: "force", verb: api.VerbForceComplete,
		said: "forced to complete", short: "Count a plan, phase or step as complete", most: 3,
		example: "  kafka-sched plan force-complete deploy broker 'kafka-0:[broker]'",
	}
)

// planPart is a plan, a phase of it, or a step of that; what is not named is "".
type planPart struct{ plan, phase, step string }

// String names what a command acted on, as the predecessor did.
func (p planPart) String() string {
	switch {
	case p.phase == "":
		return fmt.Sprintf("%q plan", p.plan)
	case p.step == "":
		return fmt.Sprintf("%q plan: phase %q", p.plan, p.phase)
	}
	return fmt.Sprintf("%q plan: step %q in phase %q", p.plan, p.step, p.phase)
}

// reasonFlag is the flag of every command that changes something.
func reasonFlag(c *cobra.Command, reason *string) {
	c.Flags().StringVar(reason, "reason", "", "why, for the journal")
}

func (e *env) planVerbCmd(v planVerb) *cobra.Command {
	var body api.PlanCommand
	var yes bool
	use := v.use + " PLAN" + strings.Join([]string{" [PHASE", " [STEP"}[:v.most-1], "") +
		strings.Repeat("]", v.most-1)
	c := &cobra.Command{
		Use: use, Short: v.short, Example: v.example, Args: arguments(1, v.most),
		Aliases:           []string{v.alias},
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			at := append(args, "", "")
			if body.Force {
				if err := e.confirmForce("plan "+args[0], unavailable, yes); err != nil {
					return err
				}
			}
			body.Phase, body.Step = at[1], at[2]
			return e.steer(cmd.Context(), v, planPart{at[0], at[1], at[2]}, body)
		},
	}
	if v.forces {
		forceFlags(c, &body.Force, &yes)
	}
	reasonFlag(c, &body.Reason)
	return c
}

// unavailable is the price of taking a Kafka node down that is to come back with its data.
const unavailable = "partitions may be unavailable until it is back"

// steer does a verb to a plan or a part of it, and says so in the predecessor's sentence.
func (e *env) steer(ctx context.Context, v planVerb, at planPart, body api.PlanCommand) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	outcome, err := c.CommandPlan(ctx, at.plan, v.verb, body)
	if err != nil && at.phase == "" {
		return e.noPlan(ctx, c, err)
	}
	if err != nil {
		return e.answer(err)
	}
	if !outcome.Changed {
		return e.alreadyDone(outcome, "%s could not be %s", at, v.said)
	}
	return e.print(outcome, func() error {
		e.printf("%s has been %s.\n", at, v.said)
		e.hintPlan(at.plan)
		return nil
	})
}

// alreadyDone is the end of a command that had nothing to do. That is an error with a code of
// its own, as it was one of the predecessor's; the sentence says what did not come of it.
func (e *env) alreadyDone(outcome api.Outcome, format string, args ...any) error {
	if e.json {
		if err := e.printJSON(outcome); err != nil {
			return err
		}
	}
	return fail(exitAlready, "%s: the command was already issued or completed",
		fmt.Sprintf(format, args...))
}

// hintPlan says how to see what becomes of a plan.
func (e *env) hintPlan(plan string) {
	e.hint("follow it with: kafka-sched plan follow %s%s", plan, e.nameFlag())
}

func (e *env) planStartCmd() *cobra.Command {
	var body api.PlanCommand
	var yes bool
	var params []string
	c := &cobra.Command{
		Use: "start PLAN", Short: "Start a plan (prints JSON)", Args: arguments(1, 1),
		Long: "Start a plan. Parameters become environment variables of what it launches. A\n" +
			"plan that is complete starts anew.",
		Example: "  kafka-sched plan start backup -p TARGET=s3://bucket -p LEVEL=full",

		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			values, err := parameters(params)
			if err != nil {
				return err
			}
			if body.Force {
				if err := e.confirmForce("plan "+args[0], unavailable, yes); err != nil {
					return err
				}
			}
			body.Params = values
			return e.order(cmd.Context(), args[0], api.VerbStart, body)
		},
	}
	c.Flags().StringArrayVarP(&params, "params", "p", nil, "parameter as NAME=VALUE (repeatable)")
	forceFlags(c, &body.Force, &yes)
	reasonFlag(c, &body.Reason)
	return c
}

// parameters reads the values of -p.
func parameters(pairs []string) (map[string]string, error) {
	values := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fail(exitUsage, "-p %s: it is not NAME=VALUE", quote(pair))
		}
		values[name] = value
	}
	return values, nil
}

func (e *env) planStopCmd() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "stop PLAN", Short: "Stop a plan, which forgets what it has done (prints JSON)",
		Args: arguments(1, 1), Example: "  kafka-sched plan stop backup",
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.order(cmd.Context(), args[0], api.VerbStop, api.PlanCommand{Reason: reason})
		},
	}
	reasonFlag(c, &reason)
	return c
}

// order starts or stops a plan and prints the answer as JSON, as the predecessor did.
func (e *env) order(ctx context.Context, plan, verb string, body api.PlanCommand) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	outcome, err := c.CommandPlan(ctx, plan, verb, body)
	if err != nil {
		return e.noPlan(ctx, c, err)
	}
	err = e.printRaw(api.Message{Message: outcome.Message}, func() error {
		e.printf("%s\n", outcome.Message)
		return nil
	})
	if err == nil && verb == api.VerbStart {
		e.hintPlan(plan)
	}
	return err
}

func (e *env) planHistoryCmd() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "history [PLAN]", Short: "Show when plans ran, the latest first",
		Args:              arguments(0, 1),
		Example:           "  kafka-sched plan history\n  kafka-sched plan history deploy -n 5",
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			want := api.HistoryQuery{Page: api.Page{Limit: limit}}
			if len(args) == 1 {
				want.Plan = args[0]
			}
			return e.planHistory(cmd.Context(), c, want)
		},
	}
	limitFlag(c, &limit)
	return c
}

// limitFlag is the flag of commands that print lists which may be long.
func limitFlag(c *cobra.Command, limit *int) {
	*limit = 20
	c.Flags().VarP((*atLeastOne)(limit), "limit", "n", "how many to show at most")
}

func (e *env) planHistory(
	ctx context.Context, c *client.Client, want api.HistoryQuery,
) error {
	history, err := c.History(ctx, want)
	if err != nil {
		return e.answer(err)
	}
	return e.print(history, func() error {
		t := e.table([]string{"STARTED", "PLAN", "STATE", "TOOK", "BY", "REASON", "RESULT"},
			"ADDRESS", "ENDED")
		for _, r := range history.Runs {
			took, ended := "", ""
			if r.Ended != nil {
				took, ended = short(r.Ended.Sub(r.Started)), moment(*r.Ended)
			}
			row(t, moment(r.Started), r.Plan, r.State, took, r.Caller, r.Reason, r.Result,
				r.Address, ended)
		}
		return t.Flush()
	})
}
