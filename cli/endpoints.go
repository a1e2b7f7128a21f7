package cli

import (
	"encoding/json"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) endpointsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "endpoints [NAME]", Aliases: []string{"endpoint"}, Args: arguments(0, 1),
		Short:             "Show under which addresses the service is reached",
		Example:           "  kafka-sched endpoints\n  kafka-sched endpoints broker --json",
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
				return e.printNames(names)
			}
			raw, err := c.Endpoint(cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return c.Endpoints(cmd.Context())
				})
			}
			return e.printEndpoint(raw)
		},
	}
}

// printEndpoint prints an endpoint: its addresses, one a line, or the answer itself.
func (e *env) printEndpoint(raw json.RawMessage) error {
	if e.json {
		return e.printJSON(raw)
	}
	var point api.Endpoint
	if err := json.Unmarshal(raw, &point); err != nil || len(point.Address) == 0 {
		return e.printJSON(raw) // an endpoint of another shape
	}
	return e.printNames(point.Address)
}
