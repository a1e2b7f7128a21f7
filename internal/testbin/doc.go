// Package testbin builds kafka-sched for tests that run the program itself.
package testbin
