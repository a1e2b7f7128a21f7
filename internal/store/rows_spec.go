package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// The rows of a target configuration: a whole service.

type target struct {
	ID      *string  `json:"id"`
	Service *service `json:"service"`
}

func targetToRow(t scheduler.Target) target {
	s := serviceToRow(t.Service)
	return target{ID: &t.ID, Service: &s}
}

func (r target) domain() (out scheduler.Target, err error) {
	if out.ID, err = required("id", r.ID); err != nil {
		return out, err
	}
	s, err := required("service", r.Service)
	if err != nil {
		return out, err
	}
	if out.Service, err = s.domain(); err != nil {
		return out, fmt.Errorf("reading the service: %w", err)
	}
	return out, nil
}

type service struct {
	Name      *string   `json:"name"`
	WebURL    string    `json:"web_url,omitempty"`
	Principal string    `json:"principal,omitempty"`
	User      string    `json:"user,omitempty"`
	Role      string    `json:"role,omitempty"`
	Zookeeper string    `json:"zookeeper,omitempty"`
	Pods      []specPod `json:"pods"`
	Plans     []plan    `json:"plans"`
}

func serviceToRow(s servicespec.Service) service {
	return service{
		Name: &s.Name, WebURL: s.WebURL, Principal: s.Principal, User: s.User, Role: s.Role,
		Zookeeper: s.Zookeeper, Pods: each(s.Pods, specPodToRow), Plans: each(s.Plans, planToRow),
	}
}

func (r service) domain() (out servicespec.Service, err error) {
	out = servicespec.Service{
		WebURL: r.WebURL, Principal: r.Principal, User: r.User, Role: r.Role,
		Zookeeper: r.Zookeeper, Plans: each(r.Plans, plan.domain),
	}
	if out.Name, err = required("name", r.Name); err != nil {
		return out, err
	}
	out.Pods, err = tried(r.Pods, specPod.domain)
	return out, err
}

type specPod struct {
	Type              *string    `json:"type"`
	Count             int        `json:"count"`
	Placement         []row      `json:"placement,omitempty"`
	URIs              []string   `json:"uris,omitempty"`
	RLimits           []rlimit   `json:"rlimits,omitempty"`
	Volumes           []volume   `json:"volumes,omitempty"`
	Tasks             []specTask `json:"tasks"`
	AllowDecommission bool       `json:"allow_decommission,omitempty"`
	PreReservedRole   string     `json:"pre_reserved_role,omitempty"`
	Image             string     `json:"image,omitempty"`
	Kafka             *specKafka `json:"kafka,omitempty"`
}

// row is one constraint of a placement rule.
type row struct {
	Field    string             `json:"field"`
	Operator placement.Operator `json:"operator"`
	Param    string             `json:"param,omitempty"`
}

type rlimit struct {
	Name string  `json:"name"`
	Soft *uint64 `json:"soft"`
	Hard *uint64 `json:"hard"`
}

type volume struct {
	Path     string       `json:"path"`
	Type     string       `json:"type"`
	Size     resource.MiB `json:"size_mib"`
	Profiles []string     `json:"profiles,omitempty"`
}

type specKafka struct {
	Process        string            `json:"process"`
	Version        string            `json:"version"`
	Heap           resource.MiB      `json:"heap_mib"`
	JVMFlags       []string          `json:"jvm_flags,omitempty"`
	Properties     map[string]string `json:"properties,omitempty"`
	Task           string            `json:"task"`
	ClientPort     string            `json:"client_port"`
	ControllerPort string            `json:"controller_port"`
	Volume         string            `json:"volume"`
}

func specPodToRow(p servicespec.Pod) specPod {
	return specPod{
		Type:  &p.Type,
		Count: p.Count,
		Placement: each(p.Placement.Constraints,
			func(c placement.Constraint) row { return row(c) }),
		URIs: p.URIs,
		RLimits: each(p.RLimits,
			func(l servicespec.RLimit) rlimit { return rlimit(l) }),
		Volumes:           volumesToRows(p.Volumes),
		Tasks:             each(p.Tasks, specTaskToRow),
		AllowDecommission: p.AllowDecommission,
		PreReservedRole:   p.PreReservedRole,
		Image:             p.Image,
		Kafka: maybe(p.Kafka,
			func(k servicespec.Kafka) specKafka { return specKafka(k) }),
	}
}

