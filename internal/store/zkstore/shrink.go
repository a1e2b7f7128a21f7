package zkstore

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/klauspost/compress/s2"

	"github.com/kafka-sched/kafka-sched/internal/store"
)

// dictionaryText is the record of an instance, of which nearly every text in another record is a
// part. What was shrunk can be read with this text alone, so it never changes: another one would
// come with another mark and another Schema.
//
//go:embed dictionary.json
var dictionaryText []byte

var dictionary = s2.MakeDictManual(dictionaryText, 0)

const (
	// shrunkMark begins the content of a node whose value is shrunk.
	shrunkMark = "s2:"
	// plainMost bounds what is left as it is, for people who look at nodes.
	plainMost = 512
)

// shrunk is the content of a node that holds a value: 4 kB of a record become 600 bytes, of which
// each server sends, syncs and remembers so much less.
func shrunk(value []byte) []byte {
	if len(value) <= plainMost {
		return value
	}
	content := append([]byte(shrunkMark), dictionary.Encode(nil, value)...)
	if len(content) >= len(value) {
		return value
	}
	return content
}

// valueOf reads it back, and what is left as it is.
func valueOf(content []byte) ([]byte, error) {
	block, is := bytes.CutPrefix(content, []byte(shrunkMark))
	if !is {
		return content, nil
	}
	size, err := s2.DecodedLen(block)
	if err == nil && size > maxValue {
		err = fmt.Errorf("it stands for %d bytes", size)
	}
	var value []byte
	if err == nil {
		value, err = dictionary.Decode(nil, block)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return value, nil
}
