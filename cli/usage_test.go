package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand goes through all commands.
func everyCommand(do func(c *cobra.Command)) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		do(c)
		for _, child := range c.Commands() {
			if child.Name() != "help" && !child.IsAdditionalHelpTopicCommand() {
				walk(child)
			}
		}
	}
	walk((&env{}).root())
}

// checkMisuse: the error of a command line that is wrong says so for people, and where help is.
func checkMisuse(t *testing.T, line string, err error, says string) {
	t.Helper()
	if err == nil || codeOf(err) != exitUsage {
		t.Errorf("%s: %v has the exit code %d", line, err, codeOf(err))
		return
	}
	text := err.Error()
	if !strings.Contains(text, says) || !strings.Contains(text, "\nsee: kafka-sched") {
		t.Errorf("%s: %q is missing in: %s", line, says, text)
	}
	for _, raw := range []string{"strconv", "parse", "pflag", "arg(s)", "<nil>", "%!"} {
		if strings.Contains(text, raw) {
			t.Errorf("%s: the message has %q in it: %s", line, raw, text)
		}
	}
}

// TestWrongFlags gives every command flags and values that it does not take.
func TestWrongFlags(t *testing.T) {
	everyCommand(func(c *cobra.Command) {
		try := func(says, flag string) {
			t.Helper()
			err := flagError(c, c.ParseFlags([]string{flag}))
			checkMisuse(t, c.CommandPath()+" "+flag, err, says)
		}
		try("there is no flag --no-such-flag", "--no-such-flag")
		try("there is no flag -Z", "-Z")
		try("---x is no flag", "---x")
		c.Flags().VisitAll(func(f *pflag.Flag) {
			name := "--" + f.Name
			if f.NoOptDefVal == "" {
				try(name+" needs a value", name)
			}
			switch f.Value.Type() {
			case "string", "stringArray", "stringSlice":
				return // they take any text
			}
			try(name+" ", name+"=no, ünd")
			if kind := f.Value.Type(); kind != "stringToString" {
				try(name+" ", name+"=")
			}
			if kind := f.Value.Type(); kind != "float64" {
				try(name+" ", name+"=99999999999999999999999")
			}
		})
	})
}

// TestWrongArguments gives every command more arguments, and fewer, than it takes.
func TestWrongArguments(t *testing.T) {
	everyCommand(func(c *cobra.Command) {
		if c.Args == nil {
			t.Errorf("%s does not check its arguments", c.CommandPath())
			return
		}
		if err := c.Args(c, slices.Repeat([]string{"ünd"}, 2000)); err != nil ||
			!strings.Contains(c.Use, "…") {
			checkMisuse(t, c.CommandPath(), err, `"ünd"`)
		}
		if err := c.Args(c, nil); err != nil {
			checkMisuse(t, c.CommandPath(), err, "it is written: "+c.CommandPath())
		}
	})
}

// TestVisible: what somebody else wrote has not its way with a terminal.
func TestVisible(t *testing.T) {
	var errs bytes.Buffer
	code := Main([]string{"status", "--name", "a\x1b[2Jb\r\n\tc\u009bé"}, strings.NewReader(""),
		&bytes.Buffer{}, &errs, Daemons{})
	if code != exitUsage || strings.ContainsAny(errs.String(), "\x1b\r\u009b") ||
		!strings.Contains(errs.String(), `\x1b[2Jb`) {
		t.Errorf("exit code %d: %q", code, errs.String())
	}
}
