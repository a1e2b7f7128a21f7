package servicespec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twoPods have a task each, of which the first says the variable X itself.
func twoPods() Service {
	task := func(vars ...EnvVar) Task { return Task{Name: "t", Env: vars} }
	return Service{Pods: []Pod{{Type: "a-b", Tasks: []Task{task(EnvVar{"X", "spec"})}},
		{Type: "c", Tasks: []Task{task()}}}}
}

// TestTaskConfig shows which of several values wins.
func TestTaskConfig(t *testing.T) {
	before := twoPods()
	env := map[string]string{"TASKCFG_ALL_X": "all", "TASKCFG_ALL_Y": "",
		"TASKCFG_A_B_X": "pod", "X": "no", "TASKCFG": "no"}
	if errs := before.CheckTaskConfig(env); errs != nil {
		t.Error(errs)
	}
	after := before.WithTaskConfig(env)
	want := twoPods()
	want.Pods[0].Tasks[0].Env = []EnvVar{{"X", "pod"}, {"Y", ""}}
	want.Pods[1].Tasks[0].Env = []EnvVar{{"X", "all"}, {"Y", ""}}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(twoPods(), before); diff != "" {
		t.Error("the given service was changed", diff)
	}
	if launch := before.LaunchHash("c"); launch == after.LaunchHash("c") {
		t.Error("the pod would not restart with its new variables")
	}
}

// TestTaskConfigSaysWhatSetsNothing finds variables that the predecessor drops in silence.
func TestTaskConfigSaysWhatSetsNothing(t *testing.T) {
	before := twoPods()
	env := map[string]string{"TASKCFG_C_": "1", "TASKCFG_C_9": "1", "TASKCFG_D_X": "1",
		"TASKCFG_": "1", "TASKCFG_ALL_A-B": "1"}
	errs := before.CheckTaskConfig(env)
	want := `environment: TASKCFG_: the service has no pod of that name; known are ` +
		`TASKCFG_ALL_, TASKCFG_A_B_, TASKCFG_C_ [dangling]
environment: TASKCFG_ALL_A-B: "A-B" is not the name of an environment variable; ` +
		`write as TASKCFG_ALL_NAME [bad-value]
environment: TASKCFG_C_: "" is not the name of an environment variable; ` +
		`write as TASKCFG_C_NAME [bad-value]
environment: TASKCFG_C_9: "9" is not the name of an environment variable; ` +
		`write as TASKCFG_C_NAME [bad-value]
environment: TASKCFG_D_X: the service has no pod of that name; known are ` +
		`TASKCFG_ALL_, TASKCFG_A_B_, TASKCFG_C_ [dangling]
`
	if diff := cmp.Diff(want, lines(errs)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, before.WithTaskConfig(env)); diff != "" {
		t.Error(diff)
	}
}

// TestTaskConfigOfPodsThatShareTheirBeginning sets what the name can mean for each pod.
func TestTaskConfigOfPodsThatShareTheirBeginning(t *testing.T) {
	s := Service{Pods: []Pod{{Type: "a", Tasks: []Task{{}}}, {Type: "a-b", Tasks: []Task{{}}}}}
	after := s.WithTaskConfig(map[string]string{"TASKCFG_A_B_X": "1"})
	if after.Pods[0].Tasks[0].Env[0] != (EnvVar{"B_X", "1"}) ||
		after.Pods[1].Tasks[0].Env[0] != (EnvVar{"X", "1"}) {
		t.Errorf("%+v", after)
	}
}
