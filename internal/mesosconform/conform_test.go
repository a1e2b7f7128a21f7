package mesosconform

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

var (
	all = flag.Bool("all", false,
		"replay all recordings, and write docs/mesos-conformance.md if they are the copied ones")
	files = flag.String("files", "",
		"recordings to replay, separated by blanks, instead of the copied ones")
	show    = flag.Int("show", 0, "print so many examples of each kind of difference")
	trace   = flag.String("trace", "", "write what differs, a file a recording, into this folder")
	summary = flag.String("summary", "", "write the table and the last line to this file")
	width   = flag.Int("width", 16, "replay so many recordings at a time")
)

const (
	// floor is the least part of all exchanges, in percent, that conforms.
	floor = 90
	// brief is the longest recording, in seconds, that the ordinary test replays.
	brief = 6.0
	// slack is by how many percent of its exchanges a recording may differ from
	// what the page says, since other processes take their time.
	slack = 15
)

// TestMain is also the executor of tasks that have none of their own.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == localmesos.ExecutorCommand {
		os.Exit(localmesos.ExecutorMain(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// replayAll replays recordings side by side, the longest first, and returns them
// in the given order.
func replayAll(t *testing.T, recordings []recording) []*replay {
	order := make([]int, len(recordings))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(recordings[b].seconds(), recordings[a].seconds())
	})
	played := make([]*replay, len(recordings))
	next := make(chan int, len(order))
	for _, i := range order {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range max(1, *width) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range next {
				played[i] = play(t, recordings[i])
				declare(played[i])
			}
		}()
	}
	wg.Wait()
	return played
}

func readAll(t *testing.T, paths []string) []recording {
	t.Helper()
	var out []recording
	for _, path := range paths {
		r, err := readRecording(path)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		t.Fatal("there are no recordings")
	}
	return out
}

// TestConformance replays the short recordings and holds them to what the page
// says; with -all it replays all of them, or those that -files names.
func TestConformance(t *testing.T) {
	paths, err := copiedRecordings()
	if err != nil {
		t.Fatal(err)
	}
	if *files != "" {
		paths = strings.Fields(*files)
	}
	recordings := readAll(t, paths)
	if !*all && *files == "" {
		recordings = slices.DeleteFunc(recordings, func(r recording) bool {
			return r.seconds() > brief
		})
		holdToPage(t, replayAll(t, recordings))
		return
	}
	played := replayAll(t, recordings)
	text, sum := table(played)
	report(t, played, text+"\n"+sum.String()+"\n")
	if *files == "" {
		if err := os.WriteFile(documentFile, []byte(document(played)), 0o644); err != nil {
			t.Fatal(err)
		}
		if 100*sum.conform < floor*sum.exchanges {
			t.Errorf("%s conform, the floor is %d %%", percent(sum), floor)
		}
	}
	if n := sum.other(); n > 0 {
		t.Errorf("%d exchanges neither conform nor are declared", n)
	}
}

// report writes what was asked for.
func report(t *testing.T, played []*replay, text string) {
	if *show > 0 {
		fmt.Print(groups(played, *show))
	}
	if *trace != "" {
		for _, p := range played {
			write(t, filepath.Join(*trace, p.recording.name+".trace"), p.trace())
		}
	}
	if *summary != "" {
		write(t, *summary, text)
	} else {
		fmt.Print(text)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// holdToPage compares replays with the rows of the page.
func holdToPage(t *testing.T, played []*replay) {
	rows, _, err := documented()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range played {
		name, got := p.title(), p.tally()
		want, ok := rows[name]
		if !ok {
			t.Errorf("%s has no row for %s", documentFile, name)
			continue
		}
		least := want.conform - want.exchanges*slack/100
		if got.conform < least {
			t.Errorf("%s: %d of %d exchanges conform, the page says %d:\n%s", name, got.conform,
				got.exchanges, want.conform, p.trace())
		}
	}
}

// TestPage holds the page to the recordings and the rules: nothing is left out.
func TestPage(t *testing.T) {
	rows, text, err := documented()
	if err != nil {
		t.Fatal(err)
	}
	paths, err := copiedRecordings()
	if err != nil {
		t.Fatal(err)
	}
	var sum tally
	for _, r := range readAll(t, paths) {
		name := r.title()
		if rows[name].exchanges != r.exchanges() {
			t.Errorf("%s has %d exchanges, %s says %d: run make conformance", name,
				r.exchanges(), documentFile, rows[name].exchanges)
		}
		sum.add(rows[name])
		delete(rows, name)
	}
	if rows["all"] != sum {
		t.Errorf("the sum of all rows is %v, the last one says %v", sum, rows["all"])
	}
	if delete(rows, "all"); len(rows) > 0 {
		t.Errorf("rows without a recording: %v", rows)
	}
	if 100*sum.conform < floor*sum.exchanges {
		t.Errorf("%s conform, the floor is %d %%", percent(sum), floor)
	}
	numbers := regexp.MustCompile(`\*\* \(\d+\):`)
	plain := func(s string) string {
		return strings.Join(strings.Fields(numbers.ReplaceAllString(s, "**")), " ")
	}
	if !strings.Contains(plain(text), plain(departureList(nil))) {
		t.Errorf("%s does not list the departures as they are: run make conformance", documentFile)
	}
}
