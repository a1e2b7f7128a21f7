package server

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// object is a JSON object whose keys are printed in the order of the alphabet. The shapes of a
// configuration are read by people and by tools that look for a few keys, so they are built
// here without a type for each.
type object map[string]any

// specShape gives a service in the predecessor's form of a configuration.
func specShape(s servicespec.Service) object {
	pods := []object{}
	for _, pod := range s.Pods {
		pods = append(pods, podSpec(s, pod))
	}
	return object{
		"name": s.Name, "role": s.Role, "principal": s.Principal, "user": s.User,
		"goal": "RUNNING", "region": nil, "web-url": orNil(s.WebURL),
		"zookeeper": orNil(s.Zookeeper), "pod-specs": pods,
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func podSpec(s servicespec.Service, pod servicespec.Pod) object {
	limits, tasks := []object{}, []object{}
	for _, limit := range pod.RLimits {
		// The predecessor's files spell RLIMIT_x what Mesos calls RLMT_x.
		limits = append(limits, object{
			"name": strings.Replace(limit.Name, "RLMT_", "RLIMIT_", 1),
			"soft": limit.Soft, "hard": limit.Hard,
		})
	}
	for _, task := range pod.Tasks {
		tasks = append(tasks, taskSpec(s, pod, task))
	}
	shape := object{
		"type": pod.Type, "user": s.User, "count": pod.Count,
		"allow-decommission": pod.AllowDecommission, "image": orNil(pod.Image),
		"networks": []object{}, "rlimits": limits, "uris": texts(pod.URIs),
		"task-specs": tasks, "placement-rule": placementSpec(pod.Placement),
		"volumes":           volumeSpecs(s, pod, pod.Volumes),
		"pre-reserved-role": pod.PreReservedRole,
	}
	if pod.Kafka != nil {
		shape["kafka"] = kafkaSpec(*pod.Kafka)
	}
	return shape
}

// placementSpec gives a rule as rows of Marathon's form, nil when all agents are allowed.
func placementSpec(rule placement.Rule) any {
	if len(rule.Constraints) == 0 {
		return nil
	}
	rows := [][]string{}
	for _, c := range rule.Constraints {
		row := []string{c.Field, string(c.Operator)}
		if c.Param != "" {
			row = append(row, c.Param)
		}
		rows = append(rows, row)
	}
	return rows
}

func taskSpec(s servicespec.Service, pod servicespec.Pod, task servicespec.Task) object {
	env, files := object{}, []object{}
	for _, variable := range task.Env {
		env[variable.Name] = variable.Value
	}
	for _, config := range task.Configs {
		files = append(files, object{"name": config.Name, "relative-path": config.Dest,
			"template-content": config.Text})
	}
	labels := object{}
	for _, label := range task.Labels {
		labels[label.Key] = label.Value
	}
	return object{
		"name": task.Name, "goal": task.Goal, "essential": task.Essential,
		"resource-set": object{
			"id":                      task.Resources.Name,
			"resource-specifications": resourceSpecs(s, pod, task.Resources),
			"volume-specifications":   volumeSpecs(s, pod, task.Resources.Volumes),
			"role":                    s.Role, "principal": s.Principal,
		},
		"command-spec": object{"value": task.Command, "environment": env},
		"task-labels":  labels, "config-files": files,
		"health-check-spec":    checkSpec(task.Health),
		"readiness-check-spec": checkSpec(task.Readiness),
		"discovery-spec":       discoverySpec(task.Discovery),
		"kill-grace-period":    seconds(task.KillGrace),
	}
}

// owned adds what every resource of a configuration carries.
func owned(s servicespec.Service, pod servicespec.Pod, shape object) object {
	shape["role"], shape["principal"] = s.Role, s.Principal
	shape["pre-reserved-role"] = pod.PreReservedRole
	return shape
}

func scalar(value json.Number) object {
	return object{"type": "SCALAR", "scalar": object{"value": value}}
}

func resourceSpecs(
	s servicespec.Service, pod servicespec.Pod, set servicespec.ResourceSet,
) []object {
	specs := []object{}
	add := func(name string, value json.Number) {
		specs = append(specs, owned(s, pod, object{"@type": "DefaultResourceSpec",
			"name": name, "value": scalar(value)}))
	}
	if set.CPUs > 0 {
		add(resource.CPUs, json.Number(set.CPUs.String()))
	}
	if set.GPUs > 0 {
		add(resource.GPUs, json.Number(set.GPUs.String()))
	}
	if set.Memory > 0 {
		add(resource.Mem, mebibytes(set.Memory))
	}
	for _, port := range set.Ports {
		specs = append(specs, owned(s, pod, portSpec(port)))
	}
	return specs
}

func mebibytes(amount resource.MiB) json.Number {
	return json.Number(strconv.FormatInt(int64(amount), 10))
}

func portSpec(port servicespec.Port) object {
	shape := object{
		"@type": "PortSpec", "name": resource.Ports, "port-name": port.Name,
		"env-key": orNil(port.EnvKey), "visibility": "CLUSTER", "network-names": []string{},
		"value": object{"type": "RANGES", "ranges": object{
			"range": []object{{"begin": port.Port, "end": port.Port}}}},
	}
	ranges := []object{}
	for _, r := range port.Ranges {
		ranges = append(ranges, object{"begin": r.Begin, "end": r.End})
	}
	shape["ranges"] = ranges
	if port.Advertise || port.VIP != nil {
		shape["visibility"] = "EXTERNAL"
	}
	if port.VIP != nil {
		shape["@type"], shape["protocol"] = "NamedVIPSpec", "tcp"
		shape["vip-name"], shape["vip-port"] = port.VIP.Prefix, port.VIP.Port
	}
	return shape
}

func volumeSpecs(
	s servicespec.Service, pod servicespec.Pod, volumes []servicespec.Volume,
) []object {
	specs := []object{}
	for _, volume := range volumes {
		specs = append(specs, owned(s, pod, object{"@type": "DefaultVolumeSpec",
			"type": volume.Type, "container-path": volume.Path, "name": resource.Disk,
			"profiles": texts(volume.Profiles), "value": scalar(mebibytes(volume.Size))}))
	}
	return specs
}

func checkSpec(check *servicespec.Check) any {
	if check == nil {
		return nil
	}
	shape := object{
		"delay": seconds(check.Delay), "interval": seconds(check.Interval),
		"timeout": seconds(check.Timeout),
	}
	if check.GracePeriod > 0 {
		shape["grace-period"] = seconds(check.GracePeriod)
	}
	if check.MaxConsecutiveFailures > 0 {
		shape["max-consecutive-failures"] = check.MaxConsecutiveFailures
	}
	switch {
	case check.HTTP != nil:
		shape["http"] = object{"scheme": check.HTTP.Scheme, "port": check.HTTP.Port,
			"path": check.HTTP.Path}
	case check.TCP != nil:
		shape["tcp"] = object{"port": check.TCP.Port}
	default:
		shape["command"] = check.Command
	}
	return shape
}

func discoverySpec(d *servicespec.Discovery) any {
	if d == nil {
		return nil
	}
	return object{"prefix": d.Prefix, "visibility": d.Visibility}
}

func kafkaSpec(k servicespec.Kafka) object {
	return object{
		"process": k.Process, "version": k.Version, "heap": mebibytes(k.Heap),
		"jvm-flags": texts(k.JVMFlags), "properties": k.Properties, "task": k.Task,
		"client-port": k.ClientPort, "controller-port": k.ControllerPort, "volume": k.Volume,
	}
}

func seconds(d time.Duration) json.Number {
	return json.Number(resource.Milli(d.Milliseconds()).String())
}
