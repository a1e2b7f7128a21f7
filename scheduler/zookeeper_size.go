package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How a ZooKeeper ensemble comes to another size: by one server at a time. The servers have fixed
// lists, and while some have the list before and others the next one, a majority of each has to
// have a server in common, which holds as long as two lists differ by one server, and nobody has
// a third one. So a server joins once all those before it serve with one and the same list, and
// is in the quorum before the others are launched with theirs; and one that leaves ends before the
// others forget it, while all of them serve. It is not launched again, so that two may leave with
// one configuration: the list of the second is one behind. In between the ensemble has an even
// size, where a restart interrupts it for a moment. Brokers are launched anew once, in the end.

// members is how many servers of a pod the lists of its ensemble name: those of its first
// instances. It differs from their count only while that comes true.
func (m *Machine) members(spec servicespec.Pod) int {
	if n, changes := m.hard.Target.Servers[spec.Type]; changes {
		return n
	}
	return spec.Count
}

// resizing is an ensemble that a configuration wants to have another size.
type resizing struct {
	pod     servicespec.Pod // as it is
	is, was int             // how many servers it is to have, and how many the lists name
}

// resizings are the ensembles that a configuration wants to have another size.
func (m *Machine) resizings(next servicespec.Service) []resizing {
	var list []resizing
	for _, p := range next.Pods {
		pod := podSpec(m.hard.Target.Service, p.Type)
		if p.ZooKeeper == nil || pod == nil || pod.ZooKeeper == nil {
			continue
		}
		if n := m.members(*pod); n != p.Count {
			list = append(list, resizing{pod: *pod, is: p.Count, was: n})
		}
	}
	return list
}

// keptServers are the sizes of ensembles that a configuration wants to have another one.
func (m *Machine) keptServers(next servicespec.Service) map[string]int {
	kept := map[string]int{}
	for _, r := range m.resizings(next) {
		kept[r.pod.Type] = r.was
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// passEnsembles takes the next server into an ensemble that is to grow, or the last one out of one
// that is to shrink, where its time has come.
func (m *Machine) passEnsembles() {
	for _, spec := range m.hard.Target.Service.Pods {
		n := m.members(spec)
		switch {
		case n < spec.Count && m.holdJoin(spec, PodName{spec.Type, n}) == "":
			m.setMembers(spec, n+1)
		case n > spec.Count && m.hasLeft(spec, PodName{spec.Type, n - 1}):
			m.setMembers(spec, n-1)
		}
	}
}

func (m *Machine) setMembers(spec servicespec.Pod, n int) {
	next := m.hard.Target
	if next.Servers = maps.Clone(next.Servers); n == spec.Count {
		delete(next.Servers, spec.Type)
	} else {
		next.Servers[spec.Type] = n
	}
	m.hard.Target, m.due = next, true
	clear(m.index.marks)
	m.write(WriteTarget{next})
	m.note(Info, "", "the ZooKeeper ensemble has another size", "pod", spec.Type, "servers",
		fmt.Sprint(n))
	m.stirAll()
}

// holdJoin says why a server cannot join its ensemble yet, "" if it can now.
func (m *Machine) holdJoin(spec servicespec.Pod, name PodName) string {
	n := m.members(spec)
	switch {
	case name.Index > n:
		return fmt.Sprintf("joins the ensemble behind %s", PodName{spec.Type, n})
	case m.hard.Pods[name].Place == nil:
		return "it has no place yet"
	case !m.haveOneList(spec, n):
		return "joins the ensemble once the others have the list of the servers before it"
	}
	m.servers.curious = true
	if reason := m.ensembleOf(spec, stopsNone).Complete(m.now); reason != "" {
		return "joins the ensemble once the others serve: " + reason
	}
	return ""
}

// hasLeft reports whether a server that leaves has ended, and the others may forget it.
func (m *Machine) hasLeft(spec servicespec.Pod, name PodName) bool {
	return !m.hard.Pods[name].anyLive() && m.haveOneList(spec, name.Index)
}

// haveOneList reports whether all of the first servers of an ensemble that run were launched with
// one list. Whoever does not run has the present one when it does.
func (m *Machine) haveOneList(spec servicespec.Pod, count int) bool {
	list := ""
	for i := range count {
		t, _ := m.hard.Pods[PodName{spec.Type, i}].task(spec.ZooKeeper.Task)
		if !t.live() || strings.HasSuffix(t.Launch, awaiting) {
			continue
		}
		mark := t.Launch[strings.LastIndexByte(t.Launch, '+')+1:]
		if list = cmp.Or(list, mark); list != mark {
			return false
		}
	}
	return true
}

// refuseServers says why an ensemble cannot become as small as a configuration wants it, "" if it
// can.
func (m *Machine) refuseServers(next servicespec.Service) string {
	for _, r := range m.resizings(next) {
		switch {
		case r.was-r.is > 2:
			return fmt.Sprintf("the ensemble of pod %s cannot shrink from %d to %d servers at "+
				"once: make it 3 first", r.pod.Type, r.was, r.is)
		case r.was-r.is == 2 && !m.haveOneList(r.pod, r.was):
			return fmt.Sprintf("the ensemble of pod %s cannot shrink from %d to %d servers while "+
				"they have different lists; wait for the plan deploy", r.pod.Type, r.was, r.is)
		}
	}
	return ""
}

// holdServerFarewell says why a server that is to go for good may not be stopped now, "" if it may:
// the last one goes first, and only while all others serve.
func (m *Machine) holdServerFarewell(p Pod, spec servicespec.Pod) string {
	n := m.members(spec)
	switch {
	case p.Name.Index >= n || !p.anyRuns():
		return "" // nobody has it in a list
	case p.Name.Index < n-1:
		return fmt.Sprintf("%s leaves the ensemble first", PodName{spec.Type, n - 1})
	case !m.haveOneList(spec, n-1):
		return "leaves the ensemble once the others have one list of servers"
	}
	m.servers.curious = true
	return m.ensembleOf(spec, stopsNone).MayReplace(p.Name.String(), m.now)
}

// holdServerFreeing says why what a server that goes for good held may not be freed yet, "" if it
// may.
func (m *Machine) holdServerFreeing(p Pod, spec servicespec.Pod) string {
	if p.Name.Index >= m.members(spec) {
		return ""
	}
	return "the other servers have it in their lists"
}

// stopsNone is for who asks about an ensemble as it is.
func stopsNone(Pod) bool { return false }

// relisted says why a configuration has the servers of a pod that stay, or its brokers, launched
// anew, although they themselves are the same in it; "" if it has not.
func relisted(now, next servicespec.Service, pod string) string {
	spec := podSpec(next, pod)
	if spec != nil && spec.Kafka != nil && spec.Kafka.Ensemble() != "" {
		pod = spec.Kafka.Ensemble()
	}
	a, b := podSpec(now, pod), podSpec(next, pod)
	if a == nil || b == nil || a.ZooKeeper == nil || b.ZooKeeper == nil || a.Count == b.Count {
		return ""
	}
	return fmt.Sprintf("the ZooKeeper ensemble changes from %d to %d servers", a.Count, b.Count)
}

// missing says why nobody counts on a server, "" if it serves. One that is to leave is one like the
// others until it has.
func (m *Machine) missing(p Pod, spec servicespec.Pod) string {
	t, _ := p.task(spec.ZooKeeper.Task)
	if t.ID == "" {
		return "it was not launched yet"
	}
	ts, _ := taskSpec(spec, t.Name)
	_, reason := m.taskReady(p, spec, ts, t)
	return reason
}
