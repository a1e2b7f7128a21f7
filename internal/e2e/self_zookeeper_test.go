//go:build e2e && long

package e2e

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/testbin"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// TestSelfUpgradeInZooKeeper has a program of a later release take over a service whose state is in
// a ZooKeeper of three, and the program before take over again: with the same framework and all
// tasks.
func TestSelfUpgradeInZooKeeper(t *testing.T) {
	var addresses []string
	for _, s := range zktest.StartEnsemble(t, 3) {
		addresses = append(addresses, s.Address)
	}
	c := newCluster(t, "pair")
	later := filepath.Join(t.TempDir(), "kafka-sched")
	if err := testbin.Build(later, "9.9.9"); err != nil {
		t.Fatal(err)
	}
	before, shells, executors := c.installPairs("--state",
		"zk://"+strings.Join(addresses, ",")+"/kafka-sched/pair",
		"--state-session-timeout", sessionTimeout.String())

	c.program = later
	told := c.selfUpgrade()
	if told.To != "9.9.9" || told.From != before.Version || told.Kept != 6 ||
		told.Framework != before.FrameworkID {
		t.Errorf("%+v", told)
	}
	back, _, _ := strings.Cut(told.WayBack, " ")
	c.restartSide(shells)
	shells, c.program = c.shells(), back
	told = c.selfUpgrade()
	if release, _ := c.releases(); release != before.Version || told.Kept != 6 ||
		told.Framework != before.FrameworkID {
		t.Errorf("release %s after the way back: %+v", release, told)
	}
	if !maps.Equal(c.shells(), shells) || !maps.Equal(c.executors(), executors) {
		t.Errorf("processes:\n%v %v, before:\n%v %v", c.shells(), c.executors(), shells, executors)
	}
	c.must(2*time.Minute, "uninstall", "--yes", "--name", c.name)
}
