package servicespec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// PredecessorJSON gives a service in the shape in which the predecessor answers
// GET /v1/configurations/<id>. What the predecessor does not have is under keys of its own:
// kafka of a pod, http and tcp of a check. What a Service does not have is there as nothing.
//
// A name in folders begins with a slash, as the predecessor's do, whether the spec has the slash
// or not.
func PredecessorJSON(s Service) ([]byte, error) {
	old := oldService{Name: s.Name, Role: s.Role, Principal: s.Principal, User: s.User,
		Goal: GoalRunning, WebURL: orNull(s.WebURL), Zookeeper: s.Zookeeper, Pods: []oldPod{}}
	if strings.Contains(s.Name, "/") {
		old.Name = "/" + s.Name
	}
	if s.Zookeeper == "" {
		old.Zookeeper = "master.mesos:2181"
	}
	for _, pod := range s.Pods {
		old.Pods = append(old.Pods, oldPodOf(s, pod))
	}
	data, err := marshal(old)
	if err != nil {
		return nil, fmt.Errorf("printing service %s for old clients: %w", s.Name, err)
	}
	return data[:len(data)-1], nil
}

// The old types have the predecessor's fields in its order.
type (
	oldService struct {
		Name          string   `json:"name"`
		Role          string   `json:"role"`
		Principal     string   `json:"principal"`
		User          string   `json:"user"`
		Goal          Goal     `json:"goal"`
		Region        *string  `json:"region"`
		WebURL        *string  `json:"web-url"`
		Zookeeper     string   `json:"zookeeper"`
		FailurePolicy *string  `json:"replacement-failure-policy"`
		Pods          []oldPod `json:"pod-specs"`
	}
	oldPod struct {
		Type              string      `json:"type"`
		User              string      `json:"user"`
		Count             int         `json:"count"`
		AllowDecommission bool        `json:"allow-decommission"`
		Image             *string     `json:"image"`
		Networks          []string    `json:"networks"`
		RLimits           []oldRLimit `json:"rlimits"`
		URIs              []string    `json:"uris"`
		Tasks             []oldTask   `json:"task-specs"`
		Placement         any         `json:"placement-rule"`
		Volumes           []oldVolume `json:"volumes"`
		PreReservedRole   string      `json:"pre-reserved-role"`
		Secrets           []string    `json:"secrets"`
		SharePIDNamespace bool        `json:"share-pid-namespace"`
		HostVolumes       []string    `json:"host-volumes"`
		ExternalVolumes   []string    `json:"external-volumes"`
		SeccompUnconfined bool        `json:"seccomp-unconfined"`
		SeccompProfile    *string     `json:"seccomp-profile-name"`
		IPCMode           *string     `json:"ipc-mode"`
		ShmSize           *int        `json:"shm-size"`
		Kafka             *Kafka      `json:"kafka,omitempty"`
	}
	oldRLimit struct {
		Name string  `json:"name"`
		Soft *uint64 `json:"soft"`
		Hard *uint64 `json:"hard"`
	}
	oldTask struct {
		Name        string            `json:"name"`
		Goal        Goal              `json:"goal"`
		Essential   bool              `json:"essential"`
		Resources   oldSet            `json:"resource-set"`
		Command     oldCommand        `json:"command-spec"`
		Labels      map[string]string `json:"task-labels"`
		Health      any               `json:"health-check-spec"`
		Readiness   any               `json:"readiness-check-spec"`
		Configs     []oldConfig       `json:"config-files"`
		Discovery   *oldDiscovery     `json:"discovery-spec"`
		KillGrace   int64             `json:"kill-grace-period"`
		Certificate []string          `json:"transport-encryption"`
		IPCMode     *string           `json:"ipc-mode"`
		ShmSize     *int              `json:"shm-size"`
	}
	oldCommand struct {
		Value string            `json:"value"`
		Env   map[string]string `json:"environment"`
	}
	oldConfig struct {
		Name string `json:"name"`
		Path string `json:"relative-path"`
		Text string `json:"template-content"`
	}
	oldDiscovery struct {
		Prefix     *string `json:"prefix"`
		Visibility *string `json:"visibility"`
	}
	oldReadiness struct {
		Command  string     `json:"command"`
		Delay    int64      `json:"delay"`
		Interval int64      `json:"interval"`
		Timeout  int64      `json:"timeout"`
		HTTP     *HTTPCheck `json:"http,omitempty"`
		TCP      *TCPCheck  `json:"tcp,omitempty"`
	}
	// oldHealth has the grace period twice, as the predecessor does.
	oldHealth struct {
		Command    string     `json:"command"`
		Failures   int        `json:"max-consecutive-failures"`
		Delay      int64      `json:"delay"`
		Interval   int64      `json:"interval"`
		Timeout    int64      `json:"timeout"`
		Grace      int64      `json:"grace-period"`
		GraceAgain int64      `json:"gracePeriod"`
		HTTP       *HTTPCheck `json:"http,omitempty"`
		TCP        *TCPCheck  `json:"tcp,omitempty"`
	}
)

