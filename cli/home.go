package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// home is the folder that holds one folder a cluster.
type home string

// nameForm is what a cluster's name looks like: a DNS label, so that it can be part of host
// names, and never leads out of the home folder.
var nameForm = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

const maxName = 63

// checkName refuses what cannot be a cluster's name.
func checkName(name string) error {
	if len(name) > maxName || !nameForm.MatchString(name) {
		return fail(exitUsage, "name %q: a name has lower-case letters, digits and hyphens, "+
			"begins with a letter, does not end with a hyphen, and is at most %d long",
			name, maxName)
	}
	return nil
}

// findHome is $KAFKA_SCHED_HOME, else a folder in the user's state folder.
func findHome(getenv func(string) string) (home, error) {
	dir := getenv("KAFKA_SCHED_HOME")
	if dir == "" {
		state := getenv("XDG_STATE_HOME")
		if state == "" || !filepath.IsAbs(state) {
			user := getenv("HOME")
			if user == "" {
				return "", fail(exitUsage, "set KAFKA_SCHED_HOME: neither it nor HOME is set")
			}
			state = filepath.Join(user, ".local", "state")
		}
		dir = filepath.Join(state, "kafka-sched")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the home folder: %w", err)
	}
	return home(abs), nil
}

// names lists the clusters that are installed, sorted.
func (h home) names() ([]string, error) {
	entries, err := os.ReadDir(string(h))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing clusters: %w", err)
	}
	var names []string
	for _, e := range entries {
		if _, err := os.Stat(h.cluster(e.Name()).file("cluster.json")); err == nil {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

func (h home) cluster(name string) folder {
	return folder{name: name, dir: filepath.Join(string(h), name)}
}

// folder is the folder of one cluster.
type folder struct{ name, dir string }

func (f folder) file(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

func (f folder) schedulerDir() string  { return f.file("scheduler") }
func (f folder) mesosDir() string      { return f.file("mesos") }
func (f folder) specFile() string      { return f.file("service.yml") }
func (f folder) schedulerLog() string  { return f.file("scheduler", "scheduler.log") }
func (f folder) mesosLog() string      { return f.file("mesos", "localmesos.log") }
func (f folder) keeperLog() string     { return f.file("keeper.log") }
func (f folder) keeperLock() string    { return f.file("keeper.lock") }
func (f folder) schedulerLock() string { return f.file("scheduler", "process.lock") }
func (f folder) mesosLock() string     { return f.file("mesos", "process.lock") }
func (f folder) installLock() string   { return f.file("install.lock") }

// uninstalled is the file with which the scheduler says that nothing of the service is left.
func (f folder) uninstalled() string { return f.file("scheduler", "uninstalled") }

// cluster is what install was asked for; it is kept in cluster.json.
type cluster struct {
	Format  int       `json:"format"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Spec is the path of the spec as given, "" for the built-in one.
	Spec    string              `json:"spec,omitempty"`
	Options servicespec.Options `json:"options,omitempty"`
	// TaskConfig are the variables that were put into the environments of tasks.
	TaskConfig map[string]string `json:"task_config,omitempty"`
	// Master is the external master, "" for the embedded Mesos.
	Master string `json:"master,omitempty"`
	// Listen is the API's host:port; AnyPort says that another port will do when it is taken,
	// because nobody asked for this one.
	Listen    string `json:"listen"`
	AnyPort   bool   `json:"any_port,omitempty"`
	Advertise string `json:"advertise,omitempty"`
	Java      string `json:"java,omitempty"`
	Kafka     dist   `json:"kafka"`
	// JRE is the Java runtime that agents fetch, the zero one when they have their own.
	JRE dist `json:"jre,omitzero"`
	// Recording is how many megabytes the scheduler's recording may take, nil for the usual.
	Recording *int `json:"recording,omitempty"`
	// Executors are the files of executors for agents on other platforms, by these.
	Executors map[string]string `json:"executors,omitempty"`
	Mesos     *local            `json:"mesos,omitempty"`
	// Secrets is the folder of the embedded Mesos' secrets, "" for none.
	Secrets string `json:"secrets,omitempty"`
	Watch   watch  `json:"watch,omitzero"`
	// Access is how an external Mesos lets us in.
	Access access `json:"access,omitzero"`
	// State is the ZooKeeper where the state is kept, the zero one for a file.
	State zk.Access `json:"state,omitzero"`
}

// dist is the Kafka distribution of a cluster. Asked and AskedVersion are what the flags said.
type dist struct {
	Asked        string `json:"asked,omitempty"`
	AskedVersion string `json:"asked_version,omitempty"`
	Version      string `json:"version"`
	Digest       string `json:"digest"`
	Archive      string `json:"archive"`
}

// local is the embedded Mesos of a cluster.
type local struct {
	Slot       int          `json:"slot"`
	MasterAddr string       `json:"master_addr"`
	Agents     []LocalAgent `json:"agents"`
	// Faults lets it misbehave on order.
	Faults bool `json:"faults,omitempty"`
}

const clusterFormat = 1

// make makes the folder. One that is there already and holds other things than ours is
// refused, because undoing an installation deletes all that is in it.
func (f folder) make() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.unusable(err)
	}
	for _, e := range entries {
		if !exists(f.file("cluster.json")) && !slices.Contains(ownNames, e.Name()) {
			return fail(exitConflict, "the folder %s exists and is no cluster's: it holds %s; "+
				"choose another --name or KAFKA_SCHED_HOME", f.dir, e.Name())
		}
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return f.unusable(err)
	}
	return nil
}

// unusable is the error for a folder that cannot be made or looked into.
func (f folder) unusable(err error) error {
	return fail(exitPrecheck, "the cluster's folder %s cannot be used: %w; set KAFKA_SCHED_HOME "+
		"to a folder that can be written to", f.dir, plain(err))
}

// load reads cluster.json.
func (f folder) load() (cluster, error) {
	var c cluster
	text, err := os.ReadFile(f.file("cluster.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, f.missing()
	}
	if err != nil {
		return c, f.unusable(err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("reading %s: %w", f.file("cluster.json"), err)
	}
	if c.Format != clusterFormat {
		return c, fmt.Errorf("%s has format %d, and this program knows format %d only",
			f.file("cluster.json"), c.Format, clusterFormat)
	}
	return c, nil
}

// missing is the error for a cluster that is not installed; it names those that are.
func (f folder) missing() error {
	others, err := home(filepath.Dir(f.dir)).names()
	if err != nil {
		return err
	}
	if len(others) == 0 {
		return fail(exitNotFound, "there is no cluster %q; kafka-sched install makes one", f.name)
	}
	return fail(exitNotFound, "there is no cluster %q; there are: %s (choose with --name)",
		f.name, listing(others))
}

// save writes cluster.json.
func (f folder) save(c cluster) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the cluster's record: %w", err)
	}
	return writeFile(f.file("cluster.json"), append(text, '\n'))
}

// writeFile replaces a file atomically.
func writeFile(path string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer os.Remove(tmp.Name()) // after the rename there is nothing to remove
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
