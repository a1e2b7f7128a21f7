package plans

import "slices"

// status derives the status of a plan or phase from its children and candidates: the first
// rule that fits decides. These are the rules of the predecessor, whose answers clients read,
// but for the last two: it answers ERROR where they do not find a better word, as when a step
// backs off next to others that are complete.
func (n *node) status() Status {
	children := n.statuses()
	var candidates []Status
	for _, i := range n.candidates {
		candidates = append(candidates, children[i])
	}
	has := slices.Contains[[]Status]
	running := has(candidates, Pending) || has(candidates, Starting) || has(candidates, Started)
	switch {
	case n.failed || has(children, Error):
		return Error
	case all(children, Complete):
		return Complete
	case n.interrupted:
		return Waiting
	case all(children, Delayed) && all(candidates, Delayed):
		return Delayed
	case has(children, Prepared):
		return InProgress
	case has(candidates, Waiting):
		return Waiting
	case has(candidates, InProgress):
		return InProgress
	case has(children, Complete) && running:
		return InProgress
	case has(candidates, Pending):
		return Pending
	case has(children, Waiting):
		return Waiting
	case has(candidates, Starting):
		return Starting
	case has(candidates, Started):
		return Started
	case has(candidates, Delayed):
		return Delayed
	}
	return InProgress
}

// all says that every status is the given one; so it does when there are none.
func all(statuses []Status, want Status) bool {
	return !slices.ContainsFunc(statuses, func(s Status) bool { return s != want })
}
