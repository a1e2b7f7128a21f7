package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// record is what this machine has written down of a service: its options and its spec. That of
// a service which is named by its URL is not of this machine, and nothing of it is written.
type record struct {
	folder  folder
	cluster cluster
	here    bool
}

// record gives the record of the service that the flags name.
func (e *env) record(name string) (record, error) {
	if !e.here() {
		e.name, e.nameGiven = name, true
		return record{}, nil
	}
	f, c, err := e.own()
	e.nameGiven, e.name = true, f.name
	return record{folder: f, cluster: c, here: true}, err
}

// recorded asks for the status document and gives what this machine has written down of the
// service.
func (e *env) recorded(ctx context.Context) (*client.Client, api.Service, record, error) {
	c, s, err := e.service(ctx)
	if err != nil {
		return nil, s, record{}, err
	}
	at, err := e.record(s.Name)
	return c, s, at, err
}

// changes are what differs from the recorded service.
func (r record) changes(w wanted) ([]servicespec.Change, error) {
	if !r.here {
		return nil, nil
	}
	now, err := r.folder.recorded()
	if err != nil {
		return nil, err
	}
	return servicespec.Diff(now, w.service), nil
}

// change makes another configuration the target and then writes that down, while no other
// command may act on the cluster. What was recorded before is kept under the target's id.
func (r record) change(
	before string, do func() (api.Outcome, error), write func() error,
) (api.Outcome, error) {
	if !r.here {
		return do()
	}
	release, err := claim(r.folder)
	if err != nil {
		return api.Outcome{}, err
	}
	defer release()
	if err := r.keep(before); err != nil {
		return api.Outcome{}, err
	}
	outcome, err := do()
	if err != nil || !outcome.Changed {
		return outcome, err
	}
	return outcome, write()
}

// kept is a record of a configuration that is the target no more.
type kept struct {
	Spec       string              `json:"spec"` // rendered
	Files      map[string]string   `json:"files,omitempty"`
	Path       string              `json:"path,omitempty"`
	Options    servicespec.Options `json:"options,omitempty"`
	TaskConfig map[string]string   `json:"task_config,omitempty"`
}

// mostKept is how many of them are kept.
const mostKept = 50

func (f folder) keptFile(id string) string {
	return f.file("targets", filepath.Base(id)+".json")
}

// keep writes the record down under the id of the target that it is of.
func (r record) keep(id string) error {
	if id == "" {
		return nil
	}
	text, err := os.ReadFile(r.folder.specFile())
	if err != nil {
		return fmt.Errorf("reading the cluster's spec: %w", err)
	}
	files, err := templateFiles(text, r.folder.dir)
	if err != nil {
		return err
	}
	c := r.cluster
	return r.folder.keep(id, kept{string(text), files, c.Spec, c.Options, c.TaskConfig})
}

// keep writes down a record that is not the present one.
func (f folder) keep(id string, k kept) error {
	content, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("keeping the cluster's spec: %w", err)
	}
	if err := os.MkdirAll(f.file("targets"), 0o755); err != nil {
		return fmt.Errorf("keeping the cluster's spec: %w", err)
	}
	if err := writeFile(f.keptFile(id), content); err != nil {
		return err
	}
	return f.forget()
}

// forget removes the oldest records beyond those that are kept.
func (f folder) forget() error {
	entries, err := os.ReadDir(f.file("targets"))
	if err != nil {
		return fmt.Errorf("keeping the cluster's spec: %w", err)
	}
	var all []written
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			all = append(all, written{f.file("targets", e.Name()), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b written) int { return b.at.Compare(a.at) })
	for _, old := range all[min(len(all), mostKept):] {
		os.Remove(old.path)
	}
	return nil
}

// save writes down what became the target.
func (r record) save(w wanted) error {
	if err := r.folder.saveSpec(w); err != nil {
		return err
	}
	c := r.cluster
	c.Options, c.Spec, c.TaskConfig = w.options, w.path, w.taskConfig
	return r.folder.save(c)
}

// restore writes down the kept record of a target as the present one; found is false when there
// is none.
func (r record) restore(id string) (found bool, err error) {
	text, err := os.ReadFile(r.folder.keptFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return false, fmt.Errorf("reading the record of %s: %w", id, err)
	}
	return true, r.save(wanted{text: []byte(k.Spec), files: maps.Clone(k.Files), path: k.Path,
		options: k.Options, taskConfig: k.TaskConfig})
}

// migrated names the record of what a service is to be when its migration is over.
const migrated = "migrated"

// expect keeps what a service is to be when its migration is over.
func (r record) expect(w wanted) error {
	if !r.here {
		return nil
	}
	return r.folder.keep(migrated, kept{string(w.text), w.files, w.path, w.options, w.taskConfig})
}

// settle makes what a service was to be by its migration the record, once nothing of it has to
// do with ZooKeeper any more.
func (r record) settle(now servicespec.Service) (record, error) {
	if onZooKeeper(now) || !exists(r.folder.keptFile(migrated)) {
		return r, nil
	}
	release, err := claim(r.folder)
	if err != nil {
		return r, err
	}
	defer release()
	if _, err := r.restore(migrated); err != nil {
		return r, err
	}
	if r.cluster, err = r.folder.load(); err != nil {
		return r, err
	}
	return r, os.Remove(r.folder.keptFile(migrated))
}

// onZooKeeper reports whether any of a service's Kafka nodes needs ZooKeeper.
func onZooKeeper(s servicespec.Service) bool {
	return slices.ContainsFunc(s.Pods, func(p servicespec.Pod) bool {
		return p.Kafka != nil && p.Kafka.ZooKeeper != ""
	})
}
