package kafkadist

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRefusedFolders has folders that are no usable distribution, and what is said of them.
func TestRefusedFolders(t *testing.T) {
	good := kafkaTree("", "4.3.1")
	jar := fakeJar("x")
	tests := []struct {
		name  string
		files tree
		want  string
	}{
		{"nothing useful", tree{"README": "hello"}, "it has no jars in a folder libs"},
		{"jars of something else", tree{"libs/guava-33.0.jar": jar}, "no kafka_2.13-VERSION.jar"},
		{"the libs folder itself", tree{"kafka_2.13-4.3.1.jar": jar}, "name the folder above it"},
		{"source code", tree{"core/src/main/scala/kafka/Kafka.scala": "object"}, "source code"},
		{"source code, cut", tree{"gradlew": "#!/bin/sh"}, "./gradlew releaseTarGz"},
		{"essentials missing", good.with(tree{
			"libs/kafka-raft-4.3.1.jar": "", "libs/slf4j-api-1.7.36.jar": "",
		}), "incomplete Kafka 4.3.1: libs lacks kafka-raft, slf4j-api"},
		{"only the server's core", tree{"libs/kafka_2.13-3.9.1.jar": jar},
			"lacks kafka-clients, kafka-metadata, kafka-raft, kafka-server-common, scala-library"},
		{"old Kafka needs less, not nothing", tree{"libs/kafka_2.12-2.4.0.jar": jar},
			"incomplete Kafka 2.4.0: libs lacks kafka-clients, scala-library, slf4j-api"},
		{"jar cut off", good.with(tree{
			"libs/kafka-clients-4.3.1.jar": jar[:len(jar)/2],
		}), "libs/kafka-clients-4.3.1.jar is damaged"},
		{"jar is a web page", good.with(tree{
			"libs/scala-library-2.13.18.jar": "<html>404</html>",
		}), "libs/scala-library-2.13.18.jar is damaged"},
		{"jar without a file", good.with(tree{
			"libs/slf4j-api-1.7.36.jar": "PK\x05\x06" + strings.Repeat("\x00", 18),
		}), "is an empty jar"},
		{"two versions", good.with(tree{"libs/kafka_2.13-4.3.0.jar": jar}),
			"holds two versions of kafka_2.13"},
		{"two Scalas", good.with(tree{"libs/kafka_2.12-4.3.1.jar": jar}),
			"holds two Kafkas: kafka_2.12 and kafka_2.13"},
		{"mixed versions", good.with(tree{
			"libs/kafka-raft-4.3.1.jar": "", "libs/kafka-raft-4.3.0.jar": jar,
		}), "mixes versions: kafka_2.13 is 4.3.1 but kafka-raft is 4.3.0"},
		{"a version that is none", tree{"libs/kafka_2.13-4 3.jar": jar}, "unreadable version"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder, dir := test.files.write(t, t.TempDir()), t.TempDir()
			_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, folder, ""))
			wantError(t, err, "getting Kafka from folder "+folder, test.want)
			wantNames(t, dir, 0)
		})
	}
}

// TestClassifiedJars has the jars that upstream's older archives ship beside the real ones.
func TestClassifiedJars(t *testing.T) {
	files := kafkaTree("", "2.8.2").with(tree{
		"libs/kafka_2.13-2.8.2-sources.jar":      fakeJar("s"),
		"libs/kafka_2.13-2.8.2-javadoc.jar":      fakeJar("j"),
		"libs/kafka_2.13-2.8.2-test-sources.jar": fakeJar("t"),
		"libs/kafka_2.13-2.8.2.jar.asc":          "signature",
	})
	d := fetch(t, open(t, t.TempDir(), nil), parse(t, files.write(t, t.TempDir()), ""))
	if d.Version != "2.8.2" {
		t.Errorf("version %s", d.Version)
	}
}

// TestVendorVersions has a version as vendors build them.
func TestVendorVersions(t *testing.T) {
	for _, version := range []string{"7.5.0-ccs", "4.4.0-SNAPSHOT", "3.9.0.redhat-00003"} {
		files := kafkaTree("", version).write(t, t.TempDir())
		if d := fetch(t, open(t, t.TempDir(), nil), parse(t, files, "")); d.Version != version {
			t.Errorf("version %s, want %s", d.Version, version)
		}
	}
}