func (r specPod) domain() (out servicespec.Pod, err error) {
	out = servicespec.Pod{
		Count: r.Count,
		Placement: placement.Rule{Constraints: each(r.Placement,
			func(c row) placement.Constraint { return placement.Constraint(c) })},
		URIs: r.URIs,
		RLimits: each(r.RLimits,
			func(l rlimit) servicespec.RLimit { return servicespec.RLimit(l) }),
		Volumes:           volumesToDomain(r.Volumes),
		AllowDecommission: r.AllowDecommission,
		PreReservedRole:   r.PreReservedRole,
		Image:             r.Image,
		Kafka: maybe(r.Kafka,
			func(k specKafka) servicespec.Kafka { return servicespec.Kafka(k) }),
	}
	if out.Type, err = required("pods.type", r.Type); err != nil {
		return out, err
	}
	if r.Count < 0 {
		return out, fmt.Errorf("the pod %q has a negative count", out.Type)
	}
	out.Tasks, err = tried(r.Tasks, specTask.domain)
	return out, err
}

func volumesToRows(list []servicespec.Volume) []volume {
	return each(list, func(v servicespec.Volume) volume { return volume(v) })
}

func volumesToDomain(list []volume) []servicespec.Volume {
	return each(list, func(v volume) servicespec.Volume { return servicespec.Volume(v) })
}

type specTask struct {
	Name      *string           `json:"name"`
	Goal      *servicespec.Goal `json:"goal"`
	Essential bool              `json:"essential"`
	Command   string            `json:"command"`
	Env       []envVar          `json:"env,omitempty"`
	Configs   []config          `json:"configs,omitempty"`
	Resources resourceSet       `json:"resources"`
	Readiness *check            `json:"readiness,omitempty"`
	Health    *check            `json:"health,omitempty"`
	KillGrace time.Duration     `json:"kill_grace_ns"`
	Discovery *discovery        `json:"discovery,omitempty"`
	Labels    []label           `json:"labels,omitempty"`
}

type envVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type config struct {
	Name     string `json:"name"`
	Template string `json:"template"`
	Text     string `json:"text"`
	Dest     string `json:"dest"`
}

type discovery struct {
	Prefix     string `json:"prefix"`
	Visibility string `json:"visibility"`
}

func specTaskToRow(t servicespec.Task) specTask {
	return specTask{
		Name:      &t.Name,
		Goal:      &t.Goal,
		Essential: t.Essential,
		Command:   t.Command,
		Env:       each(t.Env, func(v servicespec.EnvVar) envVar { return envVar(v) }),
		Configs:   each(t.Configs, func(c servicespec.Config) config { return config(c) }),
		Resources: resourceSetToRow(t.Resources),
		Readiness: maybe(t.Readiness, checkToRow),
		Health:    maybe(t.Health, checkToRow),
		KillGrace: t.KillGrace,
		Discovery: maybe(t.Discovery,
			func(d servicespec.Discovery) discovery { return discovery(d) }),
		Labels: labelsToRows(t.Labels),
	}
}

func (r specTask) domain() (out servicespec.Task, err error) {
	out = servicespec.Task{
		Essential: r.Essential,
		Command:   r.Command,
		Env:       each(r.Env, func(v envVar) servicespec.EnvVar { return servicespec.EnvVar(v) }),
		Configs: each(r.Configs,
			func(c config) servicespec.Config { return servicespec.Config(c) }),
		Resources: r.Resources.domain(),
		Readiness: maybe(r.Readiness, check.domain),
		Health:    maybe(r.Health, check.domain),
		KillGrace: r.KillGrace,
		Discovery: maybe(r.Discovery,
			func(d discovery) servicespec.Discovery { return servicespec.Discovery(d) }),
		Labels: labelsToDomain(r.Labels),
	}
	if out.Name, err = required("tasks.name", r.Name); err != nil {
		return out, err
	}
	if out.Goal, err = required("tasks.goal", r.Goal); err != nil {
		return out, err
	}
	switch out.Goal {
	case servicespec.GoalRunning, servicespec.GoalFinish, servicespec.GoalOnce:
		return out, nil
	default:
		return out, errors.New("the goal of task " + out.Name + " is none")
	}
}

type resourceSet struct {
	Name    string         `json:"name"`
	CPUs    resource.Milli `json:"cpus_milli"`
	GPUs    resource.Milli `json:"gpus_milli,omitempty"`
	Memory  resource.MiB   `json:"memory_mib"`
	Ports   []port         `json:"ports,omitempty"`
	Volumes []volume       `json:"volumes,omitempty"`
}

type port struct {
	Name      string     `json:"name"`
	Port      int        `json:"port"`
	EnvKey    string     `json:"env_key,omitempty"`
	Advertise bool       `json:"advertise,omitempty"`
	VIP       *vip       `json:"vip,omitempty"`
	Ranges    []rangeRow `json:"ranges,omitempty"`
}

type vip struct {
	Prefix string `json:"prefix"`
	Port   int    `json:"port"`
}

