// Package brokers asks a Kafka cluster for facts: which brokers are registered, which of them are
// fenced, what they host, what of it is not in sync, and who leads and votes in the quorum.
//
// An Asker is given addresses and returns a scheduler.KafkaFacts. It puts three questions to every
// address at once (Metadata of all topics, DescribeCluster, DescribeQuorum), and joins what was
// answered before the deadline. A broker that is silent is no error as long as another one
// speaks. There is no error result either: "nobody answers, because ..." is a fact like others.
// An address may also be that of a controller's own listener (KIP-919), which is told by not
// offering Metadata; such a node answers for the cluster's id and, if it leads, for the quorum.
//
// For the verdict on whether a broker may go down, AskAll has three of them tell of each partition,
// with what its topic demands and whether it moves; partitions.go joins that to rolling.Facts.
// Where there are more than eight nodes, only three are asked for more than a sign of life.
//
// The way through the package: asker.go spreads the questions and keeps the connections, peer.go
// is one connection, wire.go reads Kafka's encoding, answer.go reads the four responses, and
// merge.go, a pure function, makes one set of facts of several answers.
//
// Asker.Change (change.go) has Kafka changed as the scheduler wants it: voters, registrations. It
// uses connections of its own (call.go), because a change may take long.
//
// What the package is not: it decides nothing, remembers nothing between two asks except open
// connections, and changes nothing in Kafka by itself; what operators ask for is package
// kafkaadmin's.
//
// Why there is a connection of our own here and not kafka-go's Transport: a decision to take a
// broker down rests on these facts, so they have to be fresh and from the broker that was asked.
// The Transport answers Metadata from a cache, sends what is meant for a broker it does not know
// to another one, polls in the background, and cannot name a node by its address. Four
// requests on a plain connection need none of that. The requests are encoded by kmsg. The
// answers are walked by a reader that counts and does not keep: with tens of thousands of
// partitions a decoded Metadata would be most of the scheduler's memory.
//
// Invariants:
//
//  1. Every ask puts new questions. Nothing that was said before an ask enters its facts.
//  2. An answer counts only if it was read to its end, on the connection of the address asked, with
//     the correlation id of the question. Any doubt ends the connection.
//  3. When answers differ, the facts are the pessimistic ones: each broker has the largest number
//     of partitions out of sync that anyone told; it is registered only if the quorum leader's
//     broker says so or, when that one is silent, if all say so; it is fenced if any of these
//     says so. Answers of different clusters are never joined: they are an error.
//  4. The quorum is what the answer of the latest epoch says. If the controllers do not answer, the
//     brokers' facts are given without it: Leader is -1 and there are no voters. What the brokers
//     say of each other is then the last that they learned, and may be long outdated.
//  5. Below DescribeCluster 2 (Kafka 3.9) brokers do not tell who is fenced. A broker that hosts
//     replicas and is not listed is then given as fenced, without an address.
//  6. A broker that does not offer DescribeQuorum keeps its metadata in ZooKeeper. There are no
//     voters then, and Leader is the broker that is the controller, -1 while they disagree on it.
//     In a cluster that migrates there are both: the quorum is what the controllers tell.
//  7. Between two asks the package uses no time: no goroutine, no timer, only idle connections.
//
// The tests use a scripted broker, whose answers kmsg encodes, for all that real brokers seldom
// do; a fuzz test feeds the readers; with the build tag e2e a cluster of three real brokers is
// started, one of them killed, and started again.
package brokers
