package cli

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
)

// agree asks whether something is to be done, where there is somebody to answer and nobody said
// yes before; elsewhere its error says that, after what would be done.
func (e *env) agree(yes bool, question, would string) error {
	if yes {
		return nil
	}
	if !isTerminal(e.stdin) || e.json {
		return fail(exitUsage, "%s; say --yes to confirm", would)
	}
	fmt.Fprintf(e.stderr, "%s [y/N] ", question)
	answer, err := bufio.NewReader(e.stdin).ReadString('\n')
	word := strings.ToLower(strings.TrimSpace(answer))
	if err == nil && slices.Contains([]string{"y", "yes"}, word) {
		return nil
	}
	return fail(exitFailed, "nothing was done")
}
