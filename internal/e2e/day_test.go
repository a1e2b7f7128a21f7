//go:build e2e && long

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kafka-sched/kafka-sched/api"
)

// day is a cluster with a controller of its own whose brokers have two log directories each, and
// the spec that it has now.
type day struct {
	c     *cluster
	path  string
	admin *kadm.Client

	brokers, partitions, retention, size, queue int
	disk, more                                  string // policies
}

const daySpec = `
name: {{FRAMEWORK_NAME}}
scheduler: {user: {{FRAMEWORK_USER}}}
pods:
  broker:
    count: %d
    placement: hostname:UNIQUE
    fault-policy: {unreachable-timeout: 1, disk: %s}
    rebalance: {throttle: 300000}
    kafka:
      process: broker
      heap: 256
      jvm-flags: [-XX:TieredStopAtLevel=1]
      volumes: [disk-0, disk-1]
      drift: correct
      topics:
        orders: {partitions: %d, replication: 3, config: {retention.ms: %d}}
%s
      properties: {queued.max.requests: %d}
    tasks:
      node:
        kind: service
        cpus: 0.5
        memory: 768
        ports: {broker: {port: 0, advertise: true}}
        volumes:
          first: {path: disk-0, type: ROOT, size: 300}
          second: {path: disk-1, type: ROOT, size: %d}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 120
` + oneController

// dayPatience is how long one operation may take on a busy machine.
const dayPatience = 8 * time.Minute

// TestDayByDay does what operators do with a loaded cluster day by day: topics are declared and
// meddled with, disks grow while a property changes, a log directory fails, data is evened out
// between log directories, and the cluster grows and shrinks. Nothing is lost or doubled, no
// producer sees an error, and no partition is under its minimum because of us.
func TestDayByDay(t *testing.T) {
	c := newCluster(t, "day")
	d := &day{c: c, path: filepath.Join(t.TempDir(), "day.yml"), brokers: 3, partitions: 4,
		retention: 3_600_000, size: 300, queue: 500, disk: "wait"}
	d.write()
	c.must(5*time.Minute, "install", "-f", d.path, "--name", c.name, "--agents", "5")
	d.await(3)
	client, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	d.admin = kadm.NewClient(client)
	f := startTraffic(t, c.bootstrap())
	for _, part := range []struct {
		name string
		do   func()
	}{
		{"declared topics", d.topics}, {"drift of properties", d.drift},
		{"larger disks and another property", d.grow},
		{"a log directory evened out", d.dirs}, {"one broker more and one less", d.cordon},
	} {
		began := time.Now()
		part.do()
		f.calm(fmt.Sprintf("%s, %v", part.name, time.Since(began).Round(time.Second)))
		f.reset()
	}
	d.fail()
	f.check()
	c.uninstall()
}

// write writes the spec as it is to be.
func (d *day) write() {
	d.c.t.Helper()
	text := fmt.Sprintf(daySpec, d.brokers, d.disk, d.partitions, d.retention, d.more, d.queue,
		d.size)
	if err := os.WriteFile(d.path, []byte(text), 0o600); err != nil {
		d.c.t.Fatal(err)
	}
}

// update makes the spec the configuration, and does not wait.
func (d *day) update() string {
	d.c.t.Helper()
	d.write()
	return d.c.verb("update", "start", "--no-wait", "-f", d.path)
}

// await waits until so many brokers, and the controller, are there and nothing is left to do.
func (d *day) await(brokers int) {
	d.c.t.Helper()
	eventually(d.c.t, dayPatience, fmt.Sprint(brokers, " brokers are there"),
		func() error { return d.c.apart(brokers, 10000) })
}

