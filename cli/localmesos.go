package cli

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// standalone is an embedded Mesos that belongs to no cluster: its flags.
type standalone struct {
	agents       int
	simulate     bool
	listen, dir  string
	cpus, gpus   float64
	mem, disk    int64
	path, mount  []int64 // sizes of more disks
	ports        []string
	region       string
	zones, racks int
	attributes   map[string]string
	faults       bool
	timeout      time.Duration
}

// mostSimulated is the largest number of agents that are simulated.
const mostSimulated = 100_000

// localMesosCmd runs the embedded Mesos of a cluster in this process, or one on its own.
func (e *env) localMesosCmd() *cobra.Command {
	s := &standalone{timeout: 75 * time.Second}
	c := &cobra.Command{
		Use: "localmesos", Short: "Run an embedded Mesos on its own, real or simulated",
		Args: arguments(0, 0),
		Long: "Run an embedded Mesos. With --agents it stands on its own, and several " +
			"clusters can be\ninstalled on it with install --master; without, it is that of " +
			"a cluster, and the cluster's\nkeeper starts it. With --simulate nothing runs: " +
			"agents offer what the flags say, and tasks\nare RUNNING and ready at once, to " +
			"try a spec against a cluster of any size.",
		Example: "  kafka-sched localmesos --agents 10000 --simulate --zones 3 --racks 40\n" +
			"  kafka-sched localmesos chaos --help",
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("agents") {
				return e.runStandalone(cmd.Context(), s)
			}
			if s.simulate {
				return wrongUsage(cmd, "--simulate needs --agents")
			}
			return e.runClusters(cmd.Context())
		},
	}
	s.flags(c)
	c.AddCommand(e.chaosCmd())
	return c
}

func (s *standalone) flags(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&s.agents, "agents", 0, "how many agents; makes it one on its own")
	f.BoolVar(&s.simulate, "simulate", false, "run no processes: tasks are made believe")
	f.StringVar(&s.listen, "listen", "127.0.0.1:5050", "host:port of the master")
	f.StringVar(&s.dir, "dir", "", "its folder (default, if simulated: one that is removed)")
	f.Float64Var(&s.cpus, "cpus", 8, "CPUs of each agent")
	f.Int64Var(&s.mem, "mem", 32_768, "memory of each agent, in MiB")
	f.Int64Var(&s.disk, "disk", 1_000_000, "disk of each agent, in MiB")
	f.Float64Var(&s.gpus, "gpus", 0, "GPUs of each agent; they are made believe")
	f.Int64SliceVar(&s.path, "path-disk", nil, "a PATH disk of each agent, in MiB; repeatable")
	f.Int64SliceVar(&s.mount, "mount-disk", nil, "a MOUNT disk of each agent; repeatable")
	f.StringSliceVar(&s.ports, "ports", []string{"9092-9099", "31000-32000"},
		"ranges of ports of each agent")
	f.StringVar(&s.region, "region", "region-1", "region of the agents, if there are zones")
	f.IntVar(&s.zones, "zones", 0, "spread the agents over so many zones")
	f.IntVar(&s.racks, "racks", 0, "spread them over so many racks, by an attribute \"rack\"")
	f.StringToStringVar(&s.attributes, "attribute", nil, "attributes of all agents, as os=linux")
	f.BoolVar(&s.faults, "faults", false, "let it misbehave on order (localmesos chaos)")
	f.Var((*patience)(&s.timeout), "agent-timeout",
		"when the master gives up an agent that does not answer")
}

// runClusters runs the embedded Mesos of a cluster.
func (e *env) runClusters(ctx context.Context) error {
	f, err := e.folder()
	if err != nil {
		return err
	}
	c, err := f.load()
	if err != nil {
		return err
	}
	if c.Mesos == nil {
		return fail(exitUsage, "%q uses the Mesos at %s", f.name, redactText(c.Master))
	}
	return locked(f.mesosLock(), fmt.Sprintf("embedded Mesos of %q", f.name), func() error {
		return e.daemons.LocalMesos(ctx, LocalMesosOptions{
			Dir: f.mesosDir(), MasterAddr: c.Mesos.MasterAddr, Name: f.name,
			Agents: c.Mesos.Agents, LogFile: f.mesosLog(), Secrets: c.Secrets,
			Faults: c.Mesos.Faults,
		})
	})
}

