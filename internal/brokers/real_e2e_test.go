//go:build e2e

package brokers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// TestRealKafka follows a cluster of three real nodes through its life: while they start, when all
// are there, when one was killed, and when it is back.
func TestRealKafka(t *testing.T) {
	for _, version := range []string{kafkadist.DefaultVersion, "3.9.1"} {
		t.Run(version, func(t *testing.T) {
			c := found(t, version)
			a := New(Config{})
			t.Cleanup(a.Close)
			if facts := a.Ask(t.Context(), c.addresses); facts.Error == "" {
				t.Fatalf("nothing runs, but %+v", facts)
			}
			for _, n := range c.nodes {
				n.start(t)
			}
			c.until(t, a, "complete", func(f scheduler.KafkaFacts) bool {
				return f.ClusterID == clusterID && slices.Equal(f.Voters, []int{0, 1, 2}) &&
					f.Leader >= 0 && len(f.Brokers) == 3 && !anyBroker(f, fenced)
			})
			c.createTopic(t)
			whole := c.until(t, a, "hosting", func(f scheduler.KafkaFacts) bool {
				return !anyBroker(f, func(b scheduler.BrokerFacts) bool {
					return b.Hosted != 6 || b.NotInSync > 0 || b.Leads == 0
				})
			})
			for i, b := range whole.Brokers {
				if b.ID != i || b.Address != c.addresses[i] {
					t.Errorf("broker %d: %+v", i, b)
				}
			}
			for id := range 3 {
				c.judged(t, a, id, rolling.Safe)
			}
			victim := (whole.Leader + 1) % 3
			c.nodes[victim].kill(t, syscall.SIGKILL)
			c.judged(t, a, whole.Leader, rolling.BrokerSilent, rolling.QuorumLost)
			c.judged(t, a, victim, rolling.ServesNobody)
			down := c.until(t, a, "one killed", func(f scheduler.KafkaFacts) bool {
				return len(f.Brokers) == 3 && f.Brokers[victim].Fenced &&
					f.Brokers[victim].NotInSync == 6
			})
			if down.OfflinePartitions != 0 || down.Leader < 0 || len(down.Voters) != 3 {
				t.Errorf("with one of three killed: %+v", down)
			}
			c.nodes[victim].start(t)
			c.until(t, a, "back", func(f scheduler.KafkaFacts) bool {
				return len(f.Brokers) == 3 && !anyBroker(f, func(b scheduler.BrokerFacts) bool {
					return b.Fenced || b.Hosted != 6 || b.NotInSync > 0
				})
			})
			c.nodes[0].kill(t, syscall.SIGKILL)
			c.nodes[1].kill(t, syscall.SIGKILL)
			c.until(t, a, "without majority", func(f scheduler.KafkaFacts) bool {
				return f.Error == "" && f.Leader == -1 && f.Voters == nil
			})
		})
	}
}

// judged waits until the verdict on the stop of a node has one of the codes.
func (c *cluster) judged(t *testing.T, a *Asker, id int, want ...rolling.Code) {
	t.Helper()
	var v rolling.Verdict
	c.untilBy(t, a.AskAll, fmt.Sprint(want, " for ", id), func(f scheduler.KafkaFacts) bool {
		v = f.Rolling.MayStop(rolling.Request{Node: rolling.NodeID(id), Now: time.Now()})
		return slices.Contains(want, v.Code)
	})
	t.Logf("node %d: %s", id, v.Sentence())
}

func fenced(b scheduler.BrokerFacts) bool { return b.Fenced }

func anyBroker(f scheduler.KafkaFacts, is func(scheduler.BrokerFacts) bool) bool {
	return slices.ContainsFunc(f.Brokers, is)
}

const clusterID = "kafka-sched-brokers-wg"

// cluster is three combined nodes on this machine.
type cluster struct {
	nodes     []*node
	addresses []string
}

type node struct {
	java, libs, dir string
	cmd             *exec.Cmd
	ended           chan error
	log             *os.File
}

// found formats three nodes: a dynamic quorum where nodes join by themselves, else a static one.
func found(t *testing.T, version string) *cluster {
	t.Helper()
	java, err := kafkadist.FindJava(t.Context(), 17)
	if err != nil {
		t.Fatal(err)
	}
	libs := unpack(t, version)
	ports := freePorts(t, 6)
	var controllers, voters []string
	for i := range 3 {
		controllers = append(controllers, fmt.Sprintf("127.0.0.1:%d", ports[3+i]))
		voters = append(voters, fmt.Sprintf("%d@%s", i, controllers[i]))
	}
	quorum := "controller.quorum.bootstrap.servers=" + strings.Join(controllers, ",") +
		"\ncontroller.quorum.auto.join.enable=true"
	formats := []string{"--standalone", "--no-initial-controllers", "--no-initial-controllers"}
	if strings.HasPrefix(version, "3.") {
		quorum = "controller.quorum.voters=" + strings.Join(voters, ",")
		formats = []string{"", "", ""}
	}
	c := new(cluster)
	for i := range 3 {
		n := &node{java: java.Path, libs: libs, dir: t.TempDir()}
		c.nodes = append(c.nodes, n)
		c.addresses = append(c.addresses, fmt.Sprintf("127.0.0.1:%d", ports[i]))
		n.configure(t, i, c.addresses[i], controllers[i], quorum)
		args := []string{"kafka.tools.StorageTool", "format", "-t", clusterID,
			"-c", "server.properties"}
		if formats[i] != "" {
			args = append(args, formats[i])
		}
		if out, err := n.run(args...).CombinedOutput(); err != nil {
			t.Fatalf("formatting: %v\n%s", err, out)
		}
	}
	return c
}

