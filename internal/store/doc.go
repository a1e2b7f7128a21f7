// Package store keeps the scheduler's Hard state: as versioned bytes under keys, in one file.
//
// Store is the port that the loop writes through. Bolt is the embedded store, one bbolt file
// that one scheduler at a time may open; Memory is for tests, and can be told to fail. Encode
// and Decode are the form that both share with any other store: each scheduler.Write becomes a
// Change of one key, whose value is JSON.
//
//	framework  target  intent  kafka  overrides  pod/<type>-<index>  leftover/<reservation>
//	earlier/<target id>  run/<plan>  journal/<number>  action/<name>  file/<name>
//
// The names of plans, actions and files are escaped as in a URL, and the journal's numbers are
// padded, so that its keys are in their order.
//
// It does not know what the state means: it gives back what was written, or refuses.
//
// # Invariants
//
//  1. Apply is atomic and durable: when it returns nil all its writes are on the disk, when it
//     returns an error none of them is seen by a later Load.
//  2. A file that is damaged, foreign or of a newer release is refused with a message that says
//     what to do, and not one byte of it is changed.
//  3. Decode gives back what Encode was given. A field that it does not know is ignored, so
//     that a release may add one and an older one still start; a missing required field, an
//     unknown key and anything else that cannot be is refused.
//
// # Non-obvious
//
// The schema version stands for the meaning of keys and fields; it is raised when an older
// release must not read the file, not when a field is added. One checksum stands over all keys
// and values, as bbolt protects only its own first two pages. Before bbolt may open a file for
// writing, it is opened for reading alone and read through: bbolt writes to a file that it
// finds odd, and ends the process when a page points outside of the file.
//
// The checksum is a sum over the entries, so that a transaction costs what it changes. Files of the
// first schema, with one hash over everything, are read; the first transaction makes them present
// ones, which an older release refuses as newer.
//
// A file's content that is no valid UTF-8 is stored as bytes, because JSON would change it.
//
// Tested by a golden file of a full state, by random states and writes, by flipping and cutting
// bytes of a real file, and by fuzzing the decoder.
package store
