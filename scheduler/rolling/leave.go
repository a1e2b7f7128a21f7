package rolling

// MayReplace answers whether a node may lose its place and its data: every partition has to keep
// its minimum on others, and all that is on the node has to be on another broker in sync. What
// was chosen for fragile partitions does not count here, as their data would not come back.
func (f *Facts) MayReplace(r Request) Verdict {
	q := newInquiry(f, r)
	checks := []func() *Verdict{q.fresh, q.led, q.confirmed, q.turn, q.survives}
	if r.Role == BrokerRole {
		checks = append(checks, q.agreed, q.kept, q.othersUp, q.othersAnswered, q.settled,
			q.enough)
	} else {
		checks = append(checks, q.othersUp, q.othersAnswered)
	}
	if v := first(checks...); v != nil {
		return *v
	}
	return *q.verdict(Allowed, Safe)
}

// survives wants a majority of the present voters without the node, as its vote is lost with
// its volume and the others have to let the new one in.
func (q *inquiry) survives() *Verdict {
	if _, votes := q.Quorum.voter(q.Node); !votes {
		return nil
	}
	have, need := q.caughtUp(), majority(len(q.Quorum.Voters))
	if have >= need {
		return nil
	}
	v := q.verdict(Wait, QuorumLost)
	if len(q.Quorum.Voters) <= 2 {
		v.Answer = Refused
	}
	v.Have, v.Need = have, need
	return v
}

// kept wants another replica in sync of everything on the node.
func (q *inquiry) kept() *Verdict {
	v := q.verdict(Wait, DataLost)
	for p := range q.hosted(q.Node) {
		if q.inSyncWithout(p, q.gone) == 0 {
			v.add(q.cause(p))
			if p.count == 1 {
				v.Answer = Refused
			}
		}
	}
	return objection(v)
}

// enough wants each partition's minimum on others, even where the node is not in sync: the data of
// a replaced node takes long to come back. Only where there is no such minimum without the node
// does it do no harm to replace one that is out of sync.
func (q *inquiry) enough() *Verdict {
	unknown, under := q.verdict(Wait, MinISRUnknown), q.verdict(Wait, UnderMinISR)
	for p := range q.hosted(q.Node) {
		c := q.cause(p)
		c.Have, c.Need = q.inSyncWithout(p, q.gone), q.minISR(p)
		switch {
		case c.Need == 0:
			unknown.add(Cause{Topic: c.Topic, Partition: -1, Node: None})
		case q.fragile(p) && !q.inSyncOn(p, q.Node): // it misses the node already
		case c.Have < c.Need:
			under.add(c)
			if q.fragile(p) {
				under.Answer = Refused
			}
		}
	}
	if unknown.Count > 0 {
		return unknown
	}
	return objection(under)
}

// MayLeave answers whether a node may be taken away for good: nothing is left on it.
func (f *Facts) MayLeave(r Request) Verdict {
	q := newInquiry(f, r)
	if v := first(q.fresh, q.led, q.confirmed, q.noVoter, q.noReplicas); v != nil {
		return *v
	}
	return *q.verdict(Allowed, Empty)
}

// noVoter wants the node to be no voter any more.
func (q *inquiry) noVoter() *Verdict {
	if _, votes := q.Quorum.voter(q.Node); votes {
		return q.verdict(Wait, VoterLeft)
	}
	return nil
}

// noReplicas wants no partition on the node, in any answer.
func (q *inquiry) noReplicas() *Verdict {
	v := q.verdict(Wait, ReplicasLeft)
	for p := range q.hosted(q.Node) {
		v.add(q.cause(p))
	}
	return objection(v)
}
