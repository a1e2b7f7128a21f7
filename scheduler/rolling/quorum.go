package rolling

import "slices"

// led wants controllers that have a leader: without one nobody takes a leader's place, and no
// broker that comes back is let in.
func (q *inquiry) led() *Verdict {
	if q.Quorum.Leader == None || len(q.Quorum.Voters) == 0 && !q.Quorum.Elected {
		return q.verdict(Wait, NoLeader)
	}
	return nil
}

// caughtUp is the number of voters that answer, are up to date, and neither gone nor about to go.
func (q *inquiry) caughtUp() int {
	n := 0
	for _, v := range q.Quorum.Voters {
		if v.Behind >= 0 && v.Behind <= q.Policy.maxBehind() && !v.Answered.Before(q.Asked) &&
			!slices.Contains(q.gone, v.ID) && !slices.Contains(q.Fading, v.ID) {
			n++
		}
	}
	return n
}

// majority is how many of some voters have to agree.
func majority(voters int) int { return voters/2 + 1 }

// joining are those that are about to vote and do not yet.
func (q *inquiry) joining() []NodeID {
	var list []NodeID
	for _, id := range q.Joining {
		if _, votes := q.Quorum.voter(id); !votes {
			list = append(list, id)
		}
	}
	return list
}

// majority wants the quorum to live on without the node. With one voter or two it never does;
// then it is enough that the other one, if there is one, has everything, unless there are about to
// be more.
func (q *inquiry) majority() *Verdict {
	if _, votes := q.Quorum.voter(q.Node); !votes {
		return nil
	}
	have, need := q.caughtUp(), majority(len(q.Quorum.Voters))
	joining := q.joining()
	if len(q.Quorum.Voters)+len(joining) <= 2 {
		need = len(q.Quorum.Voters) - 1
		q.pauses = true
	}
	if have >= need {
		return nil
	}
	v := q.verdict(Wait, QuorumLost)
	v.Have, v.Need = have, need
	for _, id := range joining {
		v.add(Cause{Partition: -1, Node: id})
	}
	return v
}
