// Package plans is the structure of work: plans of phases of steps, with the strategies that
// order them.
//
// A Plan says what there is to do; it holds no status. What state each step is in is asked of
// the caller, and what an operator said of it (interrupted, forced complete, canary steps
// released) is a value, Overrides, that the caller keeps. From these, Assess derives the
// status of every phase and plan, and which steps may be worked on now.
//
// Invariants
//
//  1. No status is stored: Assess of the same values gives the same answer.
//  2. A step is a candidate at most once, and only when everything that its strategies put
//     before it is complete.
//  3. Names are unique among the steps of a phase; ids are stable for ever, because they are
//     derived from the names.
//
// # Strategies
//
// Serial works on one child after the other, parallel on all at once. Canary strategies are
// those of phases that begin with two steps for which the operator is asked, one by one: until
// the first release nothing of the phase is a candidate, after it the one step, after the
// second everything that the strategy without canary would offer. Overrides.Release carries
// out a release and is the only thing that needs to know which step is meant; an operator's
// "continue" of a phase is a Release if that holds a canary. Dependency is explained where it
// is declared.
//
// An error in a phase stops that phase; an error of the plan itself (a configuration that was
// refused) only shows. The children of what is interrupted keep their own statuses, and what
// runs already goes on.
//
// Parent statuses follow the predecessor's rules, which clients read. Tested by stories in
// testdata for every strategy and by properties.
package plans
