package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/api/server"
)

// cached puts a packed distribution into a cache as kafkadist does, and gives its digest and path.
func cached(t *testing.T, dir, prefix, version string, number int) (digest, path string) {
	t.Helper()
	digest = fmt.Sprintf("%016x%048x", number, number)
	path = filepath.Join(dir, fmt.Sprintf("%s-%s-%s.tgz", prefix, version, digest[:16]))
	content := fmt.Sprintf("%s %s number %d", prefix, version, number)
	record := fmt.Sprintf(`{"kind":"archive","source":"s%d","version":%q,"sha256":%q,"size":%d,`+
		`"java":%t}`, number, version, digest, len(content), prefix == "jre")
	for file, text := range map[string]string{path: content,
		filepath.Join(dir, fmt.Sprintf("source-%d.json", number)): record} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return digest, path
}

// TestDistributions: a version is found in the cache while the scheduler runs, also one that came
// later, if it is the only one or is named by its digest; and served by digest and name alone.
func TestDistributions(t *testing.T) {
	dir := t.TempDir()
	digest, path := cached(t, dir, "kafka", "3.9.1", 1)
	own := artifact{file: path, digest: digest, path: "/own"}
	d := newDistributions(SchedulerOptions{KafkaDist: path, KafkaVersion: "3.9.1"},
		&artifacts{kafka: own})
	later, laterPath := cached(t, dir, "kafka", "4.3.1", 2)
	cached(t, dir, "jre", "21.0.1", 3)
	cached(t, dir, "kafka", "4.2.0", 4)
	second, _ := cached(t, dir, "kafka", "4.2.0", 5)
	for _, c := range []struct{ version, digest, want, wrong string }{
		{"3.9.1", "", "/own", ""},
		{"3.9.1", digest, "/own", ""},
		{"3.9.1", later, "", fs.ErrNotExist.Error()},
		{"4.3.1", "", artifactPath(server.KafkaArtifact, later, filepath.Base(laterPath)), ""},
		{"4.3.1", later, artifactPath(server.KafkaArtifact, later, filepath.Base(laterPath)), ""},
		{"21.0.1", "", "", fs.ErrNotExist.Error()},
		{"4.0.0", "", "", fs.ErrNotExist.Error()},
		{"4.2.0", "", "", "there are 2 distributions of Kafka 4.2.0 in the cache"},
		{"4.2.0", second, artifactPath(server.KafkaArtifact, second,
			fmt.Sprintf("kafka-4.2.0-%s.tgz", second[:16])), ""},
	} {
		got, err := d.Distribution(c.version, c.digest)
		if got != c.want || (err != nil) != (c.wrong != "") ||
			err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s %.16s: %q, %v", c.version, c.digest, got, err)
		}
	}
	served, err := d.open(later, filepath.Base(laterPath))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(served.Content)
	if err != nil || string(text) != "kafka 4.3.1 number 2" || served.ModTime.IsZero() {
		t.Errorf("%q of %v, %v", text, served.ModTime, err)
	}
	served.Content.Close()
	for _, name := range []string{"../" + filepath.Base(laterPath), "kafka-4.3.1.tgz",
		"source-1.json",
		fmt.Sprintf("kafka-4.3.1-%s.tgz", digest[:16])} {
		if _, err := d.open(later, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is served: %v", name, err)
		}
	}
}

// TestNoDistributions: a scheduler whose pods run no Kafka has none.
func TestNoDistributions(t *testing.T) {
	d := newDistributions(SchedulerOptions{}, &artifacts{})
	if path, err := d.Distribution("4.3.1", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", path, err)
	}
	_, err := d.open(strings.Repeat("0", 64), "kafka-4.3.1-0000000000000000.tgz")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestJavaOf: which Java brokers run with is read from what agents fetch.
func TestJavaOf(t *testing.T) {
	for jre, want := range map[string]int{
		"jre-21.0.1-0123456789abcdef.tgz":    21,
		"jre-17-0123456789abcdef.tgz":        17,
		"jre-1.8.0_392-0123456789abcdef.tgz": 8,
		"jre-24-ea-0123456789abcdef.tgz":     24,
		"something.tgz":                      0,
		"jre-unknown-0123456789abcdef.tgz":   0,
		"":                                   0,
	} {
		if got := javaOf(SchedulerOptions{JRE: jre}); got != want {
			t.Errorf("%q: %d, not %d", jre, got, want)
		}
	}
	if got := javaOf(SchedulerOptions{Java: "/usr/bin/java"}); got != leastJava {
		t.Errorf("that of this machine: %d", got)
	}
}
