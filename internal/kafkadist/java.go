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
	"strings"
	"time"
)

// Java is a Java runtime on this machine.
type Java struct {
	// Path is the java command; Home the folder that would be JAVA_HOME.
	Path, Home string
	// Major is 17 for "17.0.15", and 8 for "1.8.0_392".
	Major int
	// Version is what java says of itself.
	Version string
}

// javaTimeout is how long `java -version` may take. It takes 0.1 s on an idle machine.
const javaTimeout = 20 * time.Second

// FindJava finds a Java runtime of at least a major version: the one in JAVA_HOME, else the one on
// PATH. The error says what was found instead and how to get a fitting one.
func FindJava(ctx context.Context, minMajor int) (Java, error) {
	return findJava(ctx, minMajor, javaTimeout)
}

func findJava(ctx context.Context, minMajor int, timeout time.Duration) (Java, error) {
	var found []string
	try := func(place, path string) (Java, bool) {
		j, err := askJava(ctx, path, timeout)
		switch {
		case err != nil:
			found = append(found, fmt.Sprintf("%s: %v", place, err))
		case j.Major < minMajor:
			found = append(found, fmt.Sprintf("%s: %s is Java %s", place, path, j.Version))
		default:
			return j, true
		}
		return Java{}, false
	}
	home := os.Getenv("JAVA_HOME")
	if home == "" {
		found = append(found, "JAVA_HOME: not set")
	} else if j, ok := try("JAVA_HOME", filepath.Join(home, "bin", "java")); ok {
		j.Home = filepath.Clean(home)
		return j, nil
	}
	path, err := exec.LookPath("java")
	if err != nil {
		found = append(found, "PATH: no java")
	} else if j, ok := try("PATH", path); ok {
		return j, nil
	}
	if ctx.Err() != nil {
		return Java{}, fmt.Errorf("looking for Java: %w", context.Cause(ctx))
	}
	return Java{}, fmt.Errorf("no Java %d or newer found (%s); get one with "+
		"apt-get install openjdk-%d-jre-headless, dnf install java-%d-openjdk-headless or "+
		"brew install openjdk@%d, or point JAVA_HOME at one",
		minMajor, strings.Join(found, "; "), minMajor, minMajor, minMajor)
}

var javaForm = regexp.MustCompile(`version "((?:1\.)?([0-9]+)[^"]*)"`)

// askJava runs a java command to learn its version.
func askJava(ctx context.Context, path string, timeout time.Duration) (Java, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Java{}, err
	}
	if _, err := os.Stat(path); err != nil {
		return Java{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-version")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = runGroup(cmd)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return Java{}, fmt.Errorf("%s -version did not answer within %v", path, timeout)
	}
	parts := javaForm.FindStringSubmatch(out.String())
	if err != nil || parts == nil {
		first, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n")
		return Java{}, fmt.Errorf("%s -version does not work: %q", path, first)
	}
	j := Java{Path: path, Major: majorOf(parts[2]), Version: parts[1]}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		j.Home = filepath.Dir(filepath.Dir(resolved))
	}
	return j, nil
}
