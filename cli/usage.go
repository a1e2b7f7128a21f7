package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// wrongUsage says what is wrong with a command line, and where help is.
func wrongUsage(cmd *cobra.Command, format string, args ...any) error {
	return fail(exitUsage, "%s\nsee: %s --help", fmt.Sprintf(format, args...), cmd.CommandPath())
}

// arguments checks how many arguments a command gets, and shows how it is written otherwise.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case slices.Contains(args, ""):
			return wrongUsage(cmd, "an argument is empty; it is written: %s", usageLine(cmd))
		case len(args) > most && most == 0:
			return wrongUsage(cmd, "%s takes no arguments, and %q is one", cmd.Name(), args[0])
		case len(args) > most:
			return wrongUsage(cmd, "%q is too much; it is written: %s", args[most], usageLine(cmd))
		case len(args) < least:
			return wrongUsage(cmd, "something is missing; it is written: %s", usageLine(cmd))
		}
		return nil
	}
}

func usageLine(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]")
}

// subcommands is the check of a command that only holds others: what follows is none of them.
func subcommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	hint := "there are: " + strings.Join(names, ", ")
	if near := servicespec.Nearest(args[0], names); near != "" {
		hint = "did you mean " + near + "?"
	}
	return wrongUsage(cmd, "there is no command %q; %s", args[0], hint)
}

// flagError puts the errors of the flag library in the words of this program.
func flagError(cmd *cobra.Command, err error) error {
	if no, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, no)
	}
	if no, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return wrongUsage(cmd, "--%s needs a value", no.GetFlag().Name)
	}
	if no, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return wrongUsage(cmd, "%s is no flag", quote(no.GetSpecifiedFlag()))
	}
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return wrongUsage(cmd, "%v", err)
	}
	flag := bad.GetFlag()
	return wrongUsage(cmd, "--%s %s: %s", flag.Name, quote(bad.GetValue()),
		wrongValue(flag, bad.Unwrap()))
}

// wrongValue says what is wrong with the value of a flag: why, for a flag of our own.
func wrongValue(flag *pflag.Flag, why error) string {
	switch flag.Value.Type() {
	case "stringToString":
		return "write it as name=value, several with commas between"
	case "stringSlice":
		return "write several values with commas between, and none in quotes"
	}
	if errors.Is(why, strconv.ErrRange) {
		return "the number is too large"
	}
	if _, ok := errors.AsType[*strconv.NumError](why); !ok {
		return why.Error()
	}
	switch flag.Value.Type() {
	case "bool":
		return "this is neither true nor false"
	case "float64":
		return "this is no number"
	case "intSlice", "int64Slice":
		return "write whole numbers with commas between"
	}
	return "this is no whole number"
}

func unknownFlag(cmd *cobra.Command, no *pflag.NotExistError) error {
	name := no.GetSpecifiedName()
	if no.GetSpecifiedShortnames() != "" {
		return wrongUsage(cmd, "there is no flag -%s", name)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	if near := servicespec.Nearest("--"+name, names); near != "" {
		return wrongUsage(cmd, "there is no flag --%s; did you mean %s?", name, near)
	}
	return wrongUsage(cmd, "there is no flag --%s", name)
}

// patience is the value of a flag that says how long to wait.
type patience time.Duration

func (p *patience) String() string { return time.Duration(*p).String() }
func (p *patience) Type() string   { return "duration" }

// Set takes a duration that is above zero.
func (p *patience) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("this is no length of time; write for example 90s or 5m")
	}
	*p = patience(d)
	return nil
}

// atLeastOne is the value of a flag that counts something.
type atLeastOne int

func (n *atLeastOne) String() string { return strconv.Itoa(int(*n)) }
func (n *atLeastOne) Type() string   { return "int" }

// Set takes a whole number above zero.
func (n *atLeastOne) Set(text string) error {
	i, err := strconv.Atoi(text)
	if err != nil || i < 1 {
		return errors.New("this is no whole number above zero")
	}
	*n = atLeastOne(i)
	return nil
}

// validOnly refuses arguments that are none of those that a command knows.
func validOnly(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if !slices.Contains(cmd.ValidArgs, arg) {
			return wrongUsage(cmd, "%q is none of: %s", arg, strings.Join(cmd.ValidArgs, ", "))
		}
	}
	return nil
}

// exitCodesTopic is a page of help that is no command.
func exitCodesTopic() *cobra.Command {
	c := &cobra.Command{
		Use: "exit-codes", Short: "What the exit codes mean",
		Long: exitHelp + "\n\nOf these, 7 lets a script tell that a repeated command changed " +
			"nothing. What is wrong is\none line on the standard error; with --json the result, " +
			"if there is one, is still on the\nstandard output.",
	}
	c.SetHelpTemplate("{{.Long}}\n")
	return c
}
