package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal makes a terminal of a size; what is printed to it can be read from the other
// end, and what is written there is typed.
func openTerminal(t *testing.T) (terminal, other *os.File) {
	t.Helper()
	other, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		t.Fatal("this system has no pseudo-terminals at /dev/ptmx")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	fd := int(other.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	size := &unix.Winsize{Row: 6, Col: 60}
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, other
}

func TestScreen(t *testing.T) {
	terminal, other := openTerminal(t)
	e := &env{stdout: terminal, getenv: func(string) string { return "" }}
	p := e.progress(false)
	p.say("starting")
	p.show([]line{
		{name: "a", status: "COMPLETE", age: "4s"},
		{name: "longer", status: "PENDING", reason: strings.Repeat("x", 100)},
	})
	p.show([]line{
		{name: "1", status: "COMPLETE"}, {name: "2", status: "COMPLETE"},
		{name: "3", status: "DELAYED"}, {name: "4", status: "STARTED"},
		{name: "5", status: "COMPLETE"},
	})
	p.end()
	fmt.Fprint(terminal, "#")
	var got strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(got.String(), "#") {
		n, err := other.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buffer[:n])
	}
	want := "starting\n" +
		"  a       \x1b[32mCOMPLETE\x1b[0m        4s  \n" +
		"  longer  \x1b[33mPENDING\x1b[0m             " + strings.Repeat("x", 27) + "…\n" +
		"\x1b[2A\x1b[J" + // two lines up, and only as many lines as there is room for
		"  3  \x1b[31mDELAYED\x1b[0m             \n" +
		"  4  \x1b[33mSTARTED\x1b[0m             \n" +
		"  1  \x1b[32mCOMPLETE\x1b[0m            \n" +
		"  2  \x1b[32mCOMPLETE\x1b[0m            \n#"
	if screen := strings.ReplaceAll(got.String(), "\r\n", "\n"); screen != want {
		t.Errorf("the screen got\n%q, want\n%q", screen, want)
	}
}

func TestNoColour(t *testing.T) {
	terminal, _ := openTerminal(t)
	e := &env{stdout: terminal, getenv: func(name string) string {
		return map[string]string{"NO_COLOR": "1"}[name]
	}}
	if got := e.paint().status("COMPLETE"); got != "COMPLETE" {
		t.Errorf("coloured although NO_COLOR is set: %q", got)
	}
}

func TestConfirm(t *testing.T) {
	f := home(t.TempDir()).cluster("kafka")
	for typed, agreed := range map[string]bool{
		"y\n": true, "YES\n": true, "n\n": false, "\n": false, "what\n": false,
	} {
		terminal, other := openTerminal(t)
		if _, err := io.WriteString(other, typed); err != nil {
			t.Fatal(err)
		}
		var asked bytes.Buffer
		e := &env{stdin: terminal, stderr: &asked}
		err := e.confirm(f, false)
		if (err == nil) != agreed {
			t.Errorf("%q typed: %v", typed, err)
		}
		if err != nil && codeOf(err) != exitFailed {
			t.Errorf("%q typed: exit code %d", typed, codeOf(err))
		}
		want := `Delete cluster "kafka" with all its data? [y/N] `
		if asked.String() != want {
			t.Errorf("asked %q, want %q", &asked, want)
		}
	}
}
