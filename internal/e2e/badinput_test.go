//go:build e2e

package e2e

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The exit codes that the help texts promise.
const (
	codeFailed   = 1
	codeUsage    = 2
	codeNotFound = 3
	codeMachine  = 4
	codeConflict = 6
)

// bad is a command line that has to be refused.
type bad struct {
	name string
	args []string
	code int
	// cause and remedy are what the message has to hold: what is wrong, and a way out.
	cause, remedy string
	env           []string
}

// refuse runs a command line that is wrong and checks that it fails as it should, and that no
// file and no process is left behind.
func (c *cluster) refuse(b bad) {
	c.t.Helper()
	before, list := c.files(), c.processes()
	run := *c
	run.env = append(append([]string{}, c.env...), b.env...)
	stdout, stderr, code := run.run(time.Minute, b.args...)
	if code != b.code {
		c.t.Errorf("%v: exit code %d, want %d", b.args, code, b.code)
	}
	for _, part := range []string{b.cause, b.remedy} {
		if !strings.Contains(stderr, part) {
			c.t.Errorf("%v: the message does not say %q:\n%s%s", b.args, part, stdout, stderr)
		}
	}
	if !strings.HasPrefix(stderr, "kafka-sched: ") || strings.Contains(stderr, "goroutine ") {
		c.t.Errorf("%v: this is no message for people:\n%s", b.args, stderr)
	}
	if after := c.files(); after != before {
		c.t.Errorf("%v: files before:\n%s\nafter:\n%s", b.args, before, after)
	}
	if after := c.processes(); len(after) != len(list) {
		c.t.Errorf("%v: processes before: %v, after: %v", b.args, list, after)
	}
}

// files lists what is in the home, without what the processes of a running cluster write.
func (c *cluster) files() string {
	found, err := filepath.Glob(filepath.Join(c.home, "*"))
	if err != nil {
		c.t.Fatal(err)
	}
	return strings.Join(found, "\n")
}

