// Package loop owns the machine: one goroutine takes events from one inbox, stamps them with
// the time, gives them to scheduler.Machine, and carries its output out in the order that
// package scheduler's doc.go demands.
//
// It is the only place where the machine meets the world, and it decides nothing. Writes are
// stored before anything else leaves; if that fails, Run returns the error and the process
// must end. Calls are handed to the Mesos client's queue and to Kafka's asker, and never
// awaited. The view goes into an atomic pointer, from which any number of readers take it
// without a lock, and a channel says that there is another one. Replies go to the callers of Do.
//
// Events that wait already when one is taken are given to the machine too, up to a bound, and
// their outputs are carried out as one: one transaction, one picture. A tick that the machine wants
// at once waits a millisecond, or three times as long as the latest tick took, and no longer,
// whatever comes; it is behind what came meanwhile.
//
// Invariants
//
//  1. Step is called by one goroutine, with times that never go back.
//  2. No call of a Step leaves before all of its writes, and those of the Steps before, are
//     durable.
//  3. A caller of Do gets exactly one reply, or its context's error, or ErrStopped.
//  4. Whoever has a reply finds its effect in the view.
//
// Tested with a real machine, an in-memory store that can fail, and recorded calls.
package loop
