package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// A service whose end no master has heard of is not marked as uninstalled: the process fails, and
// the next one ends the framework.
func TestUnheardEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := schedulerRun{mesos: &edge{Client: mesoshttp.New(mesoshttp.Config{})}}
		s.o.Dir = t.TempDir()
		s.mesos.Send(mesos.Teardown{})
		err := s.exited(scheduler.Exit{Reason: "uninstalled"})
		var ended *ExitError
		if !errors.As(err, &ended) || ended.ExitCode() != scheduler.ExitFailed {
			t.Errorf("it ends with %v", err)
		}
		mark := filepath.Join(s.o.Dir, uninstalledMark)
		if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the mark: %v", err)
		}
	})
}
