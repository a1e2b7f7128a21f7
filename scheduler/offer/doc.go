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
//  3. Revocable and shared resources, those of resource providers and of other roles, and those
//     that anybody has reserved but a role above ours, are never used for a new place.
//  4. Every refusal names at least one reason for every agent that was asked.
//  5. No text is made before it is asked for: reasons hold values, and the String methods of
//     Refusal and Reason turn them into sentences. Only the sentence of a placement rule is
//     made at once.
//
// It does not know the instance's state, keeps nothing between calls, and does not free what
// is left over of other reservations; it only never uses it.
//
// Tested by stories in testdata (text in, text out; -rewrite renews them) and by properties
// over random offers: a match is exact, what was reserved is returned to, a refusal is honest.
package offer
