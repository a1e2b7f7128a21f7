// Package mesosconform is a test: it replays recordings of a real Mesos master and real agents
// against internal/localmesos, over HTTP, and compares every answer and every event.
//
// # The recordings
//
// A recording is a file of JSON lines (testdata holds them, compressed): requests with their
// answers, events of streams, and notes. The notes say what happened outside of the API, and
// the replay does the same to a cluster of its own: it starts and kills the master and agents,
// freezes them, gives them a new work directory, closes a client's connection, and lets an
// executor exit. Files are independent of each other and are replayed side by side.
//
// Requests are sent in the recorded order and not closer to each other than recorded. A request
// is held back until the events recorded before it have come, or are overdue. Ids in requests
// are replaced by those that stood in the like place of what was received. Custom executors are
// played by the replay as well: the process that an agent starts for them only lives and exits.
//
// # What is compared
//
// An exchange is a request with its answer, or an event of a stream; the end of a stream is an
// event, too. Of an answer the status, the headers that are recorded (but for the lengths of
// bodies), and the body; of an event its body, and its place. These are not compared literally:
//
//   - Ids, ports of Mesos's own, and process ids: what stood for one in the recording stands for
//     one in the replay, throughout the file, one to one.
//   - Times: only that there is one. So with durations in texts that have a fraction, and the
//     values of metrics; a recording has a selection of the metrics, and ours are as well.
//   - The order of lists that come out of a hash map: offers, resources, agents, tasks and so on.
//   - The order of events about different things (two tasks, a task and offers) that were
//     recorded within less than a second and a half: the allocator's interval decides it.
//   - Lists of tasks that were cut to ids and states when recorded: only these are compared.
//   - What the status of a task in a group says of its process and address: the real agent may
//     or may not know these yet, as it comes.
//   - The size of a file that has names in it which are longer or shorter here.
//
// What the real processes did by themselves at a time of their own choosing is done at the
// recorded place among everything else: an agent registers, a master gives an agent up, the
// allocator makes its rounds, an agent notices that an executor has left. What is chance in a
// round, the order of the agents and who comes first of those with the same share, is drawn as it
// fell in the recording; whether the round then makes the recorded offers is compared. Offers of
// neighbouring rounds of which only the sums are the same conform as well: what becomes free
// right at a round falls into that one or the next.
//
// An event that was not recorded counts against the next one on its stream. So that the
// comparison cannot become one that finds nothing, a test changes a recording in many ways, one
// at a time, and demands that each is reported (planted_test.go).
//
// # Departures
//
// Rules (departures_test.go) say where localmesos departs on purpose and why. They look at what
// was recorded, never at names of files. docs/mesos-conformance.md has the table and the rules;
// make conformance writes and checks it, and the ordinary test replays the short recordings and
// holds each to what the table says.
package mesosconform
