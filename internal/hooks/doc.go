// Package hooks tells another server of what plans do: it posts a message when a plan starts,
// completes, halts, waits for an operator, or is stopped, as the journal in the view says.
//
// Run follows the views in one goroutine and posts in another; between them is a queue of a
// bounded length. Nothing here is waited for by the machine's loop: a server that does not
// answer costs messages, which a counter tells, and never time. Messages are posted one at a
// time and in the journal's order. One that the server does not take (no answer, 408, 429 or
// 5xx) is posted again with growing pauses; after the last attempt, or when the server refuses
// it otherwise, it is given up. Redirects are not followed.
//
// Each message is signed: the header Kafka-Sched-Signature holds the time of the attempt and
// HMAC-SHA256, under the shared secret, of that time, a dot and the body. The receiver should
// refuse what is old or wrongly signed, and knows a message that it had before by its id.
//
// What is in the queue when the process ends is lost, and so is what happens until the first
// view of the next process: the journal has it all.
//
// # Invariants
//
//  1. An entry of the journal leads to at most one message, however often it is posted.
//  2. The queue never holds more than queueSize messages.
//  3. Every message is counted once: sent, given up, or dropped because the queue was full.
//
// Tested in the bubbles of testing/synctest against a transport that fails as it is told.
package hooks
