package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/servicespec"
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
	got := readUntil(t, other, "#")
	want := "starting\n" +
		"  a       \x1b[32mCOMPLETE\x1b[0m        4s  \n" +
		"  longer  \x1b[33mPENDING\x1b[0m             " + strings.Repeat("x", 27) + "…\n" +
		"\x1b[2A\x1b[J" + // two lines up, and only as many lines as there is room for
		"  3  \x1b[31mDELAYED\x1b[0m             \n" +
		"  4  \x1b[33mSTARTED\x1b[0m             \n" +
		"  1  \x1b[32mCOMPLETE\x1b[0m            \n" +
		"  2  \x1b[32mCOMPLETE\x1b[0m            \n#"
	if got != want {
		t.Errorf("the screen got\n%q, want\n%q", got, want)
	}
}

// readUntil reads what came to the other end of a terminal until it has a text.
func readUntil(t *testing.T, other *os.File, text string) string {
	t.Helper()
	var got strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(got.String(), text) {
		n, err := other.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buffer[:n])
	}
	return strings.ReplaceAll(got.String(), "\r\n", "\n")
}

// Tables and trees fit the terminal, unless all is wanted.
func TestFit(t *testing.T) {
	terminal, other := openTerminal(t)
	e := &env{stdout: terminal, form: formText, getenv: func(string) string { return "" }}
	draw := func() {
		w := e.table([]string{"POD", "STATE", "NOTE"}, "AGENT")
		row(w, "kafka-0", "RUNNING", strings.Repeat("x", 70), "S0")
		row(w, "kafka-1", "", "")
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		root := node{text: "deploy", status: "COMPLETE", children: []node{
			{text: "broker", status: "PENDING", age: "4s", note: strings.Repeat("y", 70)},
			{text: "last", children: []node{{text: "leaf", age: "1m0s"}}},
		}}
		if err := e.printTree(root); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(terminal, "#")
	}
	draw()
	want := "POD      STATE    NOTE\n" +
		"kafka-0  \x1b[32mRUNNING\x1b[0m  " + strings.Repeat("x", 41) + "…\n" +
		"kafka-1  -        -\n" +
		"deploy (\x1b[32mCOMPLETE\x1b[0m)\n" +
		"├─ broker (\x1b[33mPENDING\x1b[0m)  4s      " + strings.Repeat("y", 30) + "…\n" +
		"└─ last\n" +
		"   └─ leaf           1m0s\n#"
	if got := readUntil(t, other, "#"); got != want {
		t.Errorf("the terminal got\n%s, want\n%s", got, want)
	}
	e.form = formWide
	draw()
	got := readUntil(t, other, "#")
	if !strings.Contains(got, strings.Repeat("x", 70)+"  S0\n") ||
		!strings.Contains(got, strings.Repeat("y", 70)+"\n") ||
		!strings.Contains(got, "AGENT\n") {
		t.Errorf("with -o wide the terminal got\n%s", got)
	}
}

// status --watch draws the service on a screen of its own, in as many lines as there are, and
// gives the terminal back at the end.
func TestWatch(t *testing.T) {
	terminal, other := openTerminal(t)
	f := newFake(servicespec.Service{Name: "kafka"}, "", "")
	server := httptest.NewServer(f.handler())
	defer server.Close()
	e := &env{stdout: terminal, form: formText, url: server.URL,
		getenv: func(string) string { return "" }}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.watchStatus(ctx) }()
	first := readUntil(t, other, "more lines")
	if !strings.HasPrefix(first, enterScreen+topOfScreen+"kafka: deploying") {
		t.Errorf("it begins with %q", first)
	}
	if n := strings.Count(first, "\n"); n != 5 {
		t.Errorf("%d lines on a terminal of 6: %q", n+1, first)
	}
	for _, text := range strings.Split(strings.TrimPrefix(first, enterScreen+topOfScreen), "\n") {
		if n := utf8.RuneCountInString(strings.TrimSuffix(text, restOfLine)); n > 60 {
			t.Errorf("a line of %d characters on a terminal of 60: %q", n, text)
		}
	}
	readUntil(t, other, topOfScreen) // it is drawn again
	cancel()
	readUntil(t, other, leaveScreen)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// The picture has the pods, the steps that are open, and the offers.
func TestPicture(t *testing.T) {
	f := newFake(servicespec.Service{Name: "kafka"}, "", "stuck")
	s := sight{service: f.service(), offers: []api.OfferOutcome{{Pod: "kafka-1", Reasons: []string{
		"1 of 2 cpus"}}}, trouble: errors.New("nobody listens")}
	e := &env{getenv: func(string) string { return "1" }}
	picture, err := e.picture("http://here", s, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"no answer since ", "kafka: deploying\n", "http://here",
		"kafka-0  broker  -      -", "kafka-2:[broker]  PENDING  1m30s  waits for an offer\n",
		"kafka-1  -     no    1 of 2 cpus\n"} {
		if !strings.Contains(picture, want) {
			t.Errorf("%q is not in\n%s", want, picture)
		}
	}
	f.mode, f.memory.Looks = "", 100
	picture, err = e.picture("http://here", sight{service: f.service()}, 0)
	if err != nil || !strings.HasSuffix(picture, "\nall steps of all plans are complete\n") {
		t.Errorf("%v\n%s", err, picture)
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
	for typed, agreed := range map[string]bool{
		"y\n": true, "YES\n": true, "n\n": false, "\n": false, "what\n": false,
	} {
		terminal, other := openTerminal(t)
		if _, err := io.WriteString(other, typed); err != nil {
			t.Fatal(err)
		}
		var asked bytes.Buffer
		e := &env{stdin: terminal, stderr: &asked}
		err := e.agree(false, `Delete cluster "kafka" with all its data?`, "")
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
