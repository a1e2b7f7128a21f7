package cli

import (
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) brokerCmd() *cobra.Command {
	return group("broker", "Show the brokers that Kafka knows", "  kafka-sched broker list",
		e.brokerListCmd(), e.brokerGetCmd())
}

// broker is a broker with the pod that runs it.
type broker struct {
	api.Broker
	Pod      string `json:"pod"`
	Hostname string `json:"hostname"`
}

// brokersOf gives the brokers that Kafka knows, by pod.
func brokersOf(s api.Service) []broker {
	list := []broker{}
	for _, p := range s.Pods {
		if p.Broker != nil {
			list = append(list, broker{*p.Broker, p.Name, p.Hostname})
		}
	}
	return list
}

// brokerIDs gives the ids as the predecessor's API had them: as texts.
func brokerIDs(list []broker) []string {
	ids := []string{}
	for _, b := range list {
		ids = append(ids, strconv.Itoa(b.ID))
	}
	return ids
}

func (e *env) brokerListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the ids of the brokers (JSON; -o table with more)",
		Args: arguments(0, 0), Aliases: []string{"ls"},
		Example: "  kafka-sched broker list\n  kafka-sched broker list -o table",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, s, err := e.service(cmd.Context())
			if err != nil {
				return err
			}
			list := brokersOf(s)
			return e.printRaw(brokerIDs(list), func() error { return e.printBrokers(list) })
		},
	}
}

func (e *env) brokerGetCmd() *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show what Kafka says of a broker (JSON)", Args: arguments(1, 1),
		Example: "  kafka-sched broker get 0", ValidArgsFunction: e.completeBrokers,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, s, err := e.service(cmd.Context())
			if err != nil {
				return err
			}
			list := brokersOf(s)
			for _, b := range list {
				if strconv.Itoa(b.ID) == args[0] {
					return e.printRaw(b, func() error { return e.printBrokers([]broker{b}) })
				}
			}
			return fail(exitNotFound, "Kafka knows no broker %s; there are: %s", args[0],
				orUnknown(strings.Join(brokerIDs(list), ", ")))
		},
	}
}

func (e *env) printBrokers(list []broker) error {
	t := e.table([]string{"ID", "POD", "ADDRESS", "FENCED", "HOSTED", "NOT IN SYNC", "LEADS"},
		"HOST")
	for _, b := range list {
		row(t, strconv.Itoa(b.ID), b.Pod, b.Address, yesNo(&b.Fenced), strconv.Itoa(b.Hosted),
			strconv.Itoa(b.NotInSync), strconv.Itoa(b.Leads), b.Hostname)
	}
	return t.Flush()
}
