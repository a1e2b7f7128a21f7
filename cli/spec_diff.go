package cli

import (
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) specDiffCmd() *cobra.Command {
	var in specInput
	c := &cobra.Command{
		Use: "diff OLD NEW", Short: "List what differs between two specs",
		Long: "Reads two specs, with the same options, and lists what differs in what they\n" +
			"mean; order, comments and the way of writing do not. The exit code does not\n" +
			"tell whether there are differences.",
		Example: "  kafka-sched spec diff old.yml new.yml\n" +
			"  git show HEAD:my.yml | kafka-sched spec diff - my.yml",
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			drafts, err := e.readAll(args, in)
			if err != nil {
				return err
			}
			if ok, err := e.valid(drafts...); !ok {
				return err
			}
			return e.printDiff(servicespec.Diff(drafts[0].spec.Service, drafts[1].spec.Service))
		},
	}
	in.flags(c)
	return c
}

// change is one difference as JSON shows it.
type change struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

func (e *env) printDiff(changes []servicespec.Change) error {
	if e.json {
		list := []change{}
		for _, c := range changes {
			list = append(list, change{Path: c.Path, Old: c.Old, New: c.New})
		}
		return e.printJSON(map[string]any{"changes": list})
	}
	if len(changes) == 0 {
		e.printf("nothing differs\n")
	}
	for _, c := range changes {
		e.printf("%s\n", c)
	}
	return nil
}
