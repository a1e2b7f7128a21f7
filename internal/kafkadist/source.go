package kafkadist

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// DefaultVersion is the Kafka version that is fetched when none is asked for.
const DefaultVersion = "4.3.1"

// Kind says how a source is read.
type Kind string

// The four kinds of source.
const (
	Maven   Kind = "maven"
	Folder  Kind = "folder"
	Archive Kind = "archive"
	URL     Kind = "url"
)

// Source says where a distribution is to come from. ParseSource makes one.
type Source struct {
	// Kind says how Location is meant.
	Kind Kind
	// Location is an absolute path or a URL; empty for Maven.
	Location string
	// Version is the version that was asked for. It is never empty for Maven; for the other kinds
	// an empty one accepts whatever version the distribution has.
	Version string
	// Java says that it is a Java runtime and not a Kafka. ParseJRE sets it.
	Java bool
}

// What names what comes from the source.
func (s Source) What() string {
	if s.Java {
		return "Java"
	}
	return "Kafka"
}

// versionForm is what a published version looks like. It keeps markup and options out of the
// pom file and out of mvn's command line.
var versionForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+){1,3}([.-][0-9A-Za-z]+)*$`)

func badVersion(version string) error {
	return fmt.Errorf("kafka version %q is not of the form %s", version, DefaultVersion)
}

// ParseSource reads the values of --kafka-dist and --kafka-version. No distribution means the Maven
// artifacts of the version, DefaultVersion if that is empty too. A distribution is a folder, an
// archive file, or a URL of the schemes file, http and https; it has to be there if it is local.
func ParseSource(distFlag, version string) (Source, error) {
	if version != "" && !versionForm.MatchString(version) {
		return Source{}, badVersion(version)
	}
	if distFlag == "" {
		if version == "" {
			version = DefaultVersion
		}
		return Source{Kind: Maven, Version: version}, nil
	}
	return parseLocation("kafka distribution", distFlag, version)
}

// parseLocation reads a folder, an archive file or a URL of something.
func parseLocation(what, at, version string) (Source, error) {
	scheme, _, isURL := strings.Cut(at, "://")
	if !isURL {
		return parsePath(what, at, version)
	}
	u, err := url.Parse(at)
	if err != nil {
		return Source{}, errors.New(what + ": the URL cannot be parsed")
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if u.Host == "" {
			return Source{}, fmt.Errorf("%s %s: the URL names no host", what, at)
		}
		return Source{Kind: URL, Location: u.String(), Version: version}, nil
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return Source{}, fmt.Errorf(
				"%s %s: a file URL has three slashes (file:///path)", what, at)
		}
		return parsePath(what, u.Path, version)
	}
	return Source{}, fmt.Errorf(
		"%s %s: scheme %q is not one of file, http, https", what, u.Redacted(), scheme)
}

func parsePath(what, path, version string) (Source, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return Source{}, fmt.Errorf("%s %s: %w", what, path, err)
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return Source{}, fmt.Errorf("%s %s: there is no such file or folder", what, path)
	}
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w", what, err)
	}
	info, err := os.Stat(resolved)
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w", what, err)
	}
	switch {
	case info.IsDir():
		return Source{Kind: Folder, Location: resolved, Version: version}, nil
	case info.Mode().IsRegular():
		return Source{Kind: Archive, Location: resolved, Version: version}, nil
	}
	return Source{}, fmt.Errorf("%s %s: neither a file nor a folder", what, path)
}

// String names the source for people. Passwords and query parameters of a URL are left out, as
// both may be secrets.
func (s Source) String() string {
	switch s.Kind {
	case Maven:
		return "Maven artifacts " + coreArtifact + ":" + s.Version
	case URL:
		u, err := url.Parse(s.Location)
		if err != nil {
			return "a URL"
		}
		u.RawQuery, u.Fragment = "", ""
		return u.Redacted()
	}
	return string(s.Kind) + " " + s.Location
}

// key is the source's name in the cache. The version that was asked for is part of it only
// where it chooses what is fetched.
func (s Source) key() string {
	identity := s.Location
	if s.Kind == Maven {
		identity = coreArtifact + ":" + s.Version
	}
	if s.Java {
		identity = "java\x00" + identity
	}
	return hexDigest(string(s.Kind) + "\x00" + identity)[:16]
}

// check refuses a source that ParseSource cannot have made.
func (s Source) check() error {
	switch s.Kind {
	case Maven:
		if !versionForm.MatchString(s.Version) {
			return badVersion(s.Version)
		}
		return nil
	case Folder, Archive, URL:
		if s.Location == "" {
			return fmt.Errorf("the %s has no location", s.Kind)
		}
		return nil
	}
	return fmt.Errorf("source kind %q is not known", s.Kind)
}

// listFolder lists what would be packed of a folder.
func (s Source) listFolder() ([]file, error) {
	if s.Java {
		return listJava(os.DirFS(s.Location))
	}
	root, err := os.OpenRoot(s.Location)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return listTree(root)
}

// fingerprint is a cheap digest of a local source, of names, sizes and times, that changes when the
// source is edited. Remote sources have none: what was fetched from them once is kept.
func (s Source) fingerprint() (string, error) {
	switch s.Kind {
	case Folder:
		files, err := s.listFolder()
		if err != nil {
			return "", err
		}
		var b strings.Builder
		for _, f := range files {
			fmt.Fprintf(&b, "%q %d %d %o\n", f.name, f.size, f.modTime.UnixNano(), f.mode)
		}
		return hexDigest(b.String()), nil
	case Archive:
		info, err := os.Stat(s.Location)
		if err != nil {
			return "", err
		}
		return hexDigest(fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())), nil
	}
	return "", nil
}
