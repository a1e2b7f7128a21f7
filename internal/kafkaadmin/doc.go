// Package kafkaadmin does what an operator asks of Kafka: topics, groups, quotas, users, ACLs, log
// directories, transactions, elections, reassignments, features and configurations, by Kafka's
// own protocol and through any broker that answers.
//
// Admin is all there is to it. Each method gets the addresses of brokers, asks with a client of
// its own, and answers in the shapes of package api. Nothing is kept between two calls: they are
// rare, and what one has learned of the cluster may not be true any more for the next. A call
// costs one connection to the broker that is asked first, and one to each other that has to be.
//
// What Kafka refuses is an *api.KafkaRefusal, with Kafka's own number, name and sentence; every
// other error is a fault of the moment: no broker answered in time. An address that does not
// answer is left for the next, after dialTimeout at the latest, and a call as a whole ends after
// callTimeout.
//
// The package decides nothing about brokers that come and go; the facts for that are asked for by
// package brokers, which trusts no client between itself and the broker.
//
// Tested against franz-go's in-process cluster, and by package brokers against three real brokers.
package kafkaadmin
