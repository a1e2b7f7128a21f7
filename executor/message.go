package executor

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// What a status message may hold at most: lines and bytes of a task's last output, bytes of a
// check's own words. Messages are stored and shown; they are not the place for a log.
const (
	tailLines = 5
	tailBytes = 1024
	maxDetail = 512
)

// outcome says how the process ended: "exited with status 1", "was ended by SIGKILL".
func (e Exited) outcome() string {
	if e.Signal != "" {
		return "was ended by " + e.Signal
	}
	return fmt.Sprintf("exited with status %d", e.Code)
}

// withTail adds the last lines of a task's output to a message, as many as have room. The
// frames of a Java stack trace are left out: the exception is what tells, and it stands above.
func withTail(message string, lines []string) string {
	lines = slices.DeleteFunc(slices.Clone(lines), isFrame)
	room := tailBytes
	first := len(lines)
	for first > 0 && len(lines)-first < tailLines {
		need := len(lines[first-1]) + 1
		if need > room && first < len(lines) {
			break
		}
		room -= need
		first--
	}
	tail := cut(strings.Join(lines[first:], "\n"), tailBytes)
	if strings.TrimSpace(tail) == "" {
		return message
	}
	return message + ": " + tail
}

// isFrame recognizes "	at kafka.Kafka.main(Kafka.scala:87)" and "	... 12 more".
func isFrame(line string) bool {
	return strings.HasPrefix(line, "\tat ") || strings.HasPrefix(line, "\t... ")
}

// cut shortens a text to at most limit bytes, never within a character, and makes it valid.
func cut(s string, limit int) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	end := limit - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
