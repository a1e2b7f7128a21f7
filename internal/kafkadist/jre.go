package kafkadist

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// MinJava is the oldest Java that Kafka 4 runs on.
const MinJava = 17

// The top folders of packed archives.
const (
	KafkaTop = "kafka"
	JRETop   = "jre"
)

// JavaForm is what a version of Java looks like, as "17.0.15" and "21".
var javaVersionForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*([._+-][0-9A-Za-z]+)*$`)

// ParseJRE reads the value of --jre: a folder, an archive file, or a URL of one.
func ParseJRE(flag string) (Source, error) {
	s, err := parseLocation("java runtime", flag, "")
	s.Java = err == nil
	return s, err
}

// gatherJava opens a Java runtime and lists what is to be packed.
func (c *Cache) gatherJava(ctx context.Context, src Source, work string) (gathered, error) {
	t := gathered{what: "Java", top: JRETop}
	if src.Kind == Folder {
		t.files, t.close = os.DirFS(src.Location), func() error { return nil }
	} else {
		root, err := c.unpackedJava(ctx, src, work)
		if err != nil {
			return t, err
		}
		t.files, t.close = root.FS(), root.Close
	}
	var err error
	if t.version, err = javaVersion(t.files); err == nil {
		t.list, err = listJava(t.files)
	}
	if err != nil {
		t.close()
	}
	return t, err
}

// unpackedJava opens the runtime in an archive, of which no link leads out.
func (c *Cache) unpackedJava(ctx context.Context, src Source, work string) (*os.Root, error) {
	archive := src.Location
	if src.Kind == URL {
		archive = filepath.Join(work, "download")
		if err := c.download(ctx, src, archive); err != nil {
			return nil, err
		}
	}
	u, err := c.unpackAll(ctx, archive, work)
	if err != nil {
		return nil, err
	}
	home, err := u.javaHome(filepath.Join(work, "tree"))
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(home)
}

// javaHome finds the folder of an unpacked archive that has bin/java, nearest to the top.
func (u *unpacker) javaHome(dir string) (string, error) {
	if len(u.javas) == 0 {
		return "", fmt.Errorf("the archive is not a Java runtime: none of its %d entries is "+
			"bin/java", u.entries)
	}
	depth := func(name string) int { return strings.Count(name, "/") }
	nearest := slices.MinFunc(u.javas, func(a, b string) int { return depth(a) - depth(b) })
	return filepath.Join(dir, filepath.FromSlash(path.Dir(path.Dir(nearest)))), nil
}

// javaVersion reads the version of a Java runtime from its file release, and refuses one that
// cannot run Kafka. It is not asked, as it may be one for another kind of machine.
func javaVersion(home fs.FS) (string, error) {
	if info, err := fs.Stat(home, "bin/java"); err != nil || info.IsDir() {
		return "", errors.New("is not a Java runtime: it has no bin/java; name the folder that " +
			"would be JAVA_HOME")
	}
	in, err := home.Open("release")
	if err != nil {
		return "", errors.New("is not a whole Java runtime: it has no file release, which tells " +
			"its version")
	}
	defer in.Close()
	version := ""
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if text, is := strings.CutPrefix(lines.Text(), "JAVA_VERSION="); is {
			version = strings.Trim(strings.TrimSpace(text), `"`)
		}
	}
	if !javaVersionForm.MatchString(version) {
		return "", fmt.Errorf("its file release has no readable JAVA_VERSION (%q)", version)
	}
	if majorOf(version) < MinJava {
		return "", fmt.Errorf("is Java %s, and Kafka needs %d or newer", version, MinJava)
	}
	return version, nil
}

// unneeded are the parts of a Java development kit that no broker uses, which are half of it, and
// what packing adds.
var unneeded = []string{
	"demo", "include", "jmods", "man", "sample", "src.zip", "lib/src.zip", versionFile,
}

// maxDepth bounds how deep folders may lie in each other, as links may lead in a circle.
const maxDepth = 16

// listJava lists the files of a Java runtime by name. Links of a folder are followed wherever they
// lead: the packages of distributions keep parts of theirs in /etc.
func listJava(home fs.FS) ([]file, error) {
	l := javaLister{home: home}
	if err := l.folder(".", 0); err != nil {
		return nil, err
	}
	slices.SortFunc(l.files, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return l.files, nil
}

type javaLister struct {
	home    fs.FS
	files   []file
	entries int
	total   int64
}

func (l *javaLister) folder(dir string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s lies deeper than any part of a Java runtime", dir)
	}
	entries, err := fs.ReadDir(l.home, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if slices.Contains(unneeded, name) {
			continue
		}
		if l.entries++; l.entries > maxEntries {
			return errTooMany
		}
		info, err := fs.Stat(l.home, name)
		if errors.Is(err, fs.ErrNotExist) && e.Type()&fs.ModeSymlink != 0 {
			continue // as those to documentation that is not installed
		}
		if err == nil && info.IsDir() {
			err = l.folder(name, depth+1)
		} else if err == nil {
			err = l.file(name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *javaLister) file(name string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", name)
	}
	if l.total += info.Size(); l.total > maxBytes {
		return errTooLarge
	}
	l.files = append(l.files, file{name, info.Size(), modeOf(info), info.ModTime()})
	return nil
}
