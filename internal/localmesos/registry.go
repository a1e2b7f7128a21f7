package localmesos

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
)

// schema is the version of the state file's layout.
const schema = 1

// Buckets of the state file.
const (
	bucketMeta       = "meta"
	bucketFrameworks = "frameworks"
	bucketAgents     = "agents"
	bucketExecutors  = "executors"
	bucketTasks      = "tasks"
	bucketOperations = "operations"
	bucketTrash      = "trash"
)

// Keys of bucketMeta besides the schema.
const (
	keyUpkeep = "upkeep"
	keyShares = "shares"
)

var allBuckets = []string{bucketMeta, bucketFrameworks, bucketAgents, bucketExecutors,
	bucketTasks, bucketOperations, bucketTrash}

// registry is the state file. Every value carries a checksum, since bbolt has
// none for data pages.
type registry struct {
	db   *bolt.DB
	path string
}

// change is one record to write, or to delete if value is nil.
type change struct {
	bucket, key string
	value       any
}

// openRegistry opens the state file in dir, creating it if there is none. A new
// file is made under another name and renamed, so that a file of that name is
// always complete: an empty or cut one is damage, not a beginning.
func openRegistry(dir string) (*registry, error) {
	path := filepath.Join(dir, "state.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := createRegistry(path); err != nil {
			return nil, fmt.Errorf("creating the state file %s: %w", path, err)
		}
	}
	if err := checkRegistryFile(path); err != nil {
		return nil, err
	}
	db, err := openBolt(path, false)
	if err != nil {
		return nil, fmt.Errorf("opening the state file %s: %w", path, err)
	}
	return &registry{db: db, path: path}, nil
}

func openBolt(path string, readOnly bool) (*bolt.DB, error) {
	return bolt.Open(path, 0o600, &bolt.Options{
		Timeout: time.Second, ReadOnly: readOnly, FreelistType: bolt.FreelistMapType})
}

func createRegistry(path string) error {
	tmp := path + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	db, err := openBolt(tmp, false)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return putRecord(tx, change{bucketMeta, "schema", schema})
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkRegistryFile reads the whole file without changing it and says in words
// what is wrong with it. A damaged file makes bbolt panic or touch memory beyond
// the end of the mapping; both are turned into errors here.
func checkRegistryFile(path string) (err error) {
	damaged := func(cause any) error {
		return fmt.Errorf("the state file %s is damaged (%v); it was left as it is: "+
			"restore it, or move its directory away to begin anew", path, cause)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(r)
		}
	}()
	st, err := os.Stat(path)
	if err != nil || st.Size() == 0 {
		return damaged("it is empty or cannot be read")
	}
	db, err := openBolt(path, true)
	if err != nil {
		return damaged(err)
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		if tx.Size() > st.Size() {
			return damaged("its end is missing")
		}
		return checkContents(tx, path, damaged)
	})
}

// checkContents checks the version, the structure and every record.
func checkContents(tx *bolt.Tx, path string, damaged func(any) error) error {
	meta := tx.Bucket([]byte(bucketMeta))
	if meta == nil {
		return damaged("it has no version")
	}
	version := 0
	if err := decodeRecord(meta.Get([]byte("schema")), &version); err != nil {
		return damaged(err)
	}
	if version > schema {
		return fmt.Errorf("the state file %s was written by a newer version (schema %d, "+
			"this program knows %d); it was left as it is: use the newer program",
			path, version, schema)
	}
	var err error
	for cause := range tx.Check() {
		err = errors.Join(err, damaged(cause))
	}
	if err != nil {
		return err
	}
	for _, name := range allBuckets {
		b := tx.Bucket([]byte(name))
		if b == nil {
			return damaged("it has no " + name)
		}
		if err := b.ForEach(func(k, v []byte) error {
			if _, err := checkedRecord(v); err != nil {
				return damaged(fmt.Errorf("%s %q: %w", name, k, err))
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func checkedRecord(v []byte) ([]byte, error) {
	if len(v) < 4 || binary.BigEndian.Uint32(v) != crc32.ChecksumIEEE(v[4:]) {
		return nil, fmt.Errorf("wrong checksum")
	}
	return v[4:], nil
}

func decodeRecord(v []byte, into any) error {
	body, err := checkedRecord(v)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func putRecord(tx *bolt.Tx, c change) error {
	b := tx.Bucket([]byte(c.bucket))
	if c.value == nil {
		return b.Delete([]byte(c.key))
	}
	body, err := json.Marshal(c.value)
	if err != nil {
		return fmt.Errorf("encoding %s %q: %w", c.bucket, c.key, err)
	}
	v := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(body)), crc32.ChecksumIEEE(body))
	return b.Put([]byte(c.key), append(v, body...))
}

// write stores all changes or none.
func (r *registry) write(changes []change) error {
	return r.db.Update(func(tx *bolt.Tx) error {
		for _, c := range changes {
			if err := putRecord(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// loadMeta reads a record of bucketMeta, if it is there.
func (r *registry) loadMeta(key string, into any) error {
	return r.db.View(func(tx *bolt.Tx) error {
		v := tx.Bucket([]byte(bucketMeta)).Get([]byte(key))
		if v == nil {
			return nil
		}
		if err := decodeRecord(v, into); err != nil {
			return fmt.Errorf("reading %s from %s: %w", key, r.path, err)
		}
		return nil
	})
}

// loadBucket reads all records of a bucket, in the order of their keys.
func loadBucket[T any](r *registry, bucket string) (map[string]*T, error) {
	out := map[string]*T{}
	err := r.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bucket)).ForEach(func(k, v []byte) error {
			rec := new(T)
			if err := decodeRecord(v, rec); err != nil {
				return fmt.Errorf("reading %s %q from %s: %w", bucket, k, r.path, err)
			}
			out[string(k)] = rec
			return nil
		})
	})
	return out, err
}

func (r *registry) close() error { return r.db.Close() }

// wire is a protobuf message inside of a record.
type wire[T any, P interface {
	*T
	Marshal() ([]byte, error)
	Unmarshal([]byte) error
}] struct{ V T }

// MarshalJSON writes the message's protobuf encoding in base64.
func (w wire[T, P]) MarshalJSON() ([]byte, error) {
	b, err := P(&w.V).Marshal()
	if err != nil {
		return nil, err
	}
	text := append(make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))+2), '"')
	return append(base64.StdEncoding.AppendEncode(text, b), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (w *wire[T, P]) UnmarshalJSON(v []byte) error {
	var b []byte
	if err := json.Unmarshal(v, &b); err != nil {
		return err
	}
	return P(&w.V).Unmarshal(b)
}
