// Package supervise runs the machine of package executor on an agent: it owns the processes,
// files, checks and the clock that the machine only talks about.
//
// One goroutine, the loop, owns the Machine. All others do one thing each and post events: one
// runs the connection to the agent, one sends updates, one forks, and each task has one that
// starts it and waits for it, two that copy its output and one for each check in progress. It
// decides nothing about tasks; what a failed check or a lost process means is the machine's.
//
// # Processes
//
// A task's command is run by /bin/sh -c in the sandbox, in a process group of its own, so that
// a signal reaches all of it, but in the executor's session, by which Mesos' posix launcher
// finds what it has to destroy. When the leader of a group ends, the rest of the group is
// killed before the leader is reaped, while its id cannot belong to anybody else.
//
// When the executor itself is killed, the kernel kills the leader of every group (the parent
// death signal). That signal is bound to the thread that forked, not to the process, so one
// goroutine forks everything and keeps its thread until no child is left. A command that ends
// in "exec java …" is its group's leader; it cannot outlive its executor. What a leader forked
// has no such bond: the agent, which sees the executor end, kills the rest of the session.
//
// # Output
//
// Standard output and error go through pipes into the files Order.OutFile and Order.ErrFile,
// which are rotated by size, between two lines. The price of a pipe is that a task is stopped
// while nobody reads and loses its output with its executor (with which it dies in any case).
// The alternative, a file that is copied and truncated while the task appends to it, loses
// lines at every rotation. So each pipe has a goroutine that only reads and writes; if the disk
// is full it drops what it cannot write, and never stops reading.
//
// # Invariants
//
//  1. Only the loop calls the machine.
//  2. Start and RunCheck are answered exactly once, Start with Started or StartFailed, and
//     Started is followed by exactly one Exited.
//  3. No file is read or written outside of the sandbox, whatever an order or a symbolic link
//     in the sandbox says (os.Root).
//  4. When Run returns, no process that it started is a child of the executor any more.
//
// Tested with real processes, a real shell and an agent in the test; the executor is also run
// as a process of its own and killed.
package supervise
