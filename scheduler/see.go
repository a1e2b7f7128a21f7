package scheduler

import (
	"fmt"
	"sort"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// view makes the picture that readers get. Records are values and their slices are never
// changed in place, so the picture may share them.
func (m *Machine) view() *View {
	v := &View{
		At: m.now, Service: m.hard.Target.Service.Name, Framework: m.hard.Framework,
		Connected: m.connected, Master: m.master,
		Suppressed: m.told && len(m.wants) == 0,
		Intent:     m.hard.Intent, TargetID: m.hard.Target.ID, Target: m.hard.Target.Service,
		Kafka: KafkaView{ClusterID: m.hard.Kafka.ID, Founded: m.hard.Kafka.Founded,
			Facts: m.facts},
	}
	v.Current = m.hard.Target
	v.Current.Service = servicespec.Service{}
	for _, p := range m.plans() {
		v.Plans = append(v.Plans, m.viewPlan(p))
	}
	for _, name := range m.wantedPods() {
		v.Pods = append(v.Pods, m.viewPod(name))
	}
	for _, id := range m.leftoverIDs() {
		v.Leftovers = append(v.Leftovers, m.hard.Leftovers[id])
	}
	v.Endpoints = m.endpoints()
	return v
}

// wantedPods are the instances of the target and those that have a record, sorted.
func (m *Machine) wantedPods() []PodName {
	names := m.podNames()
	if m.hard.Intent == Run || m.hard.Intent == Stop {
		for _, p := range m.hard.Target.Service.Pods {
			for i := 0; i < p.Count; i++ {
				name := PodName{p.Type, i}
				if _, known := m.hard.Pods[name]; !known {
					names = append(names, name)
				}
			}
		}
	}
	sortPods(names)
	return names
}

func (m *Machine) viewPlan(p plans.Plan) PlanView {
	assessed := plans.Assess(p, m.stepStatus(p.Name), m.hard.Overrides)
	may := map[string]bool{}
	for _, s := range assessed.Candidates {
		may[s.ID] = true
	}
	v := PlanView{Name: p.Name, Strategy: string(p.Strategy), Status: assessed.Status,
		Errors: p.Errors}
	for i, ph := range p.Phases {
		pv := PhaseView{ID: ph.ID, Name: ph.Name, Strategy: string(ph.Strategy),
			Status: assessed.Phases[i].Status}
		for j, s := range ph.Steps {
			sv := m.viewStep(p.Name, ph.Name, s, assessed.Phases[i].Steps[j])
			if sv.Status == plans.Pending && s.Pod != "" && !may[s.ID] {
				sv.Reason = "waits for the steps before it"
			}
			pv.Steps = append(pv.Steps, sv)
			if s.Error != "" {
				v.Errors = append(v.Errors, s.Error)
			}
		}
		v.Phases = append(v.Phases, pv)
	}
	return v
}

func (m *Machine) viewStep(plan, phase string, s plans.Step, status plans.Status) StepView {
	key := plans.Key(plan, phase, s.Name)
	if c, ok := m.since[key]; !ok || c.status != status {
		m.since[key] = change{status, m.now}
	}
	v := StepView{ID: s.ID, Name: s.Name, Status: status, Since: m.since[key].at,
		Tasks: s.Tasks}
	if status != plans.Complete {
		_, v.Reason = m.stepState(plan, s)
	}
	if status == plans.Waiting {
		v.Reason = "held by the operator"
	}
	if s.Pod != "" {
		name := PodName{s.Pod, s.Index}
		v.Pod = name.String()
		if p := m.hard.Pods[name]; status != plans.Complete {
			v.Attempts, v.NotBefore = p.Failures, p.NotBefore
		}
	}
	return v
}

func (m *Machine) viewPod(name PodName) PodView {
	p := m.hard.Pods[name]
	spec, _ := m.spec(name)
	v := PodView{Name: name, Incarnation: p.Incarnation, Request: p.Request,
		Launched: p.launched(), Refusal: m.refusals[name]}
	if p.Place != nil {
		v.Agent, v.Hostname, v.IP = p.Place.Agent, p.Place.Hostname, p.Place.IP
		v.Domain, v.Reservation = p.Place.Domain, p.Place.Reservation
		v.Volumes = volumesIn(placeResources(*p.Place))
	}
	for _, ts := range spec.Tasks {
		v.Tasks = append(v.Tasks, viewTask(p, name, ts))
	}
	sort.SliceStable(v.Tasks, func(i, j int) bool { return v.Tasks[i].Name < v.Tasks[j].Name })
	if spec.Kafka != nil && m.facts != nil {
		v.Broker = m.facts.broker(name.Index)
	}
	return v
}

func viewTask(p Pod, name PodName, ts servicespec.Task) TaskView {
	v := TaskView{Name: ts.Name, FullName: name.fullName(ts.Name), Goal: ts.Goal}
	if p.Place != nil {
		v.Ports = taskPlace(*p.Place, ts.Name).Ports
	}
	for _, t := range p.Tasks {
		if t.Name == ts.Name && t.ID != "" {
			v.ID, v.State, v.Reason, v.Message = t.ID, t.State, t.Reason, t.Message
			v.Since, v.Ready, v.Healthy, v.Target = t.Since, t.Ready, t.Healthy, t.Target
			v.Executor = p.Executor
		}
	}
	return v
}

// endpoints are the advertised ports of all instances that have a place.
func (m *Machine) endpoints() []EndpointView {
	var list []EndpointView
	for _, spec := range m.hard.Target.Service.Pods {
		for _, ts := range spec.Tasks {
			for _, port := range ts.Resources.Ports {
				if !port.Advertise {
					continue
				}
				e := EndpointView{Name: port.Name}
				if port.VIP != nil {
					e.VIP = fmt.Sprintf("%s.%s:%d", port.VIP.Prefix,
						m.hard.Target.Service.Name, port.VIP.Port)
				}
				m.addresses(&e, spec, ts.Name)
				if len(e.Address) > 0 {
					list = append(list, e)
				}
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

func (m *Machine) addresses(e *EndpointView, spec servicespec.Pod, task string) {
	for i := 0; i < spec.Count; i++ {
		p, ok := m.hard.Pods[PodName{spec.Type, i}]
		if !ok || p.Place == nil || !p.launched() {
			continue
		}
		host := p.Place.IP
		if host == "" {
			host = p.Place.Hostname
		}
		number := portOf(taskPlace(*p.Place, task), e.Name)
		e.Address = append(e.Address, fmt.Sprintf("%s:%d", host, number))
		e.DNS = append(e.DNS, fmt.Sprintf("%s:%d", p.Place.Hostname, number))
	}
}
