package executor

import (
	"encoding/json"
	"fmt"
	"time"
)

// Order is all that an executor must know of a task: the scheduler encodes it into the task's
// data field, and the executor on the agent decodes it. Both may be of different releases, so
// fields are only ever added, and an unknown field is ignored.
type Order struct {
	// Task is the task's name, for logs: "kafka-0-broker".
	Task string `json:"task"`
	// Command is run by /bin/sh -c in the sandbox, in a process group of its own.
	Command string `json:"command"`
	// Env is added to the executor's own environment; later entries win.
	Env []EnvVar `json:"env,omitempty"`
	// Files are written before the command starts, at every start.
	Files []File `json:"files,omitempty"`
	// Ports must be free on Address before the command starts; one that is in use fails the
	// task with a message that names it.
	Ports []Port `json:"ports,omitempty"`
	// RLimits are set on the task's process.
	RLimits []RLimit `json:"rlimits,omitempty"`
	// Address is where the task listens: the agent's address or a host name.
	Address string `json:"address,omitempty"`
	// Readiness and Health are nil when the task has no such check.
	Readiness *Check `json:"readiness,omitempty"`
	Health    *Check `json:"health,omitempty"`
	// KillGrace is how long after SIGTERM the whole group gets SIGKILL; 0 means at once.
	KillGrace time.Duration `json:"kill_grace"`
	// LogBytes is the size at which stdout and stderr are rotated, 0 means 10 MiB; LogFiles is
	// how many rotated files of each are kept, 0 means 5.
	LogBytes int64 `json:"log_bytes,omitempty"`
	LogFiles int   `json:"log_files,omitempty"`
}

// EnvVar is one environment variable of a task.
type EnvVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// File is a file that the executor writes into the sandbox before the command starts.
type File struct {
	// Path is relative to the sandbox and may not leave it.
	Path string `json:"path"`
	Text string `json:"text"`
	// Template says that Text is mustache, rendered with the task's environment.
	Template bool `json:"template,omitempty"`
	// Executable gives the file mode 0755 instead of 0644.
	Executable bool `json:"executable,omitempty"`
}

// Port is a port that the task will listen on.
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// RLimit is a limit of the process, by Mesos' name (RLMT_NOFILE); nil means unlimited.
type RLimit struct {
	Name string  `json:"name"`
	Soft *uint64 `json:"soft,omitempty"`
	Hard *uint64 `json:"hard,omitempty"`
}

// Check is a readiness or a health check. Exactly one of Command, HTTP and TCP is set.
//
// A readiness check runs after Delay every Interval until it passes once; then the task is
// ready for good. A health check runs after Delay every Interval for as long as the task
// lives; failures within GracePeriod of the start do not count until it passed once; after
// MaxConsecutiveFailures in a row the task is killed and fails.
type Check struct {
	Command *CommandCheck `json:"command,omitempty"`
	HTTP    *HTTPCheck    `json:"http,omitempty"`
	TCP     *TCPCheck     `json:"tcp,omitempty"`

	Interval               time.Duration `json:"interval"`
	Timeout                time.Duration `json:"timeout"`
	Delay                  time.Duration `json:"delay,omitempty"`
	GracePeriod            time.Duration `json:"grace_period,omitempty"`
	MaxConsecutiveFailures int           `json:"max_consecutive_failures,omitempty"`
}

// CommandCheck passes when the command, run by /bin/sh -c with the task's environment in the
// sandbox, exits with status 0 within the timeout.
type CommandCheck struct {
	Command string `json:"command"`
}

// HTTPCheck passes when a GET is answered with a status from 200 to 399.
type HTTPCheck struct {
	Scheme string `json:"scheme,omitempty"` // http (default) or https, not verified
	Host   string `json:"host"`
	Port   int    `json:"port"`
	Path   string `json:"path,omitempty"`
}

// TCPCheck passes when a connection is accepted.
type TCPCheck struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

// Encode gives the form that travels in a task's data field.
func (o Order) Encode() ([]byte, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encoding the order of task %s: %w", o.Task, err)
	}
	return b, nil
}

// DecodeOrder reads what Encode wrote; the error says what is wrong with the data.
func DecodeOrder(data []byte) (Order, error) {
	var o Order
	if err := json.Unmarshal(data, &o); err != nil {
		return Order{}, fmt.Errorf("decoding a task's order: %w", err)
	}
	if o.Command == "" {
		return Order{}, fmt.Errorf("decoding a task's order: it has no command")
	}
	return o, nil
}
