package placement

import "strings"

// Preference is a soft constraint: agents that its expression allows are better by its weight.
type Preference struct {
	Placement Expr `json:"placement"`
	Weight    int  `json:"weight"`
}

// Equal says whether two preferences are written the same.
func (p Preference) Equal(o Preference) bool {
	return p.Weight == o.Weight && p.Placement.Equal(o.Placement)
}

// Score adds up the weights of the preferences that an agent meets, so that of the agents that
// a rule allows the one with the highest score is taken.
func Score(preferences []Preference, a Agent, peers []Agent) int {
	return NewScorer(preferences, peers).Score(a)
}

// Scorer is a list of preferences that is ready for any number of agents; the zero one likes
// all the same.
type Scorer struct {
	judges  []ExprJudge
	weights []int
	counts  bool
}

// NewScorer prepares preferences: peers are counted and regular expressions compiled once.
func NewScorer(preferences []Preference, peers []Agent) Scorer {
	return NewScorerIn(preferences, NewCrowd(peers...))
}

// NewScorerIn prepares preferences with peers that come and go, as Rule.JudgeIn does.
func NewScorerIn(preferences []Preference, peers *Crowd) Scorer {
	var s Scorer
	for _, p := range preferences {
		s.judges = append(s.judges, p.Placement.JudgeIn(peers))
		s.weights = append(s.weights, p.Weight)
		s.counts = s.counts || p.Placement.counts()
	}
	return s
}

// Counts says whether scores depend on peers, so that they change when these do.
func (s Scorer) Counts() bool { return s.counts }

// Score gives what the function Score does.
func (s Scorer) Score(a Agent) int {
	score := 0
	for i, judge := range s.judges {
		if judge.Evaluate(a).Allowed {
			score += s.weights[i]
		}
	}
	return score
}

// Explain tells in lines what an expression says of an agent: each part after its parent and
// further right, with "yes" or "no" before it and the reason of a refusal behind it.
func (e Expr) Explain(a Agent, peers []Agent) string {
	var b strings.Builder
	e.Judge(peers).explain(&b, a, "")
	return b.String()
}

func (j ExprJudge) explain(b *strings.Builder, a Agent, indent string) {
	if j.op == "" {
		for i := range j.leaf.tests {
			t := &j.leaf.tests[i]
			reason := t.refuse(a.values(t.Field))
			line(b, indent, reason == "", t.Constraint.String(), reason)
		}
		if len(j.leaf.tests) == 0 {
			line(b, indent, true, "every agent", "")
		}
		return
	}
	line(b, indent, j.Evaluate(a).Allowed, string(j.op), "")
	for _, arg := range j.args {
		arg.explain(b, a, indent+"  ")
	}
}

func line(b *strings.Builder, indent string, yes bool, what, reason string) {
	word := "no  "
	if yes {
		word = "yes "
	}
	b.WriteString(word + indent + what)
	if reason != "" {
		b.WriteString(": " + reason)
	}
	b.WriteByte('\n')
}
