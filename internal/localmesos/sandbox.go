package localmesos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// The layout below an agent's directory is that of Mesos:
//
//	slaves/AGENT/frameworks/FRAMEWORK/executors/EXECUTOR/runs/CONTAINER
//	slaves/AGENT/frameworks/FRAMEWORK/executors/EXECUTOR/runs/latest
//	volumes/roles/ROLE/PERSISTENCE_ID
//	disks/path-1/volumes/roles/ROLE/PERSISTENCE_ID
//	disks/mount-1
func runsDir(a *agentNode, framework, executor string) string {
	return filepath.Join(a.dir, "slaves", a.id, "frameworks", framework, "executors", executor,
		"runs")
}

func (a *agentNode) trashDir() string { return filepath.Join(a.dir, "trash") }

// makeSandbox creates the directory of a run and makes it the latest one.
func makeSandbox(e *executorRun, owner *owner) error {
	dir := e.sandbox()
	err := os.MkdirAll(dir, 0o755)
	for range 3 {
		// removeEmptyParents may have taken a parent away in between.
		if errors.Is(err, fs.ErrNotExist) {
			err = os.MkdirAll(dir, 0o755)
		}
	}
	if err != nil {
		return err
	}
	if err := owner.chown(dir); err != nil {
		return err
	}
	latest := filepath.Join(filepath.Dir(dir), "latest")
	tmp := latest + "." + e.Container
	if err := os.Symlink(e.Container, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, latest)
}

// linkVolumes makes the volumes among rs reachable in the sandbox. The path is
// walked within the sandbox, so that no link in it can lead elsewhere.
func linkVolumes(a *agentNode, sandbox string, rs []mesos.Resource, owner *owner) error {
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	for i := range rs {
		if !isVolume(&rs[i]) {
			continue
		}
		dir := a.volumeDir(&rs[i])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := owner.chown(dir); err != nil {
			return err
		}
		path := filepath.Clean(rs[i].Disk.Volume.GetContainerPath())
		if have, err := root.Readlink(path); err == nil && have == dir {
			continue
		}
		if err := linkInto(root, dir, path); err != nil {
			return fmt.Errorf("linking volume %s: %w", rs[i].Disk.Persistence.ID, err)
		}
	}
	return nil
}

// checkContainerPath says what is wrong with a volume's path in the sandbox.
func checkContainerPath(path string) error {
	clean := filepath.Clean(path)
	if path == "" || clean == "." || !filepath.IsLocal(clean) {
		return fmt.Errorf("Invalid container path '%s': it must lie within the sandbox", path)
	}
	return nil
}

// trashed is the record of a volume that was destroyed and whose data may still
// have to be removed.
type trashed struct{ Agent, Volume, Trash string }

// discardVolume is queued by DESTROY: after the commit the directory is moved
// aside at once, so that a new volume of the same name begins empty, and then
// removed in the background.
func (c *Cluster) discardVolume(a *agentNode, r *mesos.Resource) {
	if c.cfg.Simulate {
		return
	}
	c.seq++
	name := fmt.Sprintf("%s-%d-%d", r.Disk.Persistence.ID, time.Now().UnixNano(), c.seq)
	rec := &trashed{a.Name, a.volumeDir(r), filepath.Join(a.trashDir(), name)}
	key := rec.Trash
	c.save(bucketTrash, key, rec)
	c.after(func() { c.emptyTrash(key, rec, true) })
}

// emptyTrash moves the volume aside, if move is set, and removes it.
func (c *Cluster) emptyTrash(key string, rec *trashed, move bool) {
	if move {
		err := os.MkdirAll(filepath.Dir(rec.Trash), 0o755)
		if err == nil {
			err = os.Rename(rec.Volume, rec.Trash)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Error("a destroyed volume cannot be moved aside",
				"path", rec.Volume, "error", err)
			return
		}
	}
	c.background(func() {
		if err := os.RemoveAll(rec.Trash); err != nil {
			c.log.Error("a destroyed volume cannot be removed", "path", rec.Trash, "error", err)
			return
		}
		c.post(func() { c.drop(bucketTrash, key) })
	})
}

// recoverTrash goes on with volumes destroyed before a crash. A directory that
// was not yet moved is moved now, unless a volume of its name exists again.
func (c *Cluster) recoverTrash() error {
	records, err := loadBucket[trashed](c.reg, bucketTrash)
	if err != nil {
		return err
	}
	for _, key := range sortedKeys(records) {
		rec := records[key]
		inUse := false
		for _, a := range c.agents {
			for _, v := range volumesIn(a.total()) {
				inUse = inUse || a.volumeDir(&v) == rec.Volume
			}
		}
		_, err := os.Lstat(rec.Trash)
		moved := err == nil
		c.after(func() { c.emptyTrash(key, rec, !moved && !inUse) })
	}
	return nil
}

// collectSandboxes removes the oldest sandboxes of ended executors. They are
// listed in the loop, where no executor can begin meanwhile.
func (c *Cluster) collectSandboxes(a *agentNode) {
	c.after(func() {
		live := map[string]bool{}
		for _, e := range a.executors {
			live[e.Container] = true
		}
		old, err := oldRuns(a.dir, live, max(c.cfg.KeepRuns, 0))
		if err != nil {
			c.log.Warn("old sandboxes cannot be listed", "agent", a.Name, "error", err)
		}
		if len(old) == 0 {
			return
		}
		c.background(func() {
			if err := removeRuns(old); err != nil {
				c.log.Warn("old sandboxes cannot be removed", "agent", a.Name, "error", err)
			}
		})
	})
}

// oldRuns lists the runs of ended executors but for the newest ones.
func oldRuns(dir string, live map[string]bool, keep int) ([]string, error) {
	runs, err := filepath.Glob(filepath.Join(dir, "slaves", "*", "frameworks", "*",
		"executors", "*", "runs", "*"))
	if err != nil {
		return nil, err
	}
	type run struct {
		path string
		at   time.Time
	}
	var dead []run
	for _, path := range runs {
		st, err := os.Lstat(path)
		if err != nil || !st.IsDir() || live[filepath.Base(path)] {
			continue
		}
		dead = append(dead, run{path, st.ModTime()})
	}
	slices.SortFunc(dead, func(x, y run) int { return y.at.Compare(x.at) })
	var old []string
	for _, r := range dead[min(keep, len(dead)):] {
		old = append(old, r.path)
	}
	return old, nil
}

func removeRuns(paths []string) error {
	var errs []error
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			errs = append(errs, err)
			continue
		}
		removeEmptyParents(path)
	}
	return errors.Join(errs...)
}

// removeEmptyParents removes what only led to a removed run. A directory that
// is in use again is not empty, and stays.
func removeEmptyParents(run string) {
	runs := filepath.Dir(run)
	latest := filepath.Join(runs, "latest")
	if _, err := os.Stat(latest); errors.Is(err, fs.ErrNotExist) {
		_ = os.Remove(latest)
	}
	for dir := runs; filepath.Base(dir) != "slaves"; dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			return
		}
	}
}