// TestFolderLinks has links inside a folder, which are followed, and out of it, which are not.
func TestFolderLinks(t *testing.T) {
	folder := kafkaTree("", "4.3.1").with(tree{
		"libs/kafka-raft-4.3.1.jar": "", "store/raft.jar": fakeJar("raft"),
	}).write(t, t.TempDir())
	link := filepath.Join(folder, "libs/kafka-raft-4.3.1.jar")
	if err := os.Symlink("../store/raft.jar", link); err != nil {
		t.Fatal(err)
	}
	fetch(t, open(t, t.TempDir(), nil), parse(t, folder, ""))
	for _, target := range []string{writeFile(t, "x.jar", []byte(fakeJar("x"))), "nowhere"} {
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, folder, ""))
		wantError(t, err, "libs/kafka-raft-4.3.1.jar is a link that leads out")
		wantNames(t, dir, 0)
	}
}

// TestUnloggedDistribution has no SLF4J binding: a warning, not an error.
func TestUnloggedDistribution(t *testing.T) {
	folder := kafkaTree("", "4.3.1").with(tree{"libs/log4j-slf4j-impl-2.25.4.jar": ""})
	var warned string
	c := open(t, t.TempDir(), func(p Progress) {
		if p.Stage == Warning {
			warned = p.Text
		}
	})
	fetch(t, c, parse(t, folder.write(t, t.TempDir()), ""))
	if !strings.Contains(warned, "SLF4J binding") {
		t.Errorf("warned %q", warned)
	}
}

// refusal is a file that is refused as an archive, and what is said of it.
type refusal struct {
	name    string
	content []byte
	want    string
}

func (r refusal) test(t *testing.T) {
	dir, archive := t.TempDir(), writeFile(t, "kafka.tgz", r.content)
	_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, archive, ""))
	wantError(t, err, "getting Kafka from archive "+archive, r.want)
	wantNames(t, dir, 0)
}

// TestUnreadableArchives has files that are no archive of Kafka, or damaged.
func TestUnreadableArchives(t *testing.T) {
	files := kafkaTree("kafka_2.13-4.3.1", "4.3.1")
	good := zipped(t, files.tar(t))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	var plainZip bytes.Buffer
	if err := zip.NewWriter(&plainZip).Close(); err != nil {
		t.Fatal(err)
	}
	tests := []refusal{
		{"empty", nil, "it is an empty file"},
		{"blank", []byte("\n"), "neither a .tgz nor a .tar"},
		{"text", []byte("version https://git-lfs"), "neither a .tgz nor a .tar"},
		{"web page", []byte("<HTML><BODY>choose a mirror"), "it is a web page (HTML)"},
		{"zip", []byte(fakeJar("x")), "it is a zip archive"},
		{"empty zip", plainZip.Bytes(), "it is a zip archive"},
		{"xz", []byte("\xfd7zXZ\x00abc"), "something else than gzip"},
		{"gzip header only", good[:10], "the archive is truncated"},
		{"not even that", good[:5], "the archive is truncated"},
		{"truncated", good[:len(good)/2], "the archive is truncated"},
		{"checksum missing", good[:len(good)-8], "the archive is truncated"},
		{"checksum wrong", flipped, "the archive is damaged"},
		{"gzip of text", zipped(t, []byte(strings.Repeat("text ", 300))), "the archive is damaged"},
		{"gzip of nothing", zipped(t, nil), "is not a Kafka distribution"},
		{"other archive", zipped(t, tree{"zookeeper/lib/x.jar": "x"}.tar(t)),
			"none of its 1 entries is libs/kafka_2.13-VERSION.jar"},
		{"source code", zipped(t, tree{"kafka-4.3.1-src/build.gradle": "x"}.tar(t)), "source code"},
		{"two", zipped(t, files.with(kafkaTree("b", "4.3.1")).tar(t)),
			"holds 2 Kafka distributions"},
		{"truncated jar", zipped(t, files.with(tree{
			"kafka_2.13-4.3.1/libs/kafka-raft-4.3.1.jar": fakeJar("x")[:40],
		}).tar(t)), "libs/kafka-raft-4.3.1.jar is damaged"},
	}
	for _, test := range tests {
		t.Run(test.name, test.test)
	}
}