// topics has declared topics made, grown and configured, and brought back when somebody meddles.
func (d *day) topics() {
	t, ctx := d.c.t, context.Background()
	d.asDeclared("orders")
	ids := d.c.taskIDs()
	d.partitions, d.retention, d.more = 6, 7_200_000, "        audit: {}"
	d.update()
	d.asDeclared("orders", "audit")
	d.demandTopic("orders", func(topic kadm.TopicDetail) error {
		if n := len(topic.Partitions); n != 6 {
			return fmt.Errorf("it has %d partitions", n)
		}
		return nil
	})
	d.await(3)
	for task, id := range d.c.taskIDs() {
		if ids[task] != id {
			t.Errorf("%s was relaunched for a topic", task)
		}
	}
	var gone kadm.TopicID
	d.demandTopic("audit", func(topic kadm.TopicDetail) error {
		gone = topic.ID
		return nil
	})
	if _, err := d.admin.DeleteTopics(ctx, "audit"); err != nil {
		t.Fatal(err)
	}
	short := "1000"
	if _, err := d.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig,
		Name: "retention.ms", Value: &short}}, "orders"); err != nil {
		t.Fatal(err)
	}
	d.demandTopic("audit", func(topic kadm.TopicDetail) error {
		if topic.ID == gone {
			return errors.New("it is the one that was deleted")
		}
		return nil
	})
	eventually(t, dayPatience, "the retention is as declared", func() error {
		all, err := d.admin.DescribeTopicConfigs(ctx, "orders")
		return valueIs(all, err, "retention.ms", "7200000")
	})
	d.asDeclared("orders", "audit")
}

// asDeclared waits until the topics that are declared are as they are declared.
func (d *day) asDeclared(topics ...string) {
	d.c.t.Helper()
	eventually(d.c.t, dayPatience, "topics are as declared", func() error {
		out, errs, code := d.c.run(time.Minute, "topic", "drift", "--json", "--name", d.c.name)
		var list api.DeclaredTopics
		if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil {
			return fmt.Errorf("topic drift: exit %d, %v: %s%s", code, err, out, errs)
		}
		if len(list.Topics) != len(topics) || list.AsDeclared != len(topics) {
			return fmt.Errorf("it says %s", out)
		}
		return nil
	})
}

// demandTopic waits until a topic is there and a function is content with it.
func (d *day) demandTopic(name string, content func(kadm.TopicDetail) error) {
	d.c.t.Helper()
	eventually(d.c.t, dayPatience, "topic "+name+" is as wanted", func() error {
		all, err := d.admin.ListTopics(context.Background(), name)
		if err == nil {
			err = all.Error()
		}
		if err == nil {
			err = content(all[name])
		}
		return err
	})
}

// valueIs says that the first of some resources has another value of a property.
func valueIs(all kadm.ResourceConfigs, err error, name, want string) error {
	if err != nil {
		return err
	}
	for _, entry := range all[0].Configs {
		if entry.Key == name && entry.MaybeValue() == want {
			return nil
		}
	}
	return fmt.Errorf("%s of %s is not %s: %v", name, all[0].Name, want, all[0].Err)
}

// drift has what somebody changes in a broker noted, and taken back by policy.
func (d *day) drift() {
	t, ctx := d.c.t, context.Background()
	value := "2000000"
	if _, err := d.admin.AlterBrokerConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig,
		Name: "message.max.bytes", Value: &value}}, 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, dayPatience, "the drift is in the journal", func() error {
		if out := d.c.verb("journal", "--json"); !strings.Contains(out, "message.max.bytes") ||
			!strings.Contains(out, `"`+api.KindDrift+`"`) {
			return errors.New("nothing of it")
		}
		return nil
	})
	eventually(t, dayPatience, "the property is as it was", func() error {
		all, err := d.admin.DescribeBrokerConfigs(ctx, 0)
		return valueIs(all, err, "message.max.bytes", "1048588")
	})
}

