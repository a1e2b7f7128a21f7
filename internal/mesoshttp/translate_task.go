package mesoshttp

import (
	"time"

	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

func taskToWire(t mesos.TaskInfo, framework mesos.FrameworkID, role string) wire.TaskInfo {
	executor := t.Executor
	if executor.Framework == "" {
		executor.Framework = framework
	}
	return wire.TaskInfo{
		Name:       t.Name,
		TaskID:     wire.TaskID{Value: string(t.ID)},
		AgentID:    wire.AgentID{Value: string(t.Agent)},
		Resources:  resourcesToWire(t.Resources, role),
		Executor:   executorToWire(executor, role),
		KillPolicy: killPolicyToWire(t.KillGrace),
		Data:       t.Data,
		Labels:     labelsToWire(t.Labels),
		Discovery:  discoveryToWire(t.Discovery),
	}
}

func executorToWire(e mesos.ExecutorInfo, role string) *wire.ExecutorInfo {
	return &wire.ExecutorInfo{
		Type:                wire.ExecutorInfo_CUSTOM,
		ExecutorID:          wire.ExecutorID{Value: string(e.ID)},
		FrameworkID:         &wire.FrameworkID{Value: string(e.Framework)},
		Name:                optional(e.Name),
		Command:             commandToWire(e.Command),
		Resources:           resourcesToWire(e.Resources, role),
		Labels:              labelsToWire(e.Labels),
		ShutdownGracePeriod: durationToWire(e.ShutdownGrace),
		Container:           secretsToWire(e.Secrets),
	}
}

// secretsToWire gives the container whose volumes are secrets; nil is the agent's own container.
func secretsToWire(files []mesos.SecretFile) *wire.ContainerInfo {
	if len(files) == 0 {
		return nil
	}
	out := &wire.ContainerInfo{Type: wire.ContainerInfo_MESOS.Enum()}
	for _, f := range files {
		out.Volumes = append(out.Volumes, wire.Volume{
			Mode: wire.RO.Enum(), ContainerPath: f.Path,
			Source: &wire.Volume_Source{
				Type: wire.Volume_Source_SECRET, Secret: secretToWire(f.Secret)},
		})
	}
	return out
}

func secretToWire(path string) *wire.Secret {
	return &wire.Secret{Type: wire.Secret_REFERENCE,
		Reference: &wire.Secret_Reference{Name: path}}
}

// secretsFromWire gives the secrets that a container refers to; other volumes are not ours.
func secretsFromWire(c *wire.ContainerInfo) []mesos.SecretFile {
	var files []mesos.SecretFile
	for _, v := range c.GetVolumes() {
		if name := v.GetSource().GetSecret().GetReference().GetName(); name != "" {
			files = append(files, mesos.SecretFile{Path: v.ContainerPath, Secret: name})
		}
	}
	return files
}

func commandToWire(c mesos.Command) *wire.CommandInfo {
	shell := true
	out := &wire.CommandInfo{Shell: &shell, Value: &c.Value, User: optional(c.User)}
	for _, u := range c.URIs {
		out.URIs = append(out.URIs, wire.CommandInfo_URI{
			Value:      u.Value,
			Executable: &u.Executable,
			Extract:    &u.Extract,
			Cache:      &u.Cache,
			OutputFile: optional(u.OutputFile),
		})
	}
	if len(c.Env) == 0 {
		return out
	}
	out.Environment = &wire.Environment{}
	for _, v := range c.Env {
		variable := wire.Environment_Variable{Name: v.Name, Value: &v.Value}
		if v.Secret != "" {
			variable.Type = wire.Environment_Variable_SECRET.Enum()
			variable.Value, variable.Secret = nil, secretToWire(v.Secret)
		}
		out.Environment.Variables = append(out.Environment.Variables, variable)
	}
	return out
}

func discoveryToWire(d *mesos.Discovery) *wire.DiscoveryInfo {
	if d == nil {
		return nil
	}
	out := &wire.DiscoveryInfo{Name: optional(d.Name), Visibility: visibilityToWire(d.Visibility)}
	if len(d.Ports) == 0 {
		return out
	}
	out.Ports = &wire.Ports{}
	for _, p := range d.Ports {
		port := wire.Port{
			Number:   uint32(p.Number),
			Name:     optional(p.Name),
			Protocol: optional(p.Protocol),
			Labels:   labelsToWire(p.Labels),
		}
		if p.Visibility != "" {
			port.Visibility = visibilityToWire(p.Visibility).Enum()
		}
		out.Ports.Ports = append(out.Ports.Ports, port)
	}
	return out
}

// visibilityToWire gives FRAMEWORK, the narrowest, for what Mesos does not know.
func visibilityToWire(v string) wire.DiscoveryInfo_Visibility {
	return wire.DiscoveryInfo_Visibility(wire.DiscoveryInfo_Visibility_value[v])
}

func killPolicyToWire(grace time.Duration) *wire.KillPolicy {
	if grace == 0 {
		return nil
	}
	return &wire.KillPolicy{GracePeriod: durationToWire(grace)}
}

func durationToWire(d time.Duration) *wire.DurationInfo {
	if d == 0 {
		return nil
	}
	return &wire.DurationInfo{Nanoseconds: int64(d)}
}

func durationFromWire(d *wire.DurationInfo) time.Duration {
	return time.Duration(d.GetNanoseconds())
}

func taskFromWire(t *wire.TaskInfo) mesos.TaskInfo {
	out := mesos.TaskInfo{
		ID:        mesos.TaskID(t.TaskID.Value),
		Name:      t.Name,
		Agent:     mesos.AgentID(t.AgentID.Value),
		Resources: resourcesFromWire(t.Resources),
		Data:      t.Data,
		Labels:    labelsFromWire(t.Labels),
		KillGrace: durationFromWire(t.GetKillPolicy().GetGracePeriod()),
		Discovery: discoveryFromWire(t.Discovery),
	}
	if t.Executor != nil {
		out.Executor = executorFromWire(t.Executor)
	}
	return out
}

func executorFromWire(e *wire.ExecutorInfo) mesos.ExecutorInfo {
	return mesos.ExecutorInfo{
		ID:            mesos.ExecutorID(e.ExecutorID.Value),
		Framework:     mesos.FrameworkID(e.GetFrameworkID().GetValue()),
		Name:          e.GetName(),
		Command:       commandFromWire(e.Command),
		Resources:     resourcesFromWire(e.Resources),
		Labels:        labelsFromWire(e.Labels),
		ShutdownGrace: durationFromWire(e.ShutdownGracePeriod),
		Secrets:       secretsFromWire(e.Container),
	}
}

func commandFromWire(c *wire.CommandInfo) mesos.Command {
	out := mesos.Command{Value: c.GetValue(), User: c.GetUser()}
	for _, u := range c.GetURIs() {
		out.URIs = append(out.URIs, mesos.URI{
			Value:      u.Value,
			Executable: u.GetExecutable(),
			Extract:    u.GetExtract(),
			Cache:      u.GetCache(),
			OutputFile: u.GetOutputFile(),
		})
	}
	for _, v := range c.GetEnvironment().GetVariables() {
		out.Env = append(out.Env, mesos.EnvVar{Name: v.Name, Value: v.GetValue(),
			Secret: v.GetSecret().GetReference().GetName()})
	}
	return out
}

func discoveryFromWire(d *wire.DiscoveryInfo) *mesos.Discovery {
	if d == nil {
		return nil
	}
	out := &mesos.Discovery{Name: d.GetName(), Visibility: d.Visibility.String()}
	for _, p := range d.GetPorts().GetPorts() {
		port := mesos.DiscoveryPort{
			Number:   int(p.Number),
			Name:     p.GetName(),
			Protocol: p.GetProtocol(),
			Labels:   labelsFromWire(p.Labels),
		}
		if p.Visibility != nil {
			port.Visibility = p.Visibility.String()
		}
		out.Ports = append(out.Ports, port)
	}
	return out
}

// offerFromWire translates an offer of one agent.
func offerFromWire(o *wire.Offer) mesos.Offer {
	out := mesos.Offer{
		ID:        mesos.OfferID(o.ID.Value),
		Agent:     mesos.AgentID(o.AgentID.Value),
		Hostname:  o.Hostname,
		Role:      o.GetAllocationInfo().GetRole(),
		Resources: resourcesFromWire(o.Resources),
	}
	if o.URL != nil {
		out.IP = o.URL.Address.GetIP()
		out.Port = int(o.URL.Address.Port)
	}
	out.Domain, out.Attributes = domainFromWire(o.Domain), attributesFromWire(o.Attributes)
	for _, id := range o.ExecutorIDs {
		out.Executors = append(out.Executors, mesos.ExecutorID(id.Value))
	}
	out.Unavailable = unavailabilityFromWire(o.Unavailability)
	return out
}

func domainFromWire(d *wire.DomainInfo) mesos.Domain {
	fault := d.GetFaultDomain()
	if fault == nil {
		return mesos.Domain{}
	}
	return mesos.Domain{Region: fault.Region.Name, Zone: fault.Zone.Name}
}

func attributesFromWire(list []wire.Attribute) []mesos.Attribute {
	var out []mesos.Attribute
	for i := range list {
		out = append(out, mesos.Attribute{Name: list[i].Name, Value: attributeText(&list[i])})
	}
	return out
}
