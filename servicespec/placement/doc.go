// Package placement is the placement language: rules on which agent a pod may run.
//
// A Rule is parsed from the Marathon-style text that specs carry (JSON rows or the comma
// form), printed back to it, and evaluated against one agent and the other instances of the
// pod that already have a place. A refusal is a value with its reason.
//
// An Expr combines rules by all, any and not, and a Preference makes agents better instead of
// possible; Explain tells part by part what an expression says of an agent.
//
// It sits on the lowest floor: it knows agents only as the Agent values declared here.
//
// Invariants
//
//  1. Parse(r.String()) is r, for every rule r that Parse gives, and a Rule is plain data: it
//     can be compared and stored.
//  2. Instances are counted, never tasks, and only those that the caller names as peers.
//  3. The order of peers and of an agent's attributes does not matter.
//
// Tested by tables for every operator, by the round trip of parse and print, and fuzzed.
package placement
