package mesosconform

// departure is a rule about where localmesos is not like the real one on purpose.
type departure struct {
	id, why string
	applies func(p *replay, o outcome) bool
}

var departures = []departure{}

// declare marks the outcomes that a rule covers.
func declare(p *replay) {
	for i := range p.outcomes {
		o := &p.outcomes[i]
		if len(o.found) == 0 {
			continue
		}
		for _, d := range departures {
			if d.applies(p, *o) {
				o.declared = d.id
				break
			}
		}
	}
}
