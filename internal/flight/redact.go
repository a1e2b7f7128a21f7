package flight

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Clean takes what is secret out of a JSON document.
type Clean func([]byte) ([]byte, error)

// Redact copies a segment as text, without what clean takes out. The copy has the sums of what a
// machine does that is given the copy, so it can be replayed like any other. A secret that is
// taken out would change the hash of what a task was launched with, and so restart it: these
// hashes become those of what is left.
func Redact(w io.Writer, r io.Reader, clean Clean) error {
	was, err := Open(r)
	if err != nil {
		return err
	}
	now, err := was.cleaned(clean)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := header(&out, now.cfg, now.hard); err != nil {
		return err
	}
	for {
		s, err := was.Next()
		if err == io.EOF {
			break
		}
		if err == nil && s.Differs != "" {
			err = fmt.Errorf("step %d cannot be replayed: %s", s.N, s.Differs)
		}
		if err == nil {
			err = now.again(&out, s, clean)
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(w, &out); err != nil {
			return fmt.Errorf("writing the copy: %w", err)
		}
	}
	switch was.End {
	case "end":
		sum, err := stateSum(now.Hard())
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "end %s\n", sum)
	case "crash":
		fmt.Fprintf(&out, "crash %q\n", was.Crash)
	}
	if _, err := io.Copy(w, &out); err != nil {
		return fmt.Errorf("writing the copy: %w", err)
	}
	return nil
}

// cleaned is a player for the redacted copy.
func (p *Player) cleaned(clean Clean) (*Player, error) {
	now := &Player{}
	data, err := json.Marshal(settings(p.cfg))
	if err == nil {
		data, err = clean(data)
	}
	if err == nil {
		err = json.Unmarshal(data, (*settings)(&now.cfg))
	}
	if err != nil {
		return nil, fmt.Errorf("redacting the configuration: %w", err)
	}
	entries, err := store.Entries(p.hard)
	if err != nil {
		return nil, err
	}
	for key, value := range entries { //tidy:unordered each by itself
		if entries[key], err = cleanLine(value, clean); err != nil {
			return nil, fmt.Errorf("redacting %s: %w", key, err)
		}
	}
	hard, err := store.Decode(entries)
	if err != nil {
		return nil, fmt.Errorf("the redacted state: %w", err)
	}
	hashes := strings.NewReplacer(hashPairs(p.hard, hard)...)
	for key, value := range entries { //tidy:unordered each by itself
		if strings.HasPrefix(key, "pod/") {
			entries[key] = []byte(hashes.Replace(string(value)))
		}
	}
	return now, now.restore(entries)
}

// cleanLine gives the cleaned document in one line.
func cleanLine(value []byte, clean Clean) ([]byte, error) {
	value, err := clean(value)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	err = json.Compact(&line, value)
	return line.Bytes(), err
}

// hashPairs are the hashes of launches of two states, one behind the other where they differ.
func hashPairs(was, now scheduler.Hard) []string {
	pairs := servicePairs(was.Target.Service, now.Target.Service)
	for i, earlier := range was.Earlier {
		pairs = append(pairs, servicePairs(earlier.Service, now.Earlier[i].Service)...)
	}
	return pairs
}

func servicePairs(was, now servicespec.Service) (pairs []string) {
	for _, pod := range was.Pods {
		for _, task := range pod.Tasks {
			for i := -1; i < pod.Count; i++ {
				a := was.TaskLaunchHash(pod.Type, i, task.Name)
				b := now.TaskLaunchHash(pod.Type, i, task.Name)
				if a != b {
					pairs = append(pairs, a, b)
				}
			}
		}
	}
	return pairs
}

// again takes a step of the segment that is copied, and writes it.
func (p *Player) again(out *bytes.Buffer, s Step, clean Clean) error {
	kind, data, err := encode(s.Event)
	if err == nil {
		data, err = cleanLine(data, clean)
	}
	if err != nil {
		return fmt.Errorf("redacting step %d: %w", s.N, err)
	}
	ev, err := decode(kind, data)
	if err != nil {
		return fmt.Errorf("step %d, redacted: %w", s.N, err)
	}
	fmt.Fprintf(out, "event %s %s %s %s\n", s.At.UTC().Format(time.RFC3339Nano), kind, data,
		oneLine(scheduler.EventText(ev)))
	writeDraws(out, s.drawn)
	p.draws, p.short = s.drawn, false
	made, panicked := p.step(given{at: s.At, event: ev})
	if panicked != s.Panic || p.short || len(p.draws) > 0 ||
		len(made.Writes) != len(s.Out.Writes) || len(made.Calls) != len(s.Out.Calls) {
		return fmt.Errorf("without its secrets step %d would be another", s.N)
	}
	if panicked != "" {
		return nil
	}
	text, err := madeText(made)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "made %s\n", text)
	if s.Kept {
		out.WriteString("kept\n")
	}
	return nil
}
