package app

import "testing"

// The bound on memory is wider from the first second with much to do until there was little for
// a while.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := bounds{calm: 800}
	for second, x := range []struct {
		bytes, bound int64
		changed      bool
	}{
		{10, 800, false}, {500, 1200, true}, {500, 1200, false}, {10, 1200, false},
		{500, 1200, false},
	} {
		if changed := b.after(x.bytes); b.bound() != x.bound || changed != x.changed {
			t.Errorf("second %d: %d, %v, not %+v", second, b.bound(), changed, x)
		}
	}
	for range calmAfter - 1 {
		if changed := b.after(0); b.bound() != 1200 || changed {
			t.Errorf("too soon calm: %d, %v", b.bound(), changed)
		}
	}
	if changed := b.after(0); b.bound() != 800 || !changed {
		t.Errorf("not calm at last: %d, %v", b.bound(), changed)
	}
}
