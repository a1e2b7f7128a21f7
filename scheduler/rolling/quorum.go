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

// majority wants the quorum to live on without the node. With one voter or two it never does;
// then it is enough that the other one, if there is one, has everything.
func (q *inquiry) majority() *Verdict {
	if _, votes := q.Quorum.voter(q.Node); !votes {
		return nil
	}
	have, need := q.caughtUp(), majority(len(q.Quorum.Voters))
	if len(q.Quorum.Voters) <= 2 {
		need = len(q.Quorum.Voters) - 1
		q.pauses = true
	}
	if have >= need {
		return nil
	}
	v := q.verdict(Wait, QuorumLost)
	v.Have, v.Need = have, need
	return v
}
