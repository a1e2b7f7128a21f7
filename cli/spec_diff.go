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
			"mean; order, comments and the way of writing do not. The class says what a\n" +
			"change does to what runs: nothing, live (tasks go on), restart, replace, or\n" +
			"forbidden. The exit code does not tell whether there are differences.",
		Example: "  kafka-sched spec diff old.yml new.yml\n" +
			"  git show HEAD:my.yml | kafka-sched spec diff - my.yml",
		Args: arguments(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			drafts, err := e.readAll(args, in)
			if err != nil {
				return err
			}
			if ok, err := e.valid(drafts...); !ok {
				return err
			}
			return e.printDiff(servicespec.DiffSpecs(drafts[0].spec, drafts[1].spec))
		},
	}
	in.flags(c)
	return c
}

// change is one difference as JSON shows it. Old and New are as JSON; "" is a value that is not
// there.
type change struct {
	Path   string `json:"path"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Class  string `json:"class"`
	Reason string `json:"reason,omitempty"`
}

func jsonChanges(changes []servicespec.Change) []change {
	list := []change{}
	for _, c := range changes {
		list = append(list, change{Path: c.Path, Old: c.Old, New: c.New,
			Class: string(c.Class), Reason: c.Reason})
	}
	return list
}

func (e *env) printDiff(changes []servicespec.Change) error {
	if e.json {
		return e.printJSON(map[string]any{"changes": jsonChanges(changes)})
	}
	if len(changes) == 0 {
		e.printf("nothing differs\n")
	}
	if len(changes) == 0 {
		return nil
	}
	t := table(e.stdout, "CLASS", "CHANGE", "WHY")
	for _, c := range changes {
		row(t, string(c.Class), c.String(), c.Reason)
	}
	return t.Flush()
}
