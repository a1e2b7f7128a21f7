package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) planCmd() *cobra.Command {
	return group("plan", "Show and steer plans",
		"  kafka-sched plan status deploy",
		e.planListCmd(), e.planStatusCmd(),
		e.planVerbCmd(planVerb{
			use: "pause", alias: "interrupt", verb: api.VerbInterrupt, said: "paused",
			short: "Hold a plan or one of its phases", most: 2,
			example: "  kafka-sched plan pause deploy",
		}),
		e.planVerbCmd(planVerb{
			use: "resume", alias: "continue", verb: api.VerbContinue, said: "resumed",
			short: "Let a held plan or phase go on", most: 2,
			example: "  kafka-sched plan resume deploy",
		}),
		e.planVerbCmd(planVerb{
			use: "force-complete", alias: "force", verb: api.VerbForceComplete,
			said: "forced to complete", short: "Count a plan, phase or step as complete",
			most:    3,
			example: "  kafka-sched plan force-complete deploy broker 'kafka-0:[broker]'",
		}),
		e.planVerbCmd(planVerb{
			use: "restart", alias: "force-restart", verb: api.VerbRestart, said: "restarted",
			short: "Do a plan, phase or step once more", most: 3,
			example: "  kafka-sched plan restart deploy broker 'kafka-0:[broker]'",
		}),
		e.planVerbCmd(planVerb{
			use: "start", verb: api.VerbStart, said: "started",
			short: "Start a plan", most: 1,
			example: "  kafka-sched plan start backup",
		}),
		e.planVerbCmd(planVerb{
			use: "stop", verb: api.VerbStop, said: "stopped",
			short: "Stop a plan, which forgets what it has done", most: 1,
			example: "  kafka-sched plan stop backup",
		}),
	)
}

func (e *env) planListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the plans", Args: arguments(0, 0),
		Example: "  kafka-sched plan list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if e.json {
				names, err := c.PlanNames(cmd.Context())
				if err != nil {
					return e.answer(err)
				}
				return e.printJSON(names)
			}
			plans, err := c.Plans(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			w := table(e.stdout, "PLAN", "STATUS", "STEPS")
			for _, p := range plans {
				done, all := count(p)
				row(w, p.Name, p.Status, fmt.Sprintf("%d/%d", done, all))
			}
			return w.Flush()
		},
	}
}

// count gives how many steps of a plan are complete, and how many there are.
func count(p api.Plan) (done, all int) {
	for _, ph := range p.Phases {
		for _, s := range ph.Steps {
			all++
			if s.Status == api.StatusComplete {
				done++
			}
		}
	}
	return done, all
}

func (e *env) planStatusCmd() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use: "status PLAN", Aliases: []string{"show"}, Args: arguments(1, 1),
		Short: "Show a plan with its phases and steps",
		Example: "  kafka-sched plan status deploy\n" +
			"  kafka-sched plan status deploy --watch",
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if watch {
				return e.watchPlan(cmd.Context(), c, args[0])
			}
			p, err := c.Plan(cmd.Context(), args[0])
			if err != nil {
				return e.noPlan(cmd.Context(), c, err)
			}
			if e.json {
				return e.printJSON(p)
			}
			return e.printPlan(p)
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "follow the plan until it is complete")
	return c
}

// noPlan is the error of a request for a plan; if there is no such plan it names those that are.
func (e *env) noPlan(ctx context.Context, c *client.Client, err error) error {
	return e.namesOf(err, func() ([]string, error) { return c.PlanNames(ctx) })
}

// printPlan prints a plan as a tree, in the predecessor's form, with what it lacked after
// each step: how long it is in its state, and why it waits.
func (e *env) printPlan(p api.Plan) error {
	type leaf struct{ head, status, age, reason string }
	var leaves []leaf
	widest := 0
	add := func(l leaf) {
		leaves = append(leaves, l)
		if l.age != "" || l.reason != "" {
			widest = max(widest, utf8.RuneCountInString(l.head+l.status))
		}
	}
	add(leaf{head: fmt.Sprintf("%s (%s strategy)", p.Name, orUnknown(p.Strategy)),
		status: orUnknown(p.Status)})
	for i, ph := range p.Phases {
		branch, stem := twig(i, len(p.Phases))
		add(leaf{head: fmt.Sprintf("%s%s (%s strategy)", branch, orUnknown(ph.Name),
			orUnknown(ph.Strategy)), status: orUnknown(ph.Status)})
		for j, s := range ph.Steps {
			twig, _ := twig(j, len(ph.Steps))
			add(leaf{stem + twig + orUnknown(s.Name), orUnknown(s.Status),
				age(s.AgeSeconds), oneLine(s.Reason)})
		}
	}
	paint := e.paint()
	var b strings.Builder
	for _, l := range leaves {
		fmt.Fprintf(&b, "%s (%s)", l.head, paint.status(l.status))
		if l.age != "" || l.reason != "" {
			gap := widest - utf8.RuneCountInString(l.head+l.status)
			b.WriteString(strings.TrimRight(
				fmt.Sprintf("%*s  %-6s  %s", gap, "", l.age, l.reason), " "))
		}
		b.WriteByte('\n')
	}
	if len(p.Errors) > 0 {
		fmt.Fprintf(&b, "\nErrors:\n- %s\n", strings.Join(p.Errors, "\n- "))
	}
	if _, err := io.WriteString(e.stdout, b.String()); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// twig gives the lines that lead to one of several children, and those below it.
func twig(i, of int) (branch, stem string) {
	if i == of-1 {
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}

// planVerb is a command that acts on a plan, one of its phases, or a step.
type planVerb struct {
	use, alias, verb, said, short, example string
	most                                   int // arguments
}

func (e *env) planVerbCmd(v planVerb) *cobra.Command {
	use := v.use + " PLAN"
	for _, part := range []string{" [PHASE", " [STEP"}[:v.most-1] {
		use += part
	}
	for range v.most - 1 {
		use += "]"
	}
	c := &cobra.Command{
		Use: use, Short: v.short, Example: v.example, Args: arguments(1, v.most),
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			at := append(args, "", "")
			outcome, err := c.PlanCommand(cmd.Context(), at[0], v.verb, at[1], at[2])
			if err != nil && at[1] == "" {
				return e.noPlan(cmd.Context(), c, err)
			}
			if err != nil {
				return e.answer(err)
			}
			if e.json {
				return e.printJSON(outcome)
			}
			if !outcome.Changed {
				e.printf("%s: there is nothing to do, this was already done\n", planTarget(at))
				return nil
			}
			e.printf("%s has been %s.\n", planTarget(at), v.said)
			return nil
		},
	}
	if v.alias != "" {
		c.Aliases = []string{v.alias}
	}
	return c
}

// planTarget names what a command acted on, as the predecessor did.
func planTarget(at []string) string {
	switch {
	case at[1] == "":
		return fmt.Sprintf("%q plan", at[0])
	case at[2] == "":
		return fmt.Sprintf("%q plan: phase %q", at[0], at[1])
	}
	return fmt.Sprintf("%q plan: step %q in phase %q", at[0], at[2], at[1])
}
