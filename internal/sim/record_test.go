package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// recorded is what a machine was given: an event, or, without one, a start from what was stored.
// What it wanted written of a lost one never was.
type recorded struct {
	at   time.Time
	ev   scheduler.Event
	lost bool
}

// record notes an event for a scenario file.
func (w *world) record(ev scheduler.Event, lost bool) {
	if w.recordIt {
		w.log = append(w.log, recorded{w.now, ev, lost})
	}
}

// scenarioText is the log as a scenario file for scheduler/testdata, whose answers
// `go test ./scheduler -run Stories -rewrite` writes.
func (w *world) scenarioText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Seed %d of the simulation, reduced to %s.\n# It ended with: %s\n", w.seed,
		w.cut.String(), strings.ReplaceAll(w.breach, "\n", "\n# "))
	began := w.log[0].at
	for _, r := range w.log {
		kind, input := describe(r.ev)
		if r.ev == nil {
			kind = "start"
			input = w.scenario.shape.text()
		}
		if r.lost {
			kind += " lost"
		}
		if r.ev != nil {
			fmt.Fprintf(&b, "# %s\n", strings.ReplaceAll(scheduler.EventText(r.ev), "\n", "\n# "))
		}
		fmt.Fprintf(&b, "at %s %s\n", r.at.Sub(began), kind)
		if input != "" {
			fmt.Fprintf(&b, "%s\n", strings.TrimSuffix(input, "\n"))
		}
		b.WriteString("----\n\n")
	}
	return b.String()
}

// describe gives the kind of an event, and what is in it as JSON.
func describe(ev scheduler.Event) (kind, input string) {
	var what any = ev
	switch ev := ev.(type) {
	case nil, scheduler.Tick:
		return "tick", ""
	case scheduler.FromMesos:
		what = ev.Event
	case scheduler.Commanded:
		what = ev.Command
	case scheduler.FromKafka:
		what = ev.Facts
	case scheduler.KafkaChanged:
		return "KafkaChanged", jsonOf(map[string]any{"Kind": kindOf(ev.Change),
			"Change": ev.Change, "Error": ev.Error})
	}
	return kindOf(what), jsonOf(what)
}

// kindOf is the name of a value's type.
func kindOf(what any) string {
	name := fmt.Sprintf("%T", what)
	return name[strings.LastIndexByte(name, '.')+1:]
}

func jsonOf(what any) string {
	data, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	return string(data)
}
