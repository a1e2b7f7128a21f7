package scheduler

import (
	"cmp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Secrets pass by the scheduler: it tells the agent their paths in the store of secrets, and the
// agent, which knows that store, gives what is in them to the executor. The variables reach the
// tasks because they inherit the executor's environment, and the files because all tasks of an
// instance share its sandbox.

// secretVariables are the variables of an executor that the agent sets to secrets, sorted.
func secretVariables(spec servicespec.Pod) []mesos.EnvVar {
	var vars []mesos.EnvVar
	for _, s := range spec.Secrets {
		if s.EnvKey != "" {
			vars = append(vars, mesos.EnvVar{Name: s.EnvKey, Secret: s.Secret})
		}
	}
	slices.SortFunc(vars, func(a, b mesos.EnvVar) int { return cmp.Compare(a.Name, b.Name) })
	return vars
}

// secretFiles are the files of an executor that the agent makes of secrets, sorted.
func secretFiles(spec servicespec.Pod) []mesos.SecretFile {
	var files []mesos.SecretFile
	for _, s := range spec.Secrets {
		if s.File != "" {
			files = append(files, mesos.SecretFile{Path: s.File, Secret: s.Secret})
		}
	}
	slices.SortFunc(files, func(a, b mesos.SecretFile) int { return cmp.Compare(a.Path, b.Path) })
	return files
}

// sameSecrets reports whether two executors have the same secrets at the same places.
func sameSecrets(a, b Executor) bool {
	return slices.Equal(a.Command.Env, b.Command.Env) && slices.Equal(a.Secrets, b.Secrets)
}
