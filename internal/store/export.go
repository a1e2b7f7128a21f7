package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
)

// exportTitle says what an exported state is, exportSchema of which form.
const (
	exportTitle  = "kafka-sched state"
	exportSchema = 1
)

// exported is a state as a file that people can read and keep: the same state makes the same
// bytes.
type exported struct {
	Title   string                     `json:"title"`
	Schema  int                        `json:"schema"`
	Sum     string                     `json:"sum"`
	Entries map[string]json.RawMessage `json:"entries"`
}

// Export writes the entries of a state as JSON.
func Export(w io.Writer, entries map[string][]byte) error {
	e := exported{exportTitle, exportSchema, entriesSum(entries),
		make(map[string]json.RawMessage, len(entries))}
	for key, value := range entries { //tidy:unordered a map is made of a map
		e.Entries[key] = value
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(e); err != nil {
		return fmt.Errorf("writing the exported state: %w", err)
	}
	return nil
}

// ExportTo writes the entries of a state into a file, which is there wholly or not at all, and on
// the disk.
func ExportTo(path string, entries map[string][]byte) error {
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("writing the exported state: %w", err)
	}
	err = errors.Join(Export(file, entries), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("writing the exported state: %w", errors.Join(err, os.Remove(part)))
	}
	return syncFolder(filepath.Dir(path))
}

// Import reads what Export wrote, and refuses what is foreign, damaged, of a newer release, or
// no state. The error is, by errors.Is, ErrForeign, ErrDamaged or ErrNewer.
func Import(r io.Reader) (map[string][]byte, error) {
	var e exported
	if err := json.NewDecoder(r).Decode(&e); err != nil {
		return nil, fmt.Errorf("%w: it is no JSON such as state export writes", ErrForeign)
	}
	switch {
	case e.Title != exportTitle || e.Schema < 1:
		return nil, ErrForeign
	case e.Schema > exportSchema:
		return nil, fmt.Errorf("%w: its schema is %d, this release knows %d", ErrNewer,
			e.Schema, exportSchema)
	}
	entries := make(map[string][]byte, len(e.Entries))
	for key, value := range e.Entries { //tidy:unordered a map is made of a map
		plain, err := compact(value)
		if err != nil {
			return nil, fmt.Errorf("%w: the entry %q: %w", ErrDamaged, key, err)
		}
		entries[key] = plain
	}
	if entriesSum(entries) != e.Sum {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	if _, err := Decode(entries); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return entries, nil
}

// compact takes out the white space that people may have put between.
func compact(value json.RawMessage) ([]byte, error) {
	var out bytes.Buffer
	err := json.Compact(&out, value)
	return out.Bytes(), err
}

// entriesSum adds up all entries.
func entriesSum(entries map[string][]byte) string {
	var all Sum
	for key, value := range entries { //tidy:unordered the sum does not depend on the order
		all.Add([]byte(key), value)
	}
	return hex.EncodeToString(all[:])
}

// Entries gives what the file holds, key by key.
func (b *Bolt) Entries() (map[string][]byte, error) {
	entries := map[string][]byte{}
	err := b.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(stateBucket).ForEach(func(k, v []byte) error {
			entries[string(k)] = slices.Clone(v)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the state file %s: %w", b.path, err)
	}
	return entries, nil
}

// ErrOccupied says that a place holds a state already.
var ErrOccupied = errors.New("there is a state already")

// Fill makes entries the content of a file that holds none, or fails with ErrOccupied.
func (b *Bolt) Fill(entries map[string][]byte) error {
	err := b.db.Update(func(tx *bbolt.Tx) error {
		state := tx.Bucket(stateBucket)
		if first, _ := state.Cursor().First(); first != nil {
			return ErrOccupied
		}
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if err := state.Put([]byte(key), entries[key]); err != nil {
				return err
			}
		}
		all := sumOf(state)
		return tx.Bucket(metaBucket).Put(sumKey, all[:])
	})
	if err != nil {
		return fmt.Errorf("filling the state file %s: %w", b.path, err)
	}
	return nil
}
