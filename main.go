// Command kafka-sched runs Apache Kafka on Apache Mesos: see README.md.
package main

import (
	"context"
	"os"

	"github.com/kafka-sched/kafka-sched/cli"
	"github.com/kafka-sched/kafka-sched/internal/app"
)

// version is set at build time.
var version = "0.1.0-dev"

func main() {
	if status, is := app.MesosExecutor(os.Args[1:]); is {
		os.Exit(status)
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, cli.Daemons{
		Scheduler: func(ctx context.Context, o cli.SchedulerOptions) error {
			return app.RunScheduler(ctx, app.SchedulerOptions(o), version)
		},
		LocalMesos: func(ctx context.Context, o cli.LocalMesosOptions) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			to := app.LocalMesosOptions{Program: program,
				Dir: o.Dir, MasterAddr: o.MasterAddr, Name: o.Name,
				LogFile: o.LogFile, Secrets: o.Secrets, Faults: o.Faults,
				Simulate: o.Simulate, AgentTimeout: o.AgentTimeout}
			for _, a := range o.Agents {
				to.Agents = append(to.Agents, app.LocalAgent(a))
			}
			return app.RunLocalMesos(ctx, to)
		},
		Executor: app.RunExecutor,
		Version:  version,
	}))
}
