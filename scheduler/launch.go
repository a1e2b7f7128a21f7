package scheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// shutdownSlack is what an executor may take beyond the longest kill grace of its tasks when it
// is told to shut down: the supervisor kills by force a fifth of the whole before its end.
const shutdownSlack = 1.5

// shutdownGrace is how long an executor of such pods may take to end.
func shutdownGrace(spec servicespec.Pod) time.Duration {
	longest := 5 * time.Second
	for _, t := range spec.Tasks {
		longest = max(longest, t.KillGrace)
	}
	return time.Duration(float64(longest) * shutdownSlack)
}

// launchOperation is the LAUNCH of all tasks of an instance under one new executor.
func (m *Machine) launchOperation(p Pod, spec servicespec.Pod, role string) mesos.Operation {
	info := mesos.ExecutorInfo{
		ID: p.Executor, Framework: m.hard.Framework, Name: p.Name.String(),
		Command: mesos.Command{
			Value: "exec ./kafka-sched executor", User: m.hard.Target.Service.User,
			URIs: m.uris(spec),
		},
		Resources: p.Place.Executor.WithRole(role), ShutdownGrace: shutdownGrace(spec),
		Labels: []resource.Label{{Key: labelPod, Value: p.Name.String()}},
	}
	var launch mesos.Launch
	for i, t := range p.Tasks {
		ts, _ := taskSpec(spec, t.Name)
		order := m.order(p, spec, ts)
		data, err := order.Encode()
		if err != nil {
			panic("scheduler: " + err.Error())
		}
		launch.Tasks = append(launch.Tasks, mesos.TaskInfo{
			ID: t.ID, Name: p.Name.fullName(t.Name), Agent: p.Place.Agent,
			Resources: p.Place.Tasks[i].Resources.WithRole(role), Executor: info, Data: data,
			KillGrace: ts.KillGrace, Discovery: discovery(p, ts, p.Place.Tasks[i]),
			Labels: append([]resource.Label{
				{Key: "task_type", Value: p.Name.Type},
				{Key: "index", Value: strconv.Itoa(p.Name.Index)},
				{Key: "target_configuration", Value: t.Target},
			}, ts.Labels...),
		})
	}
	return launch
}

// uris are what the agent fetches for an executor: itself, Kafka, and what the spec names.
func (m *Machine) uris(spec servicespec.Pod) []mesos.URI {
	uris := []mesos.URI{{Value: m.cfg.ExecutorURI, Executable: true, Cache: true}}
	if spec.Kafka != nil {
		uris = append(uris, mesos.URI{Value: m.cfg.KafkaURI, Extract: true, Cache: true})
	}
	for _, u := range spec.URIs {
		uris = append(uris, mesos.URI{Value: u, Extract: true})
	}
	return uris
}

func discovery(p Pod, ts servicespec.Task, got offer.TaskResources) *mesos.Discovery {
	d := &mesos.Discovery{Name: p.Name.fullName(ts.Name), Visibility: "CLUSTER"}
	if ts.Discovery != nil {
		if ts.Discovery.Prefix != "" {
			d.Name = fmt.Sprintf("%s-%d", ts.Discovery.Prefix, p.Name.Index)
		}
		d.Visibility = ts.Discovery.Visibility
	}
	for i, port := range got.Ports {
		visibility := "CLUSTER"
		if i < len(ts.Resources.Ports) && ts.Resources.Ports[i].Advertise {
			visibility = "EXTERNAL"
		}
		d.Ports = append(d.Ports, mesos.DiscoveryPort{
			Number: port.Number, Name: port.Name, Protocol: "tcp", Visibility: visibility})
	}
	return d
}

// order says what the executor is to do for one task of an instance.
func (m *Machine) order(p Pod, spec servicespec.Pod, ts servicespec.Task) executor.Order {
	got := taskPlace(*p.Place, ts.Name)
	o := executor.Order{
		Task: p.Name.fullName(ts.Name), Command: ts.Command,
		Address: p.Place.IP, KillGrace: ts.KillGrace,
	}
	if o.Address == "" {
		o.Address = p.Place.Hostname
	}
	for _, port := range got.Ports {
		o.Ports = append(o.Ports, executor.Port{Name: port.Name, Number: port.Number})
	}
	for _, c := range ts.Configs {
		o.Files = append(o.Files, executor.File{Path: c.Dest, Text: c.Text, Template: true})
	}
	for _, l := range spec.RLimits {
		o.RLimits = append(o.RLimits, executor.RLimit(l))
	}
	o.Env = m.environment(p, ts, got)
	if spec.Kafka != nil && spec.Kafka.Task == ts.Name {
		m.orderKafka(&o, p, spec)
	}
	o.Readiness = check(ts.Readiness, got, o.Address)
	o.Health = check(ts.Health, got, o.Address)
	if p.Caretaker {
		o.Readiness, o.Health = caretakerCheck(spec, got, o.Address), nil
	}
	return o
}

