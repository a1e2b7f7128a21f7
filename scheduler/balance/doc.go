// Package balance plans which replicas move where: onto brokers that were added (Fill), off brokers
// that leave (Empty), or until all have about the same (Even).
//
// A Plan is made by Make from a Cluster: brokers with racks and capacities, and partitions with the
// sizes that DescribeLogDirs gives. It is a list of moves, one a partition, with the bytes that
// each copies, a preview of every broker before and after, and what could not be moved with the
// reason why. Batches cuts the moves into portions that no broker has too many of at a time. Dirs
// does for the log directories inside brokers what Make does for brokers.
//
// The way through the package: cluster.go is what is given, plan.go what comes of it, spread.go
// is the state while it is planned with the rules of what may go where, level.go moves load from
// full brokers to empty ones, empty.go empties brokers, leaders.go evens out the leaders.
//
// # How it decides
//
// The load of a replica is its size and a mebibyte, so that empty partitions count too. A broker's
// due is its part of all load, by capacity where all capacities are known. Load goes only from
// brokers above their due to those below, never so much that one of them changes sides, and only
// until all are within the tolerance; the largest replicas that fit go first. So each byte that
// moves brings the cluster nearer to what is due by twice itself, and no byte moves twice.
//
// Where racks keep replicas apart, a rack may not be able to give or take what is due in the whole
// cluster; so every rack is evened out in itself afterwards.
//
// # Invariants
//
//  1. A partition keeps its number of replicas, all on different brokers.
//  2. Its replicas are in as many racks as before. Only where too few racks are left, because all
//     brokers of one leave, they are in as many as there are.
//  3. Nothing moves onto brokers that leave or are down, nor onto a disk that would be more than
//     nine tenths full.
//  4. The order of the input's partitions and brokers does not matter but for ties.
//  5. Nothing moves when everything is within the tolerance.
//
// What it is not: it does not know the traffic, only sizes and leaders; it does not carry anything
// out and does not throttle.
//
// Tested by named cases and by properties over random clusters; a benchmark plans for 1,000
// brokers and 200,000 partitions.
package balance
