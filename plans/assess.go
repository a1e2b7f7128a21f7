package plans

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Assess derives the status of a plan and of everything in it, and which steps may be worked on
// now, from the status of each step and from what operators said. It calls status once for each
// step that is neither forced nor in error.
func Assess(p Plan, status func(Step) Status, o Overrides) Assessment {
	return AssessAt(p, func(phase, step int) Status {
		return status(p.Phases[phase].Steps[step])
	}, o)
}

// AssessAt is Assess for who knows the statuses by where the steps are.
func AssessAt(p Plan, status func(phase, step int) Status, o Overrides) Assessment {
	a := Assessment{Plan: p}
	work := node{interrupted: o.interrupted(p.Name, ""), failed: len(p.Errors) > 0}
	phases := make([]node, len(p.Phases))
	work.children = make([]child, 0, len(p.Phases))
	a.Phases = make([]PhaseAssessment, 0, len(p.Phases))
	for i, phase := range p.Phases {
		at := func(step int) Status { return status(i, step) }
		phases[i] = assessPhase(p.Name, phase, at, o)
		derived := phases[i].status()
		work.children = append(work.children,
			child{status: derived, blocked: phases[i].interrupted})
		a.Phases = append(a.Phases, PhaseAssessment{Status: derived,
			Steps: phases[i].statuses(), Interrupted: phases[i].interrupted})
	}
	named := phasesByName(p)
	for i := range p.Phases {
		work.children[i].early = !followed(p, phases, named, p.Phases[i].After)
	}
	work.order(p.Strategy, nil)
	a.Status = work.status()
	turn, wanting := 0, 0
	for _, i := range work.candidates {
		turn += len(phases[i].candidates)
		for _, j := range phases[i].candidates {
			if wantsWork(phases[i].children[j].status) {
				wanting++
			}
		}
	}
	a.Current = make([]Step, 0, turn)
	if wanting > 0 {
		a.Candidates = make([]Step, 0, wanting)
	}
	for _, i := range work.candidates {
		for _, j := range phases[i].candidates {
			a.Current = append(a.Current, p.Phases[i].Steps[j])
			if wantsWork(phases[i].children[j].status) {
				a.Candidates = append(a.Candidates, p.Phases[i].Steps[j])
			}
		}
	}
	return a
}

// phasesByName finds phases of a plan, if any of them comes after another: there may be one for
// each host.
func phasesByName(p Plan) map[string][]int {
	if !slices.ContainsFunc(p.Phases, func(phase Phase) bool { return len(phase.After) > 0 }) {
		return nil
	}
	named := make(map[string][]int, len(p.Phases))
	for i, phase := range p.Phases {
		named[phase.Name] = append(named[phase.Name], i)
	}
	return named
}

// followed reports whether all that a phase comes after is complete.
func followed(p Plan, phases []node, named map[string][]int, after []After) bool {
	for _, a := range after {
		for _, i := range named[a.Phase] {
			for j, c := range phases[i].children {
				if c.status != Complete &&
					(a.Index < 0 || p.Phases[i].Steps[j].Index == a.Index) {
					return false
				}
			}
		}
	}
	return true
}

// wantsWork says that a step of that status can be a candidate.
func wantsWork(s Status) bool { return s == Pending || s == Prepared }

func assessPhase(plan string, phase Phase, status func(int) Status, o Overrides) node {
	n := node{
		interrupted: o.interrupted(plan, phase.Name),
		children:    stepsOfPhase(plan, phase, status, o),
	}
	held, free := canaries(plan, phase, n.children, o)
	for _, i := range held {
		n.children[i].blocked = true
	}
	for i, c := range n.children {
		if c.blocked && wantsWork(c.status) {
			n.children[i].status = Waiting
		}
	}
	if len(held) == 0 {
		n.order(phase.Strategy, phase.Steps)
		return n
	}
	n.canary(free)
	return n
}

// stepsOfPhase gives the steps of a phase with forced completions and interrupts, before
// canaries are looked at.
func stepsOfPhase(plan string, phase Phase, status func(int) Status, o Overrides) []child {
	children := make([]child, len(phase.Steps))
	said := len(o.Interrupted) > 0 || len(o.Forced) > 0
	for i := range phase.Steps {
		forced, c := false, &children[i]
		if said {
			key := Key(plan, phase.Name, phase.Steps[i].Name)
			forced, c.blocked = o.Forced[key], o.Interrupted[key]
		}
		switch {
		case forced:
			c.status = Complete
		case phase.Steps[i].Error != "":
			c.status = Error
		default:
			c.status = status(i)
		}
	}
	return children
}

// node is a plan or phase under assessment.
type node struct {
	children []child
	// candidates are the indexes of the children that the strategy offers, in order, whatever
	// their status: those that run already are among them.
	candidates  []int
	interrupted bool
	failed      bool // it has errors of its own
}

// child is a phase of a plan, or a step of a phase.
type child struct {
	status  Status
	blocked bool // interrupted, or held as a canary
	early   bool // something that it comes after is not complete
}

func (c child) eligible() bool {
	return c.status != Complete && c.status != Error && !c.blocked && !c.early
}

func (n *node) statuses() []Status {
	all := make([]Status, len(n.children))
	for i, c := range n.children {
		all[i] = c.status
	}
	return all
}

// order fills in the candidates by a strategy. steps are those of a phase, nil for a plan.
func (n *node) order(strategy Strategy, steps []Step) {
	if n.interrupted {
		return
	}
	serial := strategy == servicespec.Serial || strategy == servicespec.SerialCanary
	byInstance := strategy == Dependency || strategy == DependencyCanary
	var before map[instance]bool // those that have an unfinished child already
	for i, c := range n.children {
		if c.status == Complete {
			continue
		}
		of := instance{}
		if byInstance && steps != nil {
			of = instance{steps[i].Pod, steps[i].Index}
		}
		if c.eligible() && (of.pod == "" || !before[of]) {
			n.candidates = append(n.candidates, i)
		}
		if serial {
			return
		}
		if of.pod != "" {
			if before == nil {
				before = map[instance]bool{}
			}
			before[of] = true
		}
	}
}

// instance is one of a pod type's, "" for what concerns none.
type instance struct {
	pod   string
	index int
}

// canary fills in the candidates of a phase some of whose canary steps are held: only those
// that were released. While none of these is unfinished the phase counts as interrupted.
func (n *node) canary(free []int) {
	unfinished := false
	for _, i := range free {
		unfinished = unfinished || n.children[i].status != Complete
		if n.children[i].eligible() && !n.interrupted {
			n.candidates = append(n.candidates, i)
		}
	}
	n.interrupted = n.interrupted || !unfinished
}
