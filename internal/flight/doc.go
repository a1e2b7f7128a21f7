// Package flight is the flight recorder: it keeps what a machine was given, so that what it did
// can be done again, elsewhere, step by step.
//
// The machine is a function of its state and its events. So a recording has the durable state that
// a machine began with and each event since, with the time that it was stamped with and the random
// ids that were drawn in its step. It is replayed by a machine that is given all this again. What
// came out is not kept but for a sum of each step's writes and calls, by which a replay knows that
// it does the same.
//
// # Segments
//
// A recording is a folder of segments, each of which can be replayed alone: it begins with a state
// from which the machine was restored. A process begins one when it starts; when it is full, the
// next begins with a machine that is restored from the state of that moment, as after a crash,
// which changes nothing that matters (scheduler/doc.go). The oldest go when all of them take more
// room than they may.
//
// # The form
//
// A segment is a gzip file of lines. Each step is what it was given, in a line with its text form
// for people and its JSON for machines, and what came of it:
//
//	kafka-sched recording 1
//	config {…}
//	state pod/kafka-0 {…}
//	event 2026-11-22T00:12:00.5Z Mesos/Rescinded {"Offer":"o1"} rescinded o1
//	draws 8f2c… 0b1a…
//	made writes=2 calls=1 sum=5f0e27c1a2b3c4d5
//	end 0123456789abcdef
//
// "end" has the sum of the state that it ends with, "crash" what the machine panicked with. Where
// both are missing the process was killed; what it had done is there all the same.
//
// A recording holds what the state holds, and is readable by its owner alone. Redact makes a copy
// for others: without what looks like a secret, and with the sums of what a machine does then.
package flight
