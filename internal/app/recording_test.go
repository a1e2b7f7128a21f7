package app

import (
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// replayed replays all that the site's schedulers recorded: each step does what it did, and the
// state in the end is, byte for byte, that which is stored.
func (s *site) replayed() {
	s.t.Helper()
	all, err := flight.List(filepath.Join(s.options.Dir, "recording"))
	if err != nil || len(all) == 0 && s.ran {
		s.t.Fatalf("no recording: %v", err)
	}
	for i, segment := range all {
		states := s.replay(segment.Path)
		if i < len(all)-1 || s.options.State.String() != (zk.Access{}).String() {
			continue
		}
		kept, err := store.Open(filepath.Join(s.options.Dir, "state.db"))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			s.t.Fatal(err)
		}
		hard, err := kept.Load()
		if err := errors.Join(err, kept.Close()); err != nil {
			s.t.Fatal(err)
		}
		// One that was killed may have recorded a step that it did not come to store.
		stored := s.bytesOf(hard)
		if !slices.ContainsFunc(states[max(0, len(states)-2):],
			func(state map[string]string) bool { return maps.Equal(state, stored) }) {
			s.t.Errorf("%s: the state in the end is not the stored one: %s", segment.Path,
				cmp.Diff(stored, states[len(states)-1]))
		}
	}
}

// replay replays a segment, and gives the state in the beginning and each that was to be stored.
func (s *site) replay(path string) (states []map[string]string) {
	s.t.Helper()
	file, err := os.Open(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	p, err := flight.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	states = append(states, s.bytesOf(p.Hard()))
	for {
		step, err := p.Next()
		if err == io.EOF {
			return states
		}
		if err != nil {
			s.t.Fatalf("%s: %v", path, err)
		}
		if step.Differs != "" {
			s.t.Fatalf("%s, step %d, %s: %s", path, step.N, step.Text, step.Differs)
		}
		if step.Kept {
			states = append(states, s.bytesOf(p.Hard()))
		}
	}
}

func (s *site) bytesOf(hard scheduler.Hard) map[string]string {
	s.t.Helper()
	entries, err := store.Entries(hard)
	if err != nil {
		s.t.Fatal(err)
	}
	found := map[string]string{}
	for key, value := range entries {
		found[key] = string(value)
	}
	return found
}
