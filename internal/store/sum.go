package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"

	"go.etcd.io/bbolt"
)

// sum stands for all keys and values: it is what the SHA-256 of every entry add up to, in four
// numbers that overflow, so that a change of an entry changes it without a look at the others.
type sum [sha256.Size]byte

// add takes an entry in.
func (s *sum) add(key, value []byte) {
	s.each(key, value, func(a, b uint64) uint64 { return a + b })
}

// remove takes an entry out; one without value was not in.
func (s *sum) remove(key, value []byte) {
	if value != nil {
		s.each(key, value, func(a, b uint64) uint64 { return a - b })
	}
}

func (s *sum) each(key, value []byte, join func(a, b uint64) uint64) {
	h := sha256.New()
	hashPart(h, key)
	hashPart(h, value)
	var entry sum
	h.Sum(entry[:0])
	for i := 0; i < len(s); i += 8 {
		joined := join(binary.BigEndian.Uint64(s[i:]), binary.BigEndian.Uint64(entry[i:]))
		binary.BigEndian.PutUint64(s[i:], joined)
	}
}

func hashPart(h hash.Hash, part []byte) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(part)))
	h.Write(length[:])
	h.Write(part)
}

// sumOf adds up all that a bucket holds.
func sumOf(state *bbolt.Bucket) sum {
	var s sum
	cursor := state.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		s.add(k, v)
	}
	return s
}

// keptSum is the one that was written with the latest transaction. A file of the first schema,
// whose checksum was over all entries at once, is brought to the present one.
func keptSum(meta, state *bbolt.Bucket) (sum, error) {
	if kept := meta.Get(sumKey); kept != nil {
		if len(kept) != len(sum{}) {
			return sum{}, fmt.Errorf("%w: its checksum has %d bytes", ErrDamaged, len(kept))
		}
		return sum(kept), nil
	}
	if err := meta.Delete(digestKey); err != nil {
		return sum{}, err
	}
	if err := meta.Put(schemaKey, schemaValue); err != nil {
		return sum{}, err
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
