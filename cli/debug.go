package cli

import (
	"context"
	"encoding/json"

	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) debugCmd() *cobra.Command {
	return group("debug", "Find out why something is as it is",
		"  kafka-sched debug why kafka-1\n  kafka-sched debug bundle",
		e.debugWhyCmd(), e.debugOffersCmd(), e.debugReservationsCmd(), e.debugBundleCmd(),
		e.debugRecordCmd(), e.debugReplayCmd(),
		group("pod", "Pause and resume pods", "  kafka-sched debug pod pause kafka-1 -t broker",
			e.podVerbCmd(podPausing), e.podVerbCmd(podResuming)),
		group("config", "Show configurations as the predecessor's API has them (JSON)",
			"  kafka-sched debug config target", e.v1ConfigCmds()...),
		group("state", "Show what the predecessor's API has of the state (JSON)",
			"  kafka-sched debug state framework_id", e.v1StateCmds()...),
	)
}

// getter is a command that prints an answer of the API as it came.
type getter struct {
	use, alias, short, example string
	ask                        func(*client.Client, context.Context, string) (any, error)
	known                      func(*client.Client, context.Context) ([]string, error)
	complete                   cobra.CompletionFunc
}

func (e *env) getterCmd(g getter) *cobra.Command {
	wanted := 0
	if g.known != nil {
		wanted = 1
	}
	c := &cobra.Command{
		Use: g.use, Short: g.short, Args: arguments(wanted, wanted),
		Example: "  kafka-sched " + g.example, ValidArgsFunction: g.complete,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			answer, err := g.ask(c, cmd.Context(), append(args, "")[0])
			if err != nil && g.known != nil {
				return e.namesOf(err, func() ([]string, error) { return g.known(c, cmd.Context()) })
			}
			if err != nil {
				return e.answer(err)
			}
			return e.printJSON(answer)
		},
	}
	if g.alias != "" {
		c.Aliases = []string{g.alias}
	}
	return c
}

// asked makes a request without a name one of a getter's.
func asked[T any](
	ask func(*client.Client, context.Context) (T, error),
) func(*client.Client, context.Context, string) (any, error) {
	return func(c *client.Client, ctx context.Context, _ string) (any, error) { return ask(c, ctx) }
}

// listed does so with an answer that the predecessor gives as a list of one.
func listed(
	ask func(*client.Client, context.Context) (string, error),
) func(*client.Client, context.Context, string) (any, error) {
	return func(c *client.Client, ctx context.Context, _ string) (any, error) {
		answer, err := ask(c, ctx)
		return []string{answer}, err
	}
}

// named makes a request for something by its name one of a getter's.
func named(
	ask func(*client.Client, context.Context, string) (json.RawMessage, error),
) func(*client.Client, context.Context, string) (any, error) {
	return func(c *client.Client, ctx context.Context, name string) (any, error) {
		return ask(c, ctx, name)
	}
}

func (e *env) v1ConfigCmds() []*cobra.Command {
	return []*cobra.Command{
		e.getterCmd(getter{use: "list", short: "List the ids of the configurations",
			example: "debug config list", ask: asked((*client.Client).Configurations)}),
		e.getterCmd(getter{use: "show ID", short: "Show a configuration",
			example: "debug config show 3f2c0e6e-…", ask: named((*client.Client).Configuration),
			known: (*client.Client).Configurations, complete: e.completeConfigs}),
		e.getterCmd(getter{use: "target", short: "Show the target configuration",
			example: "debug config target", ask: asked((*client.Client).Target)}),
		e.getterCmd(getter{use: "target_id", alias: "target-id",
			short: "Show the id of the target configuration", example: "debug config target_id",
			ask: listed((*client.Client).TargetID)}),
	}
}

func (e *env) v1StateCmds() []*cobra.Command {
	return []*cobra.Command{
		e.getterCmd(getter{use: "framework_id", alias: "framework-id",
			short: "Show the id that Mesos gave the service", example: "debug state framework_id",
			ask: listed((*client.Client).FrameworkID)}),
		e.getterCmd(getter{use: "properties", short: "List the names of properties",
			example: "debug state properties", ask: asked((*client.Client).Properties)}),
		e.getterCmd(getter{use: "property NAME", short: "Show a property",
			example: "debug state property suppressed", ask: named((*client.Client).Property),
			known: (*client.Client).Properties}),
		e.getterCmd(getter{use: "refresh_cache", alias: "refresh-cache",
			short:   "Have the state read again; what runs here has no cache of it to refresh",
			example: "debug state refresh_cache", ask: asked((*client.Client).RefreshState)}),
	}
}
