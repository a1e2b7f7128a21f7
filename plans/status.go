package plans

import "slices"

// status derives the status of a plan or phase from its children and candidates: the first
// rule that fits decides. These are the rules of the predecessor, whose answers clients read,
// but for the last two: it answers ERROR where they do not find a better word, as when a step
// backs off next to others that are complete.
func (n *node) status() Status {
	children := tally(len(n.children), func(i int) Status { return n.children[i].status })
	candidates := tally(len(n.candidates),
		func(i int) Status { return n.children[n.candidates[i]].status })
	running := candidates.has(Pending) || candidates.has(Starting) || candidates.has(Started)
	switch {
	case n.failed || children.has(Error):
		return Error
	case children.all(Complete):
		return Complete
	case n.interrupted:
		return Waiting
	case children.all(Delayed) && candidates.all(Delayed):
		return Delayed
	case children.has(Prepared):
		return InProgress
	case candidates.has(Waiting):
		return Waiting
	case candidates.has(InProgress):
		return InProgress
	case children.has(Complete) && running:
		return InProgress
	case candidates.has(Pending):
		return Pending
	case children.has(Waiting):
		return Waiting
	case candidates.has(Starting):
		return Starting
	case candidates.has(Started):
		return Started
	case candidates.has(Delayed):
		return Delayed
	}
	return InProgress
}

// kinds are the statuses that there are among some, each once.
type kinds []Status

// tally looks at n statuses. Neighbours are mostly in the same one.
func tally(n int, status func(int) Status) kinds {
	var k kinds
	last := Status("")
	for i := range n {
		s := status(i)
		if s != last && !k.has(s) {
			k = append(k, s)
		}
		last = s
	}
	return k
}

func (k kinds) has(s Status) bool { return slices.Contains(k, s) }

// all says that every status is the given one; so it does when there are none.
func (k kinds) all(s Status) bool { return len(k) == 0 || len(k) == 1 && k[0] == s }