// TestHostileArchives has archives that reach out of their folder, or are made to fill a disk.
func TestHostileArchives(t *testing.T) {
	files := kafkaTree("kafka_2.13-4.3.1", "4.3.1")
	var many []*tar.Header
	for i := range maxEntries + 1 {
		many = append(many, &tar.Header{Name: fmt.Sprintf("d%d/", i), Typeflag: tar.TypeDir})
	}
	tests := []refusal{
		{"upwards", zipped(t, tree{"../evil.sh": "x"}.tar(t)), `reaches out of it: "../evil.sh"`},
		{"upwards inside", zipped(t, tree{"kafka/bin/../../../evil": "x"}.tar(t)),
			"reaches out of it"},
		{"absolute", zipped(t, tree{"/etc/evil": "x"}.tar(t)), "reaches out of it"},
		{"link out", zipped(t, files.tar(t, &tar.Header{
			Name: "kafka_2.13-4.3.1/config/x", Linkname: "../../../etc", Typeflag: tar.TypeSymlink,
		})), "link that leads out of it"},
		{"absolute link", zipped(t, files.tar(t, &tar.Header{
			Name: "x", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink,
		})), "link that leads out of it"},
		{"hard link out", zipped(t, files.tar(t, &tar.Header{
			Name: "kafka_2.13-4.3.1/bin/x", Linkname: "../x", Typeflag: tar.TypeLink,
		})), "link that leads out of it"},
		{"device", zipped(t, files.tar(t, &tar.Header{
			Name: "kafka_2.13-4.3.1/bin/x", Typeflag: tar.TypeChar,
		})), "no file, folder or link"},
		{"entry twice", zipped(t, files.tar(t, &tar.Header{
			Name: "kafka_2.13-4.3.1/libs/kafka_2.13-4.3.1.jar",
		})), "twice"},
		{"giant entry", zipped(t, files.tar(t, &tar.Header{Name: "x", Size: 3 << 30})), "2 GiB"},
		{"giant sum", zipped(t, files.tar(t, &tar.Header{Name: "x", Size: maxBytes})), "2 GiB"},
		{"too many entries", zipped(t, files.tar(t, many...)), "20,000 entries"},
	}
	for _, test := range tests {
		t.Run(test.name, test.test)
	}
}

// TestArchiveLinks has links inside an archive; they are packed as the files that they mean.
func TestArchiveLinks(t *testing.T) {
	const raft, start = "k/libs/kafka-raft-4.3.1.jar", "k/bin/kafka-server-start.sh"
	files := kafkaTree("k", "4.3.1")
	content := files.with(tree{raft: ""}).tar(t,
		&tar.Header{Name: raft, Linkname: "kafka-clients-4.3.1.jar", Typeflag: tar.TypeSymlink},
		&tar.Header{Name: "k/bin/h", Linkname: start, Typeflag: tar.TypeLink})
	got := fetch(t, open(t, t.TempDir(), nil), parse(t, writeFile(t, "k.tar", content), ""))
	same := files.with(tree{
		raft: files["k/libs/kafka-clients-4.3.1.jar"], "k/bin/h": files[start],
	}).write(t, t.TempDir())
	if err := os.Chmod(filepath.Join(same, "k/bin/h"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := fetch(t, open(t, t.TempDir(), nil), parse(t, filepath.Join(same, "k"), ""))
	if got.Digest != want.Digest {
		t.Errorf("digest %s, want %s", got.Digest, want.Digest)
	}
}

// TestLinkTricks has a link to a folder that a later entry writes through.
func TestLinkTricks(t *testing.T) {
	outside := t.TempDir()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Name: "k/bin/a", Linkname: "../..", Typeflag: tar.TypeSymlink},
		{Name: "k/bin/a/evil", Size: 0},
		{Name: "k/bin/b", Linkname: "a/..", Typeflag: tar.TypeSymlink},
		{Name: "k/bin/b/" + filepath.Base(outside) + "/evil"},
	} {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, writeFile(t, "k.tar", b.Bytes()), ""))
	wantError(t, err, "escapes")
	wantNames(t, dir, 0)
	wantNames(t, outside, 0)
}
