package cli

import (
	"bytes"
	"context"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// misbehaving is an embedded Mesos that obeys faults, without any executor.
func misbehaving(t *testing.T, faults bool) string {
	t.Helper()
	c, err := localmesos.Start(localmesos.Config{Dir: t.TempDir(), MasterAddr: "127.0.0.1:0",
		Faults: faults, Agents: []localmesos.Agent{
			{Name: "agent-1", Addr: "127.0.0.2:0", CPUs: 1, MemMB: 64},
			{Name: "agent-2", Addr: "127.0.0.3:0", CPUs: 1, MemMB: 64}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c.MasterURL()
}

// chaosRun runs a command of chaos and gives its output, errors and exit code.
func chaosRun(master string, args ...string) (string, string, int) {
	var out, errs bytes.Buffer
	args = append([]string{"localmesos", "chaos", "--master", master}, args...)
	code := Main(args, strings.NewReader(""), &out, &errs, Daemons{})
	return out.String(), errs.String(), code
}

func TestChaosOrders(t *testing.T) {
	master := misbehaving(t, true)
	for _, c := range []struct {
		args string
		want string
		code int
	}{
		{"kill-agent --agent agent-1", "kill-agent disturbs the cluster; say --yes", exitUsage},
		{"kill-agent --agent agent-1 --agent-timeout 10m --yes",
			"agent agent-1 is killed, its tasks run on; the master gives it up after 10m0s", 0},
		{"kill-agent --agent agent-1 --yes", "is killed: return-agent", exitUsage},
		{"power-off --yes", "the fault needs an agent; there are: agent-1, agent-2", exitUsage},
		{"freeze-agent --for now", "this is no length of time", exitUsage},
		{"drop-updates --count 3 --of task --yes", "from now on: drop-updates, 3 left, task", 0},
		{"status", "agent-1  127.0.0.2  killed", 0},
		{"status", "rule: drop-updates, 3 left, task", 0},
		{"return-agent --agent agent-1", "agent agent-1 comes back", 0},
		{"failover --election 1ms --recovery 1ms --yes", "the master has failed over", 0},
		{"clear", "1 rules ended", 0},
		{"random --pause 1s --yes", "--pause 1s: an agent needs 10s", exitUsage},
		{"enable", "kafka-sched localmesos --faults=true", exitUsage},
	} {
		out, errs, code := chaosRun(master, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit %d, want %d with %q\n%s%s", c.args, code, c.code, c.want, out, errs)
		}
	}
}

func TestChaosWithFaultsOff(t *testing.T) {
	_, errs, code := chaosRun(misbehaving(t, false), "rescind-offers", "--yes")
	if code != exitConflict || !strings.Contains(errs, "kafka-sched localmesos chaos enable") {
		t.Errorf("exit %d: %s", code, errs)
	}
	_, errs, code = chaosRun("http://127.0.0.1:1", "status")
	if code != exitFailed || !strings.Contains(errs, "does not answer") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestChaosAtRandom(t *testing.T) {
	master := misbehaving(t, true)
	out, errs, code := chaosRun(master, "random", "--for", "50ms", "--seed", "3", "--yes")
	if code != 0 || !strings.Contains(out, "seed 3: faults for 50ms") ||
		!strings.Contains(out, "the end: ") {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
	draw := func() (all []localmesos.Fault) {
		d := drawer{rand.New(rand.NewPCG(7, 7)), 20 * time.Second, []string{"a", "b"}}
		for range 500 {
			all = append(all, d.fault())
			if f := all[len(all)-1]; time.Duration(f.For) > d.pause/2 || f.Action == "" ||
				d.wait() < d.pause/2 {
				t.Fatalf("fault %+v", f)
			}
		}
		return all
	}
	if !reflect.DeepEqual(draw(), draw()) {
		t.Error("one seed gives different faults")
	}
}

func TestStandaloneLayOut(t *testing.T) {
	var got LocalMesosOptions
	d := Daemons{LocalMesos: func(_ context.Context, o LocalMesosOptions) error {
		got = o
		return nil
	}}
	run := func(args string) (string, int) {
		var out bytes.Buffer
		code := Main(append([]string{"localmesos"}, strings.Fields(args)...),
			strings.NewReader(""), &out, &out, d)
		return out.String(), code
	}
	out, code := run("--agents 10000 --simulate --zones 3 --racks 40 --attribute os=linux " +
		"--cpus 4 --ports 1000-2000 --faults")
	if code != 0 || len(got.Agents) != 10_000 || !got.Simulate || !got.Faults {
		t.Fatalf("exit %d, %d agents: %s", code, len(got.Agents), out)
	}
	want := LocalAgent{Name: "agent-00300", Hostname: "agent-00300.simulated",
		Addr: "10.0.1.44:5051", CPUs: 4, MemMB: 32_768, DiskMB: 1_000_000,
		Ports: [][2]uint64{{1000, 2000}}, Region: "region-1", Zone: "zone-3",
		Attributes: map[string]string{"os": "linux", "rack": "rack-20"}}
	if a := got.Agents[299]; !reflect.DeepEqual(a, want) {
		t.Errorf("agent %+v, want %+v", a, want)
	}
	for args, want := range map[string]string{
		"--simulate":                       "--simulate needs --agents",
		"--agents 0":                       "1 to 9 are possible, and more with --simulate",
		"--agents 3":                       "--dir is missing",
		"--agents 3 --simulate --ports 7":  "a range is written as",
		"--agents 3 --simulate --listen x": "it must be host:port",
	} {
		if out, code := run(args); code != exitUsage || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d: %s", args, code, out)
		}
	}
}
