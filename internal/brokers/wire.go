package brokers

import (
	"encoding/binary"
	"errors"
)

// errDamaged says that a response ended early, or that a length in it cannot be.
var errDamaged = errors.New("the response is damaged")

// reader walks through a response in Kafka's flexible encoding. After the first thing that cannot
// be, bad is set and all that it returns is zero. No count exceeds the bytes that are left, so
// the work is bounded by the size of the response, whatever is in it.
type reader struct {
	left []byte
	bad  bool
}

// done is nil if all that was read was there, and nothing is left.
func (r *reader) done() error {
	if r.bad || len(r.left) > 0 {
		return errDamaged
	}
	return nil
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.left) {
		r.left, r.bad = nil, true
		return nil
	}
	taken := r.left[:n]
	r.left = r.left[n:]
	return taken
}

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *reader) bool() bool { return r.int8() != 0 }

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int {
	if b := r.take(4); b != nil {
		return int(int32(binary.BigEndian.Uint32(b)))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	value, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.left, r.bad = nil, true
		return 0
	}
	r.left = r.left[n:]
	return value
}

// size reads a compact length: one more than it is, 0 for null, which is taken as empty.
func (r *reader) size() int {
	value := r.uvarint()
	if value == 0 {
		return 0
	}
	if value-1 > uint64(len(r.left)) {
		r.left, r.bad = nil, true
		return 0
	}
	return int(value - 1)
}

// bytes reads a compact string, or null as an empty one, without a copy.
func (r *reader) bytes() []byte { return r.take(r.size()) }

func (r *reader) string() string { return string(r.bytes()) }

// each calls a function for every element of a compact array.
func (r *reader) each(element func()) {
	for n := r.size(); n > 0 && !r.bad; n-- {
		element()
	}
}

// ids reads an array of node ids without a copy.
func (r *reader) ids() ids { return ids(r.take(4 * r.size())) }

// tags skips the tagged fields that end every structure.
func (r *reader) tags() { r.tagged(-1) }

// tagged skips them, and gives what is in one of them, nil if it is not there.
func (r *reader) tagged(wanted int) []byte {
	var found []byte
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		tag := r.uvarint()
		size := r.uvarint()
		if size > uint64(len(r.left)) {
			r.left, r.bad = nil, true
			return nil
		}
		if field := r.take(int(size)); tag == uint64(wanted) {
			found = field
		}
	}
	return found
}

// ids are node ids as they lie in a response.
type ids []byte

func (s ids) len() int     { return len(s) / 4 }
func (s ids) at(i int) int { return int(int32(binary.BigEndian.Uint32(s[4*i:]))) }

func (s ids) contains(id int) bool {
	for i := range s.len() {
		if s.at(i) == id {
			return true
		}
	}
	return false
}