func resourceSetToRow(s servicespec.ResourceSet) resourceSet {
	return resourceSet{s.Name, s.CPUs, s.GPUs, s.Memory, each(s.Ports, portToRow),
		volumesToRows(s.Volumes)}
}

func portToRow(p servicespec.Port) port {
	return port{
		Name: p.Name, Port: p.Port, EnvKey: p.EnvKey, Advertise: p.Advertise,
		VIP:    maybe(p.VIP, func(v servicespec.VIP) vip { return vip(v) }),
		Ranges: each(p.Ranges, func(x resource.Range) rangeRow { return rangeRow(x) }),
	}
}

func (r resourceSet) domain() servicespec.ResourceSet {
	return servicespec.ResourceSet{
		Name: r.Name, CPUs: r.CPUs, GPUs: r.GPUs, Memory: r.Memory,
		Ports:   each(r.Ports, port.domain),
		Volumes: volumesToDomain(r.Volumes),
	}
}

func (r port) domain() servicespec.Port {
	return servicespec.Port{
		Name: r.Name, Port: r.Port, EnvKey: r.EnvKey, Advertise: r.Advertise,
		VIP:    maybe(r.VIP, func(v vip) servicespec.VIP { return servicespec.VIP(v) }),
		Ranges: each(r.Ranges, func(x rangeRow) resource.Range { return resource.Range(x) }),
	}
}

type check struct {
	Command string     `json:"command,omitempty"`
	HTTP    *httpCheck `json:"http,omitempty"`
	TCP     *tcpCheck  `json:"tcp,omitempty"`

	Interval    time.Duration `json:"interval_ns"`
	Timeout     time.Duration `json:"timeout_ns"`
	Delay       time.Duration `json:"delay_ns,omitempty"`
	GracePeriod time.Duration `json:"grace_period_ns,omitempty"`

	MaxConsecutiveFailures int `json:"max_consecutive_failures,omitempty"`
}

type httpCheck struct {
	Scheme string `json:"scheme"`
	Port   string `json:"port"`
	Path   string `json:"path"`
}

type tcpCheck struct {
	Port string `json:"port"`
}

func checkToRow(c servicespec.Check) check {
	return check{
		Command:  c.Command,
		HTTP:     maybe(c.HTTP, func(h servicespec.HTTPCheck) httpCheck { return httpCheck(h) }),
		TCP:      maybe(c.TCP, func(t servicespec.TCPCheck) tcpCheck { return tcpCheck(t) }),
		Interval: c.Interval, Timeout: c.Timeout, Delay: c.Delay, GracePeriod: c.GracePeriod,
		MaxConsecutiveFailures: c.MaxConsecutiveFailures,
	}
}

func (r check) domain() servicespec.Check {
	return servicespec.Check{
		Command: r.Command,
		HTTP: maybe(r.HTTP,
			func(h httpCheck) servicespec.HTTPCheck { return servicespec.HTTPCheck(h) }),
		TCP: maybe(r.TCP,
			func(t tcpCheck) servicespec.TCPCheck { return servicespec.TCPCheck(t) }),
		Interval: r.Interval, Timeout: r.Timeout, Delay: r.Delay, GracePeriod: r.GracePeriod,
		MaxConsecutiveFailures: r.MaxConsecutiveFailures,
	}
}

type plan struct {
	Name     string               `json:"name"`
	Strategy servicespec.Strategy `json:"strategy"`
	Phases   []phase              `json:"phases"`
}

type phase struct {
	Name     string               `json:"name"`
	Strategy servicespec.Strategy `json:"strategy"`
	Pod      string               `json:"pod"`
	// Steps null and [] differ: null is one step an instance.
	Steps []steps `json:"steps"`
}

type steps struct {
	Index   int        `json:"index"`
	Default bool       `json:"default,omitempty"`
	Steps   [][]string `json:"steps"`
}

func planToRow(p servicespec.Plan) plan {
	return plan{p.Name, p.Strategy, each(p.Phases, func(f servicespec.Phase) phase {
		return phase{f.Name, f.Strategy, f.Pod, each(f.Steps,
			func(s servicespec.InstanceSteps) steps { return steps(s) })}
	})}
}

func (r plan) domain() servicespec.Plan {
	return servicespec.Plan{
		Name: r.Name, Strategy: r.Strategy, Phases: each(r.Phases, phase.domain),
	}
}

func (r phase) domain() servicespec.Phase {
	return servicespec.Phase{Name: r.Name, Strategy: r.Strategy, Pod: r.Pod,
		Steps: each(r.Steps, func(s steps) servicespec.InstanceSteps {
			return servicespec.InstanceSteps(s)
		})}
}
