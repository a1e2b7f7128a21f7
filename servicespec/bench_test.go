package servicespec

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkLoadKafkaSpec loads the spec that install uses when none is named.
func BenchmarkLoadKafkaSpec(b *testing.B) {
	template, err := os.ReadFile("../examples/kafka.yml")
	if err != nil {
		b.Fatal(err)
	}
	env := Options{"service.user": "nobody"}.Environment()
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Load("kafka.yml", template, env, nil); errs != nil {
			b.Fatal(errs)
		}
	}
}

// large is a spec of so many pods, and nearly as large as a file may be.
func large(pods int) []byte {
	var b strings.Builder
	b.WriteString("name: large\npods:\n")
	for i := range pods {
		fmt.Fprintf(&b, `  pod%05d:
    count: 3
    placement: '[["hostname", "MAX_PER", "1"], ["rack", "GROUP_BY", "3"]]'
    tasks:
      server:
        goal: RUNNING
        cmd: %s
        cpus: 0.5
        memory: 128
        env: {GREETING: hello, NUMBER: "%d"}
        ports: {http: {port: 0, env-key: HTTP_PORT}}
        volume: {path: data, type: ROOT, size: 100}
`, i, strings.Repeat("x", 150), i)
	}
	return []byte(b.String())
}

// BenchmarkLoadLargeSpec loads 10,000 pods.
func BenchmarkLoadLargeSpec(b *testing.B) {
	text := large(10_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := Load("large.yml", text, nil, nil); errs != nil {
			b.Fatal(errs[0])
		}
	}
}

// TestLarge demands that as many pods load as a spec may have steps for.
func TestLarge(t *testing.T) {
	s, errs := Load("large.yml", large(2500), nil, nil)
	if errs != nil || len(s.Pods) != 2500 {
		t.Fatalf("%d pods, %v", len(s.Pods), errs)
	}
	if changes := Diff(s, s); changes != nil {
		t.Error(changes)
	}
	_, errs = Parse("large.yml", large(10_000)[:4<<20], nil)
	if len(errs) > maxErrors+1 {
		t.Errorf("there are %d errors", len(errs))
	}
}
