package plans

import (
	"fmt"
	"strings"
)

// NotFound says that a plan has no such phase or step.
type NotFound struct {
	Kind  string // "phase" or "step"
	Name  string
	In    string   // what was searched
	Known []string // the names that exist there
}

// Error names what exists, as far as that is short.
func (e NotFound) Error() string {
	const most = 20
	known := strings.Join(e.Known, ", ")
	switch {
	case len(e.Known) == 0:
		known = "nothing"
	case len(e.Known) > most:
		known = fmt.Sprintf("%s and %d more", strings.Join(e.Known[:most], ", "),
			len(e.Known)-most)
	}
	return fmt.Sprintf("%s has no %s %q; it has %s", e.In, e.Kind, e.Name, known)
}

// Find gives the indexes of a phase and of a step of it, each addressed by name or id. An index
// is -1 for what was not asked for, with an empty text; a step cannot be asked for without its
// phase. The error is a NotFound.
func (p Plan) Find(phase, step string) (phaseAt, stepAt int, err error) {
	phaseAt, stepAt = -1, -1
	if phase == "" && step == "" {
		return phaseAt, stepAt, nil
	}
	var known []string
	for i, candidate := range p.Phases {
		known = append(known, candidate.Name)
		if phaseAt < 0 && phase != "" && (candidate.Name == phase || candidate.ID == phase) {
			phaseAt = i
		}
	}
	if phaseAt < 0 {
		return -1, -1, NotFound{"phase", phase, "plan " + p.Name, known}
	}
	if step == "" {
		return phaseAt, -1, nil
	}
	known = nil
	for i, candidate := range p.Phases[phaseAt].Steps {
		known = append(known, candidate.Name)
		if candidate.Name == step || candidate.ID == step {
			return phaseAt, i, nil
		}
	}
	in := fmt.Sprintf("phase %s of plan %s", p.Phases[phaseAt].Name, p.Name)
	return -1, -1, NotFound{"step", step, in, known}
}
