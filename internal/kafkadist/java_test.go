package kafkadist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// scriptedJava makes a Java home whose java runs a script.
func scriptedJava(t *testing.T, script string) (home string) {
	t.Helper()
	home = t.TempDir()
	bin := filepath.Join(home, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	text := []byte("#!/bin/sh\n" + script + "\n")
	if err := os.WriteFile(filepath.Join(bin, "java"), text, 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}

// says is a java that answers with a version as real ones do, on standard error.
func says(version string) string {
	return `[ "$1" = -version ] || exit 9
echo "Picked up JAVA_TOOL_OPTIONS: -Xmx1g" >&2
echo 'openjdk version "` + version + `" 2025-04-15' >&2
echo 'OpenJDK Runtime Environment (build 99.0)' >&2`
}

// TestFindJava has machines with all sorts of Java.
func TestFindJava(t *testing.T) {
	java8, java11 := scriptedJava(t, says("1.8.0_392")), scriptedJava(t, says("11.0.2"))
	java17, java21 := scriptedJava(t, says("17.0.15")), scriptedJava(t, says("21-ea"))
	broken := scriptedJava(t, "echo 'Error: could not find libjli.so'; exit 1")
	found := Java{Home: java17, Major: 17, Version: "17.0.15"}
	tests := []struct {
		name, home, path string
		want             Java
		err              []string
	}{
		{"by JAVA_HOME", java17, java21, found, nil},
		{"by PATH", "", java21, Java{Home: java21, Major: 21, Version: "21-ea"}, nil},
		{"JAVA_HOME too old", java8, java17, found, nil},
		{"JAVA_HOME stale", "/nowhere", java17, found, nil},
		{"both too old", java8, java11, Java{}, []string{
			"no Java 17 or newer", java8 + "/bin/java is Java 1.8.0_392", "is Java 11.0.2",
			"apt-get install openjdk-17-jre-headless", "brew install openjdk@17",
		}},
		{"none", "", "/nowhere", Java{}, []string{"JAVA_HOME: not set", "PATH: no java"}},
		{"broken", "", broken, Java{}, []string{"does not work", "could not find libjli.so"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("JAVA_HOME", test.home)
			t.Setenv("PATH", filepath.Join(test.path, "bin"))
			got, err := FindJava(t.Context(), 17)
			if test.err != nil {
				wantError(t, err, test.err...)
				return
			}
			test.want.Path = filepath.Join(test.want.Home, "bin", "java")
			if err != nil || got != test.want {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

// TestFindJavaByLink has a java on PATH that is a link to its home, as Debian's is.
func TestFindJavaByLink(t *testing.T) {
	home, bin := scriptedJava(t, says("17.0.15")), t.TempDir()
	if err := os.Symlink(filepath.Join(home, "bin/java"), filepath.Join(bin, "java")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", bin)
	got, err := FindJava(t.Context(), 17)
	if err != nil || got.Home != home || got.Path != filepath.Join(bin, "java") {
		t.Errorf("%+v, %v; want the home %s", got, err, home)
	}
}

// TestFindJavaHangs has a java that never answers.
func TestFindJavaHangs(t *testing.T) {
	t.Setenv("JAVA_HOME", scriptedJava(t, "/bin/sleep 600"))
	t.Setenv("PATH", t.TempDir())
	_, err := findJava(t.Context(), 17, 50*time.Millisecond)
	wantError(t, err, "-version did not answer within 50ms")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FindJava(ctx, 17); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
