package cli

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) specValidateCmd() *cobra.Command {
	var in specInput
	c := &cobra.Command{
		Use: "validate FILE…", Short: "Say all that is wrong with specs",
		Long: "Reads specs as install does and says every mistake in them, each in one line:\n" +
			"file:line:column: path: what is wrong; what to do. Templates are filled from the\n" +
			"environment, the options and --env. A warning is no mistake: it names what the\n" +
			"language has and this release cannot run.",
		Example: "  kafka-sched spec validate my.yml\n" +
			"  kafka-sched spec validate --options production.json --env ZONE=b my.yml.mustache\n" +
			"  kafka-sched spec validate --json - < my.yml",
		Args: arguments(1, 1000),
		RunE: func(_ *cobra.Command, args []string) error {
			drafts, err := e.readAll(args, in)
			if err != nil {
				return err
			}
			if e.json {
				return e.complainJSON(drafts...)
			}
			e.complain(drafts...)
			for _, d := range drafts {
				if len(d.problems) == 0 {
					e.printf("%s: valid%s (%s)\n", d.file, d.reservation(),
						contents(d.spec.Service))
				}
			}
			return nil
		},
	}
	in.flags(c)
	return c
}

// reservation says that a valid spec cannot be run.
func (d draft) reservation() string {
	for _, w := range d.warnings {
		if w.Code == servicespec.Unsupported {
			return ", but this release cannot run it"
		}
	}
	return ""
}

// contents says what is in a service, in a few words.
func contents(s servicespec.Service) string {
	pods := 0
	for _, p := range s.Pods {
		pods += p.Count
	}
	return fmt.Sprintf("service %s, %s, %s", s.Name, plural(pods, "pod"),
		plural(len(s.Plans), "plan"))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
