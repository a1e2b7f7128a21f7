package servicespec

import (
	"fmt"
	"slices"
	"strings"
)

const (
	taskConfigPrefix = "TASKCFG_"
	taskConfigAll    = "TASKCFG_ALL_"
)

// WithTaskConfig gives the service with the variables that the predecessor takes from its own
// environment: TASKCFG_ALL_X sets X in every task, and TASKCFG_POD_X in those of the pod, whose
// name is in upper case with _ for all that is no letter or digit. What is said of the pod wins
// over what is said of all, and both over the spec. The variables are then part of the spec: a
// value that changes restarts the tasks that it concerns.
//
// Of env only names that begin with TASKCFG_ are looked at. Those that name no pod or no variable
// set nothing; CheckTaskConfig finds them.
func (s Service) WithTaskConfig(env map[string]string) Service {
	s.Pods = slices.Clone(s.Pods)
	for i := range s.Pods {
		pod := &s.Pods[i]
		pod.Tasks = slices.Clone(pod.Tasks)
		for j := range pod.Tasks {
			vars := slices.Clone(pod.Tasks[j].Env)
			for _, prefix := range []string{taskConfigAll, taskConfigOf(pod.Type)} {
				vars = override(vars, prefix, env)
			}
			pod.Tasks[j].Env = vars
		}
	}
	return s
}

// CheckTaskConfig finds the variables that would set nothing, and says which would.
func (s Service) CheckTaskConfig(env map[string]string) []Error {
	prefixes := []string{taskConfigAll}
	for _, pod := range s.Pods {
		prefixes = append(prefixes, taskConfigOf(pod.Type))
	}
	m := &mistakes{file: "environment"}
	for _, key := range sortedNames(env) {
		if !strings.HasPrefix(key, taskConfigPrefix) {
			continue
		}
		sets, named := false, ""
		for _, prefix := range prefixes {
			if name, ok := strings.CutPrefix(key, prefix); ok {
				named, sets = prefix, sets || environmentName.MatchString(name)
			}
		}
		switch {
		case sets:
		case named != "":
			m.add(Error{Path: key, Code: BadValue, Message: fmt.Sprintf(
				"%s is not the name of an environment variable", quote(key[len(named):])),
				Hint: "write as " + named + "NAME"})
		default:
			m.add(Error{Path: key, Code: Dangling, Message: "the service has no pod of that name",
				Hint: "known are " + strings.Join(prefixes, ", ")})
		}
	}
	return m.sorted()
}

// taskConfigOf is the prefix of the variables of one pod.
func taskConfigOf(pod string) string {
	word := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(pod))
	return taskConfigPrefix + word + "_"
}

// override sets the variables of that prefix, new ones in the order of their names.
func override(vars []EnvVar, prefix string, env map[string]string) []EnvVar {
	for _, key := range sortedNames(env) {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok || !environmentName.MatchString(name) {
			continue
		}
		same := func(v EnvVar) bool { return v.Name == name }
		if i := slices.IndexFunc(vars, same); i >= 0 {
			vars[i].Value = env[key]
			continue
		}
		vars = append(vars, EnvVar{name, env[key]})
	}
	return vars
}
