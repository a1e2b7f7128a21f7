package store

import (
	"errors"
	"maps"
	"sync"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// ErrInjected is what a Memory store fails with when it was told to.
var ErrInjected = errors.New("an injected fault of the store")

// Memory is a store for tests. It holds the same bytes as any other store, so what it gives
// back went through the codec. It survives Close, so that a restart can be played.
type Memory struct {
	mu      sync.Mutex
	entries map[string][]byte
	// failIn counts down to the Apply that fails; 0 means none.
	failIn int
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory() *Memory { return &Memory{entries: map[string][]byte{}} }

// FailApply makes the n-th Apply from now on fail with ErrInjected and change nothing; 1 is the
// next one, 0 takes the fault back.
func (m *Memory) FailApply(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failIn = n
}

// Load implements Store.
func (m *Memory) Load() (scheduler.Hard, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Decode(m.entries)
}

// Apply implements Store.
func (m *Memory) Apply(writes []scheduler.Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failIn > 0 {
		m.failIn--
		if m.failIn == 0 {
			return ErrInjected
		}
	}
	changes, err := Encode(writes)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(m.entries, c.Key)
		} else {
			m.entries[c.Key] = c.Value
		}
	}
	return nil
}

// Close implements Store.
func (m *Memory) Close() error { return nil }

// Entries gives a copy of all keys and values.
func (m *Memory) Entries() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.entries)
}
