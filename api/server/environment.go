package server

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// templateFile is where the predecessor's tasks have a config template before it is rendered.
func templateFile(config servicespec.Config) string { return "config-templates/" + config.Name }

// templateVariable tells the predecessor's tasks what becomes of it.
func templateVariable(config servicespec.Config) string {
	return "CONFIG_TEMPLATE_" + strings.ToUpper(notInVariables.ReplaceAllString(config.Name, "_"))
}

// notInVariables is what a name of an environment variable has not.
var notInVariables = regexp.MustCompile(`[^a-zA-Z0-9_]`)

// templateURL is where the text of a template can be fetched.
func (d *described) templateURL(config servicespec.Config) string {
	return fmt.Sprintf("http://%s/v1/artifacts/template/%s/%s/%s/%s", d.h.Advertise, d.launched,
		d.pod.Name.Type, d.task.Name, config.Name)
}

// environment is what of a task's environment follows from its spec and place, by name. The
// names of a cluster's DNS are in it where there is one.
func (d *described) environment() []servicespec.EnvVar {
	env := []servicespec.EnvVar{
		{Name: "FRAMEWORK_NAME", Value: serviceV1(d.v.Service)},
		{Name: "PLACEMENT_REFERENCED_REGION", Value: "true"}, // by the rule that there always is
		{Name: "PLACEMENT_REFERENCED_ZONE",
			Value: strconv.FormatBool(zoneMatters(d.podSpec))},
		{Name: "POD_INSTANCE_INDEX", Value: strconv.Itoa(d.pod.Name.Index)},
		{Name: "TASK_NAME", Value: d.task.FullName},
		{Name: d.task.FullName, Value: "true"},
	}
	add := func(name, text string) {
		env = append(env, servicespec.EnvVar{Name: name, Value: text})
	}
	flat := strings.ReplaceAll(d.v.Service, "/", "")
	if d.h.ServiceTLD != "" {
		add("FRAMEWORK_HOST", flat+"."+d.h.ServiceTLD)
	}
	if d.h.VIPTLD != "" {
		add("FRAMEWORK_VIP_HOST", flat+"."+d.h.VIPTLD)
	}
	if host, port, err := net.SplitHostPort(d.h.Advertise); err == nil {
		add("SCHEDULER_API_HOSTNAME", host)
		add("SCHEDULER_API_PORT", port)
	}
	for i, port := range d.task.Ports {
		if ports := d.spec.Resources.Ports; i < len(ports) && ports[i].EnvKey != "" {
			add(ports[i].EnvKey, strconv.Itoa(port.Number))
		}
	}
	env = append(env, d.spec.Env...)
	sort.SliceStable(env, func(i, j int) bool { return env[i].Name < env[j].Name })
	return env
}

// zoneMatters says whether a pod's rule looks at zones.
func zoneMatters(pod servicespec.Pod) bool {
	constraints := pod.Placement.Constraints
	if pod.Where != nil {
		constraints = pod.Where.Constraints()
	}
	return slices.ContainsFunc(constraints,
		func(c placement.Constraint) bool { return c.Field == "@zone" })
}

func variables(env []servicespec.EnvVar) proto {
	list := []proto{}
	for _, e := range env {
		list = append(list, proto{{"name", e.Name}, {"value", e.Value}})
	}
	return proto{{"variables", list}}
}

func inSeconds(t time.Duration) double { return double(t.Seconds()) }

func (d *described) health(c servicespec.Check) proto {
	return append(proto{
		{"delaySeconds", inSeconds(c.Delay)},
		{"intervalSeconds", inSeconds(c.Interval)},
		{"timeoutSeconds", inSeconds(c.Timeout)},
		{"consecutiveFailures", int64(c.MaxConsecutiveFailures)},
		{"gracePeriodSeconds", inSeconds(c.GracePeriod)},
	}, kindProto(c, d.checkCommand(c))...)
}

func (d *described) check(c servicespec.Check) proto {
	return append(kindProto(c, proto{{"command", d.checkCommand(c)}}),
		field{"delaySeconds", inSeconds(c.Delay)},
		field{"intervalSeconds", inSeconds(c.Interval)},
		field{"timeoutSeconds", inSeconds(c.Timeout)})
}

// checkCommand runs with the environment of the task, but for what its place adds to that.
func (d *described) checkCommand(c servicespec.Check) proto {
	return proto{{"uris", []proto{}}, {"environment", variables(d.environment())},
		{"value", c.Command}, {"arguments", []proto{}}}
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
