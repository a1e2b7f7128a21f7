package rolling

import (
	"slices"
	"time"
)

// Rollout is the roll of several nodes. Like Roll it is all that there is to know of it.
type Rollout struct {
	Policy Policy
	Limits Limits
	Todo   []NodeID
	Rolls  []Roll // at work
	Done   []NodeID
	// Finished is when the last node was done.
	Finished time.Time
	// Blocked is why the next node does not go, if one waits and could by its turn.
	Blocked Verdict
	// Moving is when replicas were to be moved the last time.
	Moving time.Time
}

// Sight is what is seen at one moment.
type Sight struct {
	Now   time.Time
	Facts *Facts // the latest, nil for none
	Nodes map[NodeID]Condition
}

// Complete reports whether all nodes are done.
func (o *Rollout) Complete() bool { return len(o.Todo) == 0 && len(o.Rolls) == 0 }

// Halted says why no more nodes are begun, "" when that is not so.
func (o *Rollout) Halted() string {
	for _, r := range o.Rolls {
		if r.Halt != "" {
			return r.Halt
		}
	}
	return ""
}

// Down is how many nodes are down because of us.
func (o *Rollout) Down() int {
	n := 0
	for _, r := range o.Rolls {
		if r.down() && !r.WasDown {
			n++
		}
	}
	return n
}

// Step goes on with all nodes at work, begins others where the verdict lets it, and returns what
// is to be done. It may be called at any time, with facts old or new.
func (o *Rollout) Step(s Sight) []Action {
	var actions []Action
	for i := 0; i < len(o.Rolls); i++ {
		r := &o.Rolls[i]
		q := o.request(r.Node, s)
		if r.Phase != Draining {
			actions = append(actions, r.step(s.Facts, q, s.Nodes[r.Node], o.Limits)...)
			continue
		}
		wanted, goes := r.drained(s.Facts, q, o.Limits)
		if actions = append(actions, wanted...); !goes {
			o.Todo = append(o.Todo, r.Node)
			o.Rolls = slices.Delete(o.Rolls, i, i+1)
			i--
		}
	}
	o.finish(s.Now)
	return append(actions, o.begin(s)...)
}

// finish moves the nodes that are done.
func (o *Rollout) finish(now time.Time) {
	o.Rolls = slices.DeleteFunc(o.Rolls, func(r Roll) bool {
		if r.Phase == Done {
			o.Done, o.Finished = append(o.Done, r.Node), now
		}
		return r.Phase == Done
	})
}

func (o *Rollout) request(id NodeID, s Sight) Request {
	return Request{Node: id, Role: s.Nodes[id].Role, Now: s.Now, Ended: s.Nodes[id].Ended,
		Down: away(o.Rolls, id), Policy: o.Policy}
}

// begin begins nodes as long as the verdict lets it.
func (o *Rollout) begin(s Sight) []Action {
	o.Blocked = Verdict{}
	if len(o.Todo) == 0 || o.Halted() != "" || s.Facts == nil ||
		s.Now.Before(o.Finished.Add(o.Limits.Settle)) {
		return nil
	}
	var actions []Action
	for _, id := range s.Facts.Order(o.Todo) {
		q := o.request(id, s)
		if !q.Ended && o.leadsOthers(id, s.Facts) {
			continue
		}
		v := s.Facts.MayStop(q)
		if !v.OK() {
			if o.Blocked.Code == "" {
				o.Blocked = v
				actions = append(actions, o.evacuate(v, s)...)
			}
			if v.Code == TurnTaken && len(q.Down) >= o.Policy.maxUnavailable() {
				break
			}
			continue
		}
		o.Todo = slices.DeleteFunc(o.Todo, func(t NodeID) bool { return t == id })
		o.Rolls = append(o.Rolls, begin(v, s.Now))
		if v.Code == Ended {
			last := &o.Rolls[len(o.Rolls)-1]
			actions = append(actions, last.act(StartNode, s.Now)...)
		}
	}
	return actions
}

// leadsOthers reports whether a node leads the quorum while other voters are still to go, or is
// the controller that ZooKeeper elected while other brokers are: it goes last.
func (o *Rollout) leadsOthers(id NodeID, f *Facts) bool {
	return id == f.Quorum.Leader && slices.ContainsFunc(o.Todo, func(other NodeID) bool {
		_, votes := f.Quorum.voter(other)
		return (votes || f.Quorum.Elected) && other != id
	})
}

// evacuate wants the fragile partitions of a node moved when that is all that keeps it and
// nobody else is at work.
func (o *Rollout) evacuate(v Verdict, s Sight) []Action {
	if v.Code != MoveFirst || len(o.Rolls) > 0 || !s.Facts.Asked.After(o.Moving) {
		return nil
	}
	o.Moving = s.Now
	return []Action{{Kind: MoveReplicas, Node: v.Node, Moves: s.Facts.Evacuate(v.Node, nil)}}
}
