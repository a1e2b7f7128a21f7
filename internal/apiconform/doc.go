// Package apiconform is a test: it replays recorded exchanges with the predecessor's API against
// the production machine and the production handlers, and compares every answer.
//
// # The recordings
//
// A recording is a file of JSON lines (testdata holds nine, compressed). A line is an event that
// the predecessor's scheduler was fed, or a request with its answer. Both services' specs are
// beside them; service_test.go has the variables that they were started with. A line's scenario
// says which service it is about; without one, the names of pods in paths and events do. The
// names of files matter only for their order, and those of moments only where "The world" says.
//
// Recordings of one service continue one another in the order of their names, up to the next
// one that begins with a new service: "start" and then "agent" before anything else. What was
// recorded before a file that begins in the middle is played first, without being compared: for
// a copy, and between two, the copies before it; for any other, as many of the copies of its
// service as lead to the most answers that conform, or none; its ids go on from theirs or are
// counted anew.
//
// # The world
//
// The process is scheduler.Restore, Step and View, the store's codec, the metrics and
// api/server.New, in one thread and without a network. Around it stands a cluster that only does
// what it is told: it carries out the operations of ACCEPT calls, keeps reservations, volumes,
// executors and tasks, and says nothing by itself. Events become its doings:
//
//   - start NAME=VALUE …: the process ends and another one begins with what is stored. Variables
//     stay changed. The rendered service is what the new process is started with;
//     SDK_UNINSTALL=true uninstalls it.
//   - agent HOST ZONE CPUS MEM DISK: one more agent. register: the subscription.
//   - offers [HOST …]: one offer with all that is unused of each of these agents, or of all.
//     Offers of agents that the predecessor accepted come first, in the order of what it launched
//     there, since the order in which offers come is the world's choice and not the scheduler's.
//   - status TASK STATE …: an update of the newest task of that name. reconcile: the answers to
//     open questions. tick: an idle cycle, 5 s later (½ s while launches back off, since the
//     recorded ticks followed one another at once). A moment named "after the delay" begins a
//     minute later, one named "backoff enabled" enables the back-off.
//
// After an event that is not known or cannot be carried out, the report says so, and no exchange
// conforms until the next start.
//
// The recordings lack the Accept headers of a few requests. Those that were answered with 406 had
// application/json; the others changed nothing.
//
// What the scheduler does and the recording knows nothing of (it kills or launches a task at
// another moment), the cluster answers at the next cycle: a killed task ends, a launched one runs.
//
// What the scheduler calls is not compared. Where the recorded world goes another way than
// ours, above all when other tasks are launched, the report says so.
//
// # What is compared
//
// Of each answer the status, the media type (its parameters are not compared), and the body: if
// the recorded one is JSON, all names, types and values, otherwise the text. Nothing is skipped:
// each recorded answer counts as conforming, as declared, or as different. These are not
// compared literally:
//
//   - Ids. The recordings write uuid-N for random ids. In its place must be a UUID, and the two
//     belong together from then on, one to one, throughout the service's recordings. Only
//     answers that conform settle this. A request with an id gets ours for it; for an id that no
//     conforming answer showed, the one in the like place of an answer that differed. The
//     predecessor makes new ids for phases and steps of plans at each start and for each recovery;
//     ours may stay.
//   - Times. Of a JSON number named timestamp only the type counts. Milliseconds since 1970 within
//     a text, and the time in an encoded task status, may be any.
//   - Metrics. Of /v1/metrics only the types of values count; of /v1/metrics/prometheus, metric by
//     metric, its type, the names and labels of its samples, but not their numbers, their order
//     and the explanations (# HELP). A counter of what the scheduler does is there only once it
//     was increased; as numbers do not count, it does not either whether it is 0 and missing.
//   - Numbers are equal if their values are: 1 and 1.0.
//   - Signatures. The line of the predecessor's error pages that names its HTTP server and the
//     server's version, and the lines of WADL that name its generator, count as not there: they
//     say what answers, and that is another program.
//   - Order of the members of objects, since JSON has none. Order of those members of a list that
//     are called the same but for an id (["uuid-7", "uuid-9"], the steps unreserve-uuid-7 and
//     unreserve-uuid-9): a hash of the ids gave it. Order of plans among themselves in /v1/plans
//     and /v1/debug, of names in /v1/state/files, and of the parameters in one path of a WADL: a
//     hash of the names gave it.
//   - A body that is empty and one that is missing are the same.
//
// # Deviations
//
// The table "Deviations" in docs/api.md declares what differs on purpose. The run reads it. A row
// may hold only in circumstances that follow from what was recorded before, as "a word kept over
// a start" (circumstances_test.go), so that it holds for other recordings too. An exchange counts
// as declared if every difference in it is. When asked to be strict (make api-conformance), any
// difference that is not declared fails the run. So does, with the copied recordings, a row that
// concerns another number of exchanges than it says. The ordinary test holds a floor that only
// rises.
//
// Tests of the comparison itself: every recorded answer conforms to itself under other ids, and
// every change of a single part of an answer is seen.
package apiconform
