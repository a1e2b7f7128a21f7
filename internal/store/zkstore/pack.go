package zkstore

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/kafka-sched/kafka-sched/internal/store"
)

// packedChange is a change in a large batch: its value is text, whose like stands in many others,
// and which base64 would hide from the compression.
type packedChange struct {
	Key   string  `json:"key"`
	Value *string `json:"value,omitempty"` // nothing: the key goes
}

// packed gives a large batch as it is kept until it is carried out. Ten thousand launches have
// 25 MB of records that are nearly alike; ZooKeeper's servers send and sync each byte, and have
// the latest 500 transactions in memory.
func packed(changes []store.Change) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1))
	for i, c := range changes {
		before := ","
		if i == 0 {
			before = "["
		}
		p := packedChange{Key: c.Key}
		if c.Value != nil {
			text := string(c.Value)
			p.Value = &text
		}
		var one []byte // each by itself: all of them in one piece would be copied again and again
		if err == nil {
			one, err = json.Marshal(p)
		}
		if err == nil {
			_, err = w.Write(append([]byte(before), one...))
		}
	}
	if err == nil {
		_, err = io.WriteString(w, "]")
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // plain fields, into memory
	}
	return out.Bytes()
}

// unpacked reads it back, and what releases before wrote: theirs were packed otherwise, or not.
func unpacked(text []byte) ([]store.Change, error) {
	var err error
	switch {
	case bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		text, err = unpackedBy(zstd.NewReader(bytes.NewReader(text),
			zstd.WithDecoderConcurrency(1)))
	case bytes.HasPrefix(text, []byte{0x1f, 0x8b}):
		text, err = unpackedBy(gzip.NewReader(bytes.NewReader(text)))
	default:
		var changes []store.Change
		return changes, json.Unmarshal(text, &changes)
	}
	if err != nil {
		return nil, err
	}
	var list []packedChange
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("a batch of %d bytes: %w", len(text), err)
	}
	changes := make([]store.Change, len(list))
	for i, c := range list {
		changes[i].Key = c.Key
		if c.Value != nil {
			changes[i].Value = []byte(*c.Value)
		}
	}
	return changes, nil
}

// unpackedBy reads all that a reader unpacks, if there is one.
func unpackedBy[R io.Reader](r R, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
