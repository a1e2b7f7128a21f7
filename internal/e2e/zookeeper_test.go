//go:build e2e

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestZooKeeperExample installs an ensemble of three alone: one leads, two follow, and
// all are gone after uninstall.
func TestZooKeeperExample(t *testing.T) {
	c := newCluster(t, "zookeeper")
	c.must(2*time.Minute, "install", "--file", example(t, "zookeeper.yml"), "--name", c.name)
	eventually(t, 20*time.Second, "three serve", func() error { return c.servers(3) })
	c.verb("uninstall", "--yes")
}

// more waits until so many more messages are acknowledged.
func (l *load) more(messages int) {
	l.t.Helper()
	acked := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acked)
	}
	goal := acked() + messages
	eventually(l.t, time.Minute, "messages are acknowledged", func() error {
		if have := acked(); have < goal {
			return fmt.Errorf("%d are missing", goal-have)
		}
		return nil
	})
}

func example(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "examples", file))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// servers reports whether so many servers serve, one of which leads, or is alone.
func (c *cluster) servers(count int) error {
	s, err := c.status()
	if err != nil {
		return err
	}
	var roles []string
	for _, p := range s.Pods {
		if p.ZooKeeper != nil {
			roles = append(roles, p.ZooKeeper.Role)
		}
	}
	text := strings.Join(roles, " ")
	if count == 1 && text == "standalone" {
		return nil
	}
	if strings.Count(text, "leader") != 1 || strings.Count(text, "follower") != count-1 {
		return fmt.Errorf("the roles are %q", text)
	}
	return nil
}

// server finds a server of a role.
func (c *cluster) server(role string) string {
	c.t.Helper()
	s, err := c.status()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range s.Pods {
		if p.ZooKeeper != nil && p.ZooKeeper.Role == role {
			return p.Name
		}
	}
	c.t.Fatalf("no %s among the servers", role)
	return ""
}

// awaitOnZooKeeper waits until three servers and three brokers are all that they should be.
func (c *cluster) awaitOnZooKeeper() {
	c.t.Helper()
	eventually(c.t, 90*time.Second, "brokers and servers are whole", func() error {
		if err := c.servers(3); err != nil {
			return err
		}
		s, err := c.complete()
		if err != nil {
			return err
		}
		if s.Kafka.Error != "" || len(s.Kafka.Brokers) != 3 || s.Kafka.Leader == nil {
			return fmt.Errorf("Kafka is %+v", s.Kafka)
		}
		for _, p := range s.Pods {
			if b := p.Broker; b != nil && (b.Fenced || b.NotInSync > 0) {
				return fmt.Errorf("%s is not in sync: %+v", p.Name, b)
			}
		}
		return nil
	})
}
