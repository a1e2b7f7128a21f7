package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// ExitError is why a scheduler ended by itself, with the exit code of its process.
type ExitError struct {
	Code   int
	Reason string
}

// Error implements error.
func (e *ExitError) Error() string { return e.Reason }

// ExitCode is the one that the process is to end with.
func (e *ExitError) ExitCode() int { return e.Code }

// forgetMark is the file that names a framework which the master has ended, and which the
// service is to go on without: the next subscription asks for a new one.
const forgetMark = "forget-framework"

// forgetFramework does what the mark asks for. A mark of another framework than the service's
// means nothing, so that one that stays behind does no harm.
func (s *schedulerRun) forgetFramework() error {
	mark := filepath.Join(s.o.Dir, forgetMark)
	text, err := os.ReadFile(mark)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading which framework to forget: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if id != "" && id == string(s.hard.Framework) {
		forget := []scheduler.Write{scheduler.WriteFramework{}}
		if err := s.store.Apply(forget); err != nil {
			return fmt.Errorf("forgetting framework %s: %w", id, err)
		}
		s.hard.Framework = ""
		s.log.Warn("the framework is forgotten, as was asked for", "framework", id)
	}
	if err := os.Remove(mark); err != nil {
		return fmt.Errorf("removing the mark of the forgotten framework: %w", err)
	}
	return nil
}
