package cli

import (
	"encoding/json"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) endpointsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "endpoints [NAME]", Aliases: []string{"endpoint"}, Args: arguments(0, 1),
		Short: "Show under which addresses the service is reached (JSON; -o table for people)",
		Example: "  kafka-sched endpoints\n  kafka-sched endpoints broker\n" +
			"  kafka-sched endpoints broker -o table",
		ValidArgsFunction: e.completeEndpoints,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				names, err := c.Endpoints(cmd.Context())
				if err != nil {
					return e.answer(err)
				}
				return e.printRaw(listOf(names), func() error {
					_, s, err := e.service(cmd.Context())
					if err != nil {
						return err
					}
					return e.printEndpoints(s.Endpoints)
				})
			}
			raw, err := c.Endpoint(cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return c.Endpoints(cmd.Context())
				})
			}
			return e.printRaw(raw, func() error { return e.printEndpoint(args[0], raw) })
		},
	}
}

// printEndpoint prints a table of an endpoint, or the answer itself when it is of another shape.
func (e *env) printEndpoint(name string, raw json.RawMessage) error {
	var point api.Endpoint
	if err := json.Unmarshal(raw, &point); err != nil || len(point.Address) == 0 {
		return e.printJSON(raw)
	}
	return e.printEndpoints([]api.NamedEndpoint{{Name: name, Endpoint: point}})
}

// printEndpoints prints a table with a line for each address.
func (e *env) printEndpoints(list []api.NamedEndpoint) error {
	t := e.table([]string{"ENDPOINT", "ADDRESS", "DNS"}, "VIP")
	for _, point := range list {
		for i, address := range point.Address {
			dns := ""
			if i < len(point.DNS) {
				dns = point.DNS[i]
			}
			row(t, point.Name, address, dns, point.VIP)
		}
	}
	return t.Flush()
}
