package servicespec

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var rewrite = flag.Bool("rewrite", false, "write the expected outputs of testdata anew")

// templates are the config templates that specs in testdata may name.
var templates = map[string]string{
	"server.properties.mustache": "port={{PORT}}\n",
	"log.mustache":               "level=INFO\n",
	"empty.mustache":             "",
}

// golden compares an output with the file that holds the expected one.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s", path, diff)
	}
}

func specs(t *testing.T, folder string, least int) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.yml"))
	if err != nil || len(paths) < least {
		t.Fatalf("found %d specs, %v", len(paths), err)
	}
	return paths
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestGood holds what good specs become, as indented canonical JSON.
func TestGood(t *testing.T) {
	for _, path := range specs(t, "good", 130) {
		name := strings.TrimSuffix(path, ".yml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			s, errs := Parse(filepath.Base(path), read(t, path), templates)
			if errs != nil {
				t.Fatal(errs)
			}
			data, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, data, "", "  "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", indented.String()+"\n")
			roundTrip(t, s)
		})
	}
}

// roundTrip demands that a service survives being stored.
func roundTrip(t *testing.T, s Service) {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeService(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Errorf("changed by encoding (-before +after):\n%s", diff)
	}
	again, err := back.Encode()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("second encoding differs: %v", err)
	}
	if changes := Diff(s, back); changes != nil {
		t.Errorf("Diff of equals is %v", changes)
	}
}

// TestBad holds the exact messages for bad specs.
func TestBad(t *testing.T) {
	for _, path := range specs(t, "bad", 130) {
		name := strings.TrimSuffix(path, ".yml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, errs := Parse(filepath.Base(path), read(t, path), templates)
			if len(errs) == 0 {
				t.Fatal("there are no errors")
			}
			golden(t, name+".txt", lines(errs))
		})
	}
}

func lines(errs []Error) string {
	var b strings.Builder
	for _, e := range errs {
		fmt.Fprintf(&b, "%s [%s]\n", e, e.Code)
	}
	return b.String()
}

const small = `name: web
pods:
  web:
    count: 1
    placement: %s
    tasks:
      server: {goal: RUNNING, cmd: ./server, cpus: 1, memory: 32}
`

func TestPlacement(t *testing.T) {
	good := fmt.Sprintf(small, `'[["hostname", "MAX_PER", "2"]]'`)
	s, errs := Parse("a.yml", []byte(good), nil)
	if errs != nil || len(s.Pods[0].Placement.Constraints) != 1 {
		t.Fatalf("%+v, %v", s, errs)
	}
	roundTrip(t, s)
	bad := fmt.Sprintf(small, `'[["hostname", "NEAR"]]'`)
	_, errs = Parse("a.yml", []byte(bad), nil)
	if got := lines(errs); len(errs) != 1 || !strings.Contains(got, "NEAR") ||
		!strings.HasPrefix(got, "a.yml:5:16: pods.web.placement: ") {
		t.Errorf("%v", errs)
	}
}

// TestHostile are files that must be refused quickly and with one message.
func TestHostile(t *testing.T) {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i,
			strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	tests := []struct{ name, text, want string }{
		{"large", strings.Repeat("# long\n", 1<<20), "bytes; at most 5242880 are read"},
		{"nul", "name: a\nx: \x00\n", "h.yml:2:4: there is a NUL byte"},
		{"latin", "name: a\nx: \"é\xe9\"\n", "h.yml:2:6: this is not UTF-8"},
		{"aliases", bomb, "grows to more than 250000 values"},
		{"lists", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "more than 64 deep"},
		{"open lists", strings.Repeat("[", 100_000), "this is not YAML"},
		{"maps", strings.Repeat("{a: ", 5000) + strings.Repeat("}", 5000), "more than 64 deep"},
		{"dashes", strings.Repeat("- ", 9000) + "a", "more than 64 deep"},
		{"questions", strings.Repeat("? ", 9000) + "a", ""},
		{"comments", strings.Repeat("#\n", 200_000) + "a: b\n", "unknown key"},
		{"keys", strings.Repeat("a: b\n", 100_000), "more than 2000 items"},
		{"same keys", strings.Repeat("a: b\n", 2000), "more than 100 mistakes"},
		{"anchors", strings.Repeat("- &a a\n", 100_000), "more than 2000 items"},
		{"text", "a: &a " + strings.Repeat("x", 1<<20) + "\nb: [" + strings.Repeat("*a,", 100) +
			"]", "grows to more than 20971520 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var errs []Error
			bounded(t, func() { _, errs = Parse("h.yml", []byte(test.text), nil) })
			if len(errs) == 0 || !strings.Contains(lines(errs), test.want) {
				t.Errorf("%.300s", lines(errs))
			}
			if len(errs) > maxErrors+1 {
				t.Errorf("there are %d errors", len(errs))
			}
		})
	}
}
