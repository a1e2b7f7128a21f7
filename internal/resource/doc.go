// Package resource does the arithmetic of Mesos resources: thousandths of a scalar, ranges,
// sets, and who has reserved what.
//
// It is the lowest floor of the project and knows nothing but numbers and names. Nothing here
// can go negative: a subtraction of what is not contained is reported, never carried out.
//
// Invariants
//
//  1. A Milli holds a Mesos scalar exactly: Mesos itself rounds to three decimals
//     (src/common/values.cpp), so sums of Milli never drift as floats do.
//  2. Ranges are always normal: sorted, disjoint, with no two of them adjacent.
//  3. Two Resources are addable when they differ in quantity alone (Mesos:
//     src/common/resources.cpp, `addable`); a disk with a persistence id is addable to nothing.
//  4. Lists are values: every method gives a new list and leaves its receiver as it is, and
//     none depends on how a quantity is split over entries.
//
// Tested by tables and by properties (pgregory.net/rapid): (a + b) - b = a, a - b is refused
// exactly when b is not contained in a, and print and parse are inverse (List.String says
// what the text form leaves out). ParseList is fuzzed.
package resource
