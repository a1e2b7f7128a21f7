package executor

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the scheduler encodes is what the executor decodes.
func TestOrderRoundTrip(t *testing.T) {
	o := Order{
		Task:    "kafka-0-broker",
		Command: "exec ./start",
		Env:     []EnvVar{{Name: "A", Value: "b=c\n"}},
		Files:   []File{{Path: "a/b", Text: "{{A}}", Template: true, Executable: true}},
		Ports:   []Port{{Name: "broker", Number: 9092}},
		Address: "127.0.0.2",
		Readiness: &Check{HTTP: &HTTPCheck{Scheme: "https", Host: "h", Port: 1, Path: "/p"},
			Interval: time.Second, Timeout: 2 * time.Second, Delay: 3 * time.Second},
		Health: &Check{Command: &CommandCheck{Command: "true"}, GracePeriod: time.Minute,
			MaxConsecutiveFailures: 3},
		KillGrace: 5 * time.Minute,
		LogBytes:  1 << 20,
		LogFiles:  7,
	}
	data, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeOrder(data)
	if err != nil || !cmp.Equal(got, o) {
		t.Errorf("decoded (%v): %s", err, cmp.Diff(o, got))
	}
}

func TestMessagesAreKeptShort(t *testing.T) {
	long := make([]byte, 3000)
	for i := range long {
		long[i] = 'x'
	}
	tests := []struct {
		lines []string
		want  string
	}{
		{nil, "m"},
		{[]string{" ", ""}, "m"},
		{[]string{"a", "b"}, "m: a\nb"},
		{[]string{"Exception: why", "\tat a.b(C.java:1)", "\t... 3 more"}, "m: Exception: why"},
		{[]string{string(long), "b"}, "m: b"},
		{[]string{string(long)}, "m: " + string(long[:tailBytes-len("…")]) + "…"},
		{[]string{"\xff"}, "m: ?"},
	}
	for _, test := range tests {
		if got := withTail("m", test.lines); got != test.want {
			t.Errorf("%.40q: %q, want %q", test.lines, got, test.want)
		}
	}
	if got := cut("äöü", 5); got != "ä…" {
		t.Errorf("cut gives %q", got)
	}
}
