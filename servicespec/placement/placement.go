package placement

// Rule is a conjunction of constraints; the zero Rule allows every agent.
type Rule struct{ Constraints []Constraint }

// Constraint is one row: a field of the agent, an operator, a parameter.
type Constraint struct {
	Field    string // "hostname", "@region", "@zone", or an attribute's name
	Operator Operator
	Param    string // "" where the operator takes none
}

// Operator compares a field with a parameter, or with the places of the pod's other instances.
type Operator string

// The operators, as Marathon and the predecessor spell them.
const (
	Unique  Operator = "UNIQUE"
	MaxPer  Operator = "MAX_PER"
	Cluster Operator = "CLUSTER"
	Is      Operator = "IS"
	IsNot   Operator = "IS_NOT"
	Like    Operator = "LIKE"
	Unlike  Operator = "UNLIKE"
	GroupBy Operator = "GROUP_BY"
)

// Agent is what a rule can ask of an agent.
type Agent struct {
	Hostname   string
	Region     string
	Zone       string
	Attributes []Attribute
}

// Attribute is one attribute of an agent; a name may occur more than once.
type Attribute struct{ Name, Value string }

// Verdict is the outcome for one agent; when it is not allowed, Constraint is the one that
// refused it and Reason a sentence.
type Verdict struct {
	Allowed    bool
	Constraint Constraint
	Reason     string
}
