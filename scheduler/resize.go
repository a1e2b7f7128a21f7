package scheduler

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Volumes of other sizes. Mesos cannot have a volume that is in use grow or shrink, and the data of
// a Kafka node is on others too. So a node gets a new place with volumes of the new sizes, one
// after the other in the order of the plan deploy, as if an operator moved it; its own agent will
// do if it has room once the old volume is gone.

// wholeDisk is the type of volumes that are a whole disk, which may be larger than what is wanted.
const wholeDisk = "MOUNT"

// resizes reports whether a Kafka node's volumes are to have other sizes than they have.
func resizes(p Pod, spec servicespec.Pod) bool {
	return spec.Kafka != nil && resizeText(p, spec) != ""
}

// resizeText says which volume of an instance is to have another size, "" for none.
func resizeText(p Pod, spec servicespec.Pod) string {
	if p.Place == nil {
		return ""
	}
	for _, v := range volumesOf(spec) {
		if text := resizeIn(p.Place.Executor, v); text != "" {
			return text
		}
		for _, set := range p.Place.Sets {
			if text := resizeIn(set.Resources, v); text != "" {
				return text
			}
		}
	}
	return ""
}

// resizeIn says how the size of a volume changes that is held, "" if it does not.
func resizeIn(held resource.List, v servicespec.Volume) string {
	for _, r := range held {
		disk, has := r.DiskInfo(), r.Scalar.MiB()
		if disk.PersistenceID == "" || disk.ContainerPath != v.Path || has == v.Size ||
			has > v.Size && v.Type == wholeDisk {
			continue
		}
		verb := "grows"
		if has > v.Size {
			verb = "shrinks"
		}
		return fmt.Sprintf("its volume %s %s from %d to %d MB", v.Path, verb, has, v.Size)
	}
	return ""
}

// volumesOf are the volumes of a pod and of its tasks.
func volumesOf(spec servicespec.Pod) []servicespec.Volume {
	list := slices.Clone(spec.Volumes)
	for _, t := range spec.Tasks {
		list = append(list, t.Resources.Volumes...)
	}
	return list
}

// resize plans that a node that runs gets volumes of the sizes that the target wants.
func (w *work) resize(plan string, s plans.Step, p Pod, spec servicespec.Pod) {
	m := w.m
	if p.Move == nil {
		if reason := w.holdUpdate(plan, s); reason != "" {
			m.waits[p.Name] = reason
			return
		}
		m.addMove(p, Move{Cause: CauseSize, Why: resizeText(p, spec)})
		m.due = true
	}
	m.waits[p.Name] = resizeText(p, spec) + ", which the plan " + planMaintenance + " does"
}

// forbiddenVolumes says what in a change of volumes cannot be rolled out: all but the sizes of
// those of Kafka nodes.
func forbiddenVolumes(of string, kafka bool, o, n []servicespec.Volume) []string {
	if reflect.DeepEqual(o, n) || kafka && reflect.DeepEqual(unsized(o), unsized(n)) {
		return nil
	}
	return []string{of + ": its volumes cannot change"}
}

// unsized gives volumes without their sizes.
func unsized(list []servicespec.Volume) []servicespec.Volume {
	list = slices.Clone(list)
	for i := range list {
		list[i].Size = 0
	}
	return list
}

// Shrunk is a volume of the nodes of a Kafka pod that is to become smaller.
type Shrunk struct {
	Pod, Path string
	From, To  resource.MiB
}

// String gives it in words.
func (s Shrunk) String() string {
	return fmt.Sprintf("the volume %s of pod %s would shrink from %d to %d MB", s.Path, s.Pod,
		s.From, s.To)
}

// Shrinks lists the volumes that are smaller in another service.
func Shrinks(old, next servicespec.Service) []Shrunk {
	var list []Shrunk
	for _, o := range old.Pods {
		n := podSpec(next, o.Type)
		if n == nil || o.Kafka == nil {
			continue
		}
		for _, was := range volumesOf(o) {
			for _, is := range volumesOf(*n) {
				if is.Path == was.Path && is.Size < was.Size && is.Type != wholeDisk {
					list = append(list, Shrunk{o.Type, was.Path, was.Size, is.Size})
				}
			}
		}
	}
	return list
}

// refuseShrink says why a smaller volume is refused, "" if it is not: somebody has to have looked
// whether the data fits.
func refuseShrink(old servicespec.Service, cmd SetTarget) string {
	if list := Shrinks(old, cmd.Service); len(list) > 0 && !cmd.Fits {
		return list[0].String() + ", and nobody can tell now whether the data fits"
	}
	return ""
}
