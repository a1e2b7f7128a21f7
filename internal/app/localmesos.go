package app

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// LocalMesosOptions is what an embedded Mesos has to know.
type LocalMesosOptions struct {
	Dir, MasterAddr, Name string
	Agents                []LocalAgent
	LogFile               string
	Secrets               string // the folder that references to secrets are looked up in
	// Program is this program's path; it runs tasks of other frameworks that have no executor.
	Program string
	// Faults lets it misbehave on order; Simulate runs no processes.
	Faults, Simulate bool
	// AgentTimeout is when the master gives up an agent that does not answer; 0 means 75 s.
	AgentTimeout time.Duration
}

// LocalAgent is one agent of an embedded Mesos.
type LocalAgent struct {
	Name     string
	Addr     string // host:port
	Hostname string
	CPUs     float64
	MemMB    int64
	DiskMB   int64
	Ports    [][2]uint64 // inclusive ranges
	// Attributes, and the fault domain, are for agents that differ.
	Attributes   map[string]string
	Region, Zone string
	// GPUs, and the sizes of disks of these types.
	GPUs                      float64
	PathDisksMB, MountDisksMB []int64
}

// MesosExecutor is the process that the embedded Mesos runs tasks without an executor of their
// own by, if the arguments of this program say that it is one.
func MesosExecutor(args []string) (status int, is bool) {
	if len(args) == 0 || args[0] != localmesos.ExecutorCommand {
		return 0, false
	}
	return localmesos.ExecutorMain(args[1:]), true
}

// RunLocalMesos runs an embedded Mesos until the context ends; executors outlive it.
func RunLocalMesos(ctx context.Context, o LocalMesosOptions) error {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the embedded Mesos: %w", err)
	}
	logger, closeLog, err := openLog(o.LogFile, o.LogFile == "")
	if err != nil {
		return err
	}
	defer closeLog()
	cfg := localmesos.Config{
		Dir: o.Dir, MasterAddr: o.MasterAddr, ClusterName: o.Name, Logger: logger,
		Secrets: o.Secrets, Program: o.Program, Faults: o.Faults, Simulate: o.Simulate,
		AgentPingTimeout: o.AgentTimeout}
	for _, a := range o.Agents {
		cfg.Agents = append(cfg.Agents, localmesos.Agent{
			Name: a.Name, Addr: a.Addr, Hostname: a.Hostname, CPUs: a.CPUs,
			MemMB: a.MemMB, DiskMB: a.DiskMB, Ports: a.Ports, Attributes: a.Attributes,
			Region: a.Region, Zone: a.Zone, GPUs: a.GPUs,
			PathDisksMB: a.PathDisksMB, MountDisksMB: a.MountDisksMB,
		})
	}
	if o.Simulate && os.Getenv("GOGC") == "" {
		// A simulation is there to be fast, and what it holds for 10,000 agents is much that
		// lives long: to look through it less often is worth the memory.
		debug.SetGCPercent(400)
	}
	cluster, err := localmesos.Start(cfg)
	if err != nil {
		logger.Error("the embedded Mesos does not start", "error", err)
		return err
	}
	defer cluster.Close()
	err = announce(o.Dir, "localmesos", announcement{MasterURL: cluster.MasterURL()})
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-cluster.Done():
		return cluster.Wait()
	}
}
