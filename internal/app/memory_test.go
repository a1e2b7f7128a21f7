package app

import "testing"

// The bound on memory is wider from the first second with much to do until there was little for
// a while.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := bounds{calm: 800}
	for second, x := range []struct {
		bytes         int64
		busy, changed bool
	}{
		{10, false, false}, {500, true, true}, {500, true, false}, {10, true, false},
		{500, true, false},
	} {
		if changed := b.after(x.bytes); b.busy != x.busy || changed != x.changed {
			t.Errorf("second %d: %v, %v, not %+v", second, b.busy, changed, x)
		}
	}
	for range calmAfter - 1 {
		if changed := b.after(0); !b.busy || changed {
			t.Errorf("too soon calm: %v, %v", b.busy, changed)
		}
	}
	if changed := b.after(0); b.busy || !changed {
		t.Errorf("not calm at last: %v, %v", b.busy, changed)
	}
	if wide := b.wide(); wide <= b.calm || wide > 2*b.calm {
		t.Errorf("%d is not a wider bound than %d", wide, b.calm)
	}
}
