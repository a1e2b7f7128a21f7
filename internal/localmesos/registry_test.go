package localmesos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// refusesToStart checks the error, and that the state file was left as it is.
func refusesToStart(t *testing.T, cfg Config, want string) {
	t.Helper()
	path := filepath.Join(cfg.Dir, "state.db")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(cfg)
	if err == nil {
		shutdown(t, c)
		t.Fatalf("it started, want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q, want %q", err, want)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the state file was changed (%v)", err)
	}
}

func closed(t *testing.T, cfg Config) {
	t.Helper()
	c := start(t, cfg)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// A damaged state file, or one of a newer schema, is refused and left as it is.
func TestDamagedState(t *testing.T) {
	damages := map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil },
		"cut":   func(b []byte) []byte { return b[:len(b)/2] },
		"text":  func([]byte) []byte { return []byte(strings.Repeat("no database ", 2000)) },
		"zeros": func(b []byte) []byte {
			return append(b[:8192:8192], make([]byte, len(b)-8192)...)
		},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig(t)
			closed(t, cfg)
			path := filepath.Join(cfg.Dir, "state.db")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			refusesToStart(t, cfg, "is damaged")
		})
	}
	change := func(t *testing.T, cfg Config, bucket, key string, value []byte) {
		db, err := bolt.Open(filepath.Join(cfg.Dir, "state.db"), 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bolt.Tx) error {
			if value == nil {
				return putRecord(tx, int2(bucket, key, schema+1))
			}
			return tx.Bucket([]byte(bucket)).Put([]byte(key), value)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("newer", func(t *testing.T) {
		cfg := testConfig(t)
		closed(t, cfg)
		change(t, cfg, bucketMeta, "schema", nil)
		refusesToStart(t, cfg, "was written by a newer version")
	})
	t.Run("checksum", func(t *testing.T) {
		cfg := testConfig(t)
		closed(t, cfg)
		change(t, cfg, bucketFrameworks, "f", []byte("1234{}"))
		refusesToStart(t, cfg, "wrong checksum")
	})
}

func int2(bucket, key string, value int) change { return change{bucket, key, value} }

// Two clusters cannot use one directory.
func TestSecondCluster(t *testing.T) {
	cfg := testConfig(t)
	start(t, cfg)
	refusesToStart(t, cfg, "is in use by another localmesos (pid ")
}

// Agents may be added and changed; what is reserved or used may not be taken away.
func TestChangedAgents(t *testing.T) {
	cfg := testConfig(t)
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	f.accept(o, reserve(reserved(scalarResource("cpus", 2))))
	f.offer(anyOffer)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	f.cancel()

	less := cfg
	less.Agents = append([]Agent(nil), cfg.Agents...)
	less.Agents[0].CPUs = 1
	refusesToStart(t, less, "agent agent-1: the configured resources (cpus:1; mem:4096; "+
		"disk:10000; ports:[31000-31010]) are less than what is reserved (cpus:2)")
	more := cfg
	more.Agents = append([]Agent(nil), cfg.Agents...)
	more.Agents[0].CPUs = 3
	more.Agents = append(more.Agents, Agent{Name: "agent-2", Addr: "127.0.0.3:0", CPUs: 7,
		Region: "eu", Zone: "eu-1", Attributes: map[string]string{"rack": "r1"}})
	c = start(t, more)
	_, body := post(t, c.MasterURL()+"/api/v1", `{"type":"GET_AGENTS"}`)
	for _, want := range []string{
		`{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},"role":"*"}`,
		`"scalar":{"value":2.0},"role":"svc"`, `"scalar":{"value":7.0},"role":"*"`,
		`"attributes":[{"name":"rack","type":"TEXT","text":{"value":"r1"}}]`,
		`"domain":{"fault_domain":{"region":{"name":"eu"},"zone":{"name":"eu-1"}}}`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
}
