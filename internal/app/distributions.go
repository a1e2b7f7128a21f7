package app

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api/server"
	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
)

// distributions are those of Kafka in the cache that the scheduler's own one lies in. They come and
// go while the scheduler runs, so the folder is looked at each time.
type distributions struct {
	folder string // "" for none
	// own is that which the scheduler was started with, and version what is in it.
	own     artifact
	version string
}

func newDistributions(o SchedulerOptions, a *artifacts) distributions {
	d := distributions{own: a.kafka, version: o.KafkaVersion}
	if o.KafkaDist != "" {
		d.folder = filepath.Dir(o.KafkaDist)
	}
	return d
}

// Distribution implements server.Distributions.
func (d distributions) Distribution(version, digest string) (string, error) {
	if d.own.path != "" && version == d.version && (digest == "" || digest == d.own.digest) {
		return d.own.path, nil
	}
	if d.folder == "" {
		return "", fs.ErrNotExist
	}
	cache, err := kafkadist.Open(d.folder, nil)
	if err != nil {
		return "", err
	}
	all, err := cache.List()
	if err != nil {
		return "", err
	}
	var paths []string
	for _, found := range all {
		name := filepath.Base(found.Path)
		if found.Version == version && strings.HasPrefix(name, "kafka-") &&
			(digest == "" || digest == found.Digest) {
			paths = append(paths, artifactPath(server.KafkaArtifact, found.Digest, name))
		}
	}
	switch len(paths) {
	case 0:
		return "", fs.ErrNotExist
	case 1:
		return paths[0], nil
	}
	return "", fmt.Errorf("there are %d distributions of Kafka %s in the cache; name one by its "+
		"digest", len(paths), version)
}

// cachedName is what the cache calls a packed distribution of Kafka.
var cachedName = regexp.MustCompile(`^kafka-[0-9A-Za-z.-]+-([0-9a-f]{16})\.tgz$`)

// open opens a distribution of the cache by its digest and name.
func (d distributions) open(digest, name string) (server.Artifact, error) {
	parts := cachedName.FindStringSubmatch(name)
	if d.folder == "" || parts == nil || !strings.HasPrefix(digest, parts[1]) {
		return server.Artifact{}, fs.ErrNotExist
	}
	return openArtifact(filepath.Join(d.folder, name))
}

func openArtifact(path string) (server.Artifact, error) {
	f, err := os.Open(path)
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

// leastJava is what an installation with a Java of this machine has looked for.
const leastJava = 17

// javaOf is the major version of the Java that brokers run with, 0 if it is not known.
func javaOf(o SchedulerOptions) int {
	if o.JRE == "" && o.Java != "" {
		return leastJava
	}
	version, packed := strings.CutPrefix(filepath.Base(o.JRE), kafkadist.JRETop+"-")
	if !packed {
		return 0
	}
	version = version[:max(0, strings.LastIndex(version, "-"))]
	version = strings.TrimPrefix(version, "1.") // of Java 8
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		version = version[:end]
	}
	major, err := strconv.Atoi(version)
	if err != nil {
		return 0
	}
	return major
}
