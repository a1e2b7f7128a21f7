// Package api is the REST contract: the routes, the shapes of requests and answers with their
// JSON names, the codes of errors, and the OpenAPI document that describes all of it.
//
// The contract has two halves. /v1 is that of the predecessor, so that tools written for it
// go on working: same paths, status codes, shapes, and its pages or sentences as errors. /v2 is
// this project's own: one resource model, lists in pages, revisions and keys for changes, streams
// of events and logs, and errors as problem documents (RFC 9457) with a code of a closed list.
// Plans have the same shape in both halves; /v2 only adds fields. What belongs to /v2 alone is in
// routes_v2.go, request.go, journal.go, configuration.go, resource.go and event.go.
//
// It is not a server and not a client: api/server and api/client both build on it and do not
// know each other. It imports nothing of the project, so that a program that only talks to the
// API needs nothing else of it.
//
// # Invariants
//
//  1. A route is spelled once, as a constant; Routes lists every one with its methods.
//  2. Every route is in OpenAPI, which is made of openapi.yaml and the files openapi_*.yaml, and
//     every path there is a route.
//  3. An optional field that has no value is left out, never null, except where the
//     predecessor has a null.
//
// Tested here for the first two; the shapes are tested as golden files in api/server and by
// the round trip of api/client against it.
package api
