// Package placement is the placement language: rules on which agent a pod may run.
//
// A Rule is parsed from the Marathon-style text that specs carry (JSON rows or the comma
// form), printed back to it, and evaluated against one agent and the other instances of the
// pod that already have a place. A refusal is a value with its reason.
//
// It sits on the lowest floor: it knows agents only as the Agent values declared here.
//
// Tested by tables for every operator, by the round trip of parse and print, and fuzzed.
package placement
