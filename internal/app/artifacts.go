package app

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kafka-sched/kafka-sched/api/server"
)

// artifacts are the files that agents fetch from the scheduler: by digest, so that a fetcher's
// cache never mixes two versions up.
type artifacts struct{ executor, kafka, java artifact }

// artifact is one file; path is that of its URL.
type artifact struct {
	file         string
	digest, name string
	path         string
}

// openArtifacts digests the files. The executor's binary is kept under a name of our own, so
// that it stays what it is when the program is upgraded.
func openArtifacts(o SchedulerOptions) (*artifacts, error) {
	kept, err := keepBinary(o.ExecutorBinary, o.Dir)
	if err != nil {
		return nil, err
	}
	a := &artifacts{}
	if a.executor, err = digested(server.ExecutorArtifact, kept, "kafka-sched"); err != nil {
		return nil, err
	}
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
	return a, nil
}

// keepBinary links, or where it cannot copies, the binary into the scheduler's folder.
func keepBinary(binary, dir string) (string, error) {
	kept := filepath.Join(dir, "executor-binary")
	if err := os.Remove(kept); err != nil && !os.IsNotExist(err) {
		return "", fmt.Errorf("replacing the executor's binary: %w", err)
	}
	if os.Link(binary, kept) == nil {
		return kept, nil
	}
	in, err := os.Open(binary)
	if err != nil {
		return "", fmt.Errorf("opening the executor's binary: %w", err)
	}
	defer in.Close()
	out, err := os.OpenFile(kept, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return "", fmt.Errorf("keeping the executor's binary: %w", err)
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return "", fmt.Errorf("keeping the executor's binary: %w", err)
	}
	return kept, out.Close()
}

func digested(kind server.ArtifactKind, file, name string) (artifact, error) {
	f, err := os.Open(file)
	if err != nil {
		return artifact{}, fmt.Errorf("opening an artifact: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return artifact{}, fmt.Errorf("reading artifact %s: %w", file, err)
	}
	digest := hex.EncodeToString(h.Sum(nil))
	return artifact{file: file, digest: digest, name: name,
		path: fmt.Sprintf("/v1/artifacts/%s/%s/%s", kind, digest, name)}, nil
}

// OpenArtifact implements server.ArtifactProvider.
func (a *artifacts) OpenArtifact(
	kind server.ArtifactKind, digest, name string,
) (server.Artifact, error) {
	for k, have := range map[server.ArtifactKind]artifact{
		server.ExecutorArtifact: a.executor, server.KafkaArtifact: a.kafka,
		server.JavaArtifact: a.java,
	} {
		if k != kind || have.digest != digest || have.name != name || have.file == "" {
			continue
		}
		f, err := os.Open(have.file)
		if err != nil {
			return server.Artifact{}, err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return server.Artifact{}, err
		}
		return server.Artifact{Content: f, ModTime: info.ModTime()}, nil
	}
	return server.Artifact{}, fs.ErrNotExist
}