// environment is what every task gets, in the predecessor's names, and then its own.
func (m *Machine) environment(
	p Pod, ts servicespec.Task, got offer.TaskResources,
) []executor.EnvVar {
	service := m.hard.Target.Service
	env := []executor.EnvVar{
		{Name: "POD_INSTANCE_INDEX", Value: strconv.Itoa(p.Name.Index)},
		{Name: "TASK_NAME", Value: p.Name.fullName(ts.Name)},
		{Name: "FRAMEWORK_NAME", Value: service.Name},
		{Name: "REGION", Value: p.Place.Domain.Region},
		{Name: "ZONE", Value: p.Place.Domain.Zone},
		{Name: "TASK_HOST", Value: p.Place.Hostname},
	}
	if m.cfg.JavaHome != "" {
		env = append(env, executor.EnvVar{Name: "JAVA_HOME", Value: m.cfg.JavaHome})
	}
	for i, port := range got.Ports {
		if i < len(ts.Resources.Ports) && ts.Resources.Ports[i].EnvKey != "" {
			env = append(env, executor.EnvVar{
				Name: ts.Resources.Ports[i].EnvKey, Value: strconv.Itoa(port.Number)})
		}
	}
	for _, e := range ts.Env {
		env = append(env, executor.EnvVar{Name: e.Name, Value: e.Value})
	}
	return env
}

// check translates a check of the spec, whose ports are names, for an executor.
func check(c *servicespec.Check, got offer.TaskResources, host string) *executor.Check {
	if c == nil {
		return nil
	}
	to := &executor.Check{
		Interval: c.Interval, Timeout: c.Timeout, Delay: c.Delay,
		GracePeriod: c.GracePeriod, MaxConsecutiveFailures: c.MaxConsecutiveFailures,
	}
	switch {
	case c.HTTP != nil:
		to.HTTP = &executor.HTTPCheck{Scheme: c.HTTP.Scheme, Host: host,
			Port: portOf(got, c.HTTP.Port), Path: c.HTTP.Path}
	case c.TCP != nil:
		to.TCP = &executor.TCPCheck{Host: host, Port: portOf(got, c.TCP.Port)}
	default:
		to.Command = &executor.CommandCheck{Command: c.Command}
	}
	return to
}

func taskPlace(p Place, task string) offer.TaskResources {
	for _, t := range p.Tasks {
		if t.Name == task {
			return t
		}
	}
	return offer.TaskResources{Name: task}
}

func portOf(got offer.TaskResources, name string) int {
	for _, p := range got.Ports {
		if p.Name == name {
			return p.Number
		}
	}
	return 0
}

// outdated reports whether an instance was launched from something else than the target says.
func (m *Machine) outdated(p Pod) bool {
	if p.Deployed == m.hard.Target.ID || p.Place == nil || !p.launched() {
		return false
	}
	spec, ok := m.spec(p.Name)
	return ok && m.launchHash(p, spec) != p.Launch
}

// launchHash stands for all that an instance is launched with, save what concerns other
// instances (the addresses of its peers) or the moment (ids, how a volume is formatted).
func (m *Machine) launchHash(p Pod, spec servicespec.Pod) string {
	h := sha256.New()
	for _, ts := range spec.Tasks {
		o := m.order(p, spec, ts)
		var env []executor.EnvVar
		for _, e := range o.Env {
			if !strings.HasPrefix(e.Name, volatileEnv) {
				env = append(env, e)
			}
		}
		o.Env = env
		data, err := o.Encode()
		if err != nil {
			panic("scheduler: " + err.Error())
		}
		h.Write(data)
	}
	for _, u := range spec.URIs {
		fmt.Fprintln(h, u)
	}
	if spec.Kafka != nil {
		fmt.Fprintln(h, spec.Kafka.Version)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
