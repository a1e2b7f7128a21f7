package commons

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Found is what a tree says.
type Found struct {
	scheduler.Predecessor
	// Name is the service's.
	Name string
	// Running says that its scheduler holds its lock, so that it is not over.
	Running bool
	// Problems are why the service cannot be taken over, Notes what of it is left behind.
	Problems, Notes []string
}

// Decode makes sense of a tree. Its error says what is damaged; what is whole and cannot be taken
// over is told by Problems.
func Decode(t Tree) (Found, error) {
	f := Found{Name: strings.TrimPrefix(t.text("servicename"), "/")}
	f.Running = len(t.below("lock/leases")) > 0
	switch version := t.text("SchemaVersion"); version {
	case "", "1":
	case "2":
		f.problem("its scheduler ran several services as one framework (schema version 2): what " +
			"one of them has cannot be parted from what the others have")
		return f, nil
	default:
		return f, fmt.Errorf("%s: the schema version is %q; 1 is known", t.Root, version)
	}
	if t.text("Properties/uninstalling") == "true" {
		f.problem("it is being uninstalled, and what was freed of it is not to be had back; let " +
			"the predecessor end that")
		return f, nil
	}
	node, there := t.Nodes["FrameworkID"]
	if !there {
		f.problem("there is no framework id: nothing was installed, or all was uninstalled")
		return f, nil
	}
	var err error
	if f.Framework, err = mesoshttp.DecodeFramework(node.Data); err != nil {
		return f, fmt.Errorf("%s/FrameworkID: %w", t.Root, err)
	}
	f.Deployed = t.text("Properties/last-completed-update-type") != ""
	if err := f.configs(t); err != nil {
		return f, err
	}
	f.files(t)
	return f, f.tasks(t)
}

func (f *Found) problem(format string, args ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

func (f *Found) notef(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// configs reads the configurations. An old one that cannot be read is left behind: the tasks that
// run with it are launched again with the present one.
func (f *Found) configs(t Tree) error {
	f.TargetID, f.Configs = t.text("ConfigTarget"), map[string]servicespec.Service{}
	for _, id := range slices.Sorted(maps.Keys(t.below("Configurations"))) {
		at := "Configurations/" + id
		service, lost, err := servicespec.FromPredecessor(t.Nodes[at].Data)
		switch {
		case err != nil && id == f.TargetID:
			return fmt.Errorf("%s/%s: %w", t.Root, at, err)
		case err != nil:
			f.notef("the earlier configuration %s is left behind: %v", id, err)
			continue
		}
		f.Configs[id] = service
		for _, what := range lost {
			f.notef("configuration %s: %s", id, what)
		}
		if id == f.TargetID && f.Name != "" && service.Name != f.Name {
			f.problem("the tree is of the service %s, and its configuration of %s", f.Name,
				service.Name)
		}
	}
	if _, there := f.Configs[f.TargetID]; !there {
		f.problem("the configuration %q, which it ran with, is not there", f.TargetID)
	}
	return nil
}

// files takes over what operators kept with the predecessor's API.
func (f *Found) files(t Tree) {
	f.Files = map[string]string{}
	for key := range t.below("Properties") {
		if name, is := strings.CutPrefix(key, "file-"); is {
			f.Files[name] = t.text("Properties/" + key)
		}
	}
}

func (f *Found) tasks(t Tree) error {
	for _, name := range slices.Sorted(maps.Keys(t.below("Tasks"))) {
		task, err := decodeTask(t, name)
		if err != nil {
			return err
		}
		if task == nil {
			f.notef("%s has no TaskInfo, and so holds nothing; it is left behind", name)
			continue
		}
		f.Tasks = append(f.Tasks, *task)
	}
	return nil
}

// decodeTask reads what is stored of a task, nil if there is no TaskInfo.
func decodeTask(t Tree, name string) (*scheduler.PredecessorTask, error) {
	at := "Tasks/" + name
	info, there := t.Nodes[at+"/TaskInfo"]
	if !there {
		return nil, nil
	}
	task := &scheduler.PredecessorTask{Name: name,
		Override: t.text(at + "/Metadata/goal-state-override"),
		Progress: t.text(at + "/Metadata/override-status")}
	var err error
	if task.Info, err = mesoshttp.DecodeTask(info.Data); err != nil {
		return nil, fmt.Errorf("%s/%s/TaskInfo: %w", t.Root, at, err)
	}
	if task.Status, err = statusAt(t, at+"/TaskStatus"); err != nil {
		return nil, err
	}
	if task.Info.ID == "" && task.Status != nil {
		// It had ended when another task was launched that has its resources, and was stored
		// again with that as if it had yet to come.
		task.Info.ID = task.Status.Task
	}
	task.Reached, err = statusAt(t, "Properties/"+name+":task-status")
	return task, err
}

func statusAt(t Tree, path string) (*mesos.Status, error) {
	node, there := t.Nodes[path]
	if !there {
		return nil, nil
	}
	status, err := mesoshttp.DecodeStatus(node.Data)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", t.Root, path, err)
	}
	return &status, nil
}
