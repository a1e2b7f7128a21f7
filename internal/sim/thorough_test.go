package sim

import (
	"reflect"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// thorough is a second machine that lives through the same as the first, and looks at every
// instance in every pass. The first looks at those alone that something may have happened to; it
// must want the same and show the same.
type thorough struct {
	w       *world
	machine *scheduler.Machine
	drawn   int // counts pictures
}

func newThorough(w *world, cfg scheduler.Config, drawn uint64) *thorough {
	t := &thorough{w: w}
	ids := &process{uuids: drawn}
	cfg.Thorough, cfg.UUID = true, ids.uuid
	t.machine = scheduler.Restore(cfg, w.store.load())
	return t
}

// looks is of how many pictures one is compared.
const looks = 8

// follow lets the second machine take the same event, and compares.
func (t *thorough) follow(ev scheduler.Event, out scheduler.Output, first *scheduler.Machine) {
	own := t.machine.Step(t.w.now, ev)
	t.compare("writes", out.Writes, own.Writes)
	t.compare("calls", out.Calls, own.Calls)
	t.compare("replies", out.Replies, own.Replies)
	t.compare("notes", out.Notes, own.Notes)
	t.compare("wake", first.NextWake(), t.machine.NextWake())
	if out.View == nil {
		return
	}
	if t.drawn++; t.drawn%looks == 0 {
		t.compare("view", out.View, own.View)
	}
}

// look looks at the second machine, too. Between passes it may show less of what is to be done.
func (t *thorough) look(first *scheduler.View, passed bool) {
	if own := t.machine.View(); passed {
		t.compare("view", first, own)
	}
}

// compare fails the world if two parts of what the machines want, or show, differ.
func (t *thorough) compare(name string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		t.w.fail("thorough", "%s (-all looked at, +not all):\n%s", name,
			cmp.Diff(want, got, cmp.Exporter(everything)))
	}
}

// everything has a comparison look into fields that are not exported.
func everything(reflect.Type) bool { return true }
