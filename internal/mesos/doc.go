// Package mesos holds our own words for Mesos: typed ids, offers, operations, task states,
// statuses, the calls that a framework makes and the events that it receives.
//
// It is what the machine (package scheduler) and everything below the purity line speak. No
// type here has a struct tag or knows protobuf, JSON or HTTP; internal/mesoshttp translates
// once, both ways. The names are those of Mesos' v1 API.
//
// Invariants
//
//  1. An id is used once for all time and is never made up here.
//  2. Every Event, Call and Operation has a one-line text form (its String method), which
//     golden files, traces and logs share.
//  3. A Call and an Event are sealed: a switch over them can be exhaustive.
//
// Tested by golden text and by the round trip through the wire in internal/mesoshttp.
package mesos
