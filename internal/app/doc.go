// Package app wires the parts into the three programs that kafka-sched can be and manages
// their lives: the scheduler, the embedded Mesos, and the executor.
//
// It holds no decisions of its own: it opens the store, listens, joins package loop with the
// wire, the API and the metrics, and ends everything when the first part ends. Each program
// runs in-process just as well, which is how tests run them.
//
// Of several schedulers that share a state in ZooKeeper one leads. The others stand by at their
// own addresses and hand requests on to it; one that leads no more ends its process.
//
// Each daemon holds an exclusive lock on a file in its folder for as long as it lives, so that
// two of them never share one, and announces itself in a small JSON file beside it.
//
// Tested end to end by package e2e with real brokers. The tests here run small services of
// shells on an embedded Mesos in the same process: a whole life, a scheduler that is killed while
// it deploys, tasks that fail, and what can go wrong at start.
package app
