package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

// brokerVerbCmd makes a command that acts on the pod of a broker.
func (e *env) brokerVerbCmd(v podVerb, short string) *cobra.Command {
	var body api.PodCommand
	var yes bool
	c := &cobra.Command{
		Use: v.name + " ID", Short: short, Args: arguments(1, 1),
		Long:              short + ".\nIt goes only when Kafka can bear it, and waits for that.",
		Example:           "  kafka-sched broker " + v.name + " 1",
		ValidArgsFunction: e.completeBrokers,
		RunE: func(cmd *cobra.Command, args []string) error {
			if body.Force {
				err := e.confirmForce(v.name+" of broker "+args[0], v.forced, yes)
				if err != nil {
					return err
				}
			}
			c, err := e.connect()
			if err != nil {
				return err
			}
			pod, err := e.podOfBroker(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			return e.podAct(cmd.Context(), v, pod, body)
		},
	}
	reasonFlag(c, &body.Reason)
	forceFlags(c, &body.Force, &yes)
	moveFlags(c, v, &body)
	return c
}

// podOfBroker finds the pod that runs a broker, or is to: Kafka need not know of it.
func (e *env) podOfBroker(ctx context.Context, c *client.Client, id string) (string, error) {
	list, err := c.Brokers(ctx)
	if err != nil {
		return "", e.answer(err)
	}
	var known []string
	for _, b := range list.Brokers {
		name := strconv.Itoa(b.ID)
		switch {
		case name == id && b.Pod == "":
			return "", fail(exitConflict, "broker %s is registered with Kafka, but is none of "+
				"the service's", id)
		case name == id:
			return b.Pod, nil
		}
		known = append(known, name)
	}
	if len(known) == 0 {
		return "", fail(exitNotFound, "the service has no brokers; see kafka-sched pod list%s",
			e.nameFlag())
	}
	return "", fail(exitNotFound, "there is no broker %q; there are: %s", id,
		listing(known))
}

func (e *env) brokerDescribeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "describe ID", Short: "Show all that is known of one broker, and where it runs",
		Args: arguments(1, 1), Example: "  kafka-sched broker describe 1",
		ValidArgsFunction: e.completeBrokers,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			name, err := e.podOfBroker(cmd.Context(), c, args[0])
			if err != nil {
				return err
			}
			s, err := c.Service(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			pod := *cmp.Or(s.Pod(name), &api.Pod{})
			detail, err := c.Broker(cmd.Context(), args[0])
			if err != nil {
				return e.answer(err)
			}
			return e.print(pod, func() error {
				e.printBroker(pod, detail)
				return nil
			})
		},
	}
}

func (e *env) printBroker(p api.Pod, d api.BrokerDetail) {
	line := func(what, value string) {
		if value != "" {
			e.printLine("%-16s %s", what, value)
		}
	}
	b := d.Broker
	line("Broker", strconv.Itoa(b.ID))
	line("State", d.State)
	line("Roles", strings.Join(d.Roles, ", "))
	line("Address", b.Address)
	line("Pod", p.Name)
	line("Host", p.Hostname)
	line("Zone", p.Zone)
	line("Agent", p.AgentID)
	line("Volumes", strings.Join(p.Volumes, ", "))
	line("Fenced", yesNo(&b.Fenced))
	line("Hosted", plural(b.Hosted, "partition"))
	line("Not in sync", strconv.Itoa(b.NotInSync))
	line("Leads", plural(b.Leads, "partition"))
	line("Under-replicated", strconv.Itoa(d.UnderReplicated))
	line("May go", d.MayGo.Answer+": "+d.MayGo.Sentence)
	for _, dir := range d.LogDirs {
		state := plural(dir.Replicas, "replica")
		if dir.Error != "" {
			state = "FAILED: " + dir.Error
		}
		line("Log dir", dir.Path+" "+state)
	}
	for _, p := range d.Drift {
		line("Drift", p.Name+" is "+p.Actual+": "+p.Reason)
	}
	if len(b.FailedDirs) > 0 {
		line("Failed dirs", strings.Join(b.FailedDirs, ", "))
		line("", "broker move "+strconv.Itoa(b.ID)+" gives it another agent, and broker replace "+
			strconv.Itoa(b.ID)+" new volumes")
	}
	if b.Cordoned {
		line("Cordoned", "yes: it takes no new replicas")
	}
	for _, t := range p.Tasks {
		line("Task", t.Name+" "+taskState(t)+" "+note(p, t))
	}
}

// brokerVerbs are the commands on brokers that act on their pods.
func (e *env) brokerVerbs() []*cobra.Command {
	verb := func(name string) podVerb {
		return podVerbs[slices.IndexFunc(podVerbs, func(v podVerb) bool { return v.name == name })]
	}
	return []*cobra.Command{
		e.brokerDescribeCmd(),
		e.brokerVerbCmd(verb(api.CommandRestart),
			"Stop a broker and start it again in the same place, on its data"),
		e.brokerVerbCmd(verb(api.CommandReplace),
			"Give a broker a new place under its id; its data comes from the others"),
		e.brokerVerbCmd(verb(api.CommandMove),
			"Give a broker a place on another agent under its id, once one has room for it"),
	}
}
