// Package zktest runs real ZooKeeper servers for tests: processes of Debian's package, on loopback.
package zktest
