package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) planCmd() *cobra.Command {
	return group("plan", "Show and steer plans",
		"  kafka-sched plan status deploy",
		e.planListCmd(), e.planStatusCmd(), e.planFollowCmd(), e.planHistoryCmd(),
		e.planStartCmd(), e.planStopCmd(),
		e.planVerbCmd(pausing), e.planVerbCmd(resuming),
		e.planVerbCmd(restarting), e.planVerbCmd(forcing),
	)
}

func (e *env) planListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the plans (JSON; -o table with their statuses)",
		Args: arguments(0, 0), Aliases: []string{"ls"},
		Example: "  kafka-sched plan list\n  kafka-sched plan list -o table",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			plans, err := c.Plans(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			names := []string{}
			for _, p := range plans {
				names = append(names, p.Name)
			}
			return e.printRaw(names, func() error { return e.printPlans(plans) })
		},
	}
}

func (e *env) printPlans(plans []api.Plan) error {
	t := e.table([]string{"PLAN", "STATUS", "STEPS"}, "STRATEGY", "ERRORS")
	for _, p := range plans {
		done, all := count(p)
		row(t, p.Name, p.Status, fmt.Sprintf("%d/%d", done, all), p.Strategy,
			strings.Join(p.Errors, "; "))
	}
	return t.Flush()
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
			return e.planStatus(cmd.Context(), c, args[0])
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "follow the plan until it is complete")
	return c
}

// planStatus prints one plan.
func (e *env) planStatus(ctx context.Context, c *client.Client, name string) error {
	p, err := readPlan(ctx, c, name)
	if err != nil {
		return e.noPlan(ctx, c, err)
	}
	return e.print(p, func() error { return e.printPlan(p) })
}

// readPlan gives a plan with its reasons and ages, as /v2 has it, or as /v1 has it when only
// that half of the API knows it under this name.
func readPlan(ctx context.Context, c *client.Client, name string) (api.Plan, error) {
	if p, _, err := c.ReadPlan(ctx, name); err == nil {
		return p, nil
	}
	return c.Plan(ctx, name)
}

func (e *env) planFollowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "follow PLAN", Short: "Follow a plan until it is complete", Args: arguments(1, 1),
		Example:           "  kafka-sched plan follow deploy",
		ValidArgsFunction: e.completePlans,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			return e.watchPlan(cmd.Context(), c, args[0])
		},
	}
}

// noPlan is the error of a request for a plan; if there is no such plan it names those that are.
func (e *env) noPlan(ctx context.Context, c *client.Client, err error) error {
	return e.namesOf(err, func() ([]string, error) { return c.PlanNames(ctx) })
}

// printPlan prints a plan as a tree, in the predecessor's form, with what it lacked after
// each step: how long it is in its state, and why it waits.
func (e *env) printPlan(p api.Plan) error {
	root := node{text: strategic(p.Name, p.Strategy), status: orUnknown(p.Status),
		note: heldNote(p.Held)}
	for _, ph := range p.Phases {
		phase := node{text: strategic(ph.Name, ph.Strategy), status: orUnknown(ph.Status),
			note: heldNote(ph.Held)}
		for _, s := range ph.Steps {
			phase.children = append(phase.children, node{text: orUnknown(s.Name),
				status: orUnknown(s.Status), age: age(s.AgeSeconds),
				note: join("; ", oneLine(s.Reason), heldNote(s.Held))})
		}
		root.children = append(root.children, phase)
	}
	if err := e.printTree(root); err != nil || len(p.Errors) == 0 {
		return err
	}
	e.printf("\nErrors:\n- %s\n", strings.Join(p.Errors, "\n- "))
	return nil
}

// heldNote says who holds something, since when and why.
func heldNote(h *api.Held) string {
	if h == nil {
		return ""
	}
	return join(": ", fmt.Sprintf("held by %s since %s", or(h.By, "somebody"), moment(h.At)),
		h.Reason)
}

func strategic(name, strategy string) string {
	return fmt.Sprintf("%s (%s strategy)", orUnknown(name), orUnknown(strategy))
}
