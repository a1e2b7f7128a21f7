package supervise

import (
	"strings"

	"github.com/kafka-sched/kafka-sched/executor"
)

// agentSecrets are the variables by which an agent talks to its executor; tasks have no
// business with them.
var agentSecrets = []string{
	"MESOS_EXECUTOR_AUTHENTICATION_TOKEN",
	"LIBPROCESS_",
}

// taskEnv is the environment of a task: the executor's own, less what is the agent's, and the
// order's. Of two variables of one name, the last wins.
func taskEnv(base []string, sandbox string, own []executor.EnvVar) []string {
	env := make([]string, 0, len(base)+len(own)+1)
	for _, v := range base {
		if !agentSecret(v) {
			env = append(env, v)
		}
	}
	env = append(env, "PWD="+sandbox)
	for _, v := range own {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

func agentSecret(variable string) bool {
	for _, prefix := range agentSecrets {
		if strings.HasPrefix(variable, prefix) {
			return true
		}
	}
	return false
}
