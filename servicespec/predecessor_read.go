package servicespec

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// FromPredecessor reads a service as the predecessor stores it: what PredecessorJSON prints. It
// tells what of that a Service cannot say, a sentence each: the paths whose values would come out
// as others, were the service printed again.
//
// The predecessor does not store plans; the service has the plan deploy of one that declares none.
func FromPredecessor(data []byte) (s Service, lost []string, err error) {
	var old readService
	if err := json.Unmarshal(data, &old); err != nil {
		return s, nil, fmt.Errorf("reading a configuration of the predecessor: %w", err)
	}
	if old.Name == "" || len(old.Pods) == 0 {
		return s, nil, errors.New("reading a configuration of the predecessor: it has no name, " +
			"or no pods")
	}
	s = Service{Name: strings.TrimPrefix(old.Name, "/"), WebURL: old.WebURL, User: old.User,
		Principal: old.Principal, Role: old.Role, Zookeeper: old.Zookeeper}
	for _, p := range old.Pods {
		pod, err := p.pod()
		if err != nil {
			return s, nil, fmt.Errorf("reading a configuration of the predecessor: pod %s: %w",
				p.Type, err)
		}
		s.Pods = append(s.Pods, pod)
	}
	s.Plans = []Plan{defaultDeploy(s.Pods)}
	again, err := PredecessorJSON(s)
	if err != nil {
		return s, nil, err
	}
	var before, after any
	if err := json.Unmarshal(data, &before); err != nil {
		return s, nil, fmt.Errorf("reading a configuration of the predecessor: %w", err)
	}
	if err := json.Unmarshal(again, &after); err != nil {
		return s, nil, fmt.Errorf("reading what was printed: %w", err)
	}
	return s, lostBetween("", before, after), nil
}

// lostBetween tells where two JSON values differ; what is nothing on one side may be absent on the
// other.
func lostBetween(path string, before, after any) []string {
	b, isMap := before.(map[string]any)
	a, alsoMap := after.(map[string]any)
	if isMap && alsoMap {
		var lost []string
		for _, key := range sortedNames(b) {
			lost = append(lost, lostBetween(join(path, key), b[key], a[key])...)
		}
		return lost
	}
	list, isList := before.([]any)
	other, alsoList := after.([]any)
	if isList && alsoList && len(list) == len(other) {
		var lost []string
		for i := range list {
			at := path + "[" + strconv.Itoa(i) + "]"
			lost = append(lost, lostBetween(at, list[i], other[i])...)
		}
		return lost
	}
	if before == nil || isList && len(list) == 0 || isMap && len(b) == 0 || before == after &&
		!isList && !isMap {
		return nil
	}
	text, _ := json.Marshal(before) // it was JSON
	return []string{fmt.Sprintf("%s is %s, which this language does not say", path, text)}
}

// The read types have the predecessor's fields as far as a Service has room for them.
type (
	readService struct {
		Name      string    `json:"name"`
		Role      string    `json:"role"`
		Principal string    `json:"principal"`
		User      string    `json:"user"`
		WebURL    string    `json:"web-url"`
		Zookeeper string    `json:"zookeeper"`
		Pods      []readPod `json:"pod-specs"`
	}
	readPod struct {
		Type              string       `json:"type"`
		Count             int          `json:"count"`
		AllowDecommission bool         `json:"allow-decommission"`
		Image             string       `json:"image"`
		RLimits           []oldRLimit  `json:"rlimits"`
		URIs              []string     `json:"uris"`
		Tasks             []readTask   `json:"task-specs"`
		Placement         *readRule    `json:"placement-rule"`
		Volumes           []readVolume `json:"volumes"`
		PreReservedRole   string       `json:"pre-reserved-role"`
	}
	readTask struct {
		Name      string            `json:"name"`
		Goal      Goal              `json:"goal"`
		Essential bool              `json:"essential"`
		Resources readSet           `json:"resource-set"`
		Command   oldCommand        `json:"command-spec"`
		Labels    map[string]string `json:"task-labels"`
		Health    *oldHealth        `json:"health-check-spec"`
		Readiness *oldReadiness     `json:"readiness-check-spec"`
		Configs   []oldConfig       `json:"config-files"`
		Discovery *oldDiscovery     `json:"discovery-spec"`
		KillGrace int64             `json:"kill-grace-period"`
	}
	readSet struct {
		ID        string         `json:"id"`
		Resources []readResource `json:"resource-specifications"`
		Volumes   []readVolume   `json:"volume-specifications"`
	}
	readValue struct {
		Scalar struct {
			Value float64 `json:"value"`
		} `json:"scalar"`
		Ranges struct {
			Range []oldRange `json:"range"`
		} `json:"ranges"`
	}
	readResource struct {
		Name       string     `json:"name"`
		Value      readValue  `json:"value"`
		EnvKey     string     `json:"env-key"`
		PortName   string     `json:"port-name"`
		Visibility string     `json:"visibility"`
		Ranges     []oldRange `json:"ranges"`
		VIPName    string     `json:"vip-name"`
		VIPPort    int        `json:"vip-port"`
	}
	readVolume struct {
		Type     string    `json:"type"`
		Path     string    `json:"container-path"`
		Profiles []string  `json:"profiles"`
		Value    readValue `json:"value"`
	}
)

