// Package zkstore is the store on ZooKeeper, for schedulers of which one leads.
//
//	PATH                    what this is, and its schema version
//	PATH/commit             who wrote last and what: the fence
//	PATH/election/…         the candidates (internal/zk)
//	PATH/state/<xx>/<key>   one node a key of store.Encode, escaped as in a URL
//	PATH/blobs/<sha256>/<n> what is too large for one node, in pieces
//
// The keys lie in up to 256 folders, by a hash, so that no list of names gets large. A folder is
// made with the first key in it.
//
// # The fence
//
// Who leads takes office by writing a new epoch to PATH/commit, on the version that it read.
// Each batch is one multi, and each multi writes PATH/commit on the version of the multi before.
// So once another has taken office, not one write of the leader before can succeed, whatever it
// believes; and when an answer is lost, PATH/commit tells whether the batch was taken.
//
// # Large things
//
// No node and no multi is larger than half a megabyte. Records are much alike, so a node holds its
// value shrunk, by a text in which most of it stands already; small values stay as they are, for
// people who look. A larger value is put under PATH/blobs first, under its digest, and its node
// only names it. A larger batch is put there packed; the multi that names it in PATH/commit, as a
// rule the same one, is the moment at which it counts, and the multis after that carry it out,
// behind Apply, which has returned. Who takes office finishes what a predecessor left in between.
//
// # Standing by
//
// A Copy reads the state while another leads, and each node again that ZooKeeper's watches tell of.
// PATH/commit has the sum over all keys and values: who takes office compares his copy with it
// behind the fence, and reads everything if it is not the same. So a takeover costs what changed
// in the last moment, and a copy that missed something is never believed.
//
// # Invariants
//
//  1. Apply is atomic and durable: nil means that a majority of the servers has the batch; any
//     other outcome ends the process. ErrDeposed means that none of it was taken. What fails behind
//     a large batch is the error of the next call.
//  2. A tree that is foreign, damaged or of a newer release is refused, and not changed.
//  3. Reads happen only before and at the start; Apply knows what exists.
//  4. A copy counts only if it is, to the byte, what was written last.
//
// Tested against real servers, alone and in an ensemble, through a relay that cuts connections at
// any moment.
package zkstore
