// Package scheduler is THE MACHINE: the whole behaviour of the scheduler as one function,
// Step(time, event) -> output, over one state.
//
// It never waits, never asks the time, never starts a goroutine and never does IO. All that it
// wants from the world is a value in its Output, and all that it learns of the world is an
// Event: what Mesos says, what Kafka answers, what an operator commands, and that time passed.
// One loop (internal/loop) owns it.
//
// # The contract of Output
//
// The loop carries an Output out in this order. It may join the Outputs of several events, one
// behind the other, and carry them out as if they were one; else nothing of the next event may
// start before the first part is done:
//
//  1. Writes are stored, all of them in one atomic batch. If that fails, the process ends:
//     the machine has already moved on, and only a restart from the store is true again.
//  2. Calls are sent, in order, and never awaited. What they lead to comes back as events.
//  3. View replaces the picture that readers see.
//  4. Replies go to those who wait for a command's answer, and who then look at that picture.
//  5. Notes go to the log and the counters.
//
// So nothing is visible before it is durable: a task is stored before it is launched, a status
// update is acknowledged only after it is stored.
//
// # Hard and soft state
//
// Hard is what the store holds; Restore of it gives a machine that, after the full pass which
// follows each subscription, does what the old one would have done. Everything else (offers,
// back-off of questions, reconciliation under way, refusals) is soft and rebuilt.
//
// # Level, not edge
//
// A Step applies its event to the state. On a Tick, and on offers, which are used or declined in
// the Step that brings them, it then runs the pass: compare desired with observed for every pod
// instance that something may have happened to (visit.go), in sorted order, and emit what is
// missing. After a start, a subscription or a command that is all of them, and the simulation
// compares a machine with one that always looks at all. After any other event NextWake asks for a
// Tick at once, so that a burst of events costs one pass, and a command that is taken back before
// anything came of it leaves no trace. A lost event costs time, never correctness.
//
// # Invariants (invariant.go checks them with every picture)
//
//  1. A pod instance has at most one live task per task name.
//  2. Every launched task is in Hard, with the reservation that it runs on.
//  3. A reservation belongs to one pod instance or to the leftovers, never to both.
//  4. No two instances hold the same volume; a volume is destroyed only as a leftover.
//  5. The cluster is founded at most once: see KafkaCluster.
//
// Tested by stories in testdata (one scenario a file), by crash-and-restore at every step of
// them, and by the simulation in internal/sim.
package scheduler
