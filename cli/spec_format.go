package cli

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

func (e *env) specFmtCmd() *cobra.Command {
	var write, check bool
	c := &cobra.Command{
		Use: "fmt FILE…", Short: "Write specs in the canonical form, with their comments",
		Long: "Prints specs with two blanks for each level and with the known keys in the order\n" +
			"of the documentation; names, comments and blank lines stay. Templates are\n" +
			"refused: they are YAML only after they are filled.",
		Example: "  kafka-sched spec fmt -w my.yml\n  kafka-sched spec fmt --check *.yml",
		Args:    arguments(1, 1000),
		RunE: func(_ *cobra.Command, args []string) error {
			if write && slices.Contains(args, "-") {
				return fail(exitUsage, "-w cannot write to the standard input")
			}
			if write && check {
				return fail(exitUsage, "-w and --check exclude each other")
			}
			if len(args) > 1 && !write && !check {
				return fail(exitUsage, "several files need -w or --check")
			}
			return e.formatAll(args, write, check)
		},
	}
	f := c.Flags()
	f.BoolVarP(&write, "write", "w", false, "write the files instead of printing them")
	f.BoolVar(&check, "check", false, "only list the files that are not in the canonical form")
	return c
}

// formatted is one file as JSON shows it.
type formatted struct {
	File    string `json:"file"`
	Changed bool   `json:"changed"`
	Text    string `json:"text,omitempty"`
}

// formatAll formats files: all are read before the first is written.
func (e *env) formatAll(files []string, write, check bool) error {
	var drafts []draft
	var results []formatted
	for _, file := range files {
		d, old, err := e.formatFile(file)
		if err != nil {
			return err
		}
		drafts = append(drafts, d)
		results = append(results, formatted{d.file, !bytes.Equal(old, d.text), string(d.text)})
	}
	if ok, err := e.valid(drafts...); !ok {
		return err
	}
	for i, r := range results {
		if check && r.Changed {
			e.exitCode = exitFailed
		}
		if write && r.Changed {
			if err := os.WriteFile(files[i], drafts[i].text, 0o644); err != nil {
				return fmt.Errorf("writing: %w", err)
			}
		}
		if write || check {
			results[i].Text = ""
		}
	}
	if e.json {
		return e.printJSON(map[string]any{"files": results})
	}
	for _, r := range results {
		switch {
		case !write && !check:
			e.printf("%s", r.Text)
		case r.Changed:
			e.printf("%s\n", r.File)
		}
	}
	return nil
}

// formatFile gives a file in the canonical form, beside what it is now.
func (e *env) formatFile(file string) (d draft, old []byte, err error) {
	name, old, err := e.readFile(file)
	if err != nil {
		return draft{}, nil, err
	}
	d = draft{file: name}
	if at := bytes.Index(old, []byte("{{")); at >= 0 {
		before := old[:at]
		d.problems = []servicespec.Error{{File: name, Code: servicespec.Unsupported,
			Line:    1 + bytes.Count(before, []byte("\n")),
			Column:  at - bytes.LastIndexByte(before, '\n'),
			Message: "this is a template, which is YAML only after it is filled",
			Hint:    "format what `kafka-sched spec render` prints, or a file without {{…}}",
		}}
		return d, old, nil
	}
	if d.text, err = layout(old, knownKeys()); err == nil {
		return d, old, nil
	}
	if _, d.problems = servicespec.Parse(name, old, nil); len(d.problems) == 0 {
		d.problems = []servicespec.Error{{File: name, Code: servicespec.Malformed,
			Message: err.Error()}}
	}
	d.problems = advise(d.problems)
	return d, old, nil
}
