package mesosconform

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

var (
	files = flag.String("files", "",
		"recordings to replay, separated by blanks, instead of the copied ones")
	show    = flag.Int("show", 0, "print so many examples of each kind of difference")
	summary = flag.String("summary", "", "write the table and the last line to this file")
	trace   = flag.String("trace", "", "write what differs, a file a recording, into this folder")
	width   = flag.Int("width", 12, "replay so many recordings at a time")
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

func TestConformance(t *testing.T) {
	paths := strings.Fields(*files)
	var recordings []recording
	for _, path := range paths {
		r, err := readRecording(path)
		if err != nil {
			t.Fatal(err)
		}
		recordings = append(recordings, r)
	}
	played := replayAll(t, recordings)
	text, sum := table(played)
	if *show > 0 {
		for _, p := range played {
			for _, s := range p.strays {
				fmt.Println(p.recording.name, s)
			}
		}
		fmt.Print(groups(played, *show))
	}
	if *trace != "" {
		for _, p := range played {
			path := filepath.Join(*trace, p.recording.name+".trace")
			if err := os.WriteFile(path, []byte(p.trace()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if *summary != "" {
		if err := os.WriteFile(filepath.Clean(*summary), []byte(text+sum.String()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Print(text)
	fmt.Println(sum)
}
