package cli

import (
	"context"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) agentCmd() *cobra.Command {
	return group("agent", "Show the Mesos agents that something is held on, and give one up",
		"  kafka-sched agent list", e.agentListCmd(), e.agentDescribeCmd(), e.agentAbandonCmd())
}

func (e *env) agentListCmd() *cobra.Command {
	var state string
	c := &cobra.Command{
		Use: "list", Short: "List the agents that something is held on",
		Args: arguments(0, 0), Aliases: []string{"ls"},
		Example: "  kafka-sched agent list\n  kafka-sched agent list --state AWAY -o wide",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			list, err := c.FindAgents(cmd.Context(), strings.ToUpper(state), api.Page{})
			if err != nil {
				return e.answer(err)
			}
			return e.print(list, func() error { return e.printAgents(list.Agents) })
		},
	}
	c.Flags().StringVar(&state, "state", "", "only agents in this state: "+
		strings.Join(agentStates, ", "))
	cobra.CheckErr(c.RegisterFlagCompletionFunc("state",
		cobra.FixedCompletions(agentStates, cobra.ShellCompDirectiveNoFileComp)))
	return c
}

// agentStates are those that an agent can be in.
var agentStates = []string{api.AgentConnected, api.AgentAway, api.AgentDraining,
	api.AgentDrained, api.AgentGone, api.AgentAbandoned}

func (e *env) printAgents(agents []api.Agent) error {
	t := e.table([]string{"HOST", "STATE", "AWAY SINCE", "HOLDS", "NOTE"},
		"AGENT", "ZONE", "ATTRIBUTES", "VOLUMES")
	for _, a := range agents {
		away := ""
		if a.AwaySince != nil {
			away = moment(*a.AwaySince)
		}
		row(t, a.Hostname, a.State, away, strings.Join(holdsOf(a), ", "), a.Note, a.ID, a.Zone,
			strings.Join(a.Attributes, " "), strings.Join(a.Volumes, " "))
	}
	return t.Flush()
}

// holdsOf says in words what is held on an agent.
func holdsOf(a api.Agent) []string {
	holds := append([]string(nil), a.Pods...)
	if n := len(a.Reservations); n > 0 {
		holds = append(holds, plural(n, "reservation")+" to be freed")
	}
	return holds
}

func (e *env) agentDescribeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "describe AGENT", Short: "Show all that is known of one agent, by its id or host",
		Args: arguments(1, 1), Example: "  kafka-sched agent describe host-3.example",
		ValidArgsFunction: e.completeAgents,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			a, _, err := c.ReadAgent(cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return agentNames(cmd.Context(), c)
				})
			}
			return e.print(a, func() error {
				e.printAgent(a)
				return nil
			})
		},
	}
}

func (e *env) printAgent(a api.Agent) {
	line := func(what, value string) {
		if value != "" {
			e.printLine("%-13s %s", what, value)
		}
	}
	line("Agent", a.ID)
	line("Host", a.Hostname)
	line("State", a.State)
	if a.AwaySince != nil {
		line("Away since", moment(*a.AwaySince))
	}
	line("Note", a.Note)
	if m := a.Maintenance; m != nil && m.End != nil {
		line("Maintenance", moment(m.Start)+" to "+moment(*m.End))
	} else if m != nil {
		line("Maintenance", "from "+moment(m.Start))
	}
	line("Region", a.Region)
	line("Zone", a.Zone)
	line("Attributes", strings.Join(a.Attributes, ", "))
	line("Pods", strings.Join(a.Pods, ", "))
	line("To be freed", strings.Join(a.Reservations, ", "))
	line("Volumes", strings.Join(a.Volumes, ", "))
}

func (e *env) agentAbandonCmd() *cobra.Command {
	var body api.AgentAbandon
	c := &cobra.Command{
		Use:   "abandon AGENT",
		Short: "Give up an agent that will not come back, and the data on it",
		Long: "Nobody waits any more for the agent, which is named by its id or host: instances\n" +
			"that have their places there are replaced, and decommissioning and uninstalling go\n" +
			"on without what is left there. If it comes back all the same, its tasks are killed\n" +
			"and its reservations freed. Refused while the agent is connected, and for\n" +
			"controllers whose votes the quorum needs, unless --force is given.",
		Args: arguments(1, 1), ValidArgsFunction: e.completeAgents,
		Example: "  kafka-sched agent abandon host-3.example --reason 'the disks burnt'\n" +
			"  kafka-sched agent abandon 0c9a-S7 --force",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			outcome, err := c.AbandonAgent(cmd.Context(), args[0], body)
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return agentNames(cmd.Context(), c)
				})
			}
			if !outcome.Changed {
				return e.alreadyDone(outcome, "abandon: %s", args[0])
			}
			return e.print(outcome, func() error {
				e.printLine("%s", outcome.Message)
				return nil
			})
		},
	}
	reasonFlag(c, &body.Reason)
	c.Flags().BoolVar(&body.Force, "force", false,
		"although the agent is there, or Kafka may need what it has")
	return c
}

// agentNames gives the host names of the agents that something is held on.
func agentNames(ctx context.Context, c *client.Client) ([]string, error) {
	list, err := c.FindAgents(ctx, "", api.Page{})
	var names []string
	for _, a := range list.Agents {
		names = append(names, a.Hostname)
	}
	return names, err
}
