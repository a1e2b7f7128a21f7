package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// BackUp keeps a state in a file, as Export writes it.
func BackUp(path string, hard scheduler.Hard) error {
	entries, err := Entries(hard)
	if err != nil {
		return err
	}
	return ExportTo(path, entries)
}

// backUp keeps a copy of a file of an earlier schema beside it, before the first transaction makes
// it one of the present schema. Whoever has to go back to the earlier release puts it in its place,
// and loses what was written since.
func (b *Bolt) backUp() error {
	if !b.earlier {
		return nil
	}
	err := b.db.View(func(tx *bbolt.Tx) error {
		version := string(tx.Bucket(metaBucket).Get(schemaKey))
		if version == strconv.Itoa(Schema) {
			return nil
		}
		path := b.path + ".schema-" + version
		part := path + ".part"
		if err := copyTo(tx, part); err != nil {
			return errors.Join(err, os.Remove(part))
		}
		if err := os.Rename(part, path); err != nil {
			return err
		}
		return syncFolder(filepath.Dir(path))
	})
	if err != nil {
		return fmt.Errorf("keeping a copy of %s before it is brought to schema %d: %w", b.path,
			Schema, err)
	}
	b.earlier = false
	return nil
}

// copyTo writes what a transaction sees into a file, and onto the disk.
func copyTo(tx *bbolt.Tx, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = tx.WriteTo(file)
	return errors.Join(err, file.Sync(), file.Close())
}
