// Package sim is a test: a seeded, faulty, virtual world around the production machine of
// package scheduler.
//
// A world has one thread, one clock that jumps from event to event, and one source of chance; it
// is thrown away in the end, and several of them run at a time. Around the real
// scheduler.Machine stand models of all that it meets: a store that applies the writes of a
// step as one batch, a master with agents (offers, filters, reservations, volumes, executors,
// status updates that are sent again until they are acknowledged), a Kafka cluster (formatted
// volumes, voters, registration), the servers of ZooKeeper, and an operator. The models are strict
// where Mesos is strict and lax where Mesos is lax, because a machine that passes must be right
// about both.
//
// # A run
//
// A seed draws the service first: a Kafka cluster, maybe with another pod beside it, or pods of
// all kinds of tasks (jobs that run once, tasks that share resources in turn, tasks that are not
// essential), with plans of all kinds (steps of some tasks only, canaries, an update plan, plans
// that are started).
//
// Then comes the safety phase: for some virtual minutes anything may fail, as the seed draws it.
// The scheduler crashes before its writes, behind them, or between two calls; updates are lost,
// doubled and late; tasks die; executors linger; agents are cut off, declared unreachable, come
// back or reboot; the master fails over; offers are rescinded; operations are dropped; Kafka
// answers late, wrongly or not at all; the operator commands anything that can be commanded:
// pods are restarted, replaced, moved, paused; plans are started with parameters, stopped,
// interrupted, forced, done again; the configuration grows, shrinks, changes and goes back; Kafka
// is upgraded, which is paused, finalized and rolled back, to a release that may not even start; or
// it has its metadata in ZooKeeper, and is migrated to controllers, which is paused, finalized and
// rolled back, too.
//
// Then all faults stop, the operator continues all that he held up and every plan that he once
// began, and liveness must follow: within a bounded time every plan is complete, what runs is
// what the target says, nothing is reserved that belongs to nobody, and no offer is kept. After
// an uninstall nothing is left.
//
// # What it is not
//
// It does not test the loop, the wire or any real process: localmesos and the end-to-end tests
// do. It knows the machine only by Step, NextWake and Restore.
//
// # Checkers
//
// Each file check_*_test.go holds one property; it watches every step and every change of the
// models and reports the first breach. A breach prints the seed, the command that repeats it,
// and the last lines of the trace, in the text forms of package scheduler.
//
// # Invariants
//
//  1. A run is a function of its seed: same seed, same trace (a test says so).
//  2. A model never looks into the machine, and a checker never changes a model.
package sim
