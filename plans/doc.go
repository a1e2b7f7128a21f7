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
// Parent statuses follow the predecessor's rules, which clients read. Tested by stories in
// testdata for every strategy and by properties.
package plans
