//go:build e2e

package kafkadist

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestRealMaven fetches the published Kafka with the real mvn, and checks that the archive has
// what a broker needs to start and to log, and that packing costs little.
func TestRealMaven(t *testing.T) {
	cache := t.TempDir()
	var packing time.Time
	c, err := Open(cache, func(p Progress) {
		if p.Stage == Pack && packing.IsZero() {
			packing = time.Now()
		}
		t.Logf("%s: %s %d/%d", p.Stage, p.Text, p.Done, p.Total)
	})
	if err != nil {
		t.Fatal(err)
	}
	src, err := ParseSource("", "")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	d, err := c.Fetch(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fetched in %v, of which packing %v: %+v", time.Since(start), time.Since(packing), d)
	if d.Version != DefaultVersion {
		t.Errorf("version %q, want %q", d.Version, DefaultVersion)
	}
	names := realEntries(t, d.Path)
	for _, want := range []string{
		"kafka_2.13-" + DefaultVersion + ".jar", "kafka-tools-" + DefaultVersion + ".jar",
		"kafka-raft-" + DefaultVersion + ".jar", "log4j-slf4j-impl-2.25.4.jar",
		"log4j-core-2.25.4.jar", "jackson-dataformat-yaml-2.21.2.jar",
	} {
		if !slices.Contains(names, "kafka/libs/"+want) {
			t.Errorf("the archive lacks %s", want)
		}
	}
	if len(names) != 93 { // 91 jars, the binding, VERSION
		t.Errorf("%d files, want 93", len(names))
	}
	t.Setenv("PATH", "")
	again, err := c.Fetch(t.Context(), src)
	if err != nil || again != d {
		t.Errorf("from the cache: %+v, %v; want %+v", again, err, d)
	}
	other, err := Open(filepath.Join(cache, "other"), nil)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := ParseSource(d.Path, DefaultVersion)
	if err != nil {
		t.Fatal(err)
	}
	repacked, err := other.Fetch(t.Context(), archive)
	if err != nil || repacked.Digest != d.Digest {
		t.Errorf("repacked: %+v, %v; want the digest %s", repacked, err, d.Digest)
	}
}

// TestRealMavenUnknownVersion asks the real mvn for what was never published.
func TestRealMavenUnknownVersion(t *testing.T) {
	c, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Fetch(t.Context(), Source{Kind: Maven, Version: "9.9.9"})
	wantError(t, err, "Kafka 9.9.9 is not among the published artifacts")
}

// TestRealJava finds the Java that the brokers of other tests run on.
func TestRealJava(t *testing.T) {
	j, err := FindJava(t.Context(), 17)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(j.Home, "bin", "java")); err != nil || j.Major < 17 {
		t.Errorf("%+v: %v", j, err)
	}
}

func realEntries(t *testing.T, path string) []string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	zipped, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for stream := tar.NewReader(zipped); ; {
		h, err := stream.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			names = append(names, h.Name)
		}
	}
}
