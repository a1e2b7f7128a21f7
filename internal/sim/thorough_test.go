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
	drawn   uint64 // ids
}

func newThorough(w *world, cfg scheduler.Config, drawn uint64) *thorough {
	t := &thorough{w: w, drawn: drawn}
	ids := &process{uuids: drawn}
	cfg.Thorough, cfg.UUID = true, ids.uuid
	t.machine = scheduler.Restore(cfg, w.store.load())
	return t
}

// follow lets the second machine take the same event, and compares.
func (t *thorough) follow(ev scheduler.Event, out scheduler.Output, first *scheduler.Machine) {
	own := t.machine.Step(t.w.now, ev)
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"writes", out.Writes, own.Writes}, {"calls", out.Calls, own.Calls},
		{"replies", out.Replies, own.Replies}, {"notes", out.Notes, own.Notes},
		{"view", out.View, own.View}, {"wake", first.NextWake(), t.machine.NextWake()},
	} {
		if !reflect.DeepEqual(part.got, part.want) {
			t.w.fail("thorough", "%s (-all looked at, +not all):\n%s", part.name,
				cmp.Diff(part.want, part.got, cmp.Exporter(everything)))
			return
		}
	}
}

// everything has a comparison look into fields that are not exported.
func everything(reflect.Type) bool { return true }