func (old readPod) pod() (Pod, error) {
	pod := Pod{Type: old.Type, Count: old.Count, AllowDecommission: old.AllowDecommission,
		Image: old.Image, PreReservedRole: old.PreReservedRole, Volumes: readVolumes(old.Volumes)}
	if len(old.URIs) > 0 {
		pod.URIs = old.URIs
	}
	for _, l := range old.RLimits {
		name := "RLMT_" + strings.TrimPrefix(l.Name, "RLIMIT_")
		pod.RLimits = append(pod.RLimits, RLimit{name, l.Soft, l.Hard})
	}
	for _, t := range old.Tasks {
		pod.Tasks = append(pod.Tasks, t.task())
	}
	rule, err := old.Placement.expr()
	pod.setPlacement(rule)
	return pod, err
}

func (old readTask) task() Task {
	t := Task{Name: old.Name, Goal: old.Goal, Essential: old.Essential,
		Command: old.Command.Value, Resources: old.Resources.set(),
		KillGrace: seconds(old.KillGrace)}
	if old.Goal == "FINISHED" { // what older releases of it called ONCE
		t.Goal = GoalOnce
	}
	for _, name := range sortedNames(old.Command.Env) {
		t.Env = append(t.Env, EnvVar{name, old.Command.Env[name]})
	}
	for _, key := range sortedNames(old.Labels) {
		t.Labels = append(t.Labels, resource.Label{Key: key, Value: old.Labels[key]})
	}
	for _, c := range old.Configs {
		t.Configs = append(t.Configs, Config{Name: c.Name, Text: c.Text, Dest: c.Path})
	}
	if d := old.Discovery; d != nil {
		t.Discovery = &Discovery{textOf(d.Prefix), textOf(d.Visibility)}
	}
	if c := old.Readiness; c != nil {
		t.Readiness = &Check{Command: c.Command, Delay: seconds(c.Delay),
			Interval: seconds(c.Interval), Timeout: seconds(c.Timeout), HTTP: c.HTTP, TCP: c.TCP}
	}
	if c := old.Health; c != nil {
		t.Health = &Check{Command: c.Command, Delay: seconds(c.Delay),
			Interval: seconds(c.Interval), Timeout: seconds(c.Timeout),
			GracePeriod: seconds(c.Grace), MaxConsecutiveFailures: c.Failures,
			HTTP: c.HTTP, TCP: c.TCP}
	}
	return t
}

func (old readSet) set() ResourceSet {
	set := ResourceSet{Name: old.ID, Volumes: readVolumes(old.Volumes)}
	for _, r := range old.Resources {
		switch r.Name {
		case resource.CPUs:
			set.CPUs = thousandths(r.Value.Scalar.Value)
		case resource.GPUs:
			set.GPUs = thousandths(r.Value.Scalar.Value)
		case resource.Mem:
			set.Memory = resource.MiB(r.Value.Scalar.Value)
		case resource.Ports:
			set.Ports = append(set.Ports, r.port())
		}
	}
	return set
}

func (r readResource) port() Port {
	port := Port{Name: r.PortName, EnvKey: r.EnvKey, Advertise: r.Visibility == "EXTERNAL"}
	if fixed := r.Value.Ranges.Range; len(fixed) > 0 {
		port.Port = fixed[0].Begin
	}
	for _, x := range r.Ranges {
		port.Ranges = append(port.Ranges,
			resource.Range{Begin: uint64(x.Begin), End: uint64(x.End)})
	}
	if r.VIPName != "" {
		port.VIP = &VIP{r.VIPName, r.VIPPort}
	}
	return port
}

func readVolumes(old []readVolume) []Volume {
	var volumes []Volume
	for _, v := range old {
		volumes = append(volumes, Volume{Path: v.Path, Type: v.Type,
			Size: resource.MiB(v.Value.Scalar.Value), Profiles: slices.Clip(v.Profiles)})
		if last := &volumes[len(volumes)-1]; len(last.Profiles) == 0 {
			last.Profiles = nil
		}
	}
	return volumes
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func thousandths(x float64) resource.Milli { return resource.Milli(math.Round(x * 1000)) }
