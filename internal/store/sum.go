package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"go.etcd.io/bbolt"
)

// Sum stands for all keys and values: it is what the SHA-256 of every entry add up to, in four
// numbers that overflow, so that a change of an entry changes it without a look at the others.
type Sum [sha256.Size]byte

// Add takes an entry in.
func (s *Sum) Add(key, value []byte) { s.Plus(sumOfEntry(key, value)) }

// Remove takes an entry out; one without value was not in.
func (s *Sum) Remove(key, value []byte) {
	if value != nil {
		s.Sub(sumOfEntry(key, value))
	}
}

// Plus takes in all that another sum stands for.
func (s *Sum) Plus(o Sum) { s.join(o, func(a, b uint64) uint64 { return a + b }) }

// Sub takes out all that another sum stands for.
func (s *Sum) Sub(o Sum) { s.join(o, func(a, b uint64) uint64 { return a - b }) }

func (s *Sum) join(o Sum, join func(a, b uint64) uint64) {
	for i := 0; i < len(s); i += 8 {
		joined := join(binary.BigEndian.Uint64(s[i:]), binary.BigEndian.Uint64(o[i:]))
		binary.BigEndian.PutUint64(s[i:], joined)
	}
}

func sumOfEntry(key, value []byte) (entry Sum) {
	h := sha256.New()
	hashPart(h, key)
	hashPart(h, value)
	h.Sum(entry[:0])
	return entry
}

func hashPart(h hash.Hash, part []byte) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(part)))
	h.Write(length[:])
	h.Write(part)
}

// sumOf adds up all that a bucket holds.
func sumOf(state *bbolt.Bucket) Sum {
	var s Sum
	cursor := state.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		s.Add(k, v)
	}
	return s
}

// keptSum is the one that was written with the latest transaction. A file of the first schema,
// whose checksum was over all entries at once, is brought to the present one.
func keptSum(meta, state *bbolt.Bucket) (Sum, error) {
	if kept := meta.Get(sumKey); kept != nil {
		if len(kept) != len(Sum{}) {
			return Sum{}, fmt.Errorf("%w: its checksum has %d bytes", ErrDamaged, len(kept))
		}
		return Sum(kept), nil
	}
	if err := meta.Delete(digestKey); err != nil {
		return Sum{}, err
	}
	if err := meta.Put(schemaKey, schemaValue); err != nil {
		return Sum{}, err
	}
	return sumOf(state), nil
}

// digest is the checksum of the first schema, over all keys and values in their order.
func digest(state *bbolt.Bucket) []byte {
	h := sha256.New()
	cursor := state.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		hashPart(h, k)
		hashPart(h, v)
	}
	return h.Sum(nil)
}
