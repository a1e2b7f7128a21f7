package placement

import (
	"fmt"
	"regexp/syntax"
)

// The bounds of one rule or expression, which keep its evaluation small.
const (
	maxConstraints  = 1_000
	maxInstructions = 20_000 // of all regular expressions together
)

// checkSize refuses rules that would take too much memory to evaluate.
func checkSize(constraints []Constraint) error {
	if n := len(constraints); n > maxConstraints {
		return fmt.Errorf("it has %d constraints; at most %d are allowed", n, maxConstraints)
	}
	sum := 0
	for _, c := range constraints {
		if c.Operator != Like && c.Operator != Unlike {
			continue
		}
		tree, err := syntax.Parse(c.Param, syntax.Perl)
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		if sum += instructions(tree); sum > maxInstructions {
			return fmt.Errorf("the regular expressions are too large: what they repeat comes to "+
				"more than %d characters, at %s", maxInstructions, c)
		}
		if _, err := compile(c.Param); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

// instructions is about how many instructions an expression is compiled to, as what is repeated
// so many times is written out so many times.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(1, re.Min+1, re.Max)
	}
	return min(n, 2*maxInstructions)
}

// Constraints gives all of an expression.
func (e Expr) Constraints() []Constraint {
	all := e.Rule.Constraints
	for _, arg := range e.Args {
		all = append(all[:len(all):len(all)], arg.Constraints()...)
	}
	return all
}
