// Package sandbox reads what a task printed, and the other files of its sandbox, through the
// files API of the Mesos agent that it runs or ran on last.
//
// Find asks the master's operator API where the agent is; the agent serves the files under a
// virtual path that is made of the framework's and the executor's id, so that nothing of the
// machine's own paths is known here. The executor writes a task's output into NAME.out and
// NAME.err, and starts those files anew when they become large: Follow begins at the start of
// a file that became shorter.
//
// It does not know pods or views; its callers say which executor they mean.
//
// # Invariants
//
//  1. What is held in memory at once is at most mostTail bytes; Download holds next to nothing.
//  2. No request goes to an address that the master did not give. Over TLS it goes only where
//     plain HTTP was broken off.
//
// Tested against handlers that answer like a master and an agent, and end to end with the
// embedded Mesos.
package sandbox
