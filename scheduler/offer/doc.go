// Package offer fits one pod requirement to offers: what to reserve, create and hand to which
// task, or why nothing fits.
//
// A Table holds the offers in hand, those of one agent put together, and Table.Evaluate fits a
// Requirement into it; Table.Take then takes away what was matched, for the next one. A pod that
// has never been placed may go to any agent that its placement rule allows, and the best one is
// chosen, not the first. A pod that holds a reservation goes back to it: the same agent, the same
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
//  1. A Match uses no more than its offers hold: Used and Remaining add up to them exactly.
//  2. The result depends neither on the order of the offers, nor on how what an agent offers is
//     split into several; ties are broken by agent id.
//  3. Revocable and shared resources, those of resource providers and of other roles, and those
//     that anybody has reserved but a role above ours, are never used for a new place.
//  4. Every refusal names at least one reason for every agent that was asked.
//  5. Once the operations of a Match are carried out, the same needs with its Sets as Kept need no
//     operation any more, and get the same.
//  6. A volume is destroyed only when its set is dropped or its path is wanted no more, and no
//     new one takes the place of one that was seen and is missing.
//  7. Reasons are found out, and put into words, when somebody asks for them, and then tell of
//     the moment of the refusal.
//  8. What a Table remembers changes no answer: a new one of what is left gives the same.
//
// Speed comes from asking little: requirements that differ in names only are of one shape, a shape
// looks at an agent once until something is taken of it, what rules want to know of neighbours are
// counters that are kept while places come and go (placement.Crowd), and only the best agent is
// fitted piece by piece.
//
// It does not know the instance's state, and does not free what is left over of other
// reservations; it only never uses it.
//
// Tested by stories in testdata (text in, text out; -rewrite renews them) and by properties
// over random offers and changes: a match is exact, what was reserved is returned to, a refusal
// is honest, nothing depends on how offers come or on what is remembered.
package offer
