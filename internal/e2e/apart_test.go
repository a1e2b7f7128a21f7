//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// apartSpec has one controller of its own, and two brokers with two volumes each. Without its
// better compiler a JVM starts faster.
const apartSpec = `
name: {{FRAMEWORK_NAME}}
scheduler: {user: {{FRAMEWORK_USER}}}
pods:
  broker:
    count: 2
    placement: hostname:UNIQUE
    kafka:
      process: broker
      heap: 256
      jvm-flags: [-XX:TieredStopAtLevel=1]
      volumes: [disk-0, disk-1]
      instances: {1: {properties: {num.io.threads: 5}}}
    tasks:
      node:
        kind: service
        cpus: 0.5
        memory: 768
        ports: {broker: {port: 0, advertise: true}}
        volumes:
          first: {path: disk-0, type: ROOT, size: 300}
          second: {path: disk-1, type: ROOT, size: 300}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 120
` + oneController

// oneController is a pod of one controller alone, to stand at the end of a spec.
const oneController = `  controller:
    count: 1
    kafka: {process: controller, heap: 128, jvm-flags: [-XX:TieredStopAtLevel=1]}
    tasks:
      node:
        kind: service
        cpus: 0.2
        memory: 512
        ports: {controller: {port: 0}}
        volume: {path: quorum, type: ROOT, size: 200}
        readiness-check: {tcp: {port: controller}, interval: 1, timeout: 5}
        kill-grace-period: 60
`

