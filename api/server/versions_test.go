package server

import (
	"slices"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// history is a view of three configurations of two pods, the target last, each changed from
// the one before.
func history(changes ...func(*servicespec.Service)) *scheduler.View {
	service := servicespec.Service{Name: "s", Pods: []servicespec.Pod{
		{Type: "a", Count: 1, Tasks: []servicespec.Task{{Name: "t", Command: "1"}}},
		{Type: "b", Count: 1, Tasks: []servicespec.Task{{Name: "t", Command: "1"}}},
	}}
	v := &scheduler.View{}
	for i, change := range append([]func(*servicespec.Service){nil}, changes...) {
		service.Pods = slices.Clone(service.Pods)
		for p := range service.Pods {
			service.Pods[p].Tasks = slices.Clone(service.Pods[p].Tasks)
		}
		if change != nil {
			change(&service)
		}
		id := string(rune('0' + i))
		if i == len(changes) {
			v.TargetID, v.Target = id, service
		} else {
			v.Earlier = append(v.Earlier, scheduler.EarlierTarget{ID: id, Service: service})
		}
	}
	return v
}

func command(pod int) func(*servicespec.Service) {
	return func(s *servicespec.Service) { s.Pods[pod].Tasks[0].Command += "1" }
}

func plansOnly(s *servicespec.Service) {
	s.Plans = append(slices.Clone(s.Plans), servicespec.Plan{Name: "p"})
}

func oneMore(s *servicespec.Service) { s.Pods[0].Count++ }

// The predecessor has the configurations that are needed, and ids only for what it knows of.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		name    string
		changes []func(*servicespec.Service)
		a, b    string // what the tasks were launched with
		current [2]string
		kept    []string
	}{
		{"one", nil, "0", "0", [2]string{"0", "0"}, []string{"0"}},
		{"only plans", []func(*servicespec.Service){plansOnly}, "0", "1",
			[2]string{"0", "0"}, []string{"0"}},
		{"only the count", []func(*servicespec.Service){oneMore}, "0", "0",
			[2]string{"1", "1"}, []string{"1"}},
		{"one pod, before it is launched", []func(*servicespec.Service){command(0)}, "0", "0",
			[2]string{"0", "1"}, []string{"0", "1"}},
		{"one pod, launched", []func(*servicespec.Service){command(0)}, "1", "0",
			[2]string{"1", "1"}, []string{"0", "1"}},
		{"two steps on", []func(*servicespec.Service){command(0), oneMore}, "1", "0",
			[2]string{"2", "2"}, []string{"2"}},
		{"one left behind", []func(*servicespec.Service){command(0), command(1), oneMore}, "0", "0",
			[2]string{"0", "1"}, []string{"0", "1", "3"}},
		{"forgotten", []func(*servicespec.Service){command(0)}, "x", "1",
			[2]string{"", "1"}, []string{"0", "1"}},
	} {
		v := history(c.changes...)
		for i, target := range []string{c.a, c.b} {
			v.Pods = append(v.Pods, scheduler.PodView{
				Name:     scheduler.PodName{Type: string(rune('a' + i))},
				Launched: true,
				Tasks: []scheduler.TaskView{{Name: "t", ID: mesos.TaskID("id"),
					Target: target}},
			})
		}
		list := versions(v)
		for i, want := range c.current {
			got := ""
			task := v.Pods[i].Tasks[0]
			if at := current(list, v.Pods[i].Name.Type, task.Target); at >= 0 {
				got = list[at].id()
			}
			if got != want {
				t.Errorf("%s: pod %d runs with %q, not %q", c.name, i, got, want)
			}
		}
		if got := keptVersions(v); !slices.Equal(got, c.kept) {
			t.Errorf("%s: %v are kept, not %v", c.name, got, c.kept)
		}
	}
	if got := keptVersions(&scheduler.View{}); len(got) > 0 {
		t.Errorf("without a target %v", got)
	}
}
