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
//  1. No handler holds state: two equal requests on one view have equal answers, but for ages.
//  2. Nothing of a request is used as a path of a file: artifacts are looked up by exact name.
//  3. A change from a web page of another origin is refused (http.CrossOriginProtection), and,
//     when only loopback is listened on, so is every request under a name that is not of
//     loopback, because a name that an attacker owns can be made to point here.
//  4. Each request has limits: headers 16 KiB, body 1 MiB, times; a panic ends one request.
//  5. Each change is logged with who asked and what came of it.
//
// It is not an authentication layer: whoever reaches the port may do all. Hence it listens on
// loopback unless told otherwise.
//
// Tested with views made by hand against golden files, with the predecessor's recorded
// answers, with a table of hostile requests, with the client over a real socket, and by
// comparing the router with openapi.yaml.
package server