// grow has all disks grow, broker by broker, while a property changes that is read at the start: a
// broker that has yet to be launched with it has not drifted.
func (d *day) grow() {
	t := d.c.t
	before := map[string][]string{}
	for i := range d.brokers {
		pod := fmt.Sprint("broker-", i)
		before[pod] = d.c.podVolumes(pod)
	}
	d.size, d.queue = 400, 400
	d.write()
	preview := d.c.verb("update", "start", "-f", d.path, "--dry-run")
	if !strings.Contains(preview, "grows from 300 to 400 MB") {
		t.Errorf("the preview says:\n%s", preview)
	}
	d.update()
	eventually(t, 2*dayPatience, "all disks have grown", func() error {
		s, err := d.c.status()
		if err != nil {
			return err
		}
		if n := s.Kafka.PropertiesDrifted; n > 0 {
			t.Fatalf("%d properties have drifted in a roll:\n%s", n, d.c.verb("config", "drift"))
		}
		for pod, volumes := range before {
			if slices.Equal(d.c.podVolumes(pod), volumes) {
				return fmt.Errorf("%s has the volumes %v as before", pod, volumes)
			}
		}
		return d.c.apart(d.brokers, 10000)
	})
	if n := len(d.c.volumes()); n != 2*d.brokers+1 {
		t.Errorf("there are %d volumes", n)
	}
	d.c.settings(d.c.bootstrap(), "queued.max.requests", "400", "400", "400")
}