func oldPodOf(s Service, pod Pod) oldPod {
	o := owner{role: s.RoleOf(pod), preReserved: pod.PreReservedRole, principal: s.Principal}
	if o.preReserved == "" {
		o.preReserved = preReservedByNone
	}
	old := oldPod{Type: pod.Type, User: s.User, Count: pod.Count,
		AllowDecommission: pod.AllowDecommission, Image: orNull(pod.Image), Networks: []string{},
		RLimits: []oldRLimit{}, URIs: append([]string{}, pod.URIs...), Tasks: []oldTask{},
		Placement: oldPlacement(pod), Volumes: o.volumes(pod.Volumes),
		PreReservedRole: o.preReserved, Secrets: []string{}, HostVolumes: []string{},
		ExternalVolumes: []string{}, Kafka: pod.Kafka}
	for _, l := range pod.RLimits {
		name := "RLIMIT_" + strings.TrimPrefix(l.Name, "RLMT_")
		old.RLimits = append(old.RLimits, oldRLimit{name, l.Soft, l.Hard})
	}
	for _, task := range pod.Tasks {
		old.Tasks = append(old.Tasks, oldTaskOf(o, task))
	}
	return old
}

func oldTaskOf(o owner, task Task) oldTask {
	old := oldTask{Name: task.Name, Goal: task.Goal, Essential: task.Essential,
		Resources: o.set(task.Resources), Labels: map[string]string{}, Configs: []oldConfig{},
		Command:   oldCommand{Value: task.Command, Env: map[string]string{}},
		KillGrace: wholeSeconds(task.KillGrace), Certificate: []string{}}
	for _, v := range task.Env {
		old.Command.Env[v.Name] = v.Value
	}
	for _, l := range task.Labels {
		old.Labels[l.Key] = l.Value
	}
	for _, c := range task.Configs {
		old.Configs = append(old.Configs, oldConfig{c.Name, c.Dest, c.Text})
	}
	if d := task.Discovery; d != nil {
		old.Discovery = &oldDiscovery{orNull(d.Prefix), orNull(d.Visibility)}
	}
	if c := task.Readiness; c != nil {
		old.Readiness = oldReadiness{c.Command, wholeSeconds(c.Delay), wholeSeconds(c.Interval),
			wholeSeconds(c.Timeout), c.HTTP, c.TCP}
	}
	if c := task.Health; c != nil {
		grace := wholeSeconds(c.GracePeriod)
		old.Health = oldHealth{c.Command, c.MaxConsecutiveFailures, wholeSeconds(c.Delay),
			wholeSeconds(c.Interval), wholeSeconds(c.Timeout), grace, grace, c.HTTP, c.TCP}
	}
	return old
}

// orNull makes nothing of an empty text.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func wholeSeconds(d time.Duration) int64 { return int64(d / time.Second) }

// double is a number that is printed with a fraction, as Java prints a double.
type double float64

// MarshalJSON prints the number: 1.0, 0.5.
func (d double) MarshalJSON() ([]byte, error) {
	decimals := -1
	if float64(d) == math.Trunc(float64(d)) {
		decimals = 1
	}
	return strconv.AppendFloat(nil, float64(d), 'f', decimals, 64), nil
}
