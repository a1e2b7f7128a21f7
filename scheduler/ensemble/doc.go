// Package ensemble answers whether a server of a ZooKeeper ensemble may go down now: followers
// first and the leader last, and never while another server is missing.
//
// An ensemble of 2n+1 servers works while n+1 of them do, and a write is safe once it is with a
// majority. So a server may be stopped if all others serve, and one that may come back without its
// data only if nobody else is missing either: what it knew must be with all the others.
//
// A server says of itself what it is (Role). One that answers and does not serve is of no use to
// anybody, and may be stopped at any time; one that is silent may well serve clients that we
// are cut off from, and is taken for one that does.
//
// The package decides from Facts alone; it knows no clock and asks nobody. docs/decisions says why
// servers are asked for their role with srvr.
package ensemble