// runStandalone runs an embedded Mesos on its own until it is interrupted.
func (e *env) runStandalone(ctx context.Context, s *standalone) error {
	most := mostAgents
	if s.simulate {
		most = mostSimulated
	}
	if s.agents < 1 || s.agents > most {
		return fail(exitUsage, "--agents %d: 1 to %d are possible%s", s.agents, most,
			map[bool]string{false: ", and more with --simulate"}[s.simulate])
	}
	if !isAddress(s.listen) {
		return fail(exitUsage, "--listen %s: it must be host:port, as 127.0.0.1:5050", s.listen)
	}
	if err := s.check(); err != nil {
		return err
	}
	agents, err := s.layOut()
	if err != nil {
		return err
	}
	dir := s.dir
	switch {
	case dir == "" && !s.simulate:
		return fail(exitUsage, "--dir is missing: what runs on these agents outlives this process")
	case dir == "":
		if dir, err = os.MkdirTemp("", "kafka-sched-localmesos-"); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	e.printf("an embedded Mesos of %d agents at http://%s; an interrupt ends it\n", s.agents,
		s.listen)
	return e.daemons.LocalMesos(ctx, LocalMesosOptions{
		Dir: dir, MasterAddr: s.listen, Name: "localmesos", Agents: agents, Faults: s.faults,
		Simulate: s.simulate, AgentTimeout: s.timeout,
	})
}

// check refuses what no agent can have.
func (s *standalone) check() error {
	type amount struct {
		flag  string
		value float64
	}
	list := []amount{{"cpus", s.cpus}, {"gpus", s.gpus}, {"mem", float64(s.mem)},
		{"disk", float64(s.disk)}, {"zones", float64(s.zones)}, {"racks", float64(s.racks)}}
	for _, size := range s.path {
		list = append(list, amount{"path-disk", float64(size)})
	}
	for _, size := range s.mount {
		list = append(list, amount{"mount-disk", float64(size)})
	}
	for _, a := range list {
		if a.value < 0 || math.IsNaN(a.value) || math.IsInf(a.value, 0) {
			return fail(exitUsage, "--%s %v: no agent can have that much", a.flag, a.value)
		}
	}
	return nil
}

// layOut makes the agents, which take turns in zones and racks.
func (s *standalone) layOut() ([]LocalAgent, error) {
	var ranges [][2]uint64
	for _, text := range s.ports {
		var from, to uint64
		n, err := fmt.Sscanf(text+" ", "%d-%d ", &from, &to)
		if whole := fmt.Sprintf("%d-%d", from, to); n != 2 || err != nil || text != whole ||
			from < 1 || to < from || to > 65535 {
			return nil, fail(exitUsage, "--ports %s: a range is written as 31000-32000, and ports "+
				"are from 1 to 65535", text)
		}
		ranges = append(ranges, [2]uint64{from, to})
	}
	agents := make([]LocalAgent, 0, s.agents)
	for i := range s.agents {
		a := LocalAgent{CPUs: s.cpus, MemMB: s.mem, DiskMB: s.disk, Ports: ranges,
			GPUs: s.gpus, PathDisksMB: s.path, MountDisksMB: s.mount,
			Attributes: map[string]string{}}
		a.Name, a.Hostname, a.Addr = s.names(i)
		for k, v := range s.attributes {
			a.Attributes[k] = v
		}
		if s.racks > 0 {
			a.Attributes["rack"] = fmt.Sprintf("rack-%d", i%s.racks+1)
		}
		if s.zones > 0 {
			a.Region, a.Zone = s.region, fmt.Sprintf("zone-%d", i%s.zones+1)
		}
		agents = append(agents, a)
	}
	return agents, nil
}

// names are the name, host name and address of an agent. Simulated ones have addresses of
// machines that do not exist.
func (s *standalone) names(i int) (name, host, addr string) {
	n := i + 1
	if !s.simulate {
		host = agentHost(tries, i)
		return fmt.Sprintf("agent-%d", n), host, fmt.Sprintf("%s:%d", host, agentPort)
	}
	name = fmt.Sprintf("agent-%0*d", len(fmt.Sprint(s.agents)), n)
	ip := strings.Join([]string{"10", fmt.Sprint(n >> 16), fmt.Sprint(n >> 8 & 255),
		fmt.Sprint(n & 255)}, ".")
	return name, name + ".simulated", fmt.Sprintf("%s:%d", ip, agentPort)
}
