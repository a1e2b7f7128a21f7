// Package rolling answers one question: may this broker go down now?
//
// The answer is a Verdict, made from Facts and a Request and from nothing else: allowed, wait (it
// will change by itself), or refused (somebody has to decide something), with a code for
// programs, a sentence for people, and the first few of the partitions, topics and nodes that are
// the cause. Beside it stand the verdicts for replacing a node and for letting it go, the topics
// that no roll can keep available (Forecast), which leaders move before a stop and after a start
// (Drain, Preferred), and the roll itself as a state machine without clock and hands: Roll for one
// node, Rollout for all of them.
//
// The way through the package: facts.go is what is known, builder.go how it is put together from
// several brokers' answers, verdict.go the form of the answer, stop.go the rules of a stop,
// quorum.go those of the controllers, leave.go those of replacing and leaving, forecast.go and
// leaders.go what is planned beforehand, roll.go and rollout.go the machine.
//
// # Rules of a stop
//
//  1. What is not known counts as no: facts that are old, a single answer where two could be had,
//     answers that differ, a topic whose min.insync.replicas nobody told, an answer of a broker
//     that has not heard of the latest metadata.
//  2. A node whose process has ended may be started. A broker that is in no ISR, or fenced, takes
//     nothing with it and may always be stopped, unless the quorum needs its controller.
//  3. Every partition keeps at least min.insync.replicas without the node and without those that
//     are down because of us already. Partitions that can never do that (replicas <= minimum)
//     are a matter of choice: move them first, allow, or refuse.
//  4. Every other broker has answered since the facts were asked for. The ISR is up to 30 seconds
//     late, and a broker that hangs is still in it.
//  5. No partition is offline, but where only the node itself is missing; none of the node's
//     partitions is being reassigned.
//  6. The caught-up voters without the node are a majority. One voter alone, and one of two,
//     may go all the same, and the verdict says that the controllers pause.
//  7. More than one at a time only within one rack, up to max-unavailable, and never nodes that
//     are voters too.
//
// # Patience
//
// A roll never gives up. It waits as long as a verdict says so, and the reason is there to be seen.
// A node that does not come back within its patience halts everything behind it: what is down
// because of us is never more than allowed. Progress of any kind - logs recovered, partitions
// caught up - begins the patience anew, and a node that comes back after all ends the halt.
//
// # What it is not
//
// It asks nobody, moves nothing, and does not know Mesos: internal/brokers asks, the machine of
// package scheduler acts. Whether a maintenance window is open and whether an operator holds the
// plan is decided there too.
//
// # Tests
//
// Tables of named cases, one for each way in which rolling restarts are known to go wrong; and a
// simulated Kafka with failures that knows nothing of the rules above: `make roll-safety` rolls a
// hundred thousand random clusters and counts the partitions that went under their minimum
// because of a stop, and the rolls that did not end after the failures had ended.
package rolling
