package kafkadist

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	coreJar = regexp.MustCompile(`^kafka_2\.1[0-9]$`)
	jarForm = regexp.MustCompile(`^(.+?)-([0-9].*)\.jar$`)
	// classifiers are what upstream's older archives ship beside the jars that run.
	classifiers = []string{"-sources", "-javadoc", "-scaladoc", "-test", "-test-sources"}
	// bindings connect SLF4J to a logging library; without one of them a broker logs nothing.
	bindings = []string{
		"log4j-slf4j-impl", "log4j-slf4j2-impl", "slf4j-reload4j", "slf4j-log4j12",
		"logback-classic", "slf4j-simple", "slf4j-jdk14",
	}
)

// jars maps the artifacts of a distribution to their version: "kafka-clients" to "4.3.1".
type jars map[string]string

// readJars reads artifacts and versions from the names of the jars. Two versions of one of Kafka's
// own artifacts are refused, since which of them runs would be a matter of luck.
func readJars(files []file) (jars, error) {
	found := jars{}
	for _, f := range files {
		parts := jarForm.FindStringSubmatch(f.jar())
		if parts == nil || isClassified(parts[2]) {
			continue
		}
		artifact, version := parts[1], parts[2]
		before, twice := found[artifact]
		if twice && strings.HasPrefix(artifact, "kafka") {
			return nil, fmt.Errorf("holds two versions of %s: %s and %s", artifact, before, version)
		}
		found[artifact] = version
	}
	return found, nil
}

func isClassified(version string) bool {
	return slices.ContainsFunc(classifiers, func(c string) bool {
		return strings.HasSuffix(version, c)
	})
}

// kafkaVersion finds the distribution's version, and refuses what cannot run a broker.
func (j jars) kafkaVersion() (string, error) {
	var cores []string
	for artifact := range j {
		if coreJar.MatchString(artifact) {
			cores = append(cores, artifact)
		}
	}
	slices.Sort(cores)
	switch len(cores) {
	case 0:
		return "", fmt.Errorf("is not a Kafka distribution: no kafka_2.13-VERSION.jar "+
			"among the %d jars of libs", len(j))
	case 1:
	default:
		return "", fmt.Errorf("holds two Kafkas: %s", strings.Join(cores, " and "))
	}
	version := j[cores[0]]
	if !versionForm.MatchString(version) {
		return "", fmt.Errorf("has a Kafka of unreadable version %q", version)
	}
	var missing []string
	for _, artifact := range essentials(version) {
		has, ok := j[artifact]
		if !ok {
			missing = append(missing, artifact)
		} else if strings.HasPrefix(artifact, "kafka-") && has != version {
			return "", fmt.Errorf("mixes versions: %s is %s but %s is %s",
				cores[0], version, artifact, has)
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("is an incomplete Kafka %s: libs lacks %s",
			version, strings.Join(missing, ", "))
	}
	return version, nil
}

// essentials are the artifacts beside the core without which a broker of a version cannot start.
func essentials(version string) []string {
	list := []string{"kafka-clients", "scala-library", "slf4j-api"}
	if majorOf(version) >= 3 {
		list = append(list, "kafka-metadata", "kafka-raft", "kafka-server-common")
	}
	slices.Sort(list)
	return list
}

// hasBinding tells whether brokers of this distribution can log.
func (j jars) hasBinding() bool {
	return slices.ContainsFunc(bindings, func(b string) bool { return j[b] != "" })
}

// missingBinding is the Maven coordinate of the SLF4J binding that has to be added for the Log4j 2
// that came along, in the same version; it is empty if nothing is to be added.
func (j jars) missingBinding() string {
	log4j := j["log4j-core"]
	if j.hasBinding() || log4j == "" {
		return ""
	}
	artifact := "log4j-slf4j-impl"
	if majorOf(j["slf4j-api"]) >= 2 {
		artifact = "log4j-slf4j2-impl"
	}
	return "org.apache.logging.log4j:" + artifact + ":" + log4j
}

// majorOf is the first number of a version, 0 if it has none.
func majorOf(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(first)
	if err != nil {
		return 0
	}
	return n
}

// inspect judges an unpacked distribution: it has to be Kafka, complete, and of the wanted version
// if one is wanted, and every jar has to be intact. It returns what is to be packed.
func (c *Cache) inspect(ctx context.Context, root *os.Root, want string) (
	files []file, version string, err error,
) {
	files, err = listTree(root)
	if err != nil {
		return nil, "", err
	}
	if !slices.ContainsFunc(files, func(f file) bool { return f.jar() != "" }) {
		return nil, "", notKafka(root)
	}
	found, err := readJars(files)
	if err != nil {
		return nil, "", err
	}
	if version, err = found.kafkaVersion(); err != nil {
		return nil, "", err
	}
	if err := checkVersion(version, want); err != nil {
		return nil, "", err
	}
	c.report(Progress{Stage: Verify, Text: fmt.Sprintf("checking the jars of Kafka %s", version)})
	for _, f := range files {
		if err := context.Cause(ctx); err != nil {
			return nil, "", err
		}
		if f.jar() == "" {
			continue
		}
		if err := checkJar(root, f); err != nil {
			return nil, "", err
		}
	}
	if !found.hasBinding() {
		c.report(Progress{Stage: Warning, Text: "the distribution has no SLF4J binding: " +
			"its brokers will write no log"})
	}
	return files, version, nil
}

// checkVersion compares a distribution's version with the one that was asked for, if any.
func checkVersion(version, want string) error {
	if want == "" || version == want {
		return nil
	}
	return fmt.Errorf("is Kafka %s, but version %s was asked for", version, want)
}

// checkJar reads a jar's central directory, which lies at its end: a jar that is cut off,
// or a page of HTML with a jar's name, has none.
func checkJar(root *os.Root, f file) error {
	in, err := root.Open(f.name)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := zip.NewReader(in, f.size)
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", f.name, err)
	}
	if len(z.File) == 0 {
		return fmt.Errorf("%s is an empty jar", f.name)
	}
	return nil
}

// notKafka says what a folder without jars in libs probably is.
func notKafka(root *os.Root) error {
	for _, name := range []string{"core/src/main", "build.gradle", "gradlew"} {
		if _, err := root.Stat(name); err == nil {
			return errSourceTree
		}
	}
	entries, err := topNames(root)
	if err != nil {
		return err
	}
	for _, name := range entries {
		parts := jarForm.FindStringSubmatch(path.Base(name))
		if parts != nil && coreJar.MatchString(parts[1]) {
			return errors.New("has its jars not in a folder libs: name the folder above it")
		}
	}
	return errors.New("is not a Kafka distribution: it has no jars in a folder libs")
}

var errSourceTree = errors.New("is Kafka's source code, not a distribution: build it with " +
	"./gradlew releaseTarGz, or take the binary archive kafka_2.13-VERSION.tgz")

// topNames lists the names that lie directly in a folder.
func topNames(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}
