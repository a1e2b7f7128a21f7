package scheduler

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Agents may run on other machines than the scheduler does. Mesos does not say on which; an agent
// may, by an attribute. If it does, it fetches the executor's binary for its kind of CPU; else it
// fetches all of them, and the command that starts the executor takes the one that fits.

// Binary is the executor's binary for one platform.
type Binary struct {
	// OS and Arch are those of Go: "linux" and "arm64".
	OS, Arch string
	// URI is where agents fetch it from. Its last element is the name of the file.
	URI string
	// Digest is its SHA-256, in hexadecimal.
	Digest string
}

// archAttribute is the attribute by which an agent tells its kind of CPU.
const archAttribute = "arch"

// machines are the names of kinds of CPUs as uname has them, for the shell, by Go's.
var machines = map[string]string{
	"386": "i?86", "amd64": "x86_64|amd64", "arm": "arm*", "arm64": "aarch64|arm64",
	"loong64": "loongarch64", "ppc64le": "ppc64le", "riscv64": "riscv64", "s390x": "s390x",
}

// archOf is the kind of CPU that an agent's attributes tell, in Go's words, "" if they do not.
func archOf(attributes []mesos.Attribute) string {
	for _, a := range attributes {
		if !strings.EqualFold(a.Name, archAttribute) {
			continue
		}
		for _, arch := range sortedKeys(machines) {
			if a.Value == arch || slices.Contains(strings.Split(machines[arch], "|"), a.Value) {
				return arch
			}
		}
	}
	return ""
}

// binariesFor are those that may fit an agent.
func (m *Machine) binariesFor(attributes []mesos.Attribute) []Binary {
	arch := archOf(attributes)
	if arch == "" {
		return m.cfg.Binaries
	}
	return slices.DeleteFunc(slices.Clone(m.cfg.Binaries),
		func(b Binary) bool { return b.Arch != arch })
}

// unfit says why an executor cannot run on an agent, "" if it can for all that is known.
func (m *Machine) unfit(attributes []mesos.Attribute) string {
	if len(m.cfg.Binaries) == 0 || len(m.binariesFor(attributes)) > 0 {
		return ""
	}
	return fmt.Sprintf("there is no executor for the CPU %s, only for %s; install one with "+
		"--executor", archOf(attributes), m.platforms())
}

// platforms names those that there are binaries for.
func (m *Machine) platforms() string {
	var names []string
	for _, b := range m.cfg.Binaries {
		names = append(names, b.OS+"/"+b.Arch)
	}
	return strings.Join(names, ", ")
}

// executorURIs are the binaries that an agent fetches.
func (m *Machine) executorURIs(attributes []mesos.Attribute) []mesos.URI {
	uris := []mesos.URI{}
	for _, b := range m.binariesFor(attributes) {
		uris = append(uris, mesos.URI{Value: b.URI, Executable: true, Cache: true})
	}
	if len(uris) == 0 {
		uris = append(uris, mesos.URI{Value: m.cfg.ExecutorURI, Executable: true, Cache: true})
	}
	return uris
}

// executorCommand starts the executor by the binary for the machine that it is on, and has it
// check itself.
func (m *Machine) executorCommand(attributes []mesos.Attribute) string {
	binaries := m.binariesFor(attributes)
	if len(binaries) == 0 {
		return "exec ./kafka-sched executor"
	}
	var b strings.Builder
	b.WriteString(`case "$(uname -s)/$(uname -m)" in `)
	for _, x := range binaries {
		system := strings.ToUpper(x.OS[:1]) + x.OS[1:]
		for i, machine := range strings.Split(machines[x.Arch], "|") {
			if i > 0 {
				b.WriteString("|")
			}
			b.WriteString(system + "/" + machine)
		}
		fmt.Fprintf(&b, ") exec ./%s executor --sha256 %s;; ", path.Base(x.URI), x.Digest)
	}
	fmt.Fprintf(&b, `*) echo "kafka-sched: there is no executor for $(uname -s)/$(uname -m), `+
		`only for %s; install one with --executor" >&2; exit %d;; esac`,
		m.platforms(), executor.ExitPlatform)
	return b.String()
}

// executorFailed keeps why an executor ended if it says that it could not even begin.
func (m *Machine) executorFailed(ev mesos.ExecutorFailed) {
	const cannotRun = 126 // of shells
	if ev.Executor == "" {
		return
	}
	for _, name := range m.hitBy(ev) {
		p := m.hard.Pods[name]
		switch ev.Status >> 8 { // a wait status, as the agent has it
		case executor.ExitPlatform, cannotRun:
			m.fallen[ev.Executor] = fmt.Sprintf("there is no executor for the kind of machine "+
				"that the agent on %s runs on, only for %s; install one with --executor, or keep "+
				"the agent out with a placement rule", p.hostname(), m.platforms())
		case executor.ExitDiffers:
			m.fallen[ev.Executor] = fmt.Sprintf("the executor that the agent on %s fetched is "+
				"not the one that the scheduler has: the fetcher's cache there, or a proxy on the "+
				"way, spoils files", p.hostname())
		}
	}
}
