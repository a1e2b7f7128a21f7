package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// command runs the program and gives its exit code and all that it printed.
func command(args ...string) (code int, printed string) {
	var out bytes.Buffer
	code = Main(args, strings.NewReader(""), &out, &out, Daemons{})
	return code, out.String()
}

func expect(t *testing.T, wanted int, text string, args ...string) {
	t.Helper()
	code, printed := command(args...)
	if code != wanted || !strings.Contains(printed, text) {
		t.Errorf("%v: exit code %d, wanted %d and %q:\n%s", args, code, wanted, text, printed)
	}
}

// twoPods writes a state of two instances that share a reservation, if the second is to have
// that of the first.
func twoPods(t *testing.T, path, second string) {
	t.Helper()
	file, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writes := []scheduler.Write{
		scheduler.WriteFramework{ID: "framework-1"},
		scheduler.WriteFile{Name: "note", Content: strings.Repeat("<long> ", 100_000)},
	}
	for i, id := range []string{"r-0", second} {
		writes = append(writes, scheduler.WritePod{Pod: scheduler.Pod{
			Name: scheduler.PodName{Type: "web", Index: i}, Incarnation: 1,
			Place: &scheduler.Place{Agent: "agent-1", Hostname: "host-1",
				Reservation: mesos.ReservationID(id)},
		}})
	}
	if err := file.Apply(writes); err != nil {
		t.Fatal(err)
	}
}

// A state goes from a file through an export to ZooKeeper, and from there to a file again, and
// is the same; places that hold a state, and files that hold none, are refused.
func TestStateMoves(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	twoPods(t, at("a.db"), "r-1")
	expect(t, exitOK, "", "state", "export", "--db", at("a.db"), "-f", at("a.json"))
	expect(t, exitConflict, "is there already", "state", "export", "--db", at("a.db"),
		"-f", at("a.json"))

	there := "zk://" + zktest.Start(t).Address + "/kafka-sched/web"
	expect(t, exitFailed, "there is no state at /kafka-sched/web", "state", "export",
		"--state", there)
	expect(t, exitOK, "4 entries were imported into "+there, "state", "import", at("a.json"),
		"--state", there)
	expect(t, exitConflict, "there is a state already", "state", "import", at("a.json"),
		"--state", there)
	expect(t, exitOK, "", "state", "export", "--state", there, "-f", at("b.json"))

	expect(t, exitOK, "4 entries", "state", "import", at("b.json"), "--db", at("b.db"))
	expect(t, exitConflict, "there is a state already", "state", "import", at("b.json"),
		"--db", at("b.db"))
	expect(t, exitOK, "", "state", "export", "--db", at("b.db"), "-f", at("c.json"))
	first := read(t, at("a.json"))
	if first != read(t, at("b.json")) || first != read(t, at("c.json")) {
		t.Error("the exports differ")
	}
	expect(t, exitOK, "framework-1", "state", "inspect", "--state", there)
	expect(t, exitOK, `"reservation": "r-1"`, "state", "inspect", "--db", at("b.db"), "--json")
	expect(t, exitOK, `"id": "framework-1"`, "state", "inspect", "--db", at("b.db"),
		"--key", "framework")
	expect(t, exitNotFound, "there are: file/note, framework", "state", "inspect", "--db",
		at("b.db"), "--key", "nothing")
}

func TestStateRefusals(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	twoPods(t, at("twice.db"), "r-0")
	expect(t, exitFailed, "the reservation r-0 is held by web-0 and by web-1", "state", "verify",
		"--db", at("twice.db"))
	expect(t, exitNotFound, "there is no state", "state", "verify", "--db", at("none.db"))
	expect(t, exitUsage, "exclude each other", "state", "verify", "--db", "x", "--state", "y")
	expect(t, exitOK, "", "state", "export", "--db", at("twice.db"), "-f", at("good.json"))
	good := read(t, at("good.json"))
	for name, text := range map[string]string{
		"foreign": "hello", "json": `{"a": 1}`, "damaged": strings.Replace(good, "r-0", "r-9", 1),
		"newer": strings.Replace(good, `"schema": 1`, `"schema": 99`, 1), "cut": good[:len(good)/2],
	} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, exitUsage, "state", "state", "import", at(name), "--db", at("new.db"))
	}
	if exists(at("new.db")) {
		t.Error("a refused import has left a file")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
