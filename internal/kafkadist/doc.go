// Package kafkadist knows where a Kafka distribution comes from, and keeps the packed archive that
// the scheduler serves to agents.
//
// A distribution comes from one of four places: the published Maven artifacts (fetched by the
// user's own mvn with the user's own settings), a folder, an archive file, or an archive's URL. All
// four end as the same thing: one file in the cache, kafka-<version>-<digest>.tgz, whose only top
// folder is kafka/ with libs/*.jar, bin/ and config/ where the source had them, and a small VERSION
// text. Agents unpack that file, and executors compare it with the digest in VERSION (verify.go);
// neither needs the internet, Maven or an idea of where it came from.
//
// The way through the package: ParseSource reads the operator's flags, Open opens a cache,
// Cache.Fetch answers from the cache or fetches (maven.go, download.go, archive.go), lists and
// judges the tree (tree.go, inspect.go), packs it (pack.go) and records it (index.go). A Java
// runtime for agents that have none goes the same way (ParseJRE, jre.go), and is packed below jre/.
// FindJava stands beside them, as a distribution without a Java is of no use.
//
// What the package is not: it does not run Kafka, does not write broker configuration, does not
// serve files to agents and never deletes an archive, since a running scheduler may be serving it.
//
// Invariants:
//
//  1. A file with its final name is complete. Everything is made in a folder tmp-<key>-<number> in
//     the cache, synced, and renamed; the index file that says "this source is that archive" is
//     written after the archive, in the same way.
//  2. An archive is used only if its size and SHA-256 are those that the index recorded; the digest
//     is computed once per process and file, and again if the file was touched. A damaged
//     archive is fetched again.
//  3. The same files give the same archive, byte for byte, wherever they came from: names sorted,
//     times and modes fixed, owner zero, gzip without compression (jars are compressed already, and
//     stored blocks do not depend on the version of a compressor). That is why VERSION does
//     not name the source; the index does.
//  4. One source is fetched by one process at a time. The lock is flock on lock-<key>, so it ends
//     with its holder, however that ends. Temporary folders of a key belong to the holder of the
//     key's lock: whoever obtains it may delete what a dead one left, and need not ask which
//     processes live.
//  5. A source is not trusted: an archive that is truncated, too large, or reaches out of its
//     own folder is refused, as is anything that lacks what a broker needs, with a sentence that
//     says what is wrong and with nothing left behind.
//
// The tests build folders and archives from tiny jars made on the fly, put a scripted mvn and a
// scripted java on PATH, serve good and bad answers from a local HTTP server, and start the test
// binary again as a child to race, and to be killed in the middle of a fetch. With the build tag
// e2e one more test runs the real mvn.
package kafkadist
