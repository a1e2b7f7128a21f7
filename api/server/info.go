package server

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// podInfo answers with Mesos' TaskInfo and TaskStatus of each task of an instance, in the JSON
// form of protobuf, as far as the view and the configuration of the task say.
func podInfo(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := findPod(w, r, v)
	if !ok {
		return
	}
	list := []proto{}
	for _, task := range tasksByName(pod) {
		of := described{v: v, pod: pod, task: task}
		of.find()
		list = append(list, proto{{"info", of.info()}, {"status", statusProto(pod, task)}})
	}
	writeJSON(w, http.StatusOK, list)
}

// described is a task with what its configuration says of it; the parts of the spec are zero
// when the configuration is not kept any more.
type described struct {
	v       *scheduler.View
	pod     scheduler.PodView
	task    scheduler.TaskView
	target  string
	service servicespec.Service
	podSpec servicespec.Pod
	spec    servicespec.Task
}

func (d *described) find() {
	list := versions(d.v)
	d.target = d.task.Target
	if d.target == "" {
		d.target = d.v.TargetID // never launched
	}
	if i := current(list, d.pod.Name.Type, d.target); i >= 0 {
		d.target, d.service = list[i].id(), list[i].service
	}
	for _, pod := range d.service.Pods {
		if pod.Type != d.pod.Name.Type {
			continue
		}
		d.podSpec = pod
		for _, task := range pod.Tasks {
			if task.Name == d.task.Name {
				d.spec = task
			}
		}
	}
}

func (d *described) info() proto {
	info := proto{
		{"name", d.task.FullName},
		{"taskId", value(string(d.task.ID))},
		{"slaveId", value(string(d.pod.Agent))},
		{"resources", resourceProtos(inUsualOrder(d.task.Resources))},
	}
	if d.task.Executor != "" {
		info = append(info, field{"executor", d.executor()})
	}
	info = append(info, field{"command", d.command()})
	if d.spec.Health != nil {
		info = append(info, field{"healthCheck", healthProto(*d.spec.Health)})
	}
	if d.spec.Readiness != nil {
		info = append(info, field{"check", checkProto(*d.spec.Readiness)})
	}
	info = append(info,
		field{"killPolicy", proto{{"gracePeriod",
			proto{{"nanoseconds", d.spec.KillGrace.Nanoseconds()}}}}},
		field{"labels", labelsProto(d.labels())})
	if len(d.task.Ports) > 0 {
		info = append(info, field{"discovery", d.discovery()})
	}
	return append(info, field{"limits", proto{}})
}

// executor describes our own, which runs all tasks of the instance.
func (d *described) executor() proto {
	p := proto{
		{"type", enum("CUSTOM")},
		{"executorId", value(string(d.task.Executor))},
		{"frameworkId", value(string(d.v.Framework))},
	}
	if d.pod.Place != nil {
		p = append(p, field{"resources", resourceProtos(sortedByName(d.pod.Place.Executor))})
	}
	return append(p, field{"name", d.pod.Name.String()})
}

func (d *described) command() proto {
	uris, variables := []proto{}, []proto{}
	for _, uri := range d.podSpec.URIs {
		uris = append(uris, value(uri))
	}
	for _, e := range d.environment() {
		variables = append(variables, proto{{"name", e.Name}, {"value", e.Value}})
	}
	return append(proto{{"uris", uris}, {"environment", proto{{"variables", variables}}}}.
		maybe("value", d.spec.Command), field{"arguments", []proto{}}).
		maybe("user", d.service.User)
}

