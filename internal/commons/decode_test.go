package commons

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// recorded loads a recorded tree: one node a line.
func recorded(t *testing.T, name string) Tree {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	tree := Tree{Nodes: map[string]Node{}}
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(bytes.TrimSpace(line), []byte(","))
		if len(line) < 3 {
			continue // a bracket
		}
		var node struct {
			Path      string
			Ephemeral bool
			Data      []byte
		}
		if err := json.Unmarshal(line, &node); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if tree.Root == "" {
			tree.Root = node.Path
			continue
		}
		tree.Nodes[strings.TrimPrefix(node.Path, tree.Root+"/")] = Node{node.Data, node.Ephemeral}
	}
	return tree
}

// decoded decodes a recorded tree.
func decoded(t *testing.T, name string) Found {
	t.Helper()
	found, err := Decode(recorded(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAdoptRecorded holds for each recorded tree what is taken over, what is not and why: all that
// the store is filled with.
func TestAdoptRecorded(t *testing.T) {
	for _, name := range []string{"kafka", "kafka-mid-deploy", "kafka-mid-update",
		"kafka-pausing", "mixed"} {
		t.Run(name, func(t *testing.T) {
			found := decoded(t, name)
			a := scheduler.Adopt(found.Predecessor, nil, noon)
			if !found.Running || len(found.Problems)+len(a.Problems) > 0 {
				t.Fatal(found.Running, found.Problems, a.Problems)
			}
			var out strings.Builder
			for _, note := range slices.Concat(found.Notes, a.Notes) {
				fmt.Fprintf(&out, "note: %s\n", note)
			}
			h := throughStore(t, a)
			if wrong := scheduler.Verify(h); wrong != nil {
				t.Error(wrong)
			}
			tell(&out, h)
			golden(t, name, out.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// throughStore gives the state as a scheduler will load it.
func throughStore(t *testing.T, a scheduler.Adoption) scheduler.Hard {
	t.Helper()
	changes, err := store.Encode(a.Writes())
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string][]byte{}
	for _, c := range changes {
		entries[c.Key] = c.Value
	}
	h, err := store.Decode(entries)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tell writes a state down for people.
func tell(out *strings.Builder, h scheduler.Hard) {
	fmt.Fprintf(out, "framework %s\ntarget %s number %d updates %t done %t\n", h.Framework,
		h.Target.ID, h.Target.Number, h.Target.Updates, !h.Target.Done.IsZero())
	for _, p := range h.Target.Service.Plans {
		for _, phase := range p.Phases {
			fmt.Fprintf(out, "  %s: %s %v\n", p.Name, phase.Name, phase.Steps)
		}
	}
	for _, e := range h.Earlier {
		fmt.Fprintf(out, "earlier %s number %d\n", e.ID, e.Number)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Files)) {
		fmt.Fprintf(out, "file %s: %d bytes\n", name, len(h.Files[name]))
	}
	names := slices.SortedFunc(maps.Keys(h.Pods), func(a, b scheduler.PodName) int {
		return strings.Compare(a.String(), b.String())
	})
	for _, name := range names {
		p := h.Pods[name]
		fmt.Fprintf(out, "%s on %s %s %s/%s %v as %s\n  confirmed %t ran %t request %q\n", name,
			p.Place.Agent, p.Place.Hostname, p.Place.Domain.Region, p.Place.Domain.Zone,
			p.Place.Attributes, p.Place.Reservation, p.Place.Confirmed, p.Ran, p.Request)
		fmt.Fprintf(out, "  executor %s %s\n", p.Executor.ID, p.Place.Executor)
		for _, s := range p.Place.Sets {
			fmt.Fprintf(out, "  set %s %v %s\n", s.Name, s.Ports, s.Resources)
		}
		for _, t := range p.Tasks {
			ready := "unknown"
			if t.Ready != nil {
				ready = fmt.Sprint(*t.Ready)
			}
			current := h.Target.Service.TaskLaunchHash(name.Type, -1, t.Name) == t.Launch
			fmt.Fprintf(out, "  task %s %q %s at %s of %s\n    ready %s was %t deployed %s "+
				"current %t paused %t idle %t\n", t.Name, t.ID, t.State, t.IP, t.Target, ready,
				t.WasReady, t.Deployed, current, t.Paused, t.Idle)
		}
	}
}
