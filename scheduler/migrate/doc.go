// Package migrate says how a cluster of Kafka 3.9 whose metadata is in ZooKeeper becomes one whose
// metadata is with controllers (KRaft, KIP-866): in which stages, with what its nodes are launched
// in each of them, what has to be seen before the next one begins, and how each is undone.
//
// Controllers come up in a pod of their own. The brokers are rolled into the migration; once the
// last one has registered with the controllers, these copy the metadata, and from then on write
// each change to ZooKeeper as well. The brokers are rolled once more, and have their metadata from
// the controllers then. As long as ZooKeeper is written to, all of this can be undone. The
// migration is finalized by rolling the controllers without ZooKeeper, and that cannot.
//
// How far the cluster is, it tells itself: the leading controller keeps its place in the metadata
// in ZooKeeper, at /migration, and who is the controller stands at /controller; and each
// controller tells by ApiVersions whether it takes part. Nothing is concluded from the fact that
// something was launched.
//
// On the way back the controllers have to be gone before /controller is deleted, or one of them
// would take it again; and it has to be deleted at once then, because until a broker is the
// controller no partition gets another leader. /migration is deleted with it, so that a later
// migration begins anew.
//
// The package decides from what it is told; it asks nobody, and it carries nothing out.
package migrate
