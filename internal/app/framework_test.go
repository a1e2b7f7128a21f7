package app

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// A master that has ended the framework ends the scheduler with a code of its own and the way
// out; gone that way, the service has its reservations and its data again.
func TestEndedFramework(t *testing.T) {
	t.Parallel()
	s := newSite(t, webSpec)
	s.start()
	before := s.whole()
	volume := s.volume(before, "web-1")
	first := s.read(volume, "first")
	resp, err := http.Post(s.mesos.MasterURL()+"/api/v1", "application/json", strings.NewReader(
		`{"type":"TEARDOWN","teardown":{"framework_id":{"value":"`+before.FrameworkID+`"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	<-s.life.ended
	var ended *ExitError
	if !errors.As(s.life.err, &ended) || ended.ExitCode() != scheduler.ExitFrameworkEnded ||
		!strings.Contains(ended.Reason, "start --forget-framework "+before.FrameworkID) {
		t.Fatalf("it ends with %v", s.life.err)
	}
	mark := filepath.Join(s.options.Dir, forgetMark)
	if err := os.WriteFile(mark, []byte(before.FrameworkID+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.eventually("it has another framework", func() error {
		if id := s.status().FrameworkID; id == "" || id == before.FrameworkID {
			return errors.New("it has " + id)
		}
		return nil
	})
	after := s.whole()
	if now := s.volume(after, "web-1"); now != volume || s.read(volume, "first") != first {
		t.Errorf("web-1 was on %s, is on %s", volume, now)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
}
