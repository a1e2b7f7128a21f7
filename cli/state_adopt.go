package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/commons"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// adoptionReport is what an adoption comes to, for people and programs.
type adoptionReport struct {
	From          string       `json:"from"`
	Service       string       `json:"service"`
	FrameworkID   string       `json:"framework_id"`
	Configuration string       `json:"configuration"`
	Pods          []adoptedPod `json:"pods"`
	Notes         []string     `json:"notes"`
	Problems      []string     `json:"problems"`
	// To is where the state was written, "" if it was not.
	To string `json:"to,omitempty"`
}

// adoptedPod is an instance that is taken over.
type adoptedPod struct {
	Name     string   `json:"name"`
	Hostname string   `json:"hostname"`
	AgentID  string   `json:"agent_id"`
	Tasks    []string `json:"tasks"`
	Volumes  []string `json:"volumes"`
	// Reserved are the resources held, with their ids, in the text form of resources.
	Reserved []string `json:"reserved"`
}

// reportAdoption says what an adoption comes to.
func reportAdoption(from string, found commons.Found, a scheduler.Adoption) adoptionReport {
	h := a.Hard
	r := adoptionReport{From: from, Service: cmp.Or(h.Target.Service.Name, found.Name),
		FrameworkID: string(found.Framework), Configuration: h.Target.ID,
		Pods: []adoptedPod{}, Notes: slices.Concat([]string{}, found.Notes, a.Notes),
		Problems: slices.Concat([]string{}, found.Problems, a.Problems)}
	byName := func(x, y scheduler.PodName) int {
		return cmp.Or(cmp.Compare(x.Type, y.Type), cmp.Compare(x.Index, y.Index))
	}
	for _, name := range slices.SortedFunc(maps.Keys(h.Pods), byName) {
		r.Pods = append(r.Pods, adopted(h.Pods[name]))
	}
	return r
}

func adopted(p scheduler.Pod) adoptedPod {
	pod := adoptedPod{Name: p.Name.String(), Hostname: p.Place.Hostname,
		AgentID: string(p.Place.Agent), Tasks: []string{}, Volumes: []string{},
		Reserved: []string{}}
	for _, t := range p.Tasks {
		state := string(t.State)
		if t.ID == "" {
			state = "never launched"
		}
		if t.Paused {
			state += ", paused"
		}
		pod.Tasks = append(pod.Tasks, t.Name+": "+state)
	}
	held := slices.Clone(p.Place.Executor)
	for _, set := range p.Place.Sets {
		held = append(held, set.Resources...)
	}
	for _, r := range held {
		pod.Reserved = append(pod.Reserved, r.String())
		if id := r.DiskInfo().PersistenceID; id != "" {
			pod.Volumes = append(pod.Volumes, fmt.Sprintf("%s at %s (%s MiB)", id,
				r.DiskInfo().ContainerPath, r.Scalar))
		}
	}
	return pod
}

// printAdoption draws the report.
func (e *env) printAdoption(r adoptionReport) error {
	e.printf("%s\n  service       %s\n  framework     %s\n  configuration %s\n\n", r.From,
		r.Service, r.FrameworkID, r.Configuration)
	t := e.table([]string{"POD", "HOST", "TASKS", "VOLUMES", "RESERVATIONS"})
	for _, p := range r.Pods {
		row(t, p.Name, p.Hostname, strings.Join(p.Tasks, ", "), strings.Join(p.Volumes, ", "),
			fmt.Sprint(len(p.Reserved)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	e.printf("\n")
	for _, note := range r.Notes {
		e.printf("note: %s\n", note)
	}
	for _, problem := range r.Problems {
		e.printf("cannot be taken over: %s\n", problem)
	}
	return nil
}

// adoptionEntries are what a store is filled with.
func adoptionEntries(a scheduler.Adoption) (map[string][]byte, error) {
	changes, err := store.Encode(a.Writes())
	if err != nil {
		return nil, err
	}
	entries := make(map[string][]byte, len(changes))
	for _, c := range changes {
		entries[c.Key] = c.Value
	}
	_, err = store.Decode(entries)
	return entries, err
}
