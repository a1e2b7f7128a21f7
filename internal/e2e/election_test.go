//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// sessionTimeout is that of the schedulers in this file.
const sessionTimeout = 6 * time.Second

// pair are two schedulers of one service, each with a home, a keeper and relays to ZooKeeper of
// its own; the Mesos is that of the first.
type pair struct {
	t       *testing.T
	each    [2]*cluster
	relays  [2][]*zktest.Relay
	servers []*zktest.Server
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, servers: zktest.StartEnsemble(t, 3)}
	for i := range p.each {
		var addresses []string
		for _, s := range p.servers {
			r := zktest.StartRelay(t, s.Address, 0)
			p.relays[i] = append(p.relays[i], r)
			addresses = append(addresses, r.Address)
		}
		p.each[i] = newCluster(t, "kafka")
		args := []string{"--state", "zk://" + strings.Join(addresses, ",") + "/kafka-sched/kafka",
			"--state-session-timeout", sessionTimeout.String()}
		if i > 0 {
			args = append(args, "--master", p.each[0].masterURL())
		}
		p.each[i].install(args...)
	}
	return p
}

// masterURL is where the embedded Mesos of a cluster answers.
func (c *cluster) masterURL() string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.home, c.name, "mesos", "localmesos.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var a struct {
		MasterURL string `json:"master_url"`
	}
	if err := json.Unmarshal(text, &a); err != nil {
		c.t.Fatal(err)
	}
	return a.MasterURL
}

// scheduler gives the pid and the URL of a cluster's scheduler.
func (c *cluster) scheduler() (pid int, url string) {
	text, err := os.ReadFile(filepath.Join(c.home, c.name, "scheduler", "scheduler.json"))
	var a struct {
		PID int    `json:"pid"`
		URL string `json:"url"`
	}
	if err != nil || json.Unmarshal(text, &a) != nil {
		return 0, ""
	}
	return a.PID, a.URL
}

// role is what the metric says of a cluster's scheduler: "1" for who leads.
func (c *cluster) role() string {
	_, url := c.scheduler()
	client := http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	res, err := client.Get(url + "/metrics")
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return ""
	}
	_, role, _ := strings.Cut(string(text), "\nkafka_sched_leads ")
	role, _, _ = strings.Cut(role, "\n")
	return role
}

// awaitRole waits until a scheduler leads, or stands by.
func (p *pair) awaitRole(i int, role string, patience time.Duration) {
	p.t.Helper()
	began := time.Now()
	eventually(p.t, patience, "the scheduler's role is "+role, func() error {
		if is := p.each[i].role(); is != role {
			return fmt.Errorf("it is %q", is)
		}
		return nil
	})
	p.t.Logf("scheduler %d has the role %s after %.1f s", i, role, time.Since(began).Seconds())
}

// sameBut demands that the cluster is whole, with the same tasks but for those named.
func (p *pair) sameBut(before map[string]string, anew ...string) map[string]string {
	p.t.Helper()
	p.each[0].awaitWhole(3, time.Minute)
	now := p.each[1].taskIDs()
	for task, id := range before {
		wanted := strings.Contains(strings.Join(anew, " "), task)
		if (now[task] != id) != wanted {
			p.t.Fatalf("%s was %s, and is %s", task, id, now[task])
		}
	}
	return now
}

// Two schedulers on a ZooKeeper of three servers, with brokers under load: whatever befalls who
// leads, the other goes on, no broker notices, and no message that was acknowledged is lost.
func TestElection(t *testing.T) {
	p := newPair(t)
	bootstrap := p.each[0].bootstrap()
	load := startLoad(t, bootstrap, "load")
	tasks := p.each[0].taskIDs()
	if roles := p.each[0].role() + p.each[1].role(); roles != "10" {
		t.Fatalf("the roles are %s", roles)
	}

	t.Log("the leader is killed")
	pid, _ := p.each[0].scheduler()
	p.signal(pid, syscall.SIGKILL)
	p.awaitRole(1, "1", sessionTimeout+3*time.Second)
	p.awaitRole(0, "0", 30*time.Second)
	tasks = p.sameBut(tasks)

	t.Log("the leader is frozen for longer than its session, and wakes up")
	pid, _ = p.each[1].scheduler()
	p.signal(pid, syscall.SIGSTOP)
	p.awaitRole(0, "1", sessionTimeout+3*time.Second)
	p.each[0].verb("pod", "restart", "kafka-1")
	p.signal(pid, syscall.SIGCONT)
	eventually(t, 30*time.Second, "it ends and another begins", func() error {
		if now, _ := p.each[1].scheduler(); now == pid {
			return errors.New("it is still the same")
		}
		return nil
	})
	p.awaitRole(1, "0", 30*time.Second)
	tasks = p.sameBut(tasks, "kafka-1-broker")

	t.Log("ZooKeeper's leader is killed")
	p.server("leader").Stop()
	tasks = p.sameBut(tasks)

	p.cutOff(tasks)
	load.check()
}

// server finds the ZooKeeper server that is the leader, or a follower.
func (p *pair) server(mode string) (found *zktest.Server) {
	p.t.Helper()
	eventually(p.t, time.Minute, "ZooKeeper has a "+mode, func() error {
		for _, s := range p.servers {
			if s.Mode() == mode {
				found = s
				return nil
			}
		}
		return errors.New("it has none")
	})
	return found
}

// cutOff cuts the leader off from ZooKeeper, and then ZooKeeper from its majority.
func (p *pair) cutOff(tasks map[string]string) {
	t := p.t
	t.Log("the leader is cut off from ZooKeeper")
	leads := 0
	if p.each[1].role() == "1" {
		leads = 1
	}
	for _, r := range p.relays[leads] {
		r.Close()
	}
	p.awaitRole(1-leads, "1", sessionTimeout+10*time.Second)
	for _, r := range p.relays[leads] {
		r.Open()
	}
	p.awaitRole(leads, "0", time.Minute)
	tasks = p.sameBut(tasks)

	t.Log("ZooKeeper loses its majority, and gets it back")
	stopped := p.server("follower")
	stopped.Stop()
	for _, c := range p.each {
		eventually(t, time.Minute, "nobody leads", func() error {
			if c.role() == "1" {
				return errors.New("one does")
			}
			return nil
		})
	}
	stopped.Start()
	eventually(t, time.Minute, "one leads again", func() error {
		if roles := p.each[0].role() + p.each[1].role(); roles != "10" && roles != "01" {
			return fmt.Errorf("the roles are %q", roles)
		}
		return nil
	})
	p.sameBut(tasks)
}

func (p *pair) signal(pid int, s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		p.t.Fatal(err)
	}
}
