// Package faults keeps the list of faults that a scheduler of Kafka on Mesos meets, and finds the
// tests that name them.
//
// A test names a fault by its number: "F12" in the comment of a Go test, or in the first comment
// of a story or of another text below a testdata folder. The test of this package makes the table
// in docs/reliability.md of that, and demands that it is up to date and that no fault is without a
// test. `make faults` prints it.
package faults
