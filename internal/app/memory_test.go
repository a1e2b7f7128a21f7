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
		{10, 800, false}, {500, 1120, true}, {500, 1120, false}, {10, 1120, false},
		{500, 1120, false},
	} {
		if bound, changed := b.after(x.bytes); bound != x.bound || changed != x.changed {
			t.Errorf("second %d: %d, %v, not %+v", second, bound, changed, x)
		}
	}
	for range calmAfter - 1 {
		if bound, changed := b.after(0); bound != 1120 || changed {
			t.Errorf("too soon calm: %d, %v", bound, changed)
		}
	}
	if bound, changed := b.after(0); bound != 800 || !changed {
		t.Errorf("not calm at last: %d, %v", bound, changed)
	}
}
