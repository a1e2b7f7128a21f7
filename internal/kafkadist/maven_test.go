package kafkadist

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// scriptedMaven puts a shell script on PATH as mvn. The script finds the goal in $goal, the output
// folder in $out, the option in $option, and a folder of its own in $my.
func scriptedMaven(t *testing.T, script string) (my string) {
	t.Helper()
	my = t.TempDir()
	text := `#!/bin/sh
my='` + my + `'
for a in "$@"; do case "$a" in
*:copy-dependencies) goal=copy-dependencies;;
*:copy) goal=copy;;
-DoutputDirectory=*) out="${a#-DoutputDirectory=}";;
-Dartifact=*) option="$a";;
esac; done
` + script
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return my
}

// goodMaven copies the jars of a distribution, and the binding when it is asked for.
const goodMaven = `
echo "$goal $option" >> "$my/calls"
cat pom.xml > "$my/pom"
mkdir -p "$out"
echo "[INFO] Downloaded from central: https://repo/org/x/kafka-clients-4.3.1.jar (9 MB at 1 MB/s)"
case "$goal" in
copy-dependencies) cp "$my"/jars/libs/*.jar "$out" ;;
copy) cp "$my/binding.jar" "$out/$(echo "${option##*logging.log4j:}" | tr : -).jar" ;;
esac
`

// TestMavenAddsBinding fetches a Kafka 4 as published, without an SLF4J binding.
func TestMavenAddsBinding(t *testing.T) {
	path := os.Getenv("PATH")
	for slf4j, binding := range map[string]string{
		"1.7.36": "log4j-slf4j-impl", "2.0.17": "log4j-slf4j2-impl",
	} {
		my := scriptedMaven(t, goodMaven)
		kafkaTree("", "4.3.1").with(tree{
			"libs/log4j-slf4j-impl-2.25.4.jar": "", "libs/slf4j-api-1.7.36.jar": "",
			"libs/slf4j-api-" + slf4j + ".jar": fakeJar("api"),
		}).write(t, filepath.Join(my, "jars"))
		tree{"binding.jar": fakeJar("binding")}.write(t, my)
		dir := t.TempDir()
		var news []string
		c := open(t, dir, func(p Progress) { news = append(news, string(p.Stage)+" "+p.Text) })
		d := fetch(t, c, parse(t, "", ""))
		if d.Version != "4.3.1" || d.Source != "Maven artifacts org.apache.kafka:kafka_2.13:4.3.1" {
			t.Errorf("%+v", d)
		}
		want := "copy-dependencies \n" +
			"copy -Dartifact=org.apache.logging.log4j:" + binding + ":2.25.4\n"
		if calls := readText(t, filepath.Join(my, "calls")); calls != want {
			t.Errorf("mvn was called for %q, want %q", calls, want)
		}
		if all := strings.Join(news, "\n"); strings.Contains(all, string(Warning)) ||
			!strings.Contains(all, "downloaded kafka-clients-4.3.1.jar (1 jars)") {
			t.Errorf("news:\n%s", all)
		}
		wantNames(t, dir, 2)
		t.Setenv("PATH", "")
		if again := fetch(t, open(t, dir, nil), parse(t, "", "4.3.1")); again != d {
			t.Errorf("from the cache: %+v, want %+v", again, d)
		}
		t.Setenv("PATH", path)
	}
}