// write makes a file of the test and gives its path.
func (c *cluster) write(name, content string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// TestBadInput gives the command line everything that is wrong before there is a cluster.
func TestBadInput(t *testing.T) {
	c := newCluster(t, "kafka")
	for _, b := range c.badInputs() {
		t.Run(b.name, func(t *testing.T) {
			sub := *c
			sub.t = t
			sub.refuse(b)
		})
	}
}

func (c *cluster) badInputs() []bad {
	tab := c.write("tab.yml", "name: web\npods:\n\tweb: {count: 1}\n")
	indent := c.write("indent.yml",
		"name: web\npods:\n  web:\n    count: 1\n   tasks:\n      a: {goal: RUNNING}\n")
	typo := c.write("typo.yml", "name: web\npods:\n  web:\n    cuont: 1\n")
	options := c.write("options.yml", "brokers:\n  cuont: 1\n")
	json := c.write("options.json", "{\"brokers\": {\"count\": 3,, }}")
	text := c.write("kafka", "a file where a folder should be")
	set := func(option string) []string { return []string{"install", "--set", option} }
	with := func(args ...string) []string { return append([]string{"install"}, args...) }
	const form = "a name has lower-case letters, digits and hyphens"
	return []bad{
		{"a tab in YAML", with("-f", tab), 2, "tab.yml:3:1: this is not YAML",
			"use blanks", nil},
		{"a wrong indent", with("-f", indent), 2, "indent.yml:5:4: this is not YAML",
			"indent all keys of a mapping alike", nil},
		{"an unknown key", with("-f", typo), 2, "typo.yml:4:5: pods.web.cuont: unknown key",
			"did you mean count?", nil},
		{"no such spec", with("-f", "nosuch.yml"), 2, "--file nosuch.yml", "no such file", nil},
		{"an unknown option", set("broker.count=3"), 2, "unknown option",
			"did you mean brokers.count?", nil},
		{"an unknown option in a file", with("--options", options), 2, "options.yml:2:3",
			"did you mean brokers.count?", nil},
		{"options that are no JSON", with("--options", json), 2, "options.json:1",
			"close the bracket", nil},
		{"count 0", set("brokers.count=0"), 2, "brokers.count", "at least 1, not 0", nil},
		{"a count that is no number", set("brokers.count=many"), 2, "brokers.count",
			"must be a whole number", nil},
		{"more memory than any agent", set("brokers.mem=9999999"), 4, "this machine has",
			"--set brokers.mem=", nil},
		{"more brokers than fit", set("brokers.count=1000"), 4, "1000 pods take",
			"--set brokers.count=", nil},
		{"more disk than there is", set("brokers.disk=99999999"), 4, "MiB are free",
			"--set brokers.disk=", nil},
		{"nobody at --master", with("--master", "http://127.0.0.1:1"), 4,
			"no Mesos master answers at http://127.0.0.1:1: connection refused",
			"leave --master away", nil},
		{"nobody at zk", with("--master", "zk://127.0.0.1:1/mesos"), 4,
			"no ZooKeeper answers at 127.0.0.1:1 (127.0.0.1:1: connection refused)",
			"check the addresses", nil},
		{"a wrong scheme", with("--master", "ftp://host:5050"), 2, "--master ftp://host:5050",
			"http://host:port", nil},
		{"zk without a path", with("--master", "zk://host:2181"), 2, "--master",
			"must be zk://host:port,…/path", nil},
		{"a name that leads out", with("--name", "../x"), 2, `name "../x"`, form, nil},
		{"no name", with("--name", ""), 2, `name ""`, form, nil},
		{"a long name", with("--name", strings.Repeat("a", 100)), 2, "aaa",
			"at most 63 long", nil},
		{"a home that is a file", with(), 4, "cannot be used: not a directory",
			"set KAFKA_SCHED_HOME", []string{"KAFKA_SCHED_HOME=" + text}},
		{"a home that nobody may write to", with(), 4, "cannot be used",
			"set KAFKA_SCHED_HOME", []string{"KAFKA_SCHED_HOME=/proc/nowhere"}},
		{"an unknown command", []string{"instal"}, 2, `no command "instal"`,
			"did you mean install?", nil},
		{"an unknown command of a group", []string{"pod", "restrat", "kafka-0"}, 2,
			`no command "restrat"`, "did you mean restart?", nil},
		{"an unknown flag", with("--nmae", "x"), 2, "no flag --nmae", "did you mean --name?",
			nil},
		{"too many arguments", with("surplus"), 2, `"surplus"`, "install --help", nil},
		{"a bad timeout", with("--timeout", "soon"), 2, "--timeout soon", "write for example",
			nil},
		{"a bad address", with("--listen", "nonsense"), 2, "--listen nonsense",
			"must be host:port", nil},
		{"no such cluster", []string{"status"}, 3, `no cluster "kafka"`,
			"kafka-sched install makes one", nil},
	}
}

// TestBadJava installs on machines without a fitting Java.
func TestBadJava(t *testing.T) {
	c := newCluster(t, "kafka")
	const remedy = "apt-get install openjdk-17-jre-headless"
	empty := "PATH=" + t.TempDir()
	t.Run("none", func(t *testing.T) {
		sub := *c
		sub.t = t
		sub.refuse(bad{args: []string{"install"}, code: codeMachine,
			cause: "no Java 17 or newer found", remedy: remedy,
			env: []string{empty, "JAVA_HOME="}})
	})
	t.Run("an old one", func(t *testing.T) {
		home := t.TempDir()
		if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
		script := "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n"
		java := filepath.Join(home, "bin", "java")
		if err := os.WriteFile(java, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		sub := *c
		sub.t = t
		sub.refuse(bad{args: []string{"install"}, code: codeMachine, cause: "is Java 11.0.2",
			remedy: remedy, env: []string{empty, "JAVA_HOME=" + home}})
	})
}

// TestPortInUse asks for ports on which somebody listens.
func TestPortInUse(t *testing.T) {
	c := newCluster(t, "kafka")
	everywhere := listen(t, "0.0.0.0:0")
	c.refuse(bad{args: c.smallInstall("--set", "brokers.port="+everywhere), code: codeMachine,
		cause:  "port " + everywhere + " (broker of kafka) is in use on 127.0.",
		remedy: "choose another port with --set brokers.port="})
	c.refuse(bad{args: c.smallInstall("--listen", "127.0.0.1:"+everywhere), code: codeMachine,
		cause:  "--listen 127.0.0.1:" + everywhere + ": address already in use",
		remedy: "choose another address"})

	// Agents have addresses of their own. On which of them the first one is depends on who
	// else runs here, so the port is taken on all that it can be.
	loopback := listen(t, "127.0.0.1:0")
	for slot := 1; slot < 200; slot++ {
		listen(t, fmt.Sprintf("127.0.%d.1:%s", slot, loopback))
	}
	c.refuse(bad{args: c.smallInstall("--set", "brokers.port="+loopback), code: codeMachine,
		cause:  "port " + loopback + " (broker of kafka) is in use on 127.0.",
		remedy: "end the program that listens there"})
}

// smallInstall is a whole command line of install with small brokers.
func (c *cluster) smallInstall(args ...string) []string {
	return append([]string{"install"}, c.small(args...)...)
}

// listen listens until the test ends, and gives the port.
func listen(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// TestWrongDistribution names things that are no Kafka. The cache is the test's own, so that
// what is left in it can be seen.
func TestWrongDistribution(t *testing.T) {
	c := newCluster(t, "kafka")
	cache := t.TempDir()
	c.env = append(c.env, "KAFKA_SCHED_CACHE="+cache)
	const remedy = "--kafka-dist takes a Kafka as it is published"
	whole := tgz(t, map[string]string{"kafka/readme": strings.Repeat("kafka ", 10_000)})
	folder := t.TempDir()
	for _, b := range []bad{
		{"text", []string{c.write("text.tgz", "hello\n")}, codeUsage,
			"neither a .tgz nor a .tar archive", remedy, nil},
		{"an empty file", []string{c.write("empty.tgz", "")}, codeUsage, "it is an empty file",
			remedy, nil},
		{"a truncated archive", []string{c.write("cut.tgz", whole[:len(whole)/2])}, codeUsage,
			"the archive is truncated", remedy, nil},
		{"a zip", []string{c.write("kafka.zip", zipped(t))}, codeUsage, "it is a zip archive",
			remedy, nil},
		{"another archive", []string{c.write("other.tgz", whole)}, codeUsage,
			"the archive is not a Kafka distribution", remedy, nil},
		{"an empty folder", []string{folder}, codeUsage, "is not a Kafka distribution", remedy,
			nil},
		{"nothing", []string{filepath.Join(folder, "nosuch")}, codeUsage, "--kafka-dist",
			"there is no such file or folder", nil},
		{"a server that is not there", []string{"http://127.0.0.1:1/kafka.tgz"}, codeUsage,
			"the server cannot be reached", remedy, nil},
		{"a wrong scheme", []string{"ftp://host/kafka.tgz"}, codeUsage, `scheme "ftp"`,
			"is not one of file, http, https", nil},
		{"a wrong version", []string{c.kafkaFolder("3.9.1"), "--kafka-version", "4.3.1"},
			codeUsage, "is Kafka 3.9.1, but version 4.3.1 was asked for", remedy, nil},
	} {
		t.Run(b.name, func(t *testing.T) {
			sub := *c
			sub.t = t
			b.args = append(sub.smallInstall("--kafka-dist"), b.args...)
			sub.refuse(b)
			if left, _ := filepath.Glob(filepath.Join(cache, "*")); len(left) > 0 {
				t.Errorf("the cache holds %v", left)
			}
		})
	}
}

// tgz makes an archive.
func tgz(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for name, content := range files {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// zipped makes a zip archive, as jars are.
func zipped(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("META-INF/MANIFEST.MF"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// kafkaFolder makes a folder with jars named as those of a Kafka version.
func (c *cluster) kafkaFolder(version string) string {
	c.t.Helper()
	dir := c.t.TempDir()
	libs := filepath.Join(dir, "libs")
	if err := os.Mkdir(libs, 0o755); err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"kafka_2.13-" + version, "kafka-clients-" + version,
		"kafka-metadata-" + version, "kafka-raft-" + version, "kafka-server-common-" + version,
		"scala-library-2.13.16", "slf4j-api-1.7.36", "slf4j-simple-1.7.36"} {
		path := filepath.Join(libs, name+".jar")
		if err := os.WriteFile(path, []byte(zipped(c.t)), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	return dir
}

// TestTwoInstallsAtOnce starts the same installation twice: one wins, the other one says so and
// harms nothing. Then everything that is wrong is tried beside the cluster that runs.
func TestTwoInstallsAtOnce(t *testing.T) {
	c := newCluster(t, "kafka")
	type result struct {
		stdout, stderr string
		code           int
	}
	results := make([]result, 2)
	var both sync.WaitGroup
	for i := range results {
		both.Go(func() {
			cmd := exec.Command(binary, c.smallInstall("--set", "brokers.count=1")...)
			cmd.Env = c.env
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run() // the exit code tells
			results[i] = result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
		})
	}
	both.Wait()
	winner, loser := results[0], results[1]
	if winner.code != 0 {
		winner, loser = loser, winner
	}
	if winner.code != 0 || loser.code != codeConflict ||
		!strings.Contains(loser.stderr, "another command is installing") ||
		!strings.Contains(loser.stderr, "wait for it") {
		t.Fatalf("two installs at once: %+v", results)
	}
	c.awaitWhole(1, time.Minute)

	jvms := c.find("kafka.Kafka")
	for _, b := range c.badInputs() {
		if b.name == "no such cluster" {
			continue
		}
		if b.code == codeMachine && b.env == nil { // of a cluster that is there, another thing
			b.code, b.cause, b.remedy = codeConflict, "is installed already", "kafka-sched u"
		}
		c.refuse(b)
	}
	c.refuse(bad{args: []string{"pod", "restart", "kafka-7"}, code: codeNotFound,
		cause: "kafka-7", remedy: "kafka-0"})
	if err := c.whole(1); err != nil {
		t.Fatalf("the cluster was harmed: %v", err)
	}
	if now := c.find("kafka.Kafka"); len(now) != 1 || now[0].pid != jvms[0].pid {
		t.Fatalf("brokers were %v, are %v", jvms, now)
	}
	c.uninstall()
}

// TestFailingBroker installs brokers that cannot start, and takes them away again.
func TestFailingBroker(t *testing.T) {
	c := newCluster(t, "kafka")
	stdout, stderr, code := c.run(5*time.Minute, c.smallInstall("--set", "brokers.count=1",
		"--set", "kafka.log.retention.bytes=notanumber")...)
	if code != codeFailed {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	for _, part := range []string{
		"the deployment failed: step kafka-0:[broker]", "notanumber",
		"last lines of kafka-0-broker.", "more: kafka-sched logs kafka-0",
		filepath.Join(c.home, "kafka", "scheduler", "scheduler.log"), "kafka-sched uninstall",
	} {
		if !strings.Contains(stderr, part) {
			t.Errorf("the message does not say %q:\n%s", part, stderr)
		}
	}
	// The scheduler goes on trying, so that the latest attempt may have printed little yet.
	eventually(t, time.Minute, "the log says why", func() error {
		out, stderr, _ := c.run(time.Minute, "logs", "kafka-0", "--stderr")
		if !strings.Contains(out, "notanumber") {
			return fmt.Errorf("it says:\n%s%s", out, stderr)
		}
		return nil
	})
	c.uninstall()
}
