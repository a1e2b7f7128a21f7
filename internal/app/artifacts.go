package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/api/server"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// artifacts are the files that agents fetch from the scheduler: by digest, so that a fetcher's
// cache never mixes two versions up.
type artifacts struct {
	executors   []artifact // that of this machine's platform first
	kafka, java artifact
	more        distributions // of Kafka
}

// artifact is one file; path is that of its URL.
type artifact struct {
	platform     string // of an executor: "linux/arm64"
	file         string
	digest, name string
	path         string
}

// openArtifacts digests the files. The executor's binaries are kept under names of our own, so
// that they stay what they are when the program is upgraded.
func openArtifacts(o SchedulerOptions) (*artifacts, error) {
	a := &artifacts{}
	own := runtime.GOOS + "/" + runtime.GOARCH
	if err := a.addExecutor(own, o.ExecutorBinary, "kafka-sched", o.Dir); err != nil {
		return nil, err
	}
	for _, platform := range slices.Sorted(maps.Keys(o.Executors)) {
		name := "kafka-sched-" + strings.ReplaceAll(platform, "/", "-")
		if err := a.addExecutor(platform, o.Executors[platform], name, o.Dir); err != nil {
			return nil, err
		}
	}
	var err error
	for _, packed := range []struct {
		kind server.ArtifactKind
		file string
		to   *artifact
	}{{server.KafkaArtifact, o.KafkaDist, &a.kafka}, {server.JavaArtifact, o.JRE, &a.java}} {
		if packed.file == "" {
			continue
		}
		*packed.to, err = digested(packed.kind, packed.file, filepath.Base(packed.file))
		if err != nil {
			return nil, err
		}
	}
	a.more = newDistributions(o, a)
	return a, nil
}

// addExecutor keeps the executor's binary for a platform in the scheduler's folder. That of another
// platform than this one's may be gone once it is kept.
func (a *artifacts) addExecutor(platform, binary, name, dir string) error {
	kept := filepath.Join(dir, "executor-binary")
	if len(a.executors) > 0 {
		kept = filepath.Join(dir, name)
	}
	if _, gone := os.Stat(binary); gone == nil || !exists(kept) {
		if err := keepBinary(binary, kept); err != nil {
			return err
		}
	}
	found, err := digested(server.ExecutorArtifact, kept, name)
	if err != nil {
		return err
	}
	found.platform = platform
	a.executors = append(a.executors, found)
	return nil
}

// binaries are the executors as the machine has them; agents fetch them from an address.
func (a *artifacts) binaries(address string) []scheduler.Binary {
	var list []scheduler.Binary
	for _, x := range a.executors {
		system, arch, _ := strings.Cut(x.platform, "/")
		list = append(list, scheduler.Binary{OS: system, Arch: arch, URI: address + x.path,
			Digest: x.digest})
	}
	return list
}

// keepBinary links, or where it cannot copies, a binary to a name of ours.
func keepBinary(binary, kept string) error {
	if err := os.Remove(kept); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("replacing the executor's binary: %w", err)
	}
	if os.Link(binary, kept) == nil {
		return nil
	}
	in, err := os.Open(binary)
	if err != nil {
		return fmt.Errorf("opening the executor's binary: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(kept, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return fmt.Errorf("keeping the executor's binary: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return fmt.Errorf("keeping the executor's binary: %w", err)
	}
	return out.Close()
}

func digested(kind server.ArtifactKind, file, name string) (artifact, error) {
	digest, err := fileDigest(file)
	if err != nil {
		return artifact{}, err
	}
	return artifact{file: file, digest: digest, name: name,
		path: artifactPath(kind, digest, name)}, nil
}

// artifactPath is the path of the URL of an artifact.
func artifactPath(kind server.ArtifactKind, digest, name string) string {
	return fmt.Sprintf("/v1/artifacts/%s/%s/%s", kind, digest, name)
}

// fileDigest is the SHA-256 of a file, in hexadecimal.
func fileDigest(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("opening an artifact: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading artifact %s: %w", file, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// OpenArtifact implements server.ArtifactProvider.
func (a *artifacts) OpenArtifact(
	kind server.ArtifactKind, digest, name string,
) (server.Artifact, error) {
	candidates := map[server.ArtifactKind][]artifact{
		server.ExecutorArtifact: a.executors, server.KafkaArtifact: {a.kafka},
		server.JavaArtifact: {a.java},
	}
	for _, have := range candidates[kind] {
		if have.digest != digest || have.name != name || have.file == "" {
			continue
		}
		return openArtifact(have.file)
	}
	if kind == server.KafkaArtifact {
		return a.more.open(digest, name)
	}
	return server.Artifact{}, fs.ErrNotExist
}