// unpack fetches a distribution and returns a class path.
func unpack(t *testing.T, version string) string {
	t.Helper()
	source, err := kafkadist.ParseSource("", version)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := kafkadist.Open(kafkadist.DefaultCacheDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dist, err := cache.Fetch(t.Context(), source)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tar := exec.CommandContext(t.Context(), "tar", "-xzf", dist.Path, "-C", dir)
	if out, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("unpacking: %v\n%s", err, out)
	}
	return filepath.Join(dir, "kafka", "libs", "*")
}

// freePorts returns ports that are free, all different.
func freePorts(t *testing.T, count int) []int {
	t.Helper()
	var ports []int
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (n *node) configure(t *testing.T, id int, client, controller, quorum string) {
	t.Helper()
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=%d
listeners=PLAINTEXT://%s,CONTROLLER://%s
advertised.listeners=PLAINTEXT://%[2]s,CONTROLLER://%[3]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=%s
offsets.topic.replication.factor=3
default.replication.factor=3
%s
`, id, client, controller, filepath.Join(n.dir, "logs"), quorum)
	for name, text := range map[string]string{
		"server.properties": text,
		"log4j2.yaml": "Configuration:\n  Appenders:\n    Console:\n      name: STDOUT\n" +
			"      PatternLayout:\n        pattern: \"[%d] %p %m (%c)%n\"\n  Loggers:\n" +
			"    Root:\n      level: INFO\n      AppenderRef:\n        - ref: STDOUT\n",
		"log4j.properties": "log4j.rootLogger=INFO, stdout\n" +
			"log4j.appender.stdout=org.apache.log4j.ConsoleAppender\n" +
			"log4j.appender.stdout.layout=org.apache.log4j.SimpleLayout\n",
	} {
		if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (n *node) run(args ...string) *exec.Cmd {
	all := append([]string{"-Xms256m", "-Xmx256m", "-XX:+UseSerialGC",
		"-XX:TieredStopAtLevel=1", "-Dlog4j2.configurationFile=log4j2.yaml",
		"-Dlog4j.configuration=file:log4j.properties", "-cp", n.libs}, args...)
	cmd := exec.Command(n.java, all...)
	cmd.Dir = n.dir
	return cmd
}

// start starts the node; it ends with the test, and with the test's process too.
func (n *node) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(n.dir, "out"),
		os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	n.log = log
	n.cmd = n.run("kafka.Kafka", "server.properties")
	n.cmd.Stdout, n.cmd.Stderr = log, log
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.ended = make(chan error, 1)
	started := make(chan error)
	cmd, ended := n.cmd, n.ended
	go func() {
		// Pdeathsig means the thread that starts a process, so it must live as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n.cmd == cmd {
			n.kill(t, syscall.SIGKILL)
		}
	})
}

func (n *node) kill(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	<-n.ended
	n.cmd = nil
	n.log.Close()
}

// until asks until the facts are as wanted, and returns them.
func (c *cluster) until(t *testing.T, a *Asker, stage string,
	wanted func(scheduler.KafkaFacts) bool) scheduler.KafkaFacts {
	t.Helper()
	return c.untilBy(t, a.Ask, stage, wanted)
}

func (c *cluster) untilBy(
	t *testing.T, ask func(context.Context, []string) scheduler.KafkaFacts, stage string,
	wanted func(scheduler.KafkaFacts) bool,
) scheduler.KafkaFacts {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	var before string
	for {
		asked := time.Now()
		facts := ask(ctx, c.addresses)
		took := time.Since(asked)
		facts.Asked = time.Time{}
		told := facts
		told.Rolling = nil
		if now := fmt.Sprintf("%+v", told); now != before {
			t.Logf("%s %v (took %v): %s", stage, time.Since(began), took, now)
			before = now
		}
		if facts.Error == "" && wanted(facts) {
			return facts
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			for i, n := range c.nodes {
				out, _ := os.ReadFile(filepath.Join(n.dir, "out"))
				t.Logf("node %d: ...%s", i, out[max(0, len(out)-4000):])
			}
			t.Fatalf("%s: not reached, the last facts are %s", stage, before)
		}
	}
}

// createTopic makes six partitions, each on all three brokers.
func (c *cluster) createTopic(t *testing.T) {
	t.Helper()
	transport := new(kafka.Transport)
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(c.addresses...), Transport: transport}
	answer, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: "events", NumPartitions: 6, ReplicationFactor: 3,
			ConfigEntries: []kafka.ConfigEntry{{ConfigName: minISR, ConfigValue: "2"}}}},
	})
	if err != nil || answer.Errors["events"] != nil {
		t.Fatalf("creating a topic: %v, %+v", err, answer)
	}
}
