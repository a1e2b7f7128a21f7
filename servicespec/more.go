package servicespec

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// Spec is all that a file says: the Service, which is what the scheduler of this release runs
// and stores, and what the language has beyond it. Once the scheduler acts on a part of the
// language, that part moves into Service; so nothing can reach it and be ignored.
type Spec struct {
	Service Service `json:"service"`
	// Pods holds those pods that say more than their Service has, in the order of Service.
	Pods []PodMore `json:"pods,omitempty"`
}

// PodMore is what a pod says beyond its Pod.
type PodMore struct {
	Type              string           `json:"type"`
	Networks          []Network        `json:"networks,omitempty"`
	SharePIDNamespace bool             `json:"share-pid-namespace,omitempty"`
	HostVolumes       []HostVolume     `json:"host-volumes,omitempty"`
	ExternalVolumes   []ExternalVolume `json:"external-volumes,omitempty"`
	SeccompUnconfined bool             `json:"seccomp-unconfined,omitempty"`
	SeccompProfile    string           `json:"seccomp-profile-name,omitempty"`
	IPCMode           string           `json:"ipc-mode,omitempty"`
	ShmSize           resource.MiB     `json:"shm-size,omitempty"`
	User              string           `json:"user,omitempty"`
	// Tasks holds those tasks that say more than their Task has.
	Tasks []TaskMore `json:"tasks,omitempty"`
}

// TaskMore is what a task says beyond its Task.
type TaskMore struct {
	Name         string        `json:"name"`
	Limits       *Limits       `json:"resource-limits,omitempty"`
	Certificates []Certificate `json:"transport-encryption,omitempty"`
	IPCMode      string        `json:"ipc-mode,omitempty"`
	ShmSize      resource.MiB  `json:"shm-size,omitempty"`
	Ports        []PortMore    `json:"ports,omitempty"`
}

// PortMore is what a port says beyond its Port.
type PortMore struct {
	Name   string           `json:"name"`
	Labels []resource.Label `json:"labels,omitempty"`
}

// Network is a container network that a pod joins.
type Network struct {
	Name string `json:"name"`
	// HostPorts and ContainerPorts have the same length; each maps to its counterpart.
	HostPorts      []int            `json:"host-ports,omitempty"`
	ContainerPorts []int            `json:"container-ports,omitempty"`
	Labels         []resource.Label `json:"labels,omitempty"`
}

// HostVolume is a folder of the agent within the container.
type HostVolume struct {
	Name          string `json:"name"`
	HostPath      string `json:"host-path"`
	ContainerPath string `json:"container-path"`
	Mode          string `json:"mode"` // RW or RO
}

// ExternalVolume is a volume of an external provider.
type ExternalVolume struct {
	Name          string `json:"name"`
	Type          string `json:"type"` // DOCKER
	ContainerPath string `json:"container-path"`
	Driver        string `json:"driver-name"`
	// Options are those of the driver, in the order of the file.
	Options []EnvVar `json:"driver-options,omitempty"`
	Volume  string   `json:"volume-name,omitempty"`
	Mode    string   `json:"volume-mode"` // RW or RO
}

// Unlimited is the limit of a resource that has none; 0 means that nothing is said.
const Unlimited = -1

// Limits say how far a task may go beyond what it has.
type Limits struct {
	CPUs   resource.Milli `json:"cpus-milli,omitempty"`
	Memory resource.MiB   `json:"memory,omitempty"`
}

// Certificate is a certificate that is made for a task.
type Certificate struct {
	Name string `json:"name"`
	Type string `json:"type"` // TLS or KEYSTORE
}

// Encode gives the canonical JSON of a spec, as Service.Encode does.
func (s Spec) Encode() ([]byte, error) {
	data, err := marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding spec %s: %w", s.Service.Name, err)
	}
	return data[:len(data)-1], nil
}

// DecodeSpec reads what Spec.Encode wrote.
func DecodeSpec(data []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(data, &s); err != nil {
		return Spec{}, fmt.Errorf("decoding a spec: %w", err)
	}
	return s, nil
}

// Beyond says in a sentence each what a spec has beyond its Service, which the scheduler of
// this release therefore refuses to run.
func (s Spec) Beyond() []string {
	list := s.Service.Beyond()
	for _, pod := range s.Pods {
		list = append(list, pod.beyond()...)
	}
	return list
}

// Beyond says in a sentence each what is in a Service that no scheduler runs yet.
func (s Service) Beyond() []string {
	var list []string
	for _, pod := range s.Pods {
		if pod.Image != "" {
			list = append(list, "pod "+pod.Type+": image is not supported yet")
		}
	}
	return list
}

// said is a part of the language, and whether it is there.
type said struct {
	there bool
	key   string
}

func (m PodMore) beyond() []string {
	list := sentences("pod "+m.Type, []said{
		{m.Networks != nil, "networks"},
		{m.SharePIDNamespace, "share-pid-namespace"}, {m.HostVolumes != nil, "host-volumes"},
		{m.ExternalVolumes != nil, "external-volumes"},
		{m.SeccompUnconfined, "seccomp-unconfined"},
		{m.SeccompProfile != "", "seccomp-profile-name"}, {m.IPCMode != "", "ipc-mode"},
		{m.ShmSize != 0, "shm-size"}, {m.User != "", "user"},
	})
	for _, t := range m.Tasks {
		list = append(list, t.beyond("pod "+m.Type+", task "+t.Name)...)
	}
	return list
}

func (m TaskMore) beyond(where string) []string {
	labels := slices.ContainsFunc(m.Ports, func(p PortMore) bool { return p.Labels != nil })
	return sentences(where, []said{
		{m.Limits != nil, "resource-limits"}, {m.Certificates != nil, "transport-encryption"},
		{m.IPCMode != "", "ipc-mode"}, {m.ShmSize != 0, "shm-size"},
		{labels, "labels of ports"},
	})
}

func sentences(where string, parts []said) []string {
	var list []string
	for _, part := range parts {
		if part.there {
			list = append(list, where+": "+part.key+" is not supported yet")
		}
	}
	return list
}