// TestControllersApart has a cluster whose controller is no broker and whose brokers have two log
// directories: messages go through it, its controller is killed, a broker replaced, the service
// stopped and started, and uninstalled.
func TestControllersApart(t *testing.T) {
	c := newCluster(t, "apart")
	spec := filepath.Join(c.home, "apart.yml")
	if err := os.WriteFile(spec, []byte(apartSpec), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must(3*time.Minute, "install", "-f", spec, "--name", c.name)
	c.awaitApart(2, 10000)
	bootstrap := c.bootstrap()

	createTopic(t, bootstrap, "demo", 6)
	produce(t, bootstrap, "demo", 5000)
	c.demand("demo", 6, 5000)
	c.bothVolumesServe("broker-0")
	c.bothVolumesServe("broker-1")

	t.Log("SIGKILL the controller")
	ids, brokers := c.taskIDs(), []process{c.broker("broker-0"), c.broker("broker-1")}
	c.kill(c.broker("controller-0"))
	c.awaitAnew("controller-0-node", ids, 10000)
	if now := []process{c.broker("broker-0"), c.broker("broker-1")}; !slices.Equal(now, brokers) {
		t.Fatalf("brokers were %v, are %v", brokers, now)
	}
	produce(t, bootstrap, "demo", 1000)

	t.Log("replace a broker")
	if _, stderr, code := c.run(time.Minute, "pod", "replace", "controller-0", "--name",
		c.name); code == 0 || !strings.Contains(stderr, "metadata would be lost") {
		t.Fatalf("replacing the only controller: exit %d\n%s", code, stderr)
	}
	ids, old := c.taskIDs(), c.podVolumes("broker-1")
	c.must(time.Minute, "pod", "replace", "broker-1", "--name", c.name)
	c.awaitAnew("broker-1-node", ids, 10000)
	now := c.podVolumes("broker-1")
	if len(now) != 2 || slices.Contains(old, now[0]) || slices.Contains(old, now[1]) {
		t.Fatalf("the volumes of broker-1 were %v, are %v", old, now)
	}
	if found := c.volumes(); len(found) != 5 {
		t.Fatalf("volumes: %v", found)
	}

	c.must(3*time.Minute, "stop", "--name", c.name)
	if left := c.processes(); len(left) > 0 {
		t.Fatalf("after stop: %v", left)
	}
	c.must(3*time.Minute, "start", "--name", c.name)
	c.awaitApart(2, 10000)
	c.demand("demo", 6, 5000)
	if err := os.Remove(spec); err != nil {
		t.Fatal(err)
	}
	c.uninstall()
}

// demand reads a topic and wants so many different messages.
func (c *cluster) demand(topic string, partitions, messages int) {
	c.t.Helper()
	if seen := consume(c.t, c.bootstrap(), topic, partitions); len(seen) != messages {
		c.t.Fatalf("consumed %d different messages of %d", len(seen), messages)
	}
}

// apart reports whether all plans are complete and all nodes there: so many brokers in sync, and
// voters with these ids.
func (c *cluster) apart(brokers int, voters ...int) error {
	s, err := c.complete()
	if err != nil {
		return err
	}
	if len(s.Kafka.Brokers) != brokers || !slices.Equal(s.Kafka.Voters, voters) ||
		len(s.Leftovers) != 0 {
		return fmt.Errorf("brokers %v, voters %v, leftovers %v", s.Kafka.Brokers,
			s.Kafka.Voters, s.Leftovers)
	}
	for _, p := range s.Pods {
		controller := strings.HasPrefix(p.Name, "controller-")
		if controller != (p.Broker == nil) {
			return fmt.Errorf("%s has the broker %+v", p.Name, p.Broker)
		}
		if !controller && (p.Broker.Fenced || p.Broker.NotInSync > 0) {
			return fmt.Errorf("%s is not in sync: %+v", p.Name, p.Broker)
		}
	}
	return nil
}

func (c *cluster) awaitApart(brokers int, voters ...int) {
	c.t.Helper()
	eventually(c.t, 2*time.Minute, "all nodes are there",
		func() error { return c.apart(brokers, voters...) })
}

// awaitAnew waits until all is well with a new launch of one task and those before of all others.
func (c *cluster) awaitAnew(task string, before map[string]string, voters ...int) {
	c.t.Helper()
	began := time.Now()
	eventually(c.t, 2*time.Minute, task+" is back", func() error {
		if now := c.taskIDs(); now[task] == before[task] {
			return fmt.Errorf("it has its old id")
		}
		return c.apart(2, voters...)
	})
	c.t.Logf("all is well with a new %s after %.1f s", task, time.Since(began).Seconds())
	for name, id := range c.taskIDs() {
		if name != task && before[name] != id {
			c.t.Fatalf("%s was relaunched as well", name)
		}
	}
}

// podVolumes are the ids of an instance's volumes.
func (c *cluster) podVolumes(pod string) []string {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	p := s.Pod(pod)
	if p == nil {
		c.t.Fatalf("no pod %s in %+v", pod, s.Pods)
	}
	return p.Volumes
}

// bothVolumesServe demands partitions of the topic demo on both volumes of a broker, and its
// metadata on the first alone.
func (c *cluster) bothVolumesServe(pod string) {
	c.t.Helper()
	volumes := c.podVolumes(pod)
	if len(volumes) != 2 {
		c.t.Fatalf("the volumes of %s are %v", pod, volumes)
	}
	metadata := 0
	for _, dir := range c.volumes() {
		if !slices.Contains(volumes, filepath.Base(dir)) {
			continue
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "logs", "demo-*")); len(found) == 0 {
			c.t.Errorf("%s of %s has no partition", dir, pod)
		}
		found, _ := filepath.Glob(filepath.Join(dir, "logs", "__cluster_metadata-0"))
		metadata += len(found)
	}
	if metadata != 1 {
		c.t.Errorf("the metadata of %s is on %d volumes", pod, metadata)
	}
}

// TestKafkaExamples installs the examples of controllers apart and of several disks.
func TestKafkaExamples(t *testing.T) {
	for example, nodes := range map[string]int{"kafka-controllers": 4, "kafka-jbod": 1} {
		t.Run(example, func(t *testing.T) {
			c := newCluster(t, "example")
			c.install("-f", filepath.Join("..", "..", "examples", example+".yml"),
				"--set", "brokers.count=1")
			bootstrap := c.bootstrap()
			createTopic(t, bootstrap, "demo", 2)
			produce(t, bootstrap, "demo", 1000)
			c.demand("demo", 2, 1000)
			if found := c.find("kafka.Kafka"); len(found) != nodes {
				t.Errorf("%d nodes run: %v", len(found), found)
			}
			c.uninstall()
		})
	}
}
