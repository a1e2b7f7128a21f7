//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestExamples installs each example that needs nothing but a shell on the embedded Mesos, gives
// its canaries the operator's word, and uninstalls it. Those with Kafka have tests of their
// own, and those that fetch archives are deployed in the simulation.
func TestExamples(t *testing.T) {
	for file, name := range map[string]string{
		"canary": "canary", "dependent-phases": "dependent-phases",
		"parallel-phases": "parallel", "sidecar": "sidecar", "web": "web",
	} {
		t.Run(file, func(t *testing.T) {
			c := newCluster(t, name)
			spec, err := filepath.Abs(filepath.Join("..", "..", "examples", file+".yml"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(spec); err != nil {
				t.Fatal(err)
			}
			c.must(2*time.Minute, "install", "--file", spec, "--name", name, "--agents", "3",
				"--no-wait")
			eventually(t, 2*time.Minute, "it is deployed", c.deployed)
			c.verb("uninstall", "--yes")
		})
	}
}

// deployed reports whether the deploy plan is complete; a phase that waits for the operator is
// let go on.
func (c *cluster) deployed() error {
	s, err := c.status()
	if err != nil {
		return err
	}
	var states []string
	for _, p := range s.Plans {
		if p.Name != "deploy" {
			continue
		}
		for _, phase := range p.Phases {
			states = append(states, phase.Name+" "+string(phase.Status))
			if phase.Status == "WAITING" {
				c.run(20*time.Second, "plan", "resume", "deploy", phase.Name, "--name", c.name)
			}
		}
		if p.Status == "COMPLETE" {
			return nil
		}
	}
	return fmt.Errorf("deploy: %s", strings.Join(states, ", "))
}
