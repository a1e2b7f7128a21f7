package cli

import (
	"fmt"
	"net"
	"strconv"
)

// Where the parts of a cluster listen unless something else is there already.
const (
	masterPort = 5050
	agentPort  = 5051
	apiPort    = 8070
	// tries is how many ports, or slots, are tried.
	tries = 200
	// mostAgents is the largest number of agents of an embedded Mesos.
	mostAgents = 9
)

// dynamicPorts are the ports that agents offer for tasks that do not ask for a certain one.
var dynamicPorts = [2]uint64{31000, 32000}

// taken is what the other clusters of this home use, running or not.
type taken struct {
	slots     map[int]bool
	addresses map[string]bool
}

// takenBy collects what clusters use, without one of them.
func (h home) takenBy(except string) (taken, error) {
	t := taken{slots: map[int]bool{}, addresses: map[string]bool{}}
	names, err := h.names()
	if err != nil {
		return t, err
	}
	for _, name := range names {
		if name == except {
			continue
		}
		c, err := h.cluster(name).load()
		if err != nil {
			continue // a broken record is that cluster's own trouble
		}
		t.addresses[c.Listen] = true
		if c.Mesos != nil {
			t.slots[c.Mesos.Slot] = true
			t.addresses[c.Mesos.MasterAddr] = true
		}
	}
	return t, nil
}

// pickAddress gives the first address of 127.0.0.1, from a port on, that is free.
func (m machine) pickAddress(t taken, from int) (string, error) {
	for port := from; port < from+tries; port++ {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if !t.addresses[address] && m.free(address) == nil {
			t.addresses[address] = true
			return address, nil
		}
	}
	return "", fail(exitPrecheck, "ports: none of %d to %d is free on 127.0.0.1",
		from, from+tries-1)
}

// agentHost is the address of an agent, counted from 0, in a slot. Every address of 127/8 is
// this machine, so that agents have distinct addresses without any configuration.
func agentHost(slot, i int) string { return fmt.Sprintf("127.0.%d.%d", slot, i+1) }

// pickSlot gives the first slot in which no agent's port is in use.
func (m machine) pickSlot(t taken, agents int) (int, error) {
	for slot := range tries {
		if !t.slots[slot] && m.slotFree(slot, agents) {
			return slot, nil
		}
	}
	return 0, fail(exitPrecheck, "ports: port %d is in use on all of 127.0.0.1 to 127.0.%d.%d",
		agentPort, tries-1, agents)
}

func (m machine) slotFree(slot, agents int) bool {
	for i := range agents {
		address := net.JoinHostPort(agentHost(slot, i), strconv.Itoa(agentPort))
		if m.free(address) != nil {
			return false
		}
	}
	return true
}

// layOut makes the embedded Mesos of a cluster: its addresses, and agents that are each as
// large as the machine. One machine runs them all, so that what keeps the sum in bounds is the
// check before install, not the agents' sizes.
func (m machine) layOut(t taken, n needs, agents int, home string) (*local, error) {
	slot, err := m.pickSlot(t, agents)
	if err != nil {
		return nil, err
	}
	l := &local{Slot: slot}
	if l.MasterAddr, err = m.pickAddress(t, masterPort); err != nil {
		return nil, err
	}
	disk, err := m.disk(home)
	if err != nil {
		return nil, err
	}
	mem, _ := m.memory()
	if mem == 0 {
		mem = n.memory + n.biggest + executorMem // unknown: what is needed will do
	}
	ranges := [][2]uint64{dynamicPorts}
	for _, p := range n.ports {
		ranges = addPort(ranges, uint64(p.port))
	}
	for i := range agents {
		host := agentHost(slot, i)
		l.Agents = append(l.Agents, LocalAgent{
			Name: fmt.Sprintf("agent-%d", i+1), Hostname: host,
			Addr:  net.JoinHostPort(host, strconv.Itoa(agentPort)),
			CPUs:  max(float64(m.cpus()), n.cpus+executorCPUs),
			MemMB: mem, DiskMB: disk, Ports: ranges,
		})
	}
	return l, nil
}

// isAddress says whether a text is a host and the number of a port.
func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	number, wrong := strconv.ParseUint(port, 10, 16)
	return err == nil && wrong == nil && number > 0
}

// addPort adds a port to ranges that do not hold it.
func addPort(ranges [][2]uint64, port uint64) [][2]uint64 {
	for _, r := range ranges {
		if r[0] <= port && port <= r[1] {
			return ranges
		}
	}
	return append(ranges, [2]uint64{port, port})
}

// checkPorts refuses fixed ports that somebody else uses on an agent's address.
func (m machine) checkPorts(l *local, n needs) error {
	for _, p := range n.ports {
		for _, a := range l.Agents {
			address := net.JoinHostPort(a.Hostname, strconv.Itoa(p.port))
			if m.free(address) != nil {
				return fail(exitPrecheck, "port %d (%s of %s) is in use on %s; end the program "+
					"that listens there, or choose another port with --set brokers.port=…",
					p.port, p.name, p.pod, a.Hostname)
			}
		}
	}
	return nil
}

// checkAddresses refuses to start a cluster whose own addresses somebody else uses. Those of its
// own processes that are left from an earlier keeper are theirs.
func (m machine) checkAddresses(f folder, c cluster) error {
	var addresses []string
	if pid, err := holder(f.schedulerLock()); err == nil && pid == 0 && !c.AnyPort {
		addresses = append(addresses, c.Listen)
	}
	if pid, err := holder(f.mesosLock()); err == nil && pid == 0 && c.Mesos != nil {
		addresses = append(addresses, c.Mesos.MasterAddr)
		for _, a := range c.Mesos.Agents {
			addresses = append(addresses, a.Addr)
		}
	}
	for _, address := range addresses {
		if err := m.free(address); err != nil {
			return fail(exitPrecheck, "address %s of cluster %q is in use by another program; "+
				"end it, and try again (%v)", address, c.Name, err)
		}
	}
	return nil
}