// TestMavenLeavesBinding fetches a Kafka 3, with which a binding comes along.
func TestMavenLeavesBinding(t *testing.T) {
	my := scriptedMaven(t, goodMaven)
	kafkaTree("", "3.9.1").with(tree{
		"libs/log4j-slf4j-impl-2.25.4.jar": "", "libs/log4j-core-2.25.4.jar": "",
		"libs/slf4j-reload4j-1.7.36.jar": fakeJar("reload"),
	}).write(t, filepath.Join(my, "jars"))
	d := fetch(t, open(t, t.TempDir(), nil), parse(t, "", "3.9.1"))
	if calls := readText(t, filepath.Join(my, "calls")); calls != "copy-dependencies \n" {
		t.Errorf("mvn was called for %q", calls)
	}
	if pom := readText(t, filepath.Join(my, "pom")); d.Version != "3.9.1" ||
		strings.Count(pom, "<version>3.9.1</version>") != 2 {
		t.Errorf("%+v by\n%s", d, pom)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// advice is how mvn ends every failure.
const advice = `
[INFO] BUILD FAILURE
[ERROR] $why -> [Help 1]
[ERROR] 
[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.
[ERROR] Re-run Maven using the -X switch to enable full debug logging.
[ERROR] 
[ERROR] For more information about the errors and possible solutions, please read:
[ERROR] [Help 1] http://cwiki.apache.org/confluence/x
`

// TestMavenFailures has what mvn was seen to say, and what becomes of it.
func TestMavenFailures(t *testing.T) {
	const core = "org.apache.kafka:kafka_2.13:jar:9.9.9"
	tests := []struct {
		name, script string
		want         []string
	}{
		{"unknown version", `why="Not resolved: Could not find artifact ` + core + ` in x"`,
			[]string{"Kafka 9.9.9 is not among the published artifacts"}},
		{"unknown version, remembered", `why="` + core + ` was not found in https://x during a ` +
			`previous attempt"`, []string{"Kafka 9.9.9 is not among the published artifacts"}},
		{"offline by settings", `why="Cannot access central in offline mode and the artifact ` +
			core + ` has not been downloaded"`,
			[]string{"seems to be offline", "--kafka-dist", "has not been"}},
		{"no network", `why="Could not transfer artifact ` + core + `: repo: Unknown host repo"`,
			[]string{"seems to be offline", "Could not transfer"}},
		{"another artifact", `why="Could not find artifact org.x:y:jar:1 in central"`,
			[]string{"mvn failed (exit status 1) and said:\n  Could not find artifact org.x:y"}},
		{"no Java", `echo "JAVA_HOME is not defined correctly" >&2; exit 1`,
			[]string{"mvn failed", "JAVA_HOME is not defined"}},
		{"coloured, no line's end", `printf '\033[1;31m[ERROR]\033[m no space left'; exit 3`,
			[]string{"mvn failed (exit status 3) and said:\n  no space left"}},
		{"silent", `exit 1`, []string{"mvn said nothing: exit status 1"}},
		{"nothing copied", `exit 0`, []string{"no jars in a folder libs"}},
		{"much", `i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo "line $i"; done; exit 1`,
			[]string{"said:\n  line 495\n  line 496\n  line 497\n  line 498"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			scriptedMaven(t, test.script+"\ncat <<E"+advice+"E\nexit 1\n")
			dir := t.TempDir()
			_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, "", "9.9.9"))
			wantError(t, err, append(test.want, "getting Kafka from Maven artifacts")...)
			for _, noise := range []string{"[Help", "Re-run", "[ERROR]", "\x1b"} {
				if strings.Contains(err.Error(), noise) {
					t.Errorf("error %q has %q", err, noise)
				}
			}
			wantNames(t, dir, 0)
		})
	}
}

// TestMavenMissing has no mvn on PATH.
func TestMavenMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	dir := t.TempDir()
	_, err := open(t, dir, nil).Fetch(t.Context(), parse(t, "", ""))
	wantError(t, err, "mvn is not on PATH", "apt-get install maven", "brew install maven",
		"--kafka-dist")
	wantNames(t, dir, 0)
}

// slowMaven tells its own process id and that of a child, and then never ends.
const slowMaven = `
sleep 600 &
echo $! > "$my/child.new"; mv "$my/child.new" "$my/child"
echo $$ > "$my/self.new"; mv "$my/self.new" "$my/self"
wait
`

// TestMavenCancelled ends the context while mvn runs: mvn and its children end with it.
func TestMavenCancelled(t *testing.T) {
	my := scriptedMaven(t, slowMaven)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	c := open(t, dir, nil)
	go func() {
		_, err := c.Fetch(ctx, Source{Kind: Maven, Version: "4.3.1"})
		result <- err
	}()
	self, sleeper := pidIn(t, my, "self"), pidIn(t, my, "child")
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	wantNames(t, dir, 0)
	eventually(t, "mvn's end", func() bool { return gone(self) })
	eventually(t, "the end of mvn's child", func() bool { return gone(sleeper) })
}

// pidIn waits for a file with a process id.
func pidIn(t *testing.T, dir, name string) (pid int) {
	t.Helper()
	eventually(t, "a file "+name, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	return pid
}

// gone tells whether a process has ended; one that nobody has waited for counts as ended.
func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
