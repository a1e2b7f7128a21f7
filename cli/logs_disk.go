package cli

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/sandbox"
)

// logsOnDisk prints what a task of a stopped cluster printed, from the sandboxes of the embedded
// Mesos. why is the error that says that the cluster is stopped; it stands where there is none.
func (e *env) logsOnDisk(why error, l logs, pod, task string) error {
	f, err := e.folder()
	if err != nil {
		return why
	}
	c, err := f.load()
	if err != nil || c.Mesos == nil {
		return why
	}
	name, err := f.fullTaskName(pod, task)
	if err != nil {
		return err
	}
	file := l.file(name)
	path, err := f.newest(file)
	if err != nil {
		return fail(exitNotFound, "%w, and there is no file %s in its sandboxes", why, file)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the output of %s: %w", name, err)
	}
	if l.follow {
		e.hint("%s is stopped, so there is nothing to follow", f.name)
	}
	return e.printLog(pod, name, file, sandbox.LastLines(string(text), l.lines))
}

// fullTaskName gives the full name of a pod's task, or of its first one, by the recorded spec.
func (f folder) fullTaskName(pod, task string) (string, error) {
	service, err := f.recorded()
	if err != nil {
		return "", err
	}
	var pods []string
	for _, p := range service.Pods {
		var names []string
		for _, t := range p.Tasks {
			names = append(names, t.Name)
		}
		for i := range p.Count {
			name := fmt.Sprintf("%s-%d", p.Type, i)
			if pods = append(pods, name); name != pod {
				continue
			}
			for _, t := range names {
				if task == "" || task == t || task == name+"-"+t {
					return name + "-" + t, nil
				}
			}
			return "", noTask(pod, task, names)
		}
	}
	return "", fail(exitNotFound, "there is no pod %q; there are: %s", pod, listing(pods))
}

// newest finds the file of that name in the latest run of an executor that wrote to it last.
func (f folder) newest(file string) (string, error) {
	found, err := filepath.Glob(f.file("mesos", "agents", "*", "slaves", "*", "frameworks", "*",
		"executors", "*", "runs", "latest", file))
	if err != nil {
		return "", err
	}
	var paths []written
	for _, path := range found {
		if info, err := os.Stat(path); err == nil {
			paths = append(paths, written{path, info.ModTime()})
		}
	}
	if len(paths) == 0 {
		return "", fs.ErrNotExist
	}
	return slices.MaxFunc(paths, func(a, b written) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.path, b.path))
	}).path, nil
}

// written is a file and when it was written last.
type written struct {
	path string
	at   time.Time
}
