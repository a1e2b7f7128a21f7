// Package upgrade plans how a cluster gets from one Kafka version to another: whether that way
// exists, in which phases it goes, and up to which of them there is a way back.
//
// A Kafka upgrade is several rolling updates. In ZooKeeper mode the protocol that brokers speak is
// pinned to the old version, then the binaries are rolled, then the protocol is raised, with a roll
// of its own. In KRaft mode the binaries are rolled, controllers first, and then features are
// raised one at a time, without a roll. Binaries can go back until the first of these is raised.
//
// The package decides from what it is told; it asks nobody, and it carries nothing out. How far
// features can be raised the new brokers tell once they run, so no table of levels is built in but
// the one level that Kafka 4 demands.
package upgrade
