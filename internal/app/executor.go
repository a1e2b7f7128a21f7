package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/executor/supervise"
	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
)

// executorMemory is the soft limit of an executor's heap: it keeps next to nothing, and a
// broker can use the memory better.
const executorMemory = 12 << 20

// startupTime is how long after its start a process has touched what it goes on needing.
const startupTime = 15 * time.Second

// RunExecutor runs inside a sandbox that a Mesos agent made, and gives the exit code. The digest is
// the SHA-256 that the scheduler has of this program, "" when nobody says it.
func RunExecutor(ctx context.Context, digest string) int {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGTERM, unix.SIGINT)
	defer stop()
	// Standard error may be a pipe to a logger that dies; that must not end a broker. The signal
	// is taken and not ignored, because tasks would inherit the latter.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	debug.SetMemoryLimit(executorMemory)
	debug.SetGCPercent(50)
	time.AfterFunc(startupTime, releaseStartupPages)
	if err := genuine(digest); err != nil {
		fmt.Fprintf(os.Stderr, "kafka-sched executor: %v\n", err)
		return executor.ExitDiffers
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	env, err := mesoshttp.EnvFromOS(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kafka-sched executor: %v; Mesos agents start this command\n", err)
		return 2
	}
	if err := fetched(env.Sandbox); err != nil {
		fmt.Fprintf(os.Stderr, "kafka-sched executor: %v\n", err)
		return 2
	}
	agent, err := mesoshttp.NewExecutor(env, logger)
	if err != nil {
		fmt.Fprintf(os.Stderr, "kafka-sched executor: %v\n", err)
		return 2
	}
	code, err := supervise.Run(ctx, supervise.Config{
		Sandbox: env.Sandbox,
		Agent:   agent,
		Machine: executor.Config{
			RecoveryTimeout: env.RecoveryTimeout, ShutdownGrace: env.ShutdownGrace,
			Checkpoint: env.Checkpoint,
		},
		Logger: logger,
	})
	if err != nil {
		logger.Error("the executor ends", "error", err)
	}
	return code
}

// genuine checks that this program is what the agent was to fetch, before anything is started.
func genuine(digest string) error {
	if digest == "" {
		return nil
	}
	path, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	own, err := fileDigest(path)
	if err == nil && own != digest {
		err = fmt.Errorf("%s has the SHA-256 %s, and the scheduler's has %s: something between "+
			"the two spoils files, such as the fetcher's cache of this agent; clear it", path, own,
			digest)
	}
	return err
}

// fetched checks what the agent fetched for the tasks, and makes use of it.
func fetched(sandbox string) error {
	for _, top := range []string{kafkadist.KafkaTop, kafkadist.JRETop} {
		if err := kafkadist.CheckUnpacked(filepath.Join(sandbox, top)); err != nil {
			return err
		}
	}
	return ownJava(sandbox)
}

// ownJava makes the Java runtime that was fetched into the sandbox, if any, that of all tasks.
func ownJava(sandbox string) error {
	home, err := filepath.Abs(filepath.Join(sandbox, kafkadist.JRETop))
	if err != nil {
		return fmt.Errorf("finding the sandbox: %w", err)
	}
	if _, err := os.Stat(filepath.Join(home, "bin", "java")); err != nil {
		return nil // the agent's own
	}
	return os.Setenv("JAVA_HOME", home)
}
