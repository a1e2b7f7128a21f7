// Package e2e runs the whole of kafka-sched as an operator does: the built binary, its command
// line, real agents' processes, real Kafka brokers. It has no code but tests, behind the build
// tag "e2e", because they need Java and Maven and take minutes: make e2e runs them.
//
// Every test has a home folder of its own, ends what it started, and checks afterwards that no
// process, file or port of it is left.
package e2e
