package scheduler

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// view makes the picture that readers get. Records are values and their slices are never
// changed in place, so the picture may share them.
func (m *Machine) view() *View {
	v := &View{
		At: m.now, Service: m.hard.Target.Service.Name, Framework: m.hard.Framework,
		Connected: m.connected, Master: m.master,
		Suppressed:  m.told && !m.wantsOffers(),
		TargetSince: m.hard.Target.Since, TargetDone: m.hard.Target.Done,
		TargetBy: m.hard.Target.By, TargetNumber: m.hard.Target.Number,
		Intent: m.hard.Intent, TargetID: m.hard.Target.ID, Target: m.hard.Target.Service,
		Earlier: m.hard.Earlier, Journal: m.hard.Journal, Outcomes: m.latestOutcomes(),
		Files: m.hard.Files, Away: m.hard.Agents, Seen: m.seen,
		Outlooks: m.outlooks,
		Kafka: KafkaView{ClusterID: m.hard.Kafka.ID, Founded: m.hard.Kafka.Founded,
			Facts: m.facts, Rebalancing: m.hard.Rebalancing, Rebalance: m.rebalanceTold(),
			Campaign: m.hard.Campaign, CampaignPaused: m.pausedCampaign(),
			CampaignTold: m.campaignTold(), ZooKeeper: m.metadataAt(),
			Declared: m.declaredTopics(), Drift: m.driftNow()},
	}
	changed, all := m.redrawn()
	for _, p := range m.plans() {
		v.Plans = append(v.Plans, m.viewPlan(p, changed, all))
	}
	v.Pods = m.drawPods(changed, all)
	v.Endpoints = m.drawn.endpoints
	for _, id := range m.leftoverIDs() {
		v.Leftovers = append(v.Leftovers, m.hard.Leftovers[id])
	}
	return v
}

// heldBy tells who interrupted something, nil when nobody did.
func (m *Machine) heldBy(key string) *plans.Said {
	if !m.hard.Overrides.Interrupted[key] {
		return nil
	}
	said := m.hard.Overrides.Said[key]
	return &said
}

func orHeld(a, b *plans.Said) *plans.Said {
	if a != nil {
		return a
	}
	return b
}

// heldText is the reason of what an operator holds.
func heldText(s *plans.Said) string {
	text := "held by the operator"
	if !s.At.IsZero() {
		text = fmt.Sprintf("interrupted at %s by %s", s.At.UTC().Format(time.RFC3339), s.By)
	}
	if s.Reason != "" {
		text += ", reason given: " + s.Reason
	}
	return text
}

func (m *Machine) viewStep(plan, phase string, s plans.Step, status plans.Status) StepView {
	key := plans.Key(plan, phase, s.Name)
	if c, ok := m.since[key]; !ok || c.status != status {
		m.since[key] = change{status, m.now}
	}
	v := StepView{ID: s.ID, Name: s.Name, Status: status, Since: m.since[key].at,
		Tasks: s.Tasks, Held: m.heldBy(key)}
	if status != plans.Complete {
		_, v.Reason = m.stepState(plan, s)
	}
	switch {
	case v.Held != nil:
		v.Reason = heldText(v.Held)
	case status == plans.Waiting:
		v.Reason = "waits for the operator"
	}
	if s.Pod != "" {
		name := PodName{s.Pod, s.Index}
		v.Pod = name.String()
		if p := m.hard.Pods[name]; status != plans.Complete {
			v.Attempts, v.NotBefore = p.failures(s.Tasks...)
		}
		r := m.recovery[name]
		v.Replaces = plan == planRecovery && r != nil && r.Kind == permanent
	}
	return v
}

func (m *Machine) viewPod(name PodName) PodView {
	p := m.hard.Pods[name]
	spec, wanted := m.spec(name)
	v := PodView{Name: name, Incarnation: p.Incarnation, Request: p.Request,
		Launched: p.launched() || p.Incarnation > 1, Refusal: m.refusals[name], Place: p.Place,
		Leaving: !wanted && m.hard.Intent == Run, Down: p.Down != nil}
	if v.Runs = p.anyRuns(); v.Runs {
		v.Executor, v.OtherExecutor = p.Executor.Version, m.otherExecutor(p)
	}
	v.Failures, v.NotBefore = p.failures()
	if p.Place != nil {
		v.Agent, v.Hostname, v.IP = p.Place.Agent, p.Place.Hostname, p.Place.IP
		v.Domain, v.Reservation = p.Place.Domain, p.Place.Reservation
		v.Volumes = p.Place.volumes()
	}
	p.Name = name
	if spec.Type != "" {
		p = p.listing(spec)
	}
	for _, t := range p.Tasks {
		v.Tasks = append(v.Tasks, m.viewTask(p, spec, t, v.Leaving))
	}
	sort.SliceStable(v.Tasks, func(i, j int) bool { return v.Tasks[i].Name < v.Tasks[j].Name })
	v.Verdict = m.verdictOn(name)
	if spec.Kafka != nil && m.facts != nil {
		v.Broker = m.facts.broker(nodeID(name, spec))
	}
	v.Server = m.serverView(p, spec)
	return v
}

