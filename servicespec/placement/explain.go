package placement

import "strings"

// Preference is a soft constraint: agents that its expression allows are better by its weight.
type Preference struct {
	Placement Expr `json:"placement"`
	Weight    int  `json:"weight"`
}

// Score adds up the weights of the preferences that an agent meets, so that of the agents that
// a rule allows the one with the highest score is taken.
func Score(preferences []Preference, a Agent, peers []Agent) int {
	score := 0
	for _, p := range preferences {
		if p.Placement.Evaluate(a, peers).Allowed {
			score += p.Weight
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
