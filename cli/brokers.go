package cli

import (
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) brokerCmd() *cobra.Command {
	return group("broker", "Show the brokers that Kafka knows, restart, replace and move them",
		"  kafka-sched broker list\n  kafka-sched broker replace 1\n"+
			"  kafka-sched broker move 1 --to 10.0.0.9",
		append([]*cobra.Command{e.brokerListCmd(), e.brokerGetCmd()}, e.brokerVerbs()...)...)
}

// broker is a broker with the pod that runs it.
type broker struct {
	api.Broker
	pod, hostname string
}

// brokersOf gives the brokers that Kafka knows, by pod.
func brokersOf(s api.Service) []broker {
	var list []broker
	for _, p := range s.Pods {
		if p.Broker != nil {
			list = append(list, broker{*p.Broker, p.Name, p.Hostname})
		}
	}
	return list
}

func (e *env) brokerListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the ids of the brokers (JSON; -o table with more)",
		Args: arguments(0, 0), Aliases: []string{"ls"},
		Example: "  kafka-sched broker list\n  kafka-sched broker list -o table",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			ids, err := c.BrokerIDs(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			return e.printRaw(listOf(ids), func() error {
				s, err := c.Service(cmd.Context())
				if err != nil {
					return e.answer(err)
				}
				return e.printBrokers(brokersOf(s))
			})
		},
	}
}

func (e *env) brokerGetCmd() *cobra.Command {
	return e.getterCmd(getter{use: "get ID",
		short:   "Show a broker in the shape that Kafka keeps in ZooKeeper (JSON)",
		example: "broker get 0", ask: named((*client.Client).BrokerNode),
		known: (*client.Client).BrokerIDs, complete: e.completeBrokers})
}

func (e *env) printBrokers(list []broker) error {
	t := e.table([]string{"ID", "POD", "ADDRESS", "FENCED", "HOSTED", "NOT IN SYNC", "LEADS"},
		"HOST")
	for _, b := range list {
		row(t, strconv.Itoa(b.ID), b.pod, b.Address, yesNo(&b.Fenced), strconv.Itoa(b.Hosted),
			strconv.Itoa(b.NotInSync), strconv.Itoa(b.Leads), b.hostname)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, b := range list {
		if len(b.FailedDirs) > 0 {
			e.printLine("broker %d cannot use %s any more; see broker describe %d", b.ID,
				strings.Join(b.FailedDirs, ", "), b.ID)
		}
	}
	return nil
}
