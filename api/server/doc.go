// Package server answers the REST API: it decodes a request, reads the view or hands a command
// to the machine's loop, and encodes the answer.
//
// It decides nothing about the service. Reads come only from the immutable view, so they are
// answered at once whatever the machine does; changes go through Config.Do and are answered
// when the machine has taken or refused them, and what was taken is durable by then. The
// sentences of /v1 that the predecessor's tools may compare (what was not found, what was
// received) are made here, from the view, so that they do not depend on the machine's wording.
//
// # Invariants
//
//  1. Two equal reads of one view have equal answers, but for ages, stacks, logs and what Kafka
//     says of topics. What is kept between requests is the answers to Idempotency-Keys
//     (keyring) and the latest events (Feed), both bounded, and no state of the service.
//  2. Nothing of a request is used as a path of a file: artifacts are looked up by exact name.
//  3. A change from a web page of another origin is refused (http.CrossOriginProtection), and,
//     when only loopback is listened on, so is every request under a name that is not of
//     loopback, because a name that an attacker owns can be made to point here.
//  4. Each request has limits: headers 16 KiB, body 1 MiB, times; a panic ends one request.
//  5. Each change is logged with who asked and what came of it.
//  6. No client delays another. What is done at once is bounded (limit.go), the place of a read
//     is left when its answer is made, and a stream that is not read is ended.
//  7. Commands take turns, so that nothing that is commanded here comes between the check of a
//     revision (If-Match) and its command.
//
// # This project's half
//
// Its routes are in v2.go, its handlers in the files that begin so. question.go reads queries and
// refuses what it does not know, revision.go makes ETags, idempotency.go keeps answers, feed.go and
// feed_diff.go make events of the differences between views.
//
// # The predecessor's half
//
// Its routes are in v1.go. path.go makes odd paths plain and knows what a path answers to;
// page.go, wadl.go and protobuf.go are the three formats that only it needs: HTML pages for
// errors, WADL for OPTIONS, and protobuf as JSON and as text. What its clients may rely on is as it
// was, also where it is odd: a start without a body is a 500, DELETE has errors without a body,
// a list of files is no JSON. Where it was broken in a way that nobody can rely on, it is not
// (docs/api.md has the list).
//
// Topics is the one thing that is neither view nor command: it is asked of Kafka, with the
// request's context and a deadline, and nothing of the answer is kept.
//
// It is not an authentication layer: whoever reaches the port may do all. Hence it listens on
// loopback unless told otherwise.
//
// Tested with views made by hand against golden files, with the predecessor's recorded
// answers, with a table of hostile requests, with the client over a real socket, by comparing
// the router with the OpenAPI document, and with requests that are drawn from that document,
// right and wrong ones, whose answers must be as it says.
package server
