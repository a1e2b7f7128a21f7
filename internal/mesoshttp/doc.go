// Package mesoshttp is the wire: Mesos' v1 scheduler and executor APIs over HTTP.
//
// Client is a framework's side: it subscribes at the leading master, delivers what the master
// says as mesos.Event values in order, and sends mesos.Call values in order. ExecutorClient is
// the same for an executor and its agent. Operator asks the operator API of the master that a
// Client is subscribed at. Access is how all of them are let in, and know the right Mesos.
//
// The messages and their protobuf and JSON codecs are those of mesos-go; the HTTP, the framing
// of the stream, the watch over heartbeats and the reconnecting are our own. The translate files
// turn wire messages into the words of internal/mesos and back; no other package sees a protobuf
// type.
//
// It is not a place for decisions: it never retries a call, never acknowledges anything by
// itself, keeps no state of tasks, and does not know what a call is good for.
//
// # What it does about trouble
//
// A stream ends when it breaks, when its framing makes no sense, when nothing was heard for
// five heartbeat intervals, when a call cannot reach the master, or when calls pile up. All of
// these come out as one Disconnected event, and the next subscription is tried after an
// exponential back-off with full jitter. Calls made while there is no stream are dropped: the
// machine makes a full pass after each subscription, and a call of before could contradict it.
// Drain tells whether a TEARDOWN was answered, since no subscription follows it.
// An ERROR event is final, since a new attempt does not mend its reason.
//
// A record whose framing is sound and whose content cannot be decoded is logged and skipped: it
// concerns one message, perhaps of a newer Mesos, and a new subscription would bring it again.
//
// # Invariants
//
//  1. Deliver is called from one goroutine, in the order of the stream; Subscribed comes first
//     on each stream and Disconnected or Refused last.
//  2. Calls leave in the order of Send, on the stream that is current when they are sent, and
//     never after that stream has ended.
//  3. Nothing that the other side sends can make a read grow beyond maxRecord, or panic.
//  4. A resource's amounts are rounded to thousandths, as Mesos itself does; what no sound
//     agent sends (negative amounts, NaN, ranges that end before they begin) reads as nothing.
//
// # Non-obvious
//
// The operator API is asked, not listened to: its stream tells of agents that come and go, but
// not of what is reserved on them, of draining, or of maintenance, so that the same questions
// would have to be asked as well. An answer is read agent by agent, and an agent that is as it was
// in the answer before, with nothing reserved, is not decoded again. Which agents are gone is not
// told at all: the client notes which were listed before.
//
// Readiness travels in a task status' check_status, always as a TCP check, whatever the check
// really was: it is the only shape of it that says yes or no. A framework id stands twice in a
// SUBSCRIBE. A MULTI_ROLE framework sets allocation_info on every resource that it names, or
// the master refuses the operation. The metadata of a resource provider's disk is not kept.
//
// Tested against scripted masters and agents on loopback, which replay recordings of a real
// Mesos 1.11 (testdata), by round trips of every message in both codecs, and by fuzzing the
// framing and the decoding.
package mesoshttp
