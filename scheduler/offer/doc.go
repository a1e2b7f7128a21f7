// Package offer fits one pod requirement to offers: what to reserve, create and hand to which
// task, or why nothing fits.
//
// Evaluate is a pure function of a Requirement and the offers in hand. A pod that has never
// been placed may go to any agent that its placement rule allows, and the best one is chosen,
// not the first. A pod that holds a reservation goes back to it: the same agent, the same
// ports, the same volumes, and nothing is reserved again.
//
// The answer is a Match, which the caller turns into operations of one ACCEPT, or a Refusal: a
// tree of reasons per agent, with amounts, that prints as one sentence.
//
// Invariants
//
//  1. A Match uses no more than its offer holds: Used and Remaining add up to it exactly.
//  2. The result does not depend on the order of the offers; ties are broken by agent id.
//  3. Revocable and shared resources, and those of other roles, are never used.
//  4. Every refusal names at least one reason for every agent that was asked.
//
// Tested by stories in testdata and by properties over random offers.
package offer