func (m *Machine) viewTask(p Pod, spec servicespec.Pod, t Task, leaving bool) TaskView {
	ts, _ := taskSpec(spec, t.Name)
	v := TaskView{Name: t.Name, FullName: p.Name.fullName(t.Name), Goal: ts.Goal,
		Override: override(t, leaving)}
	if p.Place != nil {
		set := setOf(*p.Place, ts)
		v.Ports, v.Resources = set.Ports, set.Resources
	}
	for _, o := range p.Tasks {
		os, _ := taskSpec(spec, o.Name)
		v.Superseded = v.Superseded || !t.live() && o.Name != t.Name && o.ID != "" &&
			os.Resources.Name == ts.Resources.Name && o.Since.After(t.Since)
	}
	v.Reached = t.Reached
	if v.Last = t.Last; t.Last != nil {
		v.ID, v.State = t.Last.ID, t.Last.State
	}
	if t.ID != "" {
		v.ID, v.State, v.Reason, v.Message = t.ID, t.State, t.Reason, t.Message
		v.Since, v.Ready, v.Healthy, v.Target = t.Since, t.Ready, t.Healthy, t.Target
		v.Executor, v.IP = t.Executor, t.IP
	}
	v.Outdated = m.outdated(p, spec, t)
	return v
}

// override is what an operator's word makes of a task, in the predecessor's terms.
func override(t Task, leaving bool) string {
	switch {
	case leaving && t.live():
		return "DECOMMISSIONING"
	case leaving:
		return "DECOMMISSIONED"
	case t.Paused && t.Idle && t.State == mesos.Running:
		return "PAUSED"
	case t.Paused:
		return "PAUSING"
	case t.Idle || t.Resumed && t.State != mesos.Running:
		return "STARTING"
	}
	return ""
}

// endpoints are the ports that are advertised or have a virtual address, of all instances that
// have a place.
func (m *Machine) endpoints() []EndpointView {
	var list []EndpointView
	for _, spec := range m.hard.Target.Service.Pods {
		for _, ts := range spec.Tasks {
			for _, port := range ts.Resources.Ports {
				if !port.Advertise && port.VIP == nil {
					continue
				}
				i := slices.IndexFunc(list,
					func(e EndpointView) bool { return e.Name == port.Name })
				if i < 0 {
					i, list = len(list), append(list, EndpointView{Name: port.Name})
				}
				if port.VIP != nil {
					list[i].VIP = port.VIP
				}
			}
		}
	}
	for i := range list {
		for _, spec := range m.hard.Target.Service.Pods {
			m.addresses(&list[i], spec)
		}
	}
	list = slices.DeleteFunc(list, func(e EndpointView) bool { return len(e.Address) == 0 })
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// addresses adds where the instances of a pod can be reached under an endpoint.
func (m *Machine) addresses(e *EndpointView, spec servicespec.Pod) {
	for i := range spec.Count {
		p, ok := m.hard.Pods[PodName{spec.Type, i}]
		if !ok || p.Place == nil || !p.launched() {
			continue
		}
		for _, ts := range spec.Tasks {
			t, _ := p.task(ts.Name)
			number := portOf(setOf(*p.Place, ts), e.Name)
			if number == 0 {
				continue
			}
			host := cmp.Or(t.IP, p.Place.IP, p.Place.Hostname)
			e.Address = append(e.Address, fmt.Sprintf("%s:%d", host, number))
			e.DNS = append(e.DNS, fmt.Sprintf("%s:%d", p.Place.Hostname, number))
			e.Tasks = append(e.Tasks, discoveryName(p, ts))
			e.Ports = append(e.Ports, number)
		}
	}
}