// environment is what of a task's environment follows from its spec and place, by name.
func (d *described) environment() []servicespec.EnvVar {
	env := []servicespec.EnvVar{
		{Name: "FRAMEWORK_NAME", Value: d.v.Service},
		{Name: "POD_INSTANCE_INDEX", Value: strconv.Itoa(d.pod.Name.Index)},
		{Name: "TASK_NAME", Value: d.task.FullName},
		{Name: "REGION", Value: d.pod.Domain.Region},
		{Name: "ZONE", Value: d.pod.Domain.Zone},
	}
	for i, port := range d.task.Ports {
		if ports := d.spec.Resources.Ports; i < len(ports) && ports[i].EnvKey != "" {
			env = append(env, servicespec.EnvVar{
				Name: ports[i].EnvKey, Value: strconv.Itoa(port.Number)})
		}
	}
	env = append(env, d.spec.Env...)
	sort.SliceStable(env, func(i, j int) bool { return env[i].Name < env[j].Name })
	return env
}

// labels are those that the predecessor gives a task, and its own.
func (d *described) labels() []resource.Label {
	labels := []resource.Label{
		{Key: "index", Value: strconv.Itoa(d.pod.Name.Index)},
		{Key: "offer_hostname", Value: d.pod.Hostname},
		{Key: "offer_region", Value: d.pod.Domain.Region},
		{Key: "offer_zone", Value: d.pod.Domain.Zone},
		{Key: "target_configuration", Value: d.target},
		{Key: "task_type", Value: d.pod.Name.Type},
	}
	if d.pod.Place != nil {
		var attributes []string
		for _, a := range d.pod.Place.Attributes {
			attributes = append(attributes, a.Name+":"+a.Value)
		}
		labels = append(labels, resource.Label{
			Key: "offer_attributes", Value: strings.Join(attributes, ";")})
	}
	labels = append(labels, d.spec.Labels...)
	sort.SliceStable(labels, func(i, j int) bool { return labels[i].Key < labels[j].Key })
	return labels
}

func (d *described) discovery() proto {
	name, visibility := d.task.FullName, "CLUSTER"
	if wanted := d.spec.Discovery; wanted != nil {
		if wanted.Prefix != "" {
			name = fmt.Sprintf("%s-%d", wanted.Prefix, d.pod.Name.Index)
		}
		if wanted.Visibility != "" {
			visibility = wanted.Visibility
		}
	}
	ports := []proto{}
	for i, port := range d.task.Ports {
		seen := enum("CLUSTER")
		if specs := d.spec.Resources.Ports; i < len(specs) &&
			(specs[i].Advertise || specs[i].VIP != nil) {
			seen = "EXTERNAL"
		}
		ports = append(ports, proto{{"number", int64(port.Number)}, {"name", port.Name},
			{"protocol", "tcp"}, {"visibility", seen}})
	}
	return proto{{"visibility", enum(visibility)}, {"name", name},
		{"ports", proto{{"ports", ports}}}}
}

func inSeconds(t time.Duration) double { return double(t.Seconds()) }

func healthProto(c servicespec.Check) proto {
	return append(proto{
		{"delaySeconds", inSeconds(c.Delay)},
		{"intervalSeconds", inSeconds(c.Interval)},
		{"timeoutSeconds", inSeconds(c.Timeout)},
		{"consecutiveFailures", int64(c.MaxConsecutiveFailures)},
		{"gracePeriodSeconds", inSeconds(c.GracePeriod)},
	}, kindProto(c, commandProto(c))...)
}

func checkProto(c servicespec.Check) proto {
	return append(kindProto(c, proto{{"command", commandProto(c)}}),
		field{"delaySeconds", inSeconds(c.Delay)},
		field{"intervalSeconds", inSeconds(c.Interval)},
		field{"timeoutSeconds", inSeconds(c.Timeout)})
}

func commandProto(c servicespec.Check) proto {
	return proto{{"uris", []proto{}}, {"value", c.Command}, {"arguments", []proto{}}}
}

// kindProto says what a check does; its ports have names until it is launched.
func kindProto(c servicespec.Check, command proto) proto {
	switch {
	case c.HTTP != nil:
		return proto{{"type", enum("HTTP")}, {"http", proto{{"path", c.HTTP.Path}}}}
	case c.TCP != nil:
		return proto{{"type", enum("TCP")}, {"tcp", proto{}}}
	}
	return proto{{"type", enum("COMMAND")}, {"command", command}}
}
