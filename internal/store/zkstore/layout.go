package zkstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"
)

// Schema is the version of this layout together with the meaning of keys and values. In the first
// one no node was shrunk.
const Schema = 2

// title begins the content of the root node.
const title = "kafka-sched state, schema "

const (
	// maxMulti bounds the bytes of one multi, and maxOps the operations in it; ZooKeeper's own
	// bound (jute.maxbuffer) is one megabyte, and it has been lowered by careful people.
	maxMulti = 448 << 10
	maxOps   = 1000
	// maxValue bounds what is put into a node as it is; larger values become blobs of pieces.
	maxValue  = 128 << 10
	pieceSize = 256 << 10
	// opOverhead is the most that an operation adds to its path and value on the wire.
	opOverhead = 128
)

// blobMark begins the content of a node whose value is a blob. Values are JSON objects.
const blobMark = "blob:"

// commit is the content of PATH/commit.
type commit struct {
	// Epoch counts who took office, Batch the batches of this epoch.
	Epoch int64 `json:"epoch"`
	Batch int64 `json:"batch"`
	// Pending is the digest of a large batch that counts but is not carried out yet.
	Pending string `json:"pending,omitempty"`
	// Sum stands for all keys with their values, or the blobs that these are, as they are once
	// Pending is carried out; "" in a tree that was never written to.
	Sum string `json:"sum,omitempty"`
	// Leader is who took office, for people.
	Leader string `json:"leader,omitempty"`
}

func (c commit) bytes() []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain fields
	}
	return text
}

// paths are the nodes below the root of one service.
type paths string

func (p paths) commit() string   { return string(p) + "/commit" }
func (p paths) election() string { return string(p) + "/election" }
func (p paths) state() string    { return string(p) + "/state" }
func (p paths) blobs() string    { return string(p) + "/blobs" }

// folder is the name of the folder of a key.
func folder(key string) string {
	hash := fnv.New32a()
	hash.Write([]byte(key))
	return fmt.Sprintf("%02x", byte(hash.Sum32()))
}

func (p paths) folder(name string) string { return p.state() + "/" + name }

func (p paths) key(key string) string {
	return p.folder(folder(key)) + "/" + url.PathEscape(key)
}

// keyAt gives the key whose node a path is, if it is one.
func (p paths) keyAt(path string) (key string, is bool) {
	name, below := strings.CutPrefix(path, p.state()+"/")
	_, name, inside := strings.Cut(name, "/")
	if !below || !inside {
		return "", false
	}
	key, err := url.PathUnescape(name)
	return key, err == nil && p.key(key) == path
}

func (p paths) blob(digest string) string { return p.blobs() + "/" + digest }

func (p paths) piece(digest string, n int) string {
	return fmt.Sprintf("%s/%04d", p.blob(digest), n)
}

// digestOf names a blob.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// pieces cuts a blob.
func pieces(content []byte) [][]byte {
	var list [][]byte
	for len(content) > 0 {
		n := min(len(content), pieceSize)
		list = append(list, content[:n])
		content = content[n:]
	}
	return list
}

// blobOf gives the digest that a node names in the place of its value, "" where it has one.
func blobOf(value []byte) string {
	digest, is := bytes.CutPrefix(value, []byte(blobMark))
	if !is {
		return ""
	}
	return string(digest)
}
