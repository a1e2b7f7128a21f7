package store

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

type executorRow struct {
	ID            mesos.ExecutorID `json:"id,omitempty"`
	Version       string           `json:"version,omitempty"`
	Command       commandRow       `json:"command"`
	ShutdownGrace time.Duration    `json:"shutdown_grace_ns,omitempty"`
	Secrets       []secretRow      `json:"secrets,omitempty"`
}

// secretRow says where a secret is put; what is in it is never stored.
type secretRow struct {
	Path   string `json:"path"`
	Secret string `json:"secret"`
}

type commandRow struct {
	Value string   `json:"value"`
	User  string   `json:"user,omitempty"`
	URIs  []uriRow `json:"uris,omitempty"`
	Env   []envRow `json:"env,omitempty"`
}

type uriRow struct {
	Value      string `json:"value"`
	Executable bool   `json:"executable,omitempty"`
	Extract    bool   `json:"extract,omitempty"`
	Cache      bool   `json:"cache,omitempty"`
	OutputFile string `json:"output_file,omitempty"`
}

type envRow struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Secret string `json:"secret,omitempty"`
}

func executorToRow(e scheduler.Executor) executorRow {
	return executorRow{e.ID, e.Version, commandRow{
		Value: e.Command.Value, User: e.Command.User,
		URIs: each(e.Command.URIs, func(u mesos.URI) uriRow { return uriRow(u) }),
		Env:  each(e.Command.Env, func(v mesos.EnvVar) envRow { return envRow(v) }),
	}, e.ShutdownGrace, each(e.Secrets, func(s mesos.SecretFile) secretRow { return secretRow(s) })}
}

func (r executorRow) domain() scheduler.Executor {
	return scheduler.Executor{ID: r.ID, Version: r.Version, Command: mesos.Command{
		Value: r.Command.Value, User: r.Command.User,
		URIs: each(r.Command.URIs, func(u uriRow) mesos.URI { return mesos.URI(u) }),
		Env:  each(r.Command.Env, func(v envRow) mesos.EnvVar { return mesos.EnvVar(v) }),
	}, ShutdownGrace: r.ShutdownGrace,
		Secrets: each(r.Secrets, func(s secretRow) mesos.SecretFile { return mesos.SecretFile(s) })}
}

type statusUpdate struct {
	ID       mesos.TaskID     `json:"id"`
	Executor mesos.ExecutorID `json:"executor,omitempty"`
	Agent    mesos.AgentID    `json:"agent,omitempty"`
	State    mesos.TaskState  `json:"state"`
	Source   string           `json:"source,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Message  string           `json:"message,omitempty"`
	At       time.Time        `json:"at"`
	Ready    *bool            `json:"ready,omitempty"`
	Healthy  *bool            `json:"healthy,omitempty"`
	IP       string           `json:"ip,omitempty"`
}

func updateToRow(u scheduler.StatusUpdate) statusUpdate {
	u.At = u.At.UTC()
	return statusUpdate(u)
}

func (r statusUpdate) domain() scheduler.StatusUpdate {
	r.At = r.At.UTC()
	return scheduler.StatusUpdate(r)
}
