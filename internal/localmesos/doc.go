// Package localmesos is an embedded Mesos for one machine: one master and any
// number of agents in one process, speaking the Mesos v1 HTTP API (scheduler,
// executor and operator) over real HTTP and running real processes.
//
// # What it is
//
// A framework that talks to it cannot tell it from a small Mesos cluster: the
// URLs, status codes, error texts, event order and field presence follow the
// recordings in testdata, which were taken from a real master. Both
// application/json and application/x-protobuf are understood and answered.
// Reservations (with labels, principals and the reservation stack), persistent
// volumes, custom executors, the URI fetcher with its cache, sandboxes with
// their files API, status updates with re-sends, operation feedback,
// reconciliation, framework failover, the command and the default executor with
// their checks, maintenance with inverse offers, draining, quota guarantees and
// limits, weights, offer constraints (of calls in JSON), HTTP Basic
// authentication: all are real.
//
// # What it is not
//
// It knows nothing of any framework. It has one master, no isolation beyond
// process sessions, no limits on what a task uses, no images, no containers that
// the agent manages inside of an executor's, no resource providers, and none of the
// endpoints from before the v1
// API. docs/mesos-conformance.md lists every departure from the recordings.
//
// It listens where it is told, which should be loopback addresses.
//
// # How it works
//
// One goroutine, the loop (loop.go), owns every piece of state, of the master
// and of all agents. HTTP handlers, timers, process watchers and helpers that
// touch the disk post closures to its inbox. A closure changes state, marks
// records as dirty and queues effects; then the loop commits all dirty records
// in one bbolt transaction, and only then runs the effects: events to streams,
// replies to callers, processes to start, directories to rename. Nothing can be
// seen from outside before it is on disk.
//
//	HTTP handlers --+
//	timers ---------+--> inbox --> loop --> commit --> effects (events, replies,
//	process exits --+                                  processes, directories)
//	disk helpers ---+
//
// # Faults
//
// With Config.Faults the master's address also takes orders to misbehave, at FaultsPath: agents
// that die, freeze, are cut off, lose power, reboot, are drained or removed; a master that fails
// over; updates that are lost, late, doubled or out of order; operations that are refused,
// launches that are lost, offers that are rescinded. A POST of a Fault as JSON carries one out:
//
//	{"action": "kill-agent", "agent": "agent-1", "for": "2m", "timeout": "15s"}
//	{"action": "failover", "election": "10s", "for": "1s", "rejoin": "2s"}
//	{"action": "drop-updates", "count": 3, "of": "task", "match": "kafka-1"}
//	{"action": "refuse-operations", "operation": "RESERVE", "state": "DROPPED"}
//
// and a GET shows what is wrong. What a framework sees of each is what it sees of a real master
// and real agents: which events, in which order, with which words (faults_test.go). The master
// of this process knows what its agents know, so a fault keeps the two apart: an agent has an
// outage while the master does not hear it, and what either would have said waits there, or is
// lost. A restart of the process ends all faults.
//
// # Simulation
//
// With Config.Simulate nothing runs: ten thousand agents and their tasks are records and timers
// (simulated.go). It is for benchmarks, and to try a spec against a large cluster, and stores its
// state when it ends in order.
//
// # Invariants
//
//  1. Durable before visible: an effect runs after the commit of the step that
//     queued it. A failed commit ends the cluster (Wait returns the error).
//  2. Per agent, offered + used resources never exceed the total; arithmetic is
//     in thousandths, so that 0.1 + 0.2 is 0.3.
//  3. A process is never lost. An executor is started behind a gate (a pipe):
//     it runs only after its pid and start time are on disk, and ends by itself
//     when this process dies before that.
//  4. A process is never confused with another: a pid counts only together with
//     its start time and the machine's boot id.
//  5. A status update is acknowledged to its executor only when stored, and
//     re-sent to the scheduler until acknowledged, in order, one at a time.
//  6. The files API serves what lies in a sandbox or in a volume and nothing
//     else; the check is on the opened file, so that no link can be swapped
//     under it. The fetcher never writes outside of the sandbox.
//  7. A state file that is corrupt or of a newer schema is refused, not touched.
//
// Close leaves executors running: they wait for their recovery timeout and
// subscribe again when a cluster is started on the same directory. Shutdown ends
// them.
//
// # How it is tested
//
// Over real HTTP with real processes: the test binary runs itself again as
// executor, and as the whole cluster when that has to be killed. Package
// mesosconform replays recordings of a real Mesos and compares every answer and
// every event, with an explicit list of departures.
package localmesos
