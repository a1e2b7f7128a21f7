package cli

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"golang.org/x/sys/unix"
)

// machine is what commands ask of the machine that they run on; tests replace parts of it.
type machine struct {
	// disk gives the free space, in MiB, of the file system that a path lies on.
	disk func(path string) (int64, error)
	// memory gives what the machine has and what is available, in MiB; zeros are unknown.
	memory func() (total, available int64)
	cpus   func() int
	// free says whether one can listen on an address.
	free func(address string) error
	java func(context.Context) (string, error)
}

// minJava is the oldest Java that Kafka 4 runs on.
const minJava = 17

func thisMachine() machine {
	return machine{
		disk: freeDisk, memory: memInfo, cpus: runtime.NumCPU, free: canListen,
		java: func(ctx context.Context) (string, error) {
			j, err := kafkadist.FindJava(ctx, minJava)
			if err == nil && j.Home != "" { // the one that links lead to
				return filepath.Join(j.Home, "bin", "java"), nil
			}
			return j.Path, err
		},
	}
}

// freeDisk asks the file system of the nearest folder above a path that exists.
func freeDisk(path string) (int64, error) {
	for {
		var s unix.Statfs_t
		err := unix.Statfs(path, &s)
		if err == nil {
			return int64(s.Bavail) * int64(s.Bsize) >> 20, nil
		}
		if parent := filepath.Dir(path); parent != path && os.IsNotExist(err) {
			path = parent
			continue
		}
		return 0, fmt.Errorf("looking at the free space of %s: %w", path, err)
	}
}

// memInfo reads what Linux says of its memory; elsewhere it knows nothing.
func memInfo() (total, available int64) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "MemTotal:":
			total = kib >> 10
		case "MemAvailable:":
			available = kib >> 10
		}
	}
	return total, available
}

// canListen tries to listen on an address for a moment.
func canListen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// jvmOverhead is what a broker's JVM takes beside its heap, in MiB, by experience.
const jvmOverhead = 300

// needs is what the instances of a service take on one machine, in MiB.
type needs struct {
	pods, largest int // instances in all, and of the largest pod type
	memory, disks int64
	// biggest is the largest pod by memory, cpus the largest number of CPUs of a pod.
	biggest    int64
	biggestPod string
	cpus       float64
	ports      []fixedPort
	kafka      bool // whether any pod runs Kafka
}

// fixedPort is a port that a pod must have.
type fixedPort struct {
	pod, name string
	port      int
}

// executorMem and executorCPUs are what an executor itself may take, in MiB and CPUs; room is
// left for them on every agent. executorDisk is what the scheduler reserves for a sandbox.
const (
	executorMem  = 64
	executorCPUs = 0.5
	executorDisk = 256
)

// ownRoom is what the scheduler and the embedded Mesos need for their states and logs, in MiB.
const ownRoom = 32

// measure adds up what a service needs.
func measure(s servicespec.Service) needs {
	var n needs
	for _, p := range s.Pods {
		var mem, cpus, disk, used int64
		for _, v := range p.Volumes {
			disk += int64(v.Size)
		}
		for _, t := range p.Tasks {
			mem += int64(t.Resources.Memory)
			cpus += int64(t.Resources.CPUs)
			used += memoryOf(p, t)
			for _, v := range t.Resources.Volumes {
				disk += int64(v.Size)
			}
			for _, port := range t.Resources.Ports {
				if port.Port != 0 {
					n.ports = append(n.ports, fixedPort{p.Type, port.Name, port.Port})
				}
			}
		}
		n.kafka = n.kafka || p.Kafka != nil || p.ZooKeeper != nil
		n.pods += p.Count
		n.largest = max(n.largest, p.Count)
		n.memory += int64(p.Count) * used
		n.disks += int64(p.Count) * disk
		if mem > n.biggest {
			n.biggest, n.biggestPod = mem, p.Type
		}
		n.cpus = max(n.cpus, float64(cpus)/1000)
	}
	return n
}

// memoryOf is what a task really takes: of a broker the heap and the JVM itself, which is
// mostly less than what it asks for, as the rest is meant for the page cache.
func memoryOf(p servicespec.Pod, t servicespec.Task) int64 {
	asked := int64(t.Resources.Memory)
	if p.Kafka != nil && p.Kafka.Task == t.Name {
		return min(asked, int64(p.Kafka.Heap)+jvmOverhead)
	}
	if p.ZooKeeper != nil && p.ZooKeeper.Task == t.Name {
		return min(asked, int64(p.ZooKeeper.Heap)+jvmOverhead)
	}
	return asked
}

// check refuses a service that this machine cannot run, with numbers.
func (m machine) check(n needs, home string) error {
	total, available := m.memory()
	if total > 0 && n.biggest+executorMem > total {
		return fail(exitPrecheck, "memory: a pod %q needs %d MiB, and this machine has %d MiB "+
			"in all; ask for less with --set brokers.mem=…", n.biggestPod,
			n.biggest+executorMem, total)
	}
	if available > 0 && n.memory > available {
		return fail(exitPrecheck, "memory: %d pods take about %d MiB, and %d MiB are free; "+
			"end other programs, or ask for less with --set brokers.heap.size=… or "+
			"--set brokers.count=…", n.pods, n.memory, available)
	}
	return m.checkDisk(n, home)
}

// checkDisk refuses a disk without room for the pods and for the cluster's own files. A full
// disk would let the processes end without a word, as they could not even write their logs.
func (m machine) checkDisk(n needs, home string) error {
	free, err := m.disk(home)
	if err != nil {
		return &exitError{exitPrecheck, err}
	}
	if need := n.disks + int64(n.pods)*executorDisk + ownRoom; need > free {
		return fail(exitPrecheck, "disk: %d MiB are needed (volumes of %d pods: %d, the rest for "+
			"sandboxes and logs), and at %s %d MiB are free; make room, set KAFKA_SCHED_HOME "+
			"to a larger disk, or ask for less with --set brokers.disk=…", need, n.pods,
			n.disks, home, free)
	}
	return nil
}
