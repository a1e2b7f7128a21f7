// Package metrics holds every metric of the scheduler: their names, helps and labels are all
// in names.go.
//
// There are three kinds. Counters are increased by name, as the machine's notes ask for
// (scheduler.Note.Count), with Count; their subjects are those of the predecessor. Everything
// else is read off the latest view when Prometheus asks, so that one scrape is one consistent
// picture, costs nothing between scrapes, and never shows a pod or plan that is gone.
// Between the two is how long a plan has made no progress, that is, has not completed a step more:
// it is followed from view to view, so that a plan whose steps begin again and again counts as
// stalled, and it begins at the first view of a process.
//
// Ages are given as the time since when, in seconds of the epoch, as Prometheus advises:
// time() - kafka_sched_step_since_timestamp_seconds is the age.
//
// The predecessor's half of the API has what the predecessor measured, under its names:
// predecessor.go counts it anew, as one of our counters is seldom one of those.
//
// It does not push, and it does not decide what is healthy.
//
// Invariants: each counter exists from the start with the value 0; a name that is not declared
// is counted as such and never lost silently (a test sets Strict and panics instead).
//
// Tested by promlint over all of it and by scrapes of canned views.
package metrics
