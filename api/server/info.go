package server

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// podInfo answers with Mesos' TaskInfo and TaskStatus of each task of an instance, in the JSON
// form of protobuf, as the predecessor would have launched the same task in the same place. Its
// clients read commands, ports, resources and ids off it. That here an executor of our own
// runs the task, and is told the templates instead of fetching them, is not shown.
func (h *handlers) podInfo(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	pod, ok := findPod(w, r, v)
	if !ok {
		return
	}
	list := []proto{}
	for _, task := range tasksByName(pod) {
		of := described{h: h, v: v, pod: pod, task: task}
		of.find()
		list = append(list, proto{{"info", of.info()}, {"status", statusProto(task)}})
	}
	writeJSON(w, http.StatusOK, list)
}

// described is a task with what its configuration says of it; the parts of the spec are zero
// when the configuration is not kept any more.
type described struct {
	h    *handlers
	v    *scheduler.View
	pod  scheduler.PodView
	task scheduler.TaskView
	// target is the configuration that it runs with, as the predecessor counts them, and
	// launched the one that it was launched with.
	target, launched string

	service servicespec.Service
	podSpec servicespec.Pod
	spec    servicespec.Task
}

func (d *described) find() {
	list := versions(d.v)
	d.task = d.withLaunch()
	d.target = d.task.Target
	if d.target == "" {
		d.target = d.v.TargetID // never launched
	}
	d.launched = d.target
	if i := versionOf(list, d.target); i >= 0 {
		d.launched = list[i].id()
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

// withLaunch is the task with what the predecessor says of the launch of one that another task of
// its resource set came after, or that never ran: that of the instance's latest.
func (d *described) withLaunch() scheduler.TaskView {
	task, latest := d.task, scheduler.TaskView{}
	for _, other := range d.pod.Tasks {
		shares := task.Superseded && len(task.Resources) > 0 && len(other.Resources) > 0 &&
			task.Resources[0].Label(resource.ResourceID) ==
				other.Resources[0].Label(resource.ResourceID)
		if (shares || task.Executor == "") && other.Since.After(latest.Since) {
			latest = other
		}
	}
	if latest.Executor == "" {
		return task
	}
	task.Executor = latest.Executor
	if task.Superseded {
		task.Target = latest.Target
	}
	return task
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
	info = append(info, field{"command", d.command()}, field{"container", d.container()})
	if d.spec.Health != nil {
		info = append(info, field{"healthCheck", d.health(*d.spec.Health)})
	}
	if d.spec.Readiness != nil {
		info = append(info, field{"check", d.check(*d.spec.Readiness)})
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

// executor runs all tasks of the instance.
func (d *described) executor() proto {
	p := proto{
		{"type", enum("DEFAULT")},
		{"executorId", value(string(d.task.Executor))},
		{"frameworkId", value(string(d.v.Framework))},
		{"container", d.containerWith(proto{{"shareCgroups", false}}, []proto{})},
	}
	if d.pod.Place != nil {
		p = append(p, field{"resources", resourceProtos(sortedByName(d.pod.Place.Executor))})
	}
	space := []resource.Label{{Key: "DCOS_SPACE", Value: "/"}}
	return append(p, field{"name", d.pod.Name.Type}, field{"labels", labelsProto(space)})
}

// container of the task, in that of its executor.
func (d *described) container() proto {
	return d.containerWith(proto{{"sharePidNamespace", false}, {"shareCgroups", false}},
		[]proto{{{"mode", enum("RW")}, {"containerPath", "/tmp"}, {"hostPath", "tmp"}}})
}

func (d *described) containerWith(linux proto, volumes []proto) proto {
	p := proto{{"type", enum("MESOS")}, {"volumes", volumes}, {"networkInfos", []proto{}},
		{"linuxInfo", linux}}
	if d.podSpec.Image != "" {
		p = append(p, field{"mesos", proto{{"image", proto{{"type", enum("DOCKER")},
			{"docker", proto{{"name", d.podSpec.Image}}}}}}})
	}
	if len(d.podSpec.RLimits) == 0 {
		return p
	}
	var limits []proto
	for _, l := range d.podSpec.RLimits {
		limit := proto{{"type", enum(l.Name)}}
		if l.Hard != nil && l.Soft != nil {
			limit = append(limit, field{"hard", int64(*l.Hard)}, field{"soft", int64(*l.Soft)})
		}
		limits = append(limits, limit)
	}
	return append(p, field{"rlimitInfo", proto{{"rlimits", limits}}})
}

func (d *described) command() proto {
	uris := []proto{}
	for _, uri := range d.podSpec.URIs {
		uris = append(uris, value(uri))
	}
	for _, config := range d.spec.Configs {
		uris = append(uris, proto{{"value", d.templateURL(config)}, {"extract", false},
			{"outputFile", templateFile(config)}})
	}
	env := d.environment()
	for _, c := range d.spec.Configs {
		env = append(env, servicespec.EnvVar{Name: templateVariable(c),
			Value: templateFile(c) + "," + c.Dest})
	}
	sort.SliceStable(env, func(i, j int) bool { return env[i].Name < env[j].Name })
	env = append(env,
		servicespec.EnvVar{Name: "REGION", Value: d.pod.Domain.Region},
		servicespec.EnvVar{Name: "ZONE", Value: d.pod.Domain.Zone})
	return append(proto{{"uris", uris}, {"environment", variables(env)}}.
		maybe("value", d.spec.Command), field{"arguments", []proto{}}).
		maybe("user", d.service.User)
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
	if d.pod.Request == scheduler.Replace {
		labels = append(labels, resource.Label{Key: "permanently-failed", Value: "true"})
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
		p := proto{{"number", int64(port.Number)}, {"name", port.Name}, {"protocol", "tcp"},
			{"visibility", seen}}
		if vip := scheduler.VIPLabels(d.task.Executor, d.podSpec, d.spec, i); vip != nil {
			p = append(p, field{"labels", labelsProto(vip)})
		}
		ports = append(ports, p)
	}
	return proto{{"visibility", enum(visibility)}, {"name", name},
		{"ports", proto{{"ports", ports}}}}
}