// dirs has what lies in one log directory of a broker spread over both.
func (d *day) dirs() {
	t, ctx := d.c.t, context.Background()
	createTopic(t, d.c.bootstrap(), "wide", 12)
	d.fill("wide", 20<<20)
	dirs := d.partitionsIn("wide", 1)
	if len(dirs) != 2 {
		t.Fatalf("the log directories of broker 1 are %v", dirs)
	}
	to := ""
	for dir := range dirs {
		to = max(to, dir)
	}
	request := kadm.AlterReplicaLogDirsReq{}
	request.Add(to, kadm.TopicsSet{"wide": topicPartitions(12)})
	if _, err := d.admin.AlterBrokerReplicaLogDirs(ctx, 1, request); err != nil {
		t.Fatal(err)
	}
	eventually(t, dayPatience, "all is in one directory", func() error {
		if now := d.partitionsIn("wide", 1); now[to] != 12 {
			return fmt.Errorf("it is in %v", now)
		}
		return nil
	})
	preview := d.c.verb("rebalance", "--dirs", "--preview")
	if !strings.Contains(preview, "partition") {
		t.Errorf("the preview says:\n%s", preview)
	}
	d.c.verb("rebalance", "--dirs")
	eventually(t, dayPatience, "the directories have been evened out", func() error {
		if out := d.c.verb("rebalance", "status"); !strings.Contains(out, "is DONE") {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	if now := d.partitionsIn("wide", 1); now[to] == 12 {
		t.Errorf("what lay in one directory is still there: %v", now)
	}
}

// fill produces so many bytes.
func (d *day) fill(topic string, size int) {
	d.c.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(d.c.bootstrap()...),
		kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		d.c.t.Fatal(err)
	}
	defer client.Close()
	value := make([]byte, 16<<10)
	for range size / len(value) {
		client.Produce(context.Background(), kgo.SliceRecord(value),
			func(_ *kgo.Record, err error) {
				if err != nil {
					d.c.t.Error(err)
				}
			})
	}
	ctx, cancel := context.WithTimeout(context.Background(), dayPatience)
	defer cancel()
	if err := client.Flush(ctx); err != nil {
		d.c.t.Fatal(err)
	}
}

// partitionsIn counts the partitions of a topic in each log directory of a broker, those on their
// way from one to another not.
func (d *day) partitionsIn(topic string, broker int32) map[string]int {
	d.c.t.Helper()
	dirs, err := d.admin.DescribeBrokerLogDirs(context.Background(), broker, nil)
	if err != nil {
		d.c.t.Fatal(err)
	}
	found := map[string]int{}
	for path, dir := range dirs {
		found[path] += 0
		for _, p := range dir.Topics[topic] {
			if !p.IsFuture {
				found[path]++
			}
		}
	}
	return found
}

func topicPartitions(n int32) map[int32]struct{} {
	set := map[int32]struct{}{}
	for p := range n {
		set[p] = struct{}{}
	}
	return set
}

// cordon adds a broker, fills it, and takes it away again: from when that was decided no new topic
// comes to lie on it.
func (d *day) cordon() {
	t := d.c.t
	before := d.c.taskIDs()
	d.brokers = 4
	d.update()
	d.await(4)
	d.c.verb("rebalance", "--to-new")
	eventually(t, dayPatience, "the new broker is filled", func() error {
		if out := d.c.verb("rebalance", "status"); !strings.Contains(out, "is DONE") {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	d.brokers = 3
	d.update()
	d.c.verb("plan", "pause", "decommission", "--reason", "to look at new topics")
	eventually(t, dayPatience, "broker 3 is cordoned", func() error {
		var b api.BrokerDetail
		out := d.c.verb("broker", "get", "3", "--json")
		if err := json.Unmarshal([]byte(out), &b); err != nil || !b.Cordoned {
			return fmt.Errorf("%v in %s", err, out)
		}
		return nil
	})
	for i := range 3 {
		name := fmt.Sprint("new-", i)
		d.c.verb("topic", "create", name, "--partitions", "8", "--replication", "2")
		d.demandTopic(name, func(topic kadm.TopicDetail) error {
			for _, p := range topic.Partitions {
				if slices.Contains(p.Replicas, 3) {
					t.Errorf("%s-%d came to lie on %v", name, p.Partition, p.Replicas)
				}
			}
			return nil
		})
	}
	d.c.verb("plan", "resume", "decommission")
	d.await(3)
	for task, id := range d.c.taskIDs() {
		if before[task] != id {
			t.Errorf("%s was relaunched", task)
		}
	}
}

// fail lets a log directory fail: the broker serves on without it and says so, and once the
// policy allows it the broker gets a place on another agent.
func (d *day) fail() {
	t := d.c.t
	host, volumes := d.c.hostOf("broker-0"), d.c.podVolumes("broker-0")
	d.spoil(volumes)
	eventually(t, dayPatience, "the failure is reported", func() error {
		s, err := d.c.status()
		if err != nil {
			return err
		}
		if b := s.Pod("broker-0").Broker; b == nil || len(b.FailedDirs) != 1 {
			return fmt.Errorf("broker 0 is %+v", b)
		}
		return nil
	})
	if out := d.c.verb("broker", "describe", "0"); !strings.Contains(out, "failed") {
		t.Errorf("nothing of the failure in:\n%s", out)
	}
	d.disk = "replace"
	d.update()
	eventually(t, 2*dayPatience, "broker 0 has moved", func() error {
		if now := d.c.hostOf("broker-0"); now == host {
			return errors.New("it is where it was")
		}
		return d.c.apart(3, 10000)
	})
	for _, volume := range d.c.podVolumes("broker-0") {
		if slices.Contains(volumes, volume) {
			t.Errorf("broker 0 still has the volume %s", volume)
		}
	}
}

// spoil puts a file where a log directory without the metadata was. What is open stays open, and
// what Kafka opens next fails.
func (d *day) spoil(volumes []string) {
	d.c.t.Helper()
	for _, folder := range d.c.volumes() {
		logs := filepath.Join(folder, "logs")
		if _, err := os.Stat(filepath.Join(logs, "__cluster_metadata-0")); err == nil ||
			!slices.Contains(volumes, filepath.Base(folder)) {
			continue
		}
		if err := os.Rename(logs, filepath.Join(folder, "away")); err != nil {
			d.c.t.Fatal(err)
		}
		if err := os.WriteFile(logs, nil, 0o600); err != nil {
			d.c.t.Fatal(err)
		}
		return
	}
	d.c.t.Fatalf("none of the volumes %v has no metadata", volumes)
}
