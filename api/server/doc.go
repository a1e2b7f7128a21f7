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
//  1. No handler holds state: two equal requests on one view have equal answers, but for ages,
//     stacks and what Kafka says of topics.
//  2. Nothing of a request is used as a path of a file: artifacts are looked up by exact name.
//  3. A change from a web page of another origin is refused (http.CrossOriginProtection), and,
//     when only loopback is listened on, so is every request under a name that is not of
//     loopback, because a name that an attacker owns can be made to point here.
//  4. Each request has limits: headers 16 KiB, body 1 MiB, times; a panic ends one request.
//  5. Each change is logged with who asked and what came of it.
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
// answers, with a table of hostile requests, with the client over a real socket, and by
// comparing the router with openapi.yaml.
package server
