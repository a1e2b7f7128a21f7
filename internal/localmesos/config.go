package localmesos

import (
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// Config says where a cluster lives and what it consists of. Only Dir and
// MasterAddr must be set; a zero value elsewhere means the default.
type Config struct {
	// Dir holds everything: the state file, the agents' work directories and
	// the fetcher cache. One cluster at a time may use it.
	Dir string
	// MasterAddr is the host:port that the master listens on; port 0 is any.
	MasterAddr string
	// Agents are the machines of the cluster.
	Agents []Agent
	// Region and Zone are the master's fault domain; both or none must be set.
	Region, Zone string
	// ClusterName is shown by the operator API.
	ClusterName string
	// OfferInterval is the longest time until freed resources are offered
	// again. Default 1 s.
	OfferInterval time.Duration
	// HeartbeatInterval is that of the scheduler's and operator's streams.
	// Default 15 s.
	HeartbeatInterval time.Duration
	// UpdateRetry is the time until an unacknowledged update is sent again; it
	// doubles with each attempt up to 10 minutes. Default 10 s.
	UpdateRetry time.Duration
	// RegistrationTimeout ends an executor that does not subscribe after its
	// start. Default 1 min.
	RegistrationTimeout time.Duration
	// RecoveryWait is the time after a restart in which nothing is said about
	// tasks of executors that have not yet subscribed again. Default 10 s.
	RecoveryWait time.Duration
	// ReregistrationTimeout ends an executor that is alive but does not
	// subscribe again after a restart. Default 1 min.
	ReregistrationTimeout time.Duration
	// ShutdownGrace is the time between the SHUTDOWN event and SIGKILL, unless
	// the ExecutorInfo names another. Default 5 s.
	ShutdownGrace time.Duration
	// FetchTimeout bounds the download of one URI. Default 10 min.
	FetchTimeout time.Duration
	// CacheMB bounds the fetcher cache; what was not used for longest goes first.
	// Default 2048.
	CacheMB int64
	// KeepRuns is the number of sandboxes of ended executors kept per agent.
	// Default 5; negative keeps none.
	KeepRuns int
	// Program is a program that calls ExecutorMain when its first argument is
	// ExecutorCommand. It is what tasks without an executor of their own, and task
	// groups, are run by; "" refuses both.
	Program string
	// Pace lets executors of Program take their time as those of real agents do: a
	// twentieth of a second for most steps. Replays of recordings use it.
	Pace bool
	// Stepped leaves the rounds of the allocator to whoever calls Batch, the ends of executors
	// to LetExit, and the steps of a fail-over to Recover and so on. Replays of recordings
	// use it.
	Stepped bool
	// OfferTimeout is how long a framework may keep an offer; 0 is for ever.
	OfferTimeout time.Duration
	// MinAllocatable is the least that is offered, in the form of Mesos's flag:
	// alternatives such as "cpus:0.01|mem:32", which is the default.
	MinAllocatable string
	// Credentials are secrets by principal. Unless it is empty, the master wants
	// HTTP Basic authentication.
	Credentials map[string]string
	// ForgetfulMaster has the fault FailOver bring a master that knows no agents, as
	// one with its registry in memory.
	ForgetfulMaster bool
	// Secrets is a folder whose files are the secrets that references name, by their paths in
	// it; "" knows none.
	Secrets string
	// AgentPingTimeout is the time until the master gives up an agent that does not answer.
	// Default 75 s, as with Mesos' own defaults.
	AgentPingTimeout time.Duration
	// Faults lets whoever reaches the master's address order faults (faults.go).
	Faults bool
	// Simulate runs no processes: executors and tasks are made believe (simulated.go).
	Simulate bool
	// Logger receives what happens; nil discards it.
	Logger *slog.Logger
}

// Agent describes one machine of the cluster.
type Agent struct {
	// Name names the agent's directory and is its identity over restarts.
	Name string
	// Addr is the host:port it listens on; each agent needs an address of its
	// own, such as 127.0.0.2:5051. Port 0 is any, for tests only: executors
	// find a restarted agent only at the same address.
	Addr string
	// Hostname is shown in offers; the host of Addr if empty.
	Hostname string
	// CPUs, MemMB and DiskMB are the scalars it offers.
	CPUs          float64
	MemMB, DiskMB int64
	// Ports are inclusive ranges.
	Ports [][2]uint64
	// GPUs are made believe: they are offered, and whoever is launched with them is trusted.
	GPUs float64
	// PathDisksMB and MountDisksMB are the sizes of disks that it has beside (disks.go).
	PathDisksMB, MountDisksMB []int64
	// Resources, if set, is what it has instead of scalars and ports, in the form of Mesos's flag:
	// "cpus:4;mem(role):512;ports:[31000-32000]". What has a role is statically reserved.
	Resources string
	// Attributes are text attributes.
	Attributes map[string]string
	// TypedAttributes are more of them, in the form of Mesos's flag: "rack:a;size:3".
	TypedAttributes string
	// RegistrationTimeout and ShutdownGrace are used instead of those of the cluster
	// if they are set.
	RegistrationTimeout, ShutdownGrace time.Duration
	// Region and Zone are the fault domain; both or none must be set.
	Region, Zone string
	// Late agents are not there at first: the fault ReturnAgent brings them.
	Late bool
	// RemoteExec lets the default executor run the commands of checks.
	RemoteExec bool
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// prepare checks a configuration and fills in the defaults.
func (cfg *Config) prepare() error {
	if cfg.Dir == "" {
		return fmt.Errorf("localmesos: Dir must be set")
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return fmt.Errorf("finding the directory %s: %w", cfg.Dir, err)
	}
	cfg.Dir = dir
	orDefault(&cfg.OfferInterval, time.Second)
	orDefault(&cfg.HeartbeatInterval, 15*time.Second)
	orDefault(&cfg.UpdateRetry, 10*time.Second)
	orDefault(&cfg.RegistrationTimeout, time.Minute)
	orDefault(&cfg.RecoveryWait, 10*time.Second)
	orDefault(&cfg.ReregistrationTimeout, time.Minute)
	orDefault(&cfg.ShutdownGrace, 5*time.Second)
	orDefault(&cfg.FetchTimeout, 10*time.Minute)
	orDefault(&cfg.CacheMB, 2048)
	orDefault(&cfg.KeepRuns, 5)
	orDefault(&cfg.MinAllocatable, "cpus:0.01|mem:32")
	if _, err := minAllocatable(cfg.MinAllocatable); err != nil {
		return fmt.Errorf("localmesos: MinAllocatable: %w", err)
	}
	orDefault(&cfg.AgentPingTimeout, 75*time.Second)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if _, _, err := net.SplitHostPort(cfg.MasterAddr); err != nil {
		return fmt.Errorf("master address %q: %w", cfg.MasterAddr, err)
	}
	names := map[string]bool{}
	for i := range cfg.Agents {
		if err := cfg.Agents[i].check(); err != nil {
			return err
		}
		if names[cfg.Agents[i].Name] {
			return fmt.Errorf("agent %q is configured twice", cfg.Agents[i].Name)
		}
		names[cfg.Agents[i].Name] = true
	}
	return nil
}

func (a *Agent) check() error {
	if err := checkID(a.Name); err != nil {
		return fmt.Errorf("agent name: %w", err)
	}
	host, _, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return fmt.Errorf("agent %s: address %q: %w", a.Name, a.Addr, err)
	}
	orDefault(&a.Hostname, host)
	if a.CPUs < 0 || a.GPUs < 0 || a.MemMB < 0 || a.DiskMB < 0 {
		return fmt.Errorf("agent %s: resources must not be negative", a.Name)
	}
	for _, p := range a.Ports {
		if p[1] < p[0] || p[1] > 65535 {
			return fmt.Errorf("agent %s: %d-%d is no range of ports", a.Name, p[0], p[1])
		}
	}
	if err := a.checkDisks(); err != nil {
		return err
	}
	if _, err := flagResources(a.Resources); err != nil {
		return fmt.Errorf("agent %s: resources: %w", a.Name, err)
	}
	if _, err := flagAttributes(a.TypedAttributes); err != nil {
		return fmt.Errorf("agent %s: attributes: %w", a.Name, err)
	}
	if (a.Region == "") != (a.Zone == "") {
		return fmt.Errorf("agent %s: region and zone must be set together", a.Name)
	}
	return nil
}

// resources are what the agent has before any reservation, but for more disks.
func (a *Agent) resources() []mesos.Resource {
	if a.Resources != "" {
		rs, _ := flagResources(a.Resources) // check has seen to it
		return rs
	}
	rs := []mesos.Resource{
		scalarResource("cpus", a.CPUs),
		scalarResource("gpus", a.GPUs),
		scalarResource("mem", float64(a.MemMB)),
		scalarResource("disk", float64(a.DiskMB)),
	}
	var ports []mesos.Value_Range
	for _, p := range a.Ports {
		ports = append(ports, mesos.Value_Range{Begin: p[0], End: p[1]})
	}
	rs = append(rs, mesos.Resource{Name: "ports", Type: mesos.RANGES.Enum(),
		Ranges: &mesos.Value_Ranges{Range: unionRanges(ports, nil)}})
	return slices.DeleteFunc(rs, func(r mesos.Resource) bool { return isEmptyResource(&r) })
}

func (a *Agent) attributes() []mesos.Attribute {
	var out []mesos.Attribute
	for _, k := range sortedKeys(a.Attributes) {
		out = append(out, mesos.Attribute{Name: k, Type: mesos.TEXT,
			Text: &mesos.Value_Text{Value: a.Attributes[k]}})
	}
	typed, _ := flagAttributes(a.TypedAttributes) // check has seen to it
	return append(out, typed...)
}

func (a *Agent) domain() *mesos.DomainInfo { return domainOf(a.Region, a.Zone) }

func domainOf(region, zone string) *mesos.DomainInfo {
	if region == "" {
		return nil
	}
	return &mesos.DomainInfo{FaultDomain: &mesos.DomainInfo_FaultDomain{
		Region: mesos.DomainInfo_FaultDomain_RegionInfo{Name: region},
		Zone:   mesos.DomainInfo_FaultDomain_ZoneInfo{Name: zone},
	}}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkID applies Mesos' rules for ids, which become names of directories.
func checkID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("ID must not be empty")
	case id == "." || id == "..":
		return fmt.Errorf("'%s' is disallowed", id)
	case len(id) > 255:
		return fmt.Errorf("ID must not be greater than 255 characters")
	}
	bad := func(r rune) bool { return r < 0x20 || r == 0x7f || r == '/' || r == '\\' }
	if strings.IndexFunc(id, bad) >= 0 {
		return fmt.Errorf("'%s' contains invalid characters", id)
	}
	return nil
}

// formatDuration writes a duration as Mesos does: 5secs, 15mins.
func formatDuration(d time.Duration) string {
	units := []struct {
		unit time.Duration
		name string
	}{{7 * 24 * time.Hour, "weeks"}, {24 * time.Hour, "days"}, {time.Hour, "hrs"},
		{time.Minute, "mins"}, {time.Second, "secs"}, {time.Millisecond, "ms"},
		{time.Microsecond, "us"}, {time.Nanosecond, "ns"}}
	for _, u := range units {
		if d != 0 && d%u.unit == 0 {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return "0ns"
}
