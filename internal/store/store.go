package store

import "github.com/kafka-sched/kafka-sched/scheduler"

// Store keeps the hard state.
type Store interface {
	// Load gives the state; an empty one when nothing was ever written.
	Load() (scheduler.Hard, error)
	// Apply makes all the writes durable in one atomic step, or none of them.
	Apply([]scheduler.Write) error
	// Close ends the use of the store; nothing may be called after it.
	Close() error
}
