package cli

import (
	"io"
	"os"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// specExitHelp is what the help texts of spec and its children say of exit codes.
const specExitHelp = `Exit codes:
  0    it was done; what was read is valid
  1    what was read is invalid; each mistake is one line, file:line:column: path: what; what to do
  2    wrong usage (flags, options, arguments, files that cannot be read or must not be replaced)
  130  interrupted`

// specCmd is the family of commands that only read and write specs: they need no cluster.
func (e *env) specCmd() *cobra.Command {
	c := group("spec", "Check, explain, compare and write service specs",
		"  kafka-sched spec init my.yml\n  kafka-sched spec validate my.yml\n"+
			"  kafka-sched spec explain pods.kafka.count",
		e.specInitCmd(), e.specValidateCmd(), e.specExplainCmd(), e.specRenderCmd(),
		e.specDiffCmd(), e.specFmtCmd(), e.specSchemaCmd())
	c.Long = "The commands of spec work on files alone. A file named - is the standard input."
	c.SetHelpTemplate(c.HelpTemplate() + "\n" + specExitHelp + "\n")
	return c
}

// specInput are the flags of the commands that read specs as install does.
type specInput struct {
	specFlags
	variables []string
	lenient   bool
}

func (s *specInput) flags(c *cobra.Command) {
	s.optionFlags(c)
	c.Flags().StringArrayVar(&s.variables, "env", nil,
		"one variable of the template as NAME=VALUE (repeatable)")
	c.Flags().BoolVar(&s.lenient, "lenient", false,
		"leave variables without a value empty, with a warning for each")
}

// draft is a spec that was read, with what is wrong with it.
type draft struct {
	file     string // as messages name it
	spec     servicespec.Spec
	text     []byte            // after templates
	files    map[string]string // the templates that it names
	problems []servicespec.Error
	warnings []servicespec.Error
}

// stdinName stands for the standard input in messages.
const stdinName = "<stdin>"

// readFile reads a file, or the standard input when it is named -. The name is that for messages.
func (e *env) readFile(file string) (name string, data []byte, err error) {
	if file == "-" {
		if data, err = io.ReadAll(e.stdin); err != nil {
			return "", nil, fail(exitUsage, "reading the standard input: %w", err)
		}
		return stdinName, data, nil
	}
	if data, err = os.ReadFile(file); err != nil {
		return "", nil, fail(exitUsage, "%s: %w", file, plain(err))
	}
	return file, data, nil
}
