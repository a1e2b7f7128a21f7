package kafkadist

import (
	"os"
	"path/filepath"
	"testing"
)

// TestParseSource has values of --kafka-dist and --kafka-version.
func TestParseSource(t *testing.T) {
	folder := t.TempDir()
	archive := writeFile(t, "with space.tgz", []byte("x"))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	pipe := "/dev/null"
	t.Chdir(folder)
	tests := []struct {
		dist, version string
		want          Source
		text, err     string
	}{
		{"", "", Source{Maven, "", "4.3.1", false},
			"Maven artifacts org.apache.kafka:kafka_2.13:4.3.1", ""},
		{"", "3.9.1", Source{Maven, "", "3.9.1", false},
			"Maven artifacts org.apache.kafka:kafka_2.13:3.9.1", ""},
		{folder, "", Source{Folder, folder, "", false}, "folder " + folder, ""},
		{".", "4.3.1", Source{Folder, folder, "4.3.1", false}, "folder " + folder, ""},
		{link, "", Source{Folder, folder, "", false}, "folder " + folder, ""},
		{archive, "", Source{Archive, archive, "", false}, "archive " + archive, ""},
		{"file://" + filepath.Dir(archive) + "/with%20space.tgz", "",
			Source{Archive, archive, "", false}, "archive " + archive, ""},
		{"https://h/k.tgz", "", Source{URL, "https://h/k.tgz", "", false}, "https://h/k.tgz", ""},
		{"HTTP://u:pw@h/k.tgz?t=1", "", Source{URL, "http://u:pw@h/k.tgz?t=1", "", false},
			"http://u:xxxxx@h/k.tgz", ""},
		{"", "latest", Source{}, "", `kafka version "latest" is not of the form 4.3.1`},
		{"", "4", Source{}, "", "is not of the form"},
		{"", "4.3.1</version>", Source{}, "", "is not of the form"},
		{folder, "../4.3.1", Source{}, "", "is not of the form"},
		{"/no/such/place", "", Source{}, "", "/no/such/place: there is no such file or folder"},
		{"file:///no/such/place", "", Source{}, "", "there is no such file or folder"},
		{"file://tmp/x.tgz", "", Source{}, "", "three slashes"},
		{"ftp://h/k.tgz", "", Source{}, "", `scheme "ftp" is not one of file, http, https`},
		{"https:///k.tgz", "", Source{}, "", "names no host"},
		{"http://[h/k.tgz", "", Source{}, "", "cannot be parsed"},
		{pipe, "", Source{}, "", "neither a file nor a folder"},
	}
	for _, test := range tests {
		got, err := ParseSource(test.dist, test.version)
		if test.err != "" {
			wantError(t, err, test.err)
			continue
		}
		if err != nil || got != test.want || got.String() != test.text {
			t.Errorf("%q %q: %#v (%s), %v; want %#v",
				test.dist, test.version, got, got, err, test.want)
		}
	}
}

// TestUnmadeSource fetches sources that ParseSource cannot have made.
func TestUnmadeSource(t *testing.T) {
	c := open(t, t.TempDir(), nil)
	for _, src := range []Source{
		{}, {Kind: Maven}, {Kind: Maven, Version: "x"}, {Kind: Folder},
		{Kind: "nfs", Location: "/"},
	} {
		if _, err := c.Fetch(t.Context(), src); err == nil {
			t.Errorf("%#v was fetched", src)
		}
	}
}

// TestDefaultCacheDir follows the environment.
func TestDefaultCacheDir(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	t.Setenv("KAFKA_SCHED_CACHE", "/mine")
	if got := DefaultCacheDir(); got != "/mine" {
		t.Errorf("with KAFKA_SCHED_CACHE: %s", got)
	}
	t.Setenv("KAFKA_SCHED_CACHE", "")
	want, err := os.UserCacheDir()
	if got := DefaultCacheDir(); err != nil || got != filepath.Join(want, "kafka-sched") {
		t.Errorf("with XDG_CACHE_HOME: %s, want below %s", got, want)
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	if got := DefaultCacheDir(); filepath.Dir(got) != filepath.Clean(os.TempDir()) {
		t.Errorf("without a home: %s", got)
	}
}

// TestOpenFails opens a cache where none can be.
func TestOpenFails(t *testing.T) {
	file := writeFile(t, "file", nil)
	for _, dir := range []string{"", file, filepath.Join(file, "below")} {
		_, err := Open(dir, nil)
		wantError(t, err, "opening the distribution cache")
	}
}
