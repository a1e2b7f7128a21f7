package plans

import (
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Status of a step, phase or plan, in the predecessor's words.
type Status string

// The statuses. Waiting and InProgress are only ever derived.
const (
	Error      Status = "ERROR"
	Waiting    Status = "WAITING"     // held by an operator or a canary
	Pending    Status = "PENDING"     // wants work
	Prepared   Status = "PREPARED"    // tried at least once, nothing fitted yet
	Starting   Status = "STARTING"    // launched
	Started    Status = "STARTED"     // runs, not ready yet
	Delayed    Status = "DELAYED"     // backs off
	InProgress Status = "IN_PROGRESS" // some of it is done or under way
	Complete   Status = "COMPLETE"
)

// Plan is an ordered set of phases.
type Plan struct {
	Name     string
	Strategy Strategy
	Phases   []Phase
	Errors   []string
}

// Phase is an ordered set of steps.
type Phase struct {
	ID       string
	Name     string
	Strategy Strategy
	Steps    []Step
	// After is what must be complete before the phase begins, whatever the plan's strategy.
	After []After
}

// After names a phase of the same plan, or the steps of one pod instance in it.
type After struct {
	Phase string
	Index int // of the instance, -1 for the whole phase
}

// Strategy orders children: those of specs and the two below.
type Strategy = servicespec.Strategy

// Step is one unit of work, on one pod instance or on a named subject of another kind.
type Step struct {
	ID   string
	Name string
	// Pod and Index name the instance; Pod is "" for steps that concern no instance.
	Pod   string
	Index int
	// Tasks are the names of the tasks to launch.
	Tasks []string
	// Subject is what a step without instance is about: a task id, a reservation id.
	Subject string
	// Error is set for a step that could not be constructed.
	Error string
}

// Overrides is what operators said of plans; it is kept by the caller, durably.
type Overrides struct {
	// Interrupted holds the keys (Key) of plans, phases and steps that are held.
	Interrupted map[string]bool
	// Forced holds the keys of steps that count as complete whatever their state.
	Forced map[string]bool
	// Released holds the keys of canary steps that the operator let go, and the keys of phases
	// whose canary stage is over. Release fills it.
	Released map[string]bool
	// Said is who said what Interrupted, Forced and Released hold, by the same keys.
	Said map[string]Said
}

// interrupted reports whether a plan, or a phase of it, is held.
func (o Overrides) interrupted(plan, phase string) bool {
	return len(o.Interrupted) > 0 && o.Interrupted[Key(plan, phase, "")]
}

// Said is who said something of a plan, when, and why.
type Said struct {
	At     time.Time
	By     string
	Reason string // "" when none was given
}

// Key addresses a plan, a phase of it, or a step of that in Overrides: "deploy",
// "deploy/broker", "deploy/broker/kafka-0:[broker]". Empty parts are left out.
func Key(plan, phase, step string) string {
	key := plan
	if phase != "" {
		key += "/" + phase
	}
	if step != "" {
		key += "/" + step
	}
	return key
}

// Assessment is a plan with its derived statuses.
type Assessment struct {
	Plan   Plan
	Status Status
	Phases []PhaseAssessment
	// Candidates are the steps that may be worked on now, in order; Current are these and all
	// others whose turn it is, whatever their status: those that run already, or back off.
	Candidates, Current []Step
}

// PhaseAssessment is a phase with its derived status.
type PhaseAssessment struct {
	Status Status
	Steps  []Status // of Plan.Phases[i].Steps, interrupts and forced completions applied
	// Interrupted says that the phase waits for the operator: it was interrupted, or holds a
	// canary step and has none under way.
	Interrupted bool
}

// The strategies that are not simple orders.
//
// A plan of Dependency works on all its phases at once, except that each waits for what it comes
// After. A phase of Dependency works on all pod instances at once, and on the steps of each
// instance in order: that is what a parallel phase with steps of its own becomes, and
// DependencyCanary a parallel-canary one.
const (
	Dependency                = servicespec.Dependency
	DependencyCanary Strategy = "dependency-canary"
)
