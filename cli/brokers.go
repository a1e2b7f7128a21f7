package cli

import (
	"context"
	"encoding/json"
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
				list, err := c.Brokers(cmd.Context())
				if err != nil {
					return e.answer(err)
				}
				return e.printBrokers(list)
			})
		},
	}
}

func (e *env) brokerGetCmd() *cobra.Command {
	return e.getterCmd(getter{use: "get ID",
		short:   "Show all that is known of a broker (JSON)",
		example: "broker get 0", ask: wholeBroker,
		known: (*client.Client).BrokerIDs, complete: e.completeBrokers})
}

// wholeBroker gives a broker as the API tells of it, and, for what reads the predecessor's answer,
// with the keys that Kafka keeps in ZooKeeper.
func wholeBroker(c *client.Client, ctx context.Context, id string) (any, error) {
	whole := map[string]any{}
	if node, err := c.BrokerNode(ctx, id); err == nil {
		if err := addKeys(whole, node); err != nil {
			return nil, err
		}
	}
	detail, err := c.Broker(ctx, id)
	if err != nil {
		return nil, err
	}
	return whole, addKeys(whole, detail)
}

// addKeys adds the keys of a document to a map.
func addKeys(to map[string]any, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &to)
}

func (e *env) printBrokers(list api.BrokerList) error {
	if list.Error != "" {
		e.hint("Kafka does not answer now: %s", list.Error)
	}
	t := e.table([]string{"ID", "POD", "ADDRESS", "STATE", "HOSTED", "NOT IN SYNC", "LEADS",
		"MAY GO"}, "HOST", "RACK", "ROLES", "DRIFT")
	for _, b := range list.Brokers {
		row(t, strconv.Itoa(b.ID), b.Pod, b.Address, b.State, strconv.Itoa(b.Hosted),
			strconv.Itoa(b.NotInSync), strconv.Itoa(b.Leads), b.MayGo.Answer, b.Hostname, b.Rack,
			strings.Join(b.Roles, ","), strconv.Itoa(len(b.Drift)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, b := range list.Brokers {
		if len(b.FailedDirs) > 0 {
			e.printLine("broker %d cannot use %s any more; see broker describe %d", b.ID,
				strings.Join(b.FailedDirs, ", "), b.ID)
		}
	}
	return nil
}
