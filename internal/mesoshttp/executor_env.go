package mesoshttp

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// Env is what an agent tells an executor through its environment.
type Env struct {
	Agent     string // host:port of the agent's API
	Framework mesos.FrameworkID
	Executor  mesos.ExecutorID
	Token     string // of the agent's executor authentication, "" for none
	// Checkpoint says that the executor may outlive the agent's process; RecoveryTimeout is
	// for how long.
	Checkpoint      bool
	RecoveryTimeout time.Duration
	// SubscriptionBackoff is the longest wait before a new subscription.
	SubscriptionBackoff time.Duration
	// ShutdownGrace is how long after SHUTDOWN the agent destroys the container.
	ShutdownGrace time.Duration
	// Sandbox is the sandbox as the executor sees it, Directory as the agent does.
	Sandbox, Directory string
}

// EnvFromOS reads the variables that Mesos sets for every executor (its documentation:
// executor-http-api.md). The error names the variable that is missing or wrong.
func EnvFromOS(getenv func(string) string) (Env, error) {
	r := envReader{getenv: getenv}
	env := Env{
		Agent:               r.required("MESOS_AGENT_ENDPOINT"),
		Framework:           mesos.FrameworkID(r.required("MESOS_FRAMEWORK_ID")),
		Executor:            mesos.ExecutorID(r.required("MESOS_EXECUTOR_ID")),
		Token:               getenv("MESOS_EXECUTOR_AUTHENTICATION_TOKEN"),
		Checkpoint:          r.truth("MESOS_CHECKPOINT"),
		RecoveryTimeout:     r.duration("MESOS_RECOVERY_TIMEOUT", 15*time.Minute),
		SubscriptionBackoff: r.duration("MESOS_SUBSCRIPTION_BACKOFF_MAX", 2*time.Second),
		ShutdownGrace:       r.duration("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", 5*time.Second),
		Sandbox:             getenv("MESOS_SANDBOX"),
		Directory:           getenv("MESOS_DIRECTORY"),
	}
	if r.err != nil {
		return Env{}, r.err
	}
	if _, err := endpoint("http", env.Agent, ""); err != nil {
		return Env{}, fmt.Errorf("reading MESOS_AGENT_ENDPOINT: %w", err)
	}
	return env, nil
}

// envReader keeps the first error.
type envReader struct {
	getenv func(string) string
	err    error
}

func (r *envReader) required(name string) string {
	value := r.getenv(name)
	if value == "" && r.err == nil {
		r.err = fmt.Errorf("reading the environment: %s is not set; "+
			"an executor is started by a Mesos agent, not by hand", name)
	}
	return value
}

// truth reads "1", which agents write, or "true", as Mesos' documentation says.
func (r *envReader) truth(name string) bool {
	value := r.getenv(name)
	return value == "1" || value == "true"
}

func (r *envReader) duration(name string, otherwise time.Duration) time.Duration {
	value := r.getenv(name)
	if value == "" {
		return otherwise
	}
	d, err := parseDuration(value)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("reading %s: %w", name, err)
	}
	return d
}

// parseDuration reads Mesos' form of a duration (stout's duration.hpp): "15mins", "2.5secs".
func parseDuration(text string) (time.Duration, error) {
	split := strings.IndexFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })
	if split < 0 {
		return 0, fmt.Errorf("the duration %q has no unit", text)
	}
	units := map[string]time.Duration{
		"ns": time.Nanosecond, "us": time.Microsecond, "ms": time.Millisecond,
		"secs": time.Second, "mins": time.Minute, "hrs": time.Hour,
		"days": 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	}
	unit, known := units[text[split:]]
	if !known {
		return 0, fmt.Errorf("the duration %q has an unknown unit", text)
	}
	number, err := strconv.ParseFloat(text[:split], 64)
	if err != nil {
		return 0, fmt.Errorf("the duration %q has no number", text)
	}
	d := number * float64(unit)
	if !(d >= 0 && d < math.MaxInt64) {
		return 0, fmt.Errorf("the duration %q is out of range", text)
	}
	return time.Duration(d), nil
}
