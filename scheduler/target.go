package scheduler

import (
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// targetIndex is what is derived of the target, once for each.
type targetIndex struct {
	of       string // the target's id
	pods     map[string]*servicespec.Pod
	built    []plans.Plan // deploy first
	declared plans.Plan   // the plan "deploy" of the spec
	hashes   map[launchKey]string
	own      bool // whether any of these is of a single instance
	// steps are where the plan deploy has the steps of an instance.
	steps map[PodName][]stepAt
	// statuses are those of the steps of the plan deploy; see Machine.statuses.
	statuses [][]plans.Status
	// deploy is the plan deploy with the statuses, nil when one of them has become another since.
	deploy *plans.Assessment
	// wanted are the instances of the target and those that have a record, nil when not known.
	wanted []PodName
	// marks are those of tasks that ensembleMark was asked for, until a server has another place.
	marks map[launchKey]mark
}

// stepAt is where a plan has a step.
type stepAt struct{ phase, step int }

// launchKey names a task of the instances of a pod, or of one of them.
type launchKey struct {
	pod   string
	index int
	task  string
}

// anyIndex stands for all instances of a pod that have nothing of their own.
const anyIndex = -1

// built are the plans of the target, deploy first.
func (m *Machine) built() []plans.Plan {
	m.derive()
	return m.sorted(m.index.built)
}

// derive makes the index of a target that is new.
func (m *Machine) derive() {
	target := m.hard.Target
	if m.index.of == target.ID || target.ID == "" {
		return
	}
	index := targetIndex{of: target.ID, pods: map[string]*servicespec.Pod{},
		built:    plans.Build(declaredPlans(target)),
		declared: plans.Build(target.Service)[0],
		hashes:   launchHashes(target.Service), steps: map[PodName][]stepAt{},
		marks: map[launchKey]mark{}}
	for i := range target.Service.Pods {
		p := &target.Service.Pods[i]
		index.pods[p.Type] = p
		index.own = index.own || p.Kafka != nil && len(p.Kafka.Instances) > 0
	}
	for i, phase := range index.built[0].Phases {
		index.statuses = append(index.statuses, make([]plans.Status, len(phase.Steps)))
		for j, s := range phase.Steps {
			name := PodName{s.Pod, s.Index}
			index.steps[name] = append(index.steps[name], stepAt{i, j})
		}
	}
	m.index = index
	m.stirAll()
	m.noteReached()
}

// launchHashes are the TaskLaunchHash of all tasks: of a pod, and, where something differs for
// single instances, of each of these.
func launchHashes(s servicespec.Service) map[launchKey]string {
	hashes := map[launchKey]string{}
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			hashes[launchKey{p.Type, anyIndex, t.Name}] =
				s.TaskLaunchHash(p.Type, anyIndex, t.Name)
			if p.Kafka == nil {
				continue
			}
			for i := range p.Kafka.Instances {
				hashes[launchKey{p.Type, i, t.Name}] = s.TaskLaunchHash(p.Type, i, t.Name)
			}
		}
	}
	return hashes
}

// statuses are those of the steps of the plan deploy, by phase and step, before what operators
// said of them. Only those of restless instances can have become others.
func (m *Machine) statuses() [][]plans.Status {
	m.derive()
	deploy := m.index.built[0]
	note := func(phase, step int) {
		status, _ := m.stepState(planDeploy, deploy.Phases[phase].Steps[step])
		if m.index.statuses[phase][step] != status {
			m.index.statuses[phase][step] = status
			m.index.deploy = nil
		}
	}
	if m.restless.all {
		m.index.deploy = nil // operators may have said something
		for i := range deploy.Phases {
			for j := range deploy.Phases[i].Steps {
				note(i, j)
			}
		}
		return m.index.statuses
	}
	//tidy:unordered each status depends on the state alone
	for name := range m.restless.names {
		for _, at := range m.index.steps[name] {
			note(at.phase, at.step)
		}
	}
	return m.index.statuses
}

// assessDeploy is assess for the plan deploy.
func (m *Machine) assessDeploy(p plans.Plan) plans.Assessment {
	known := m.statuses()
	if m.index.deploy != nil && len(p.Errors) == 0 {
		return *m.index.deploy
	}
	a := plans.AssessAt(p, func(phase, step int) plans.Status { return known[phase][step] },
		m.saidOf(p.Name))
	if len(p.Errors) == 0 {
		m.index.deploy = &a
	}
	return a
}
