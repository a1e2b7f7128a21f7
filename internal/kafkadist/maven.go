package kafkadist

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
)

// The published artifacts: the broker, and the tools that are not among its dependencies.
const (
	coreArtifact  = "org.apache.kafka:kafka_2.13"
	copyPlugin    = "org.apache.maven.plugins:maven-dependency-plugin:3.6.0:"
	mavenLogLines = 200 // how much of mvn's output is kept to explain a failure
	shownLogLines = 6   // how much of it an error shows
)

var pom = template.Must(template.New("pom").Parse(`<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kafka-sched</groupId>
  <artifactId>kafka-distribution</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{{.}}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>{{.}}</version>
    </dependency>
  </dependencies>
</project>
`))

// runMaven puts the jars of a published version into work/libs: those that the artifacts depend on
// at run time, then the SLF4J binding that Kafka 4 leaves to whoever packs it.
func (c *Cache) runMaven(ctx context.Context, version, work string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on PATH; install it (apt-get install maven, " +
			"dnf install maven, brew install maven), or give --kafka-dist an unpacked Kafka " +
			"or its .tgz")
	}
	var text bytes.Buffer
	if err := pom.Execute(&text, version); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(work, "pom.xml"), text.Bytes(), 0o644); err != nil {
		return err
	}
	c.report(Progress{Stage: Resolve, Text: "resolving the artifacts of Kafka " + version})
	run := mavenRun{cache: c, mvn: mvn, work: work, version: version}
	if err := run.goal(ctx, "copy-dependencies", "-DincludeScope=runtime"); err != nil {
		return err
	}
	binding, err := missingBindingIn(work)
	if err != nil || binding == "" {
		return err
	}
	c.report(Progress{Stage: Resolve, Text: "adding " + binding})
	return run.goal(ctx, "copy", "-Dartifact="+binding)
}

func missingBindingIn(work string) (string, error) {
	root, err := os.OpenRoot(work)
	if err != nil {
		return "", err
	}
	defer root.Close()
	files, err := listTree(root)
	if err != nil {
		return "", err
	}
	found, err := readJars(files)
	if err != nil {
		return "", err
	}
	return found.missingBinding(), nil
}

// mavenRun runs goals of the dependency plugin in a folder with a pom.xml.
type mavenRun struct {
	cache              *Cache
	mvn, work, version string
}

func (r mavenRun) goal(ctx context.Context, goal, option string) error {
	cmd := exec.CommandContext(ctx, r.mvn, "--batch-mode", "--update-snapshots",
		"-Dstyle.color=never", copyPlugin+goal, option,
		"-DoutputDirectory="+filepath.Join(r.work, "libs"))
	cmd.Dir = r.work
	out := &mavenOutput{report: r.cache.report}
	cmd.Stdout, cmd.Stderr = out, out
	err := runGroup(cmd)
	out.flush()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return out.explain(r.version, err)
	}
	return nil
}

// mavenOutput reads mvn's output line by line: downloads are news, the end explains failures.
type mavenOutput struct {
	report     func(Progress)
	partial    []byte
	lines      []string
	downloaded int
}

var (
	ansi         = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")
	downloadLine = regexp.MustCompile(`Downloaded from \S+: \S*/(\S+\.jar)`)
)

func (o *mavenOutput) Write(p []byte) (int, error) {
	o.partial = append(o.partial, p...)
	for {
		line, rest, ok := bytes.Cut(o.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		o.line(string(line))
		o.partial = slices.Clone(rest)
	}
}

func (o *mavenOutput) flush() {
	if len(o.partial) > 0 {
		o.line(string(o.partial))
		o.partial = nil
	}
}

func (o *mavenOutput) line(line string) {
	line = strings.TrimSpace(ansi.ReplaceAllString(line, ""))
	if found := downloadLine.FindStringSubmatch(line); found != nil {
		o.downloaded++
		o.report(Progress{
			Stage: Resolve, Text: fmt.Sprintf("downloaded %s (%d jars)", found[1], o.downloaded),
		})
	}
	if o.lines = append(o.lines, line); len(o.lines) > mavenLogLines {
		o.lines = slices.Delete(o.lines, 0, 1)
	}
}

// offlineWords are how Maven and Java say that a repository could not be asked.
var offlineWords = []string{
	"in offline mode", "Unknown host", "UnknownHostException", "Name or service not known",
	"Temporary failure in name resolution", "Network is unreachable", "No route to host",
	"Connection refused", "Connect timed out", "connect timed out", "Connection timed out",
}

// explain turns the end of mvn's output into an error.
func (o *mavenOutput) explain(version string, err error) error {
	all := strings.Join(o.lines, "\n")
	tail := strings.Join(o.meaningful(), "\n  ")
	for _, words := range offlineWords {
		if strings.Contains(all, words) {
			return fmt.Errorf("mvn cannot reach its repositories (%s): this machine seems to be "+
				"offline; give --kafka-dist a folder or archive that is here. mvn said:\n  %s",
				words, tail)
		}
	}
	core := coreArtifact + ":jar:" + version
	if strings.Contains(all, "Could not find artifact "+core) ||
		strings.Contains(all, core+" was not found in") {
		return errors.New("Kafka " + version + " is not among the published artifacts")
	}
	if tail == "" {
		return fmt.Errorf("mvn said nothing: %w", err)
	}
	return fmt.Errorf("mvn failed (%w) and said:\n  %s", err, tail)
}

// meaningful picks the last lines that say what went wrong: mvn's errors without its advice, or, if
// there are none, whatever it said last.
func (o *mavenOutput) meaningful() []string {
	var picked, others []string
	for _, line := range o.lines {
		message, isError := strings.CutPrefix(line, "[ERROR]")
		message, _, _ = strings.Cut(strings.TrimSpace(message), " -> [Help")
		switch {
		case message == "", isAdvice(message):
		case isError:
			picked = append(picked, message)
		default:
			others = append(others, message)
		}
	}
	if len(picked) == 0 {
		picked = others
	}
	return picked[max(0, len(picked)-shownLogLines):]
}

func isAdvice(line string) bool {
	for _, start := range []string{
		"To see the full stack trace", "Re-run Maven", "For more information", "[Help",
	} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}
