package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/executor/supervise"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
)

// executorMemory is the soft limit of an executor's heap: it keeps next to nothing, and a
// broker can use the memory better.
const executorMemory = 12 << 20

// RunExecutor runs inside a sandbox that a Mesos agent made, and gives the exit code.
func RunExecutor(ctx context.Context) int {
	debug.SetMemoryLimit(executorMemory)
	debug.SetGCPercent(50)
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	env, err := mesoshttp.EnvFromOS(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kafka-sched executor: %v; Mesos agents start this command\n", err)
		return 2
	}
	code, err := supervise.Run(ctx, supervise.Config{
		Sandbox: env.Sandbox,
		Agent:   mesoshttp.NewExecutorClient(env, logger),
		Machine: executor.Config{
			RecoveryTimeout: env.RecoveryTimeout, ShutdownGrace: env.ShutdownGrace,
			Checkpoint: env.Checkpoint,
		},
		IDs: func() (b [16]byte) {
			rand.Read(b[:])
			return b
		},
		Logger: logger,
	})
	if err != nil {
		logger.Error("the executor ends", "error", err)
	}
	return code
}
