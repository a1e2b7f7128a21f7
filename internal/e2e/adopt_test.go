//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// helloSpec notes each begin in its volume.
const helloSpec = `
name: hello
scheduler: {user: %s, principal: hello-principal}
pods:
  hello:
    count: 2
    placement: hostname:UNIQUE
    tasks:
      server:
        goal: RUNNING
        cmd: echo "began $$" >> hello-data/log && exec sleep 100000
        cpus: 0.2
        memory: 64
        ports: {http: {port: 0, env-key: PORT0}}
        volume: {path: hello-data, type: ROOT, size: 50}
`

// TestAdopt takes over a service of DC/OS Commons on a Mesos that holds its reservations: from its
// tree in ZooKeeper, from what the master shows of its tasks, and from its reservations alone. What
// runs goes on; a restart brings it back on the same volume, under our executor; and an
// uninstallation leaves nothing.
func TestAdopt(t *testing.T) {
	zk := zktest.Start(t)
	for name, part := range map[string]func(*cluster, *commons, string) []string{
		"tree": func(c *cluster, old *commons, _ string) []string {
			old.store(zk.Address)
			old.end()
			return []string{"--adopt-from", "zk://" + zk.Address + "/dcos-service-hello"}
		},
		"tasks": func(c *cluster, old *commons, _ string) []string {
			old.end()
			return []string{"--adopt"}
		},
		"reservations": func(c *cluster, old *commons, _ string) []string {
			old.tearDown()
			var args []string
			for name, info := range old.infos {
				host := info.Labels.Labels[3].GetValue()
				args = append(args, "--adopt-pod", strings.TrimSuffix(name, "-server")+"="+host)
			}
			return append(args, "--adopt")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, "hello")
			master := c.mesosAlone()
			u, err := user.Current()
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf(helloSpec, u.Username)
			service, problems := servicespec.Parse("hello.yml", []byte(text), nil)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			spec := filepath.Join(c.home, "hello.yml")
			if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			old := runCommons(t, master, service)
			defer old.end()
			args := []string{"install", "-f", spec, "--name", "hello", "--master", master}
			args = append(args, part(c, old, master)...)
			c.adopted(args, old, name == "reservations")
			c.must(time.Minute, "uninstall", "--yes", "--name", "hello")
			if n := reservedNow(t, master); n > 0 {
				t.Errorf("%d resources are still reserved", n)
			}
		})
	}
}

// mesosAlone starts an embedded Mesos that belongs to no cluster and ends with the test.
func (c *cluster) mesosAlone() (master string) {
	dir := filepath.Join(c.home, "alone")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	free.Close()
	cmd := exec.Command(binary, "localmesos", "--agents", "2", "--listen",
		free.Addr().String(), "--dir", dir, "--ports", "31000-31100")
	cmd.Env = c.env
	out := filepath.Join(c.home, "alone.log")
	c.startLogged(cmd, out)
	c.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	eventually(c.t, 20*time.Second, "the Mesos is up", func() error {
		var says struct {
			MasterURL string `json:"master_url"`
		}
		data, err := os.ReadFile(filepath.Join(dir, "localmesos.json"))
		if err == nil {
			err = json.Unmarshal(data, &says)
		}
		if master = says.MasterURL; err == nil && master == "" {
			err = fmt.Errorf("no address: %s", tail(out, 1000))
		}
		return err
	})
	return master
}

// begun gives what the instances noted in their volumes, by the paths of these.
func (c *cluster) begun() map[string]string {
	found := map[string]string{}
	logs, _ := filepath.Glob(filepath.Join(c.home, "alone", "agents", "*", "volumes", "roles",
		"*", "*", "log"))
	for _, path := range logs {
		data, _ := os.ReadFile(path)
		found[path] = string(data)
	}
	return found
}

// adopted installs with consent, and checks what becomes of the tasks and volumes; again says that
// nothing runs any more.
func (c *cluster) adopted(args []string, old *commons, again bool) {
	t := c.t
	var before map[string]string
	eventually(t, 20*time.Second, "both have noted that they began", func() error {
		if before = c.begun(); len(before) != 2 {
			return fmt.Errorf("volumes with notes: %v", before)
		}
		return nil
	})
	eventually(t, 20*time.Second, "the master has seen the old scheduler end", func() error {
		_, stderr, code := c.run(time.Minute, args...)
		if code == 2 && strings.Contains(stderr, "this takes over 2 instances; say --yes") {
			return nil
		}
		return fmt.Errorf("exit %d: %s", code, stderr)
	})
	if _, err := os.Stat(filepath.Join(c.home, "hello")); err == nil {
		t.Fatal("something was written before anybody consented")
	}
	c.must(time.Minute, append(args, "--yes")...)
	ids := c.taskIDs()
	now := c.begun()
	for path, text := range before {
		more := strings.Count(now[path], "began") - strings.Count(text, "began")
		if !strings.HasPrefix(now[path], text) || more != 0 && !again {
			t.Errorf("%s was %q, is %q", path, text, now[path])
		}
	}
	for name, info := range old.infos {
		if same := ids[name] == info.TaskID.Value; same == again {
			t.Errorf("%s is the launch %s, was %s", name, ids[name], info.TaskID.Value)
		}
	}
	s, err := c.status()
	if err != nil {
		t.Fatal(err)
	}
	if old.id.Value != s.FrameworkID && !again {
		t.Errorf("the framework is %s, was %s", s.FrameworkID, old.id.Value)
	}
	c.must(time.Minute, "pod", "restart", "hello-0", "--name", "hello")
	eventually(t, 30*time.Second, "hello-0 is back on its volume", func() error {
		begun, twice := c.begun(), 0
		for path, text := range now {
			if strings.HasPrefix(begun[path], text) && len(begun[path]) > len(text) {
				twice++
			}
		}
		if fresh := c.taskIDs()["hello-0-server"]; twice != 1 || len(begun) != 2 ||
			fresh == ids["hello-0-server"] {
			return fmt.Errorf("%v", begun)
		}
		return nil
	})
	if ours := c.executorsOf("hello-0"); ours == 0 {
		t.Error("it does not run under our executor")
	}
}

// executorsOf counts our executors that work for an instance.
func (c *cluster) executorsOf(pod string) int {
	n := 0
	for _, p := range c.find("kafka-sched executor") {
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", p.pid))
		if strings.Contains(cwd, "/alone/") {
			n++
		}
	}
	return n
}
