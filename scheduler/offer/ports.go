package offer

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// unprivileged is where a dynamic port is taken from when the spec names no ranges.
var unprivileged = resource.Ranges{{Begin: 1024, End: 65535}}

// portWant is one port to find, with where the result belongs.
type portWant struct {
	port   *servicespec.Port
	within resource.Ranges
	set    int // its index, and how many ports the set wants
	of     int
	index  int
}

// takePorts finds all ports of the instance. Fixed ones come first, so that no dynamic port is
// put onto them, and then the dynamic ones with the narrowest ranges, each the lowest that is
// free. A number is taken once, so no two ports of one instance are the same.
//
// A holding that has some of its ports already keeps them.
func (p *pool) takePorts(holdings []holding, wants []portWant) {
	for _, w := range wants {
		h := &holdings[w.set]
		if h.ports == nil {
			h.ports = make([]PortUse, w.of)
		}
		if h.ports[w.index].Number != 0 {
			continue
		}
		taken, ok := p.takePort(w.within)
		switch {
		case ok:
			number := int(taken.Ranges[0].Begin)
			h.ports[w.index] = PortUse{Name: w.port.Name, Number: number}
			h.pieces = append(h.pieces, piece{taken, PortID(w.port.Name)})
		case w.port.Port != 0:
			p.refuse(Reason{Code: PortTaken, Name: w.port.Name, Ports: w.within})
		default:
			p.refuse(Reason{Code: NoPort, Name: w.port.Name, Ports: w.within})
		}
	}
}

// portWants lists the ports of all sets in the order in which they are found.
func portWants(sets []SetNeed) []portWant {
	var out []portWant
	for s := range sets {
		for i := range sets[s].Ports {
			port := &sets[s].Ports[i]
			out = append(out, portWant{
				port: port, within: within(port), set: s, of: len(sets[s].Ports), index: i,
			})
		}
	}
	slices.SortStableFunc(out, func(a, b portWant) int {
		if fixed := a.port.Port != 0; fixed != (b.port.Port != 0) {
			if fixed {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.within.Count(), b.within.Count())
	})
	return out
}

// within gives the numbers that will do for a port.
func within(port *servicespec.Port) resource.Ranges {
	switch {
	case port.Port != 0:
		return onePort(port.Port)
	case len(port.Ranges) == 0:
		return unprivileged
	}
	return resource.NewRanges(port.Ranges...)
}

// onePort is the range of a single number.
func onePort(number int) resource.Ranges {
	return resource.Ranges{{Begin: uint64(number), End: uint64(number)}}
}

// fixedPorts are the fixed ports of all sets.
func fixedPorts(sets []SetNeed) resource.Ranges {
	var out resource.Ranges
	for i := range sets {
		for k := range sets[i].Ports {
			if number := sets[i].Ports[k].Port; number != 0 {
				out = out.Add(onePort(number))
			}
		}
	}
	return out
}

// portsIn are all ports of a list.
func portsIn(l resource.List) resource.Ranges {
	var out resource.Ranges
	for i := range l {
		if l[i].Name == resource.Ports {
			out = out.Add(l[i].Ranges)
		}
	}
	return out
}

// takePort takes the lowest free port within the ranges.
func (p *pool) takePort(within resource.Ranges) (resource.Resource, bool) {
	best, lowest := -1, uint64(0)
	for i := range p.free {
		r := &p.free[i]
		if r.Name != resource.Ports || r.Kind != resource.RangesKind {
			continue
		}
		free, _ := r.Ranges.Sub(r.Ranges.Intersect(p.taken))
		if n, ok := free.Pick(within); ok && (best < 0 || n < lowest) {
			best, lowest = i, n
		}
	}
	if best < 0 {
		return resource.Resource{}, false
	}
	piece := p.free[best]
	piece.Ranges = resource.Ranges{{Begin: lowest, End: lowest}}
	p.free[best].Ranges, _ = p.free[best].Ranges.Sub(piece.Ranges)
	return piece, true
}
