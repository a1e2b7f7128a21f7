// Package offer fits one pod requirement to offers: what to reserve, create and hand to which
// task, or why nothing fits.
//
// Evaluate is a pure function of a Requirement and the offers in hand. A pod that has never
// been placed may go to any agent that its placement rule allows, and the best one is chosen,
// not the first. A pod that holds a reservation goes back to it: the same agent, the same
// volumes, the same ports as far as they still do. What its resource sets need more is reserved
// beside what they have, what they need less is given back, and a set that the spec has no more
// is freed; all in the ACCEPT that launches.
//
// Each reserved resource has an id of its own (ResourceID), by which it is found again. The
// record of a reservation is written before the ACCEPT is sent, which may be lost, so the record
// is what was meant, and the offer is what is there; kept.go says how the two are brought
// together.
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
//  5. Once the operations of a Match are carried out, the same needs with its Sets as Kept need no
//     operation any more, and get the same.
//  6. A volume is destroyed only when its set is dropped or its path is wanted no more, and no
//     new one takes the place of one that was seen and is missing.
//  7. No text is made before it is asked for: reasons hold values, and the String methods of
//     Refusal and Reason turn them into sentences. Only the sentence of a placement rule is
//     made at once.
//
// It does not know the instance's state, keeps nothing between calls, and does not free what
// is left over of other reservations; it only never uses it.
//
// Tested by stories in testdata (text in, text out; -rewrite renews them) and by properties
// over random offers and changes: a match is exact, what was reserved is returned to, a refusal
// is honest.
package offer
