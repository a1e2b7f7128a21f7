package cli

import (
	_ "embed"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// startingSpec is what spec init writes.
//
//go:embed spec_init.yml
var startingSpec []byte

func (e *env) specInitCmd() *cobra.Command {
	return &cobra.Command{
		Use: "init [FILE]", Short: "Write a commented spec to begin with",
		Long: "Writes a spec of a three-broker Kafka cluster with comments that say what can be\n" +
			"changed, to the standard output or to a file that is not there yet.",
		Example: "  kafka-sched spec init my.yml\n  kafka-sched install -f my.yml",
		Args:    arguments(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "-" {
				return e.printStartingSpec()
			}
			if err := writeNew(args[0], startingSpec); err != nil {
				return err
			}
			if e.json {
				return e.printJSON(map[string]string{"file": args[0]})
			}
			e.printf("%s is written; next: kafka-sched spec validate %s\n", args[0],
				quote(args[0]))
			return nil
		},
	}
}

func (e *env) printStartingSpec() error {
	if e.json {
		return e.printJSON(map[string]string{"spec": string(startingSpec)})
	}
	e.printf("%s", startingSpec)
	return nil
}

// writeNew writes a file that must not be there.
func writeNew(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fail(exitUsage, "%s is there already; name another file, or remove it first", path)
	case err != nil:
		return fail(exitUsage, "%s: %w", path, plain(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(data)
	return err
}
