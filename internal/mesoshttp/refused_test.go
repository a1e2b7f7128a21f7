package mesoshttp

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// refusedCall is an answer of a real master that says no.
type refusedCall struct {
	Call   string // the call's type, "" for what was none
	Status int
	Text   string
}

func refusedCalls(t *testing.T) map[string]refusedCall {
	t.Helper()
	paths, err := filepath.Glob("testdata/refused/*.jsonl")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	all := map[string]refusedCall{}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for lines := bufio.NewScanner(file); lines.Scan(); {
			var r refusedCall
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprintf("%s %d %s", r.Call, r.Status, r.Text)] = r
		}
	}
	return all
}

// TestRecordedRefusals answers with every refusal that a real master gave. Of a subscription the
// reason tells it all, and the next attempt succeeds; of a call the log does, and the stream goes
// on unless the answer means that it is of no use.
func TestRecordedRefusals(t *testing.T) {
	subscriptions, calls, ends := 0, 0, 0
	for name, refused := range refusedCalls(t) {
		said := fmt.Sprintf("HTTP status %d", refused.Status)
		t.Run(name, func(t *testing.T) {
			if refused.Call == "SUBSCRIBE" {
				subscriptions++
				refusedSubscription(t, refused, said)
				return
			}
			calls++
			if !refusesCall(&StatusError{refused.Status, refused.Text}) {
				ends++
			}
			refusedOther(t, refused, said)
		})
	}
	if subscriptions < 8 || calls < 30 || ends != 4 {
		t.Errorf("%d subscriptions and %d calls, %d of them ends", subscriptions, calls, ends)
	}
}

func refusedSubscription(t *testing.T, refused refusedCall, said string) {
	m := &master{}
	first := true
	_, r := m.start(t, func(c *Config) {
		c.Master = serve(t, func(w http.ResponseWriter, r *http.Request) {
			if first {
				first = false
				http.Error(w, refused.Text, refused.Status)
				return
			}
			m.ServeHTTP(w, r)
		})
	})
	event, is := r.next().(mesos.Disconnected)
	if !is || !strings.Contains(event.Reason, said) ||
		!strings.Contains(event.Reason, strings.TrimSpace(refused.Text)) {
		t.Fatalf("%s", event)
	}
	want(t, r, subscribedText)
}

func refusedOther(t *testing.T, refused refusedCall, said string) {
	log := &logBuffer{}
	m := &master{}
	m.call = func(w http.ResponseWriter, r *http.Request, c *scheduler.Call) {
		if c.Type == scheduler.Call_REVIVE {
			m.accept(w, r, c)
			return
		}
		http.Error(w, refused.Text, refused.Status)
	}
	c, r := m.start(t, func(c *Config) { c.Logger = log.logger() })
	want(t, r, subscribedText)
	c.Send(mesos.Suppress{})
	c.Send(mesos.Revive{})
	if !refusesCall(&StatusError{refused.Status, refused.Text}) {
		want(t, r, `disconnected "sending a call: `+said, subscribedText)
		return
	}
	m.next()
	text := strings.SplitN(strings.TrimSpace(refused.Text), "\n", 2)[0]
	quoted := strings.Trim(fmt.Sprintf("%q", text), `"`)
	if !strings.Contains(log.String(), quoted) && !strings.Contains(log.String(), text) {
		t.Errorf("the master's words are not in the log: %s\n%s", text, log)
	}
}
