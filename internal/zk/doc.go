// Package zk has what kafka-sched needs of ZooKeeper: the leading Mesos master, a session that
// knows when it is lost, an election among schedulers, and the roles of servers.
//
// # The leading master
//
// The masters of a cluster elect their leader with sequential znodes: each holds one named
// json.info_<sequence> below the path that its --zk flag names, and the one with the lowest
// sequence leads. Its content is the MasterInfo in JSON. (Mesos: src/master/detector and
// include/mesos/mesos.proto.) A Detector watches that path and always knows the latest leader.
// It is a reader: it takes no part in any election and writes nothing.
//
// # Sessions and elections
//
// A Session is over for good once it has expired, or has had no connection for its whole
// time-out. An Election is a candidate's node under a session: it counts as long as the session
// does. What a deposed leader must not write is the matter of internal/store/zkstore.
//
// A Login is for servers that demand SASL, of which go-zookeeper knows nothing: each connection
// logs in by itself before go-zookeeper sees its first answer.
//
// # Roles
//
// Roles asks the servers of an ensemble that the service runs itself who leads, who follows and
// who does not serve. Each ask is a connection of its own: srvr is answered once, and nothing
// of it is kept.
//
// # Invariants
//
//  1. Leader gives the leading master as last seen. While ZooKeeper cannot be reached it stays
//     what it was: masters go on for some time without it, too, and the connection to a master
//     that has stepped down ends by itself.
//  2. Credentials of the URI never appear in errors or in the log.
//
// # Non-obvious
//
// go-zookeeper has no contexts: its calls end when they are answered, when every server was
// tried in vain, or when the connection is closed. So the watching has a goroutine of its own,
// and callers wait for what it finds. A watch ends with each event, and with the session.
// It tells of a lost connection anew with each attempt to get another.
//
// Tested against real ZooKeeper servers, which are started, stopped and cut off on loopback.
package zk
