//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// manyPods is how many pods TestManyPods brings up, on as many agents.
const manyPods = 1500

const manySpec = `
name: many
pods:
  web:
    count: %d
    tasks:
      server:
        goal: RUNNING
        cmd: ./serve
        cpus: 0.5
        memory: 256
        readiness-check: {cmd: ./ready, interval: 5, timeout: 5}
plans:
  deploy:
    strategy: parallel
    phases:
      web: {strategy: parallel, pod: web}
`

// TestManyPods brings a large service up on a simulated Mesos, through the real wire: on one
// subscription, each task launched once. Then its scheduler is killed, and the next one finds all
// tasks as they are; and the service is uninstalled in as little time.
func TestManyPods(t *testing.T) {
	c := newCluster(t, "many")
	master := c.simulate(manyPods)
	spec := filepath.Join(c.home, "many.yml")
	text := fmt.Sprintf(manySpec, manyPods)
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.must(2*time.Minute, "install", "--name", c.name, "--master", master, "-f", spec, "--quiet")
	t.Logf("%d pods in %.1f s", manyPods, time.Since(began).Seconds())

	logged, err := os.ReadFile(filepath.Join(c.home, c.name, "scheduler", "scheduler.log"))
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]int{
		"msg=subscribed framework=": 1, "msg=launch ": manyPods,
		`msg="instance complete"`: manyPods, "not connected to the master": 0,
	} {
		if n := bytes.Count(logged, []byte(line)); n != want {
			t.Errorf("the log has %q %d times, want %d", line, n, want)
		}
	}
	before := c.taskIDs()
	if len(before) != manyPods {
		t.Fatalf("%d tasks", len(before))
	}

	c.kill(c.find("kafka-sched scheduler", "--name many")[0])
	c.awaitFound()
	if now := c.taskIDs(); !maps.Equal(now, before) {
		t.Error("the tasks are others after the scheduler was killed")
	}
	c.must(2*time.Minute, "uninstall", "--yes", "--name", c.name, "--quiet")
}

// simulate runs a simulated Mesos of its own until the end of the test, and gives its address.
func (c *cluster) simulate(agents int) (master string) {
	c.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	master = l.Addr().String()
	l.Close()
	mesos := exec.Command(binary, "localmesos", "--simulate", "--agents", fmt.Sprint(agents),
		"--listen", master, "--zones", "3", "--racks", "40", "--dir", c.t.TempDir())
	mesos.Env = c.env
	if err := mesos.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { // before that of the cluster, which ends what is left
		if c.t.Failed() {
			c.run(time.Minute, "uninstall", "--yes", "--name", c.name, "--quiet")
		}
		mesos.Process.Kill()
		mesos.Wait()
	})
	eventually(c.t, 30*time.Second, "the simulated Mesos answers", func() error {
		answer, err := http.Get("http://" + master + "/health")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	return master
}
