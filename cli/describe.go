package cli

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) describeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "describe", Short: "Show the options of a cluster, with all defaults (JSON)",
		Args: arguments(0, 0),
		Long: "Show the options that a cluster of this machine has, with all defaults, in a\n" +
			"form that update start and install take with --options.",
		Example: "  kafka-sched describe > options.json\n" +
			"  kafka-sched describe | jq '.brokers.count = 5' | " +
			"kafka-sched update start --options -",
		RunE: func(*cobra.Command, []string) error {
			if !e.here() {
				return fail(exitUsage, "options are recorded on the machine that the service was "+
					"installed from; kafka-sched config target shows what it is there")
			}
			_, c, err := e.own()
			if err != nil {
				return err
			}
			return e.printJSON(resolved(c.Options))
		},
	}
}

// resolved gives options with all defaults, as nested objects. The settings of Kafka are on one
// level, because the name of one can begin with that of another.
func resolved(options servicespec.Options) map[string]any {
	all := servicespec.Options{}
	for _, o := range servicespec.KnownOptions() {
		if o.Default != "" {
			all[o.Name] = o.Default
		}
	}
	for name, value := range options {
		all[name] = value
	}
	root := map[string]any{}
	for name, value := range all {
		parts := strings.Split(name, ".")
		if parts[0] == "kafka" {
			parts = strings.SplitN(name, ".", 2)
		}
		at := root
		for _, part := range parts[:len(parts)-1] {
			below, ok := at[part].(map[string]any)
			if !ok {
				below = map[string]any{}
				at[part] = below
			}
			at = below
		}
		at[parts[len(parts)-1]] = optionValue(value)
	}
	return root
}

// numeral is the form of numbers that read the same as texts and as numbers.
var numeral = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

// optionValue gives an option's value as a number or truth value where it is one.
func optionValue(text string) any {
	switch {
	case text == "true" || text == "false":
		return text == "true"
	case numeral.MatchString(text):
		return json.Number(text)
	}
	return text
}
