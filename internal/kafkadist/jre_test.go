package kafkadist

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// javaTree is a Java runtime, below a folder ("" for none), with what a development kit adds.
func javaTree(folder, version string) tree {
	below := tree{}
	for name, text := range (tree{
		"bin/java": "#!/bin/sh\n", "bin/keytool.sh": "#!/bin/sh\n",
		"lib/modules": "modules", "lib/security/cacerts": "certificates",
		"lib/src.zip": "source", "jmods/java.base.jmod": "module", "include/jni.h": "header",
		"release": "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\nOS_ARCH=\"x86_64\"\n",
	}) {
		below[filepath.Join(folder, name)] = text
	}
	return below
}

// javaEntries are what a packed runtime holds, with modes; cacerts may be a link of the source.
const javaEntries = `jre/ 755
jre/bin/ 755
jre/bin/java 644
jre/bin/keytool.sh 755
jre/lib/ 755
jre/lib/modules 644
jre/lib/security/ 755
jre/lib/security/cacerts 644
jre/release 644
jre/VERSION 644
`

func entriesOf(t *testing.T, path string) string {
	t.Helper()
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	unzipped, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for stream := tar.NewReader(unzipped); ; {
		h, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s %o\n", h.Name, h.Mode)
	}
}

// TestJRE packs a Java runtime from a folder whose certificates lie elsewhere, from archives of
// different shape and from a URL: always the same, and never mixed up with a Kafka.
func TestJRE(t *testing.T) {
	const version = "17.0.15"
	folder := javaTree("", version).with(tree{"lib/security/cacerts": ""}).write(t, t.TempDir())
	elsewhere := writeFile(t, "cacerts", []byte("certificates"))
	if err := os.MkdirAll(filepath.Join(folder, "lib", "security"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"lib/security/cacerts": elsewhere, "docs": "/none/such/place",
	} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	linked := javaTree("jdk-17.0.15+6-jre", version).with(tree{
		"jdk-17.0.15+6-jre/lib/security/cacerts":    "",
		"jdk-17.0.15+6-jre/lib/security/cacerts.in": "",
		"jdk-17.0.15+6-jre/jmods/certs":             "certificates",
	}).tar(t, &tar.Header{Typeflag: tar.TypeSymlink, Linkname: "../../jmods/certs",
		Name: "jdk-17.0.15+6-jre/lib/security/cacerts"})
	top := writeFile(t, "jre.tgz", zipped(t, linked))
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(top))))
	defer server.Close()
	c := open(t, t.TempDir(), nil)
	var first Dist
	for _, flag := range []string{
		folder, top, server.URL + "/jre.tgz",
		writeFile(t, "flat.tar", javaTree("", version).tar(t)),
		writeFile(t, "deep.tar", javaTree("jdk/Contents/Home", version).tar(t)),
	} {
		src, err := ParseJRE(flag)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from the cache
			d := fetch(t, c, src)
			if first.Path == "" {
				first = d
			}
			if d.Path != first.Path || d.Version != version {
				t.Errorf("%s: %+v, want the archive of %+v", flag, d, first)
			}
		}
	}
	if want := "jre-17.0.15-" + first.Digest[:16] + ".tgz"; filepath.Base(first.Path) != want {
		t.Errorf("path %s, want %s", first.Path, want)
	}
	if got := entriesOf(t, first.Path); got != javaEntries {
		t.Errorf("it holds\n%s", got)
	}
	again, err := ParseJRE(first.Path)
	if err != nil {
		t.Fatal(err)
	}
	if d := fetch(t, c, again); d.Digest != first.Digest {
		t.Errorf("packed again it is %+v", d)
	}
	if _, err := c.Fetch(t.Context(), parse(t, folder, "")); err == nil {
		t.Error("it is taken for a Kafka")
	}
}

// TestRefusedJRE says what is wrong with what is no Java runtime, or an old one.
func TestRefusedJRE(t *testing.T) {
	circle := javaTree("", "21").write(t, t.TempDir())
	if err := os.Symlink(".", filepath.Join(circle, "lib", "again")); err != nil {
		t.Fatal(err)
	}
	c := open(t, t.TempDir(), nil)
	for _, test := range []struct{ flag, want string }{
		{t.TempDir(), "is not a Java runtime: it has no bin/java; name the folder"},
		{javaTree("", "17").with(tree{"release": ""}).write(t, t.TempDir()), "no file release"},
		{javaTree("", "../17").write(t, t.TempDir()), "no readable JAVA_VERSION"},
		{javaTree("", "11.0.2").write(t, t.TempDir()), "is Java 11.0.2, and Kafka needs 17"},
		{javaTree("", "1.8.0_392").write(t, t.TempDir()), "is Java 1.8.0_392"},
		{writeFile(t, "k.tgz", goodArchive(t, "4.3.1")), "none of its"},
		{writeFile(t, "t.tgz", []byte("<html>")), "it is a web page"},
		{circle, "deeper than any part"},
	} {
		src, err := ParseJRE(test.flag)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Fetch(t.Context(), src)
		wantError(t, err, "getting Java from", test.want)
	}
	_, err := ParseJRE("/none/such/place")
	wantError(t, err, "java runtime /none/such/place: there is no such file or folder")
}

// TestCheckUnpacked says that what was unpacked is what was packed, whatever the umask, and that a
// byte more or less is seen.
func TestCheckUnpacked(t *testing.T) {
	c := open(t, t.TempDir(), nil)
	java, err := ParseJRE(javaTree("", "17.0.15").write(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	kafka := parse(t, kafkaTree("", "4.3.1").write(t, t.TempDir()), "")
	for top, src := range map[string]Source{JRETop: java, KafkaTop: kafka} {
		archive := fetch(t, c, src).Path
		for name, damage := range map[string]func(dir string) error{
			"": func(string) error { return nil },
			"narrowed": func(dir string) error {
				return os.Chmod(filepath.Join(dir, "VERSION"), 0o600)
			},
			"damaged": func(dir string) error {
				return os.WriteFile(filepath.Join(dir, "bin", "more"), nil, 0o644)
			},
			"truncated": func(dir string) error {
				return os.Truncate(filepath.Join(dir, biggest(t, dir)), 3)
			},
		} {
			work := t.TempDir()
			if out, err := exec.Command("tar", "-C", work, "-xzf", archive).
				CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			dir := filepath.Join(work, top)
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			err := CheckUnpacked(dir)
			if bad := name == "damaged" || name == "truncated"; bad != (err != nil) {
				t.Errorf("%s %s: %v", top, name, err)
			}
		}
	}
	if err := CheckUnpacked(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Error(err)
	}
}

// biggest is the largest file below a folder.
func biggest(t *testing.T, dir string) (name string) {
	t.Helper()
	most := int64(-1)
	err := fs.WalkDir(os.DirFS(dir), ".", func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Size() > most && at != versionFile {
			name, most = at, info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}
