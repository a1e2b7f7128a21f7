package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const commandPage = "../docs/cli.md"

// TestCommandDoc checks the generated parts of docs/cli.md: the exit codes and the commands.
func TestCommandDoc(t *testing.T) {
	data, err := os.ReadFile(commandPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	want := replaceRegion(t, page, "CommandDoc", "exit codes", exitTable(t))
	want = replaceRegion(t, want, "CommandDoc", "commands", commandTable((&env{}).root()))
	if want == page {
		return
	}
	if !*rewrite {
		t.Fatal("docs/cli.md is old; go test ./cli -run CommandDoc -rewrite makes it new")
	}
	if err := os.WriteFile(commandPage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// exitTable makes a table of what every help text says of exit codes.
func exitTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| code | meaning |\n|---|---|\n")
	for _, text := range strings.Split(exitHelp, "\n")[1:] {
		code, meaning, ok := strings.Cut(strings.TrimSpace(text), " ")
		if !ok {
			t.Fatalf("%q is no exit code with its meaning", text)
		}
		fmt.Fprintf(&b, "| %s | %s |\n", code, strings.TrimSpace(meaning))
	}
	return b.String()
}

// commandTable makes a table of all commands that are not hidden.
func commandTable(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("| command | it does | aliases |\n|---|---|---|\n")
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, child := range c.Commands() {
			if child.Hidden || child.IsAdditionalHelpTopicCommand() || child.Name() == "help" {
				continue
			}
			if child.HasSubCommands() {
				walk(child)
			}
			if child.HasSubCommands() && !strings.Contains(child.Long, "\n") {
				continue // a group of commands does nothing itself
			}
			use := strings.TrimPrefix(usageLine(child), root.Name()+" ")
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", use, child.Short,
				strings.Join(child.Aliases, ", "))
		}
	}
	walk(root)
	return strings.ReplaceAll(b.String(), "bash|zsh|fish|powershell", `bash\|zsh\|fish\|powershell`)
}
