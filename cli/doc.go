// Package cli is the command line: it reads flags, checks the machine, starts and keeps the
// background processes of a cluster, talks to the scheduler's API, and prints.
//
// A cluster is a folder of its name below the home folder (home.go): what install was asked
// for, the rendered spec, and the folders of its processes. Three processes belong to it. The
// keeper (keep.go) is the background parent; it starts the scheduler and, when no Mesos was
// named, localmesos, and starts each again when it ends. Each process holds a lock on a file of
// its own for as long as it lives, and has written its process id into it (lock.go): that is
// how one knows who runs, and how a process id is never somebody else's. Executors and
// brokers are children of localmesos' agents and outlive all three.
//
// The commands of spec (spec_*.go) are apart from all that: they read and write files, and need
// neither a cluster nor a home. The language is servicespec's; what they know of its keys comes
// from servicespec.Keys, and docs/authoring.md is made of the same.
//
// Every command that shows something builds one document and says how a human wants it drawn;
// output.go chooses between the forms, table.go draws all tables and tree.go all trees. What the
// predecessor's command printed as JSON goes through printRaw, so that it is JSON here too.
// What an update was made of is recorded beside the spec (record.go), so that it can be undone.
//
// What is not here: no decision about brokers, no Mesos, no Kafka. What the cluster does is
// asked of the scheduler's API and nothing else; only the output of tasks is read from the
// Mesos agent that has it (internal/sandbox). The processes that run for long are given to Main as
// functions, because the packages that hold them are not below this one.
//
// # Invariants
//
//  1. install checks everything that can be checked before it writes cluster.json, and a run
//     that fails before the scheduler answers leaves no file and no process behind.
//  2. One command at a time changes which processes of a cluster run: install, start, stop and
//     uninstall hold install.lock until the API answers, or to their end.
//  3. A signal is sent only to the holder of one of our locks or, at the end of an
//     uninstallation, to processes without a terminal whose working folder is a sandbox of
//     that cluster.
//  4. Two clusters of a home never share a port or an agent's address, running or not.
//  5. Exit codes mean what exitHelp says; results go to stdout and errors to stderr.
//
// The tests are scripts in testdata (testscript): every verb, good and bad, runs as a process
// of the test binary against a scheduler whose answers are canned, with real keepers, locks and
// folders. The keeper, the progress display and the arithmetic have unit tests.
package cli
