package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

const (
	// keptEvents is how many events are kept for readers that come back or are slow.
	keptEvents = 4096
	// mostEvents is how many a reader gets at once.
	mostEvents = 256
	// feedPause is the least time between two looks at the view: what came and went in between
	// is no event.
	feedPause = 50 * time.Millisecond
)

// Feed makes events of the differences between views and keeps the latest ones. Readers come
// and take them at their own pace, so that none of them can delay anybody; the one who is too
// slow finds that events are gone.
type Feed struct {
	life string // tells the IDs of this process from those of others

	mu      sync.Mutex
	events  []api.Event // the latest, each where its number leaves it: see slotOf
	next    uint64      // the number of the event after them
	changed chan struct{}
}

// NewFeed makes a feed without events; Run fills it.
func NewFeed() *Feed {
	var life [4]byte
	_, _ = rand.Read(life[:]) // never fails
	return &Feed{life: hex.EncodeToString(life[:]), next: 1, changed: make(chan struct{})}
}

// Run follows the views until the context ends; watch gives the latest and a channel that is
// closed when there is a later one.
func (f *Feed) Run(
	ctx context.Context, watch func() (*scheduler.View, <-chan struct{}),
) {
	before, changed := watch()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		var now *scheduler.View
		now, changed = watch()
		if before != nil {
			f.add(differences(before, now))
		}
		before = now
		pause.Reset(feedPause)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

// add appends events, drops the oldest beyond the bound, and wakes the readers.
func (f *Feed) add(events []api.Event) {
	if len(events) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, event := range events {
		event.ID = f.life + "." + strconv.FormatUint(f.next, 10)
		f.next++
		if len(f.events) < keptEvents {
			f.events = append(f.events, event)
		} else {
			f.events[slotOf(f.next-1)] = event
		}
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// slotOf is where the event of a number is kept, in the place of an older one.
func slotOf(number uint64) uint64 { return (number - 1) % keptEvents }

// end is the number of the next event.
func (f *Feed) end() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

// from gives events from a number on, the number after them, and a channel that is closed when
// there are more. Missed says that some of those wanted are gone.
func (f *Feed) from(number uint64) (
	events []api.Event, next uint64, changed <-chan struct{}, missed bool,
) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := f.next - uint64(len(f.events))
	if number < first {
		number, missed = first, true
	}
	if number > f.next {
		number = f.next
	}
	for n := number; n < min(f.next, number+mostEvents); n++ {
		events = append(events, f.events[slotOf(n)])
	}
	return events, number + uint64(len(events)), f.changed, missed
}

// after gives the number of the event after the one with an ID; false says that the ID is none of
// this feed.
func (f *Feed) after(id string) (uint64, bool) {
	life, text, ok := strings.Cut(id, ".")
	number, err := strconv.ParseUint(text, 10, 64)
	if !ok || err != nil || life != f.life || number >= f.end() {
		return 0, false
	}
	return number + 1, true
}
