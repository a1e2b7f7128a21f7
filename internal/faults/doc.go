// Package faults keeps the list of faults that a scheduler of Kafka on Mesos meets, and the list of
// what users of other operators of Kafka complain about, and finds the tests that name them.
//
// A test names a fault or a complaint by its number: "F12" or "C3" in the comment of a Go test, or
// in the first comment of a story or of another text below a testdata folder. The test of this
// package makes the tables in docs/reliability.md of that, and demands that they are up to date
// and that nothing is without a test. `make faults` prints them.
package faults
