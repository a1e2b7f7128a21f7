package cli

import (
	"runtime"

	"github.com/spf13/cobra"
)

func (e *env) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the version of this program", Args: arguments(0, 0),
		Example: "  kafka-sched version",
		RunE: func(*cobra.Command, []string) error {
			if e.json {
				return e.printJSON(map[string]string{
					"version": e.daemons.Version, "go": runtime.Version(),
					"platform": runtime.GOOS + "/" + runtime.GOARCH,
				})
			}
			e.printf("kafka-sched %s (%s, %s/%s)\n", e.daemons.Version, runtime.Version(),
				runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
