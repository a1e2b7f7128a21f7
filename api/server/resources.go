package server

import (
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// usualOrder is that in which the predecessor lists the resources of a task.
var usualOrder = []string{resource.Ports, resource.CPUs, resource.GPUs, resource.Mem,
	resource.Disk}

// inUsualOrder sorts a task's resources; those of one name stay as they are.
func inUsualOrder(list resource.List) resource.List {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b resource.Resource) int {
		return slices.Index(usualOrder, a.Name) - slices.Index(usualOrder, b.Name)
	})
	return list
}

// sortedByName sorts an executor's resources, as the predecessor does.
func sortedByName(list resource.List) resource.List {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b resource.Resource) int {
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

// resourceProtos are Mesos' Resource messages of a list.
func resourceProtos(list resource.List) []proto {
	protos := make([]proto, 0, len(list))
	for _, r := range list {
		protos = append(protos, resourceProto(r))
	}
	return protos
}

func resourceProto(r resource.Resource) proto {
	p := proto{{"name", r.Name}}
	switch r.Kind {
	case resource.RangesKind:
		p = append(p, field{"type", enum("RANGES")}, field{"ranges", rangesProto(r.Ranges)})
	case resource.SetKind:
		p = append(p, field{"type", enum("SET")},
			field{"set", proto{{"item", texts(r.Set)}}})
	default:
		p = append(p, field{"type", enum("SCALAR")},
			field{"scalar", value(double(r.Scalar.Float()))})
	}
	if r.Role != "" {
		p = append(p, field{"allocationInfo", proto{{"role", r.Role}}})
	}
	if len(r.Reservations) > 0 {
		p = append(p, field{"reservations", reservationProtos(r.Reservations)})
	}
	if r.Disk != nil {
		p = append(p, field{"disk", diskProto(*r.Disk)})
	}
	return p
}

func rangesProto(ranges resource.Ranges) proto {
	list := make([]proto, 0, len(ranges))
	for _, r := range ranges {
		list = append(list, proto{{"begin", int64(r.Begin)}, {"end", int64(r.End)}})
	}
	return proto{{"range", list}}
}

// oldLabels are the keys of the labels that the predecessor gives its reservations; those of ours
// say whose and which one it is.
var oldLabels = []string{"framework_id", "resource_id", "namespace"}

func reservationProtos(stack []resource.Reservation) []proto {
	var list []proto
	for _, r := range stack {
		kind := enum("STATIC")
		if r.Dynamic {
			kind = "DYNAMIC"
		}
		p := proto{{"type", kind}, {"role", r.Role}}.maybe("principal", r.Principal)
		if len(r.Labels) > 0 {
			labels := slices.DeleteFunc(slices.Clone(r.Labels), func(l resource.Label) bool {
				return !slices.Contains(oldLabels, l.Key)
			})
			slices.SortStableFunc(labels, func(a, b resource.Label) int {
				return strings.Compare(a.Key, b.Key)
			})
			p = append(p, field{"labels", labelsProto(labels)})
		}
		list = append(list, p)
	}
	return list
}

func labelsProto(labels []resource.Label) proto {
	list := make([]proto, 0, len(labels))
	for _, l := range labels {
		list = append(list, proto{{"key", l.Key}, {"value", l.Value}})
	}
	return proto{{"labels", list}}
}

func diskProto(d resource.DiskInfo) proto {
	var p proto
	if d.PersistenceID != "" {
		p = append(p, field{"persistence",
			proto{{"id", d.PersistenceID}}.maybe("principal", d.Principal)})
	}
	if d.ContainerPath != "" {
		p = append(p, field{"volume",
			proto{{"mode", enum("RW")}, {"containerPath", d.ContainerPath}}})
	}
	if d.Source != "" {
		source := proto{{"type", enum(d.Source)}}
		if d.Root != "" {
			name := map[string]string{"PATH": "path", "MOUNT": "mount"}[d.Source]
			source = append(source, field{name, proto{{"root", d.Root}}})
		}
		p = append(p, field{"source", source.maybe("id", d.ID).maybe("vendor", d.Vendor).
			maybe("profile", d.Profile)})
	}
	return p
}

// offerProto is Mesos' Offer message.
func offerProto(o mesos.Offer, framework mesos.FrameworkID) proto {
	p := proto{
		{"id", value(string(o.ID))},
		{"frameworkId", value(string(framework))},
		{"slaveId", value(string(o.Agent))},
		{"hostname", o.Hostname},
		{"resources", resourceProtos(o.Resources)},
	}
	for _, a := range o.Attributes {
		p = append(p, field{"attributes", proto{{"name", a.Name}, {"type", enum("TEXT")},
			{"text", value(a.Value)}}})
	}
	for _, id := range o.Executors {
		p = append(p, field{"executorIds", value(string(id))})
	}
	if o.Role != "" {
		p = append(p, field{"allocationInfo", proto{{"role", o.Role}}})
	}
	if o.Domain != (mesos.Domain{}) {
		p = append(p, field{"domain", proto{{"faultDomain", proto{
			{"region", proto{{"name", o.Domain.Region}}},
			{"zone", proto{{"name", o.Domain.Zone}}},
		}}}})
	}
	return p
}
