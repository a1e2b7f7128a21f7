package cli

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) debugWhyCmd() *cobra.Command {
	return &cobra.Command{
		Use: "why POD", Short: "Say why a pod is not running where, and what would help",
		Args: arguments(1, 1), Example: "  kafka-sched debug why kafka-1",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			why, err := c.Why(cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return podNames(cmd.Context(), c)
				})
			}
			return e.print(why, func() error { return e.printWhy(why) })
		},
	}
}

// printWhy prints the reasons, the one that matters most first, and the agents.
func (e *env) printWhy(why api.Why) error {
	e.printf("%s\n", why.Summary)
	for _, r := range why.Reasons {
		if r.Text != why.Summary {
			e.printf("\n%s\n", r.Text)
		}
		if r.Help != "" {
			e.printf("  what helps: %s\n", r.Help)
		}
	}
	if len(why.Agents) == 0 {
		return nil
	}
	e.printf("\n")
	t := e.table([]string{"HOST", "DOES NOT FIT BECAUSE"}, "AGENT", "CODES")
	for _, a := range why.Agents {
		row(t, a.Hostname, strings.Join(a.Reasons, "; "), a.AgentID, strings.Join(a.Codes, " "))
	}
	return t.Flush()
}
