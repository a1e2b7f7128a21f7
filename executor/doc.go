// Package executor is the machine that runs on an agent, one per pod instance: task commands
// and process exits go in, effects come out.
//
// It is pure, like package scheduler: Machine.Step takes one event with the time stamped on it
// and returns the effects to carry out (start a process, signal a group, run a check, send a
// status update, exit) and when it wants the next tick. Package executor/supervise does what
// the effects say. It never sees package scheduler; what the two share is the Order, which
// travels in a task's data field.
//
// Invariants
//
//  1. A task is started at most once; a second launch of the same id is answered with the
//     task's latest status, never with a second process.
//  2. Updates of one task leave in order: one leaves only when the agent acknowledged the one
//     before, which a Mesos agent does as soon as it has it (it does not wait for the
//     scheduler). Each is kept, and sent again, until it is acknowledged; a new subscription
//     presents all that are not.
//  3. The last update of every task is terminal, and nothing follows it.
//  4. The executor exits only when no process of a task is alive and each terminal update was
//     acknowledged, or the executor was told to end, or its agent stayed away longer than the
//     recovery timeout; in these cases it waits for the acknowledgements for five seconds at
//     most, and only if there is an agent to expect them from.
//  5. At most one run of a task's readiness check and one of its health check are out at a
//     time, and none once the task is being ended.
//
// Where it differs from the executors of Mesos itself: a task that is ended for its health has
// failed (Mesos says killed); a second kill with a shorter grace period hurries the first;
// a second launch of the same task is answered instead of being an error.
//
// Tested by stories in testdata (text in, text out) and by properties over random events.
package executor
