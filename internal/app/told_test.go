package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/hooks"
)

const talkingSpec = `
name: web
pods:
  web:
    count: 1
    tasks:
      server:
        goal: RUNNING
        cmd: echo hello; echo oh >&2; exec sleep 100000
        cpus: 0.1
        memory: 32
`

// listener is a server that webhooks are sent to.
type listener struct {
	mu    sync.Mutex
	heard []hooks.Message
	wrong []string
}

var signature = regexp.MustCompile(`^t=(\d+),v1=[0-9a-f]{64}$`)

func (l *listener) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	var m hooks.Message
	said := r.Header.Get(hooks.HeaderSignature)
	match := signature.FindStringSubmatch(said)
	if err != nil || json.Unmarshal(body, &m) != nil || match == nil {
		l.wrong = append(l.wrong, fmt.Sprintf("%v %s %s", err, said, body))
		return
	}
	seconds, _ := strconv.ParseInt(match[1], 10, 64)
	if said != hooks.Sign([]byte("a secret"), time.Unix(seconds, 0), body) {
		l.wrong = append(l.wrong, "signed "+said)
	}
	l.heard = append(l.heard, m)
}

// has waits until a message has come, and gives it.
func (l *listener) has(s *site, event, plan string) (found hooks.Message) {
	s.t.Helper()
	s.eventually("a webhook tells of "+event+" of "+plan, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.wrong) > 0 {
			s.t.Fatal(l.wrong)
		}
		for _, m := range l.heard {
			if found = m; m.Event == event && m.Plan == plan {
				return nil
			}
		}
		return fmt.Errorf("heard only %+v", l.heard)
	})
	return found
}

// What happens is told: by webhooks, as events, in the journal and its history, and in what
// tasks print.
func TestTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, talkingSpec)
	var heard listener
	server := httptest.NewServer(&heard)
	defer server.Close()
	s.options.Webhook = server.URL
	s.options.WebhookSecretFile = filepath.Join(s.dir, "secret")
	if err := os.WriteFile(s.options.WebhookSecretFile, []byte("a secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.whole()
	if m := heard.has(s, api.KindPlanComplete, api.PlanDeploy); m.Service != "web" ||
		m.Result != api.StatusComplete {
		t.Errorf("%+v", m)
	}
	named := client.New(s.client.URL(), client.WithCaller("alice"))
	defer named.Close()
	events := s.restartWatched(named)
	for _, want := range []string{"journal command", "task web-0-server RUNNING"} {
		if !strings.Contains(events, want) {
			t.Errorf("no %q among the events:\n%s", want, events)
		}
	}
	s.recorded(named)
	s.printed(named)
	s.retargeted(named)
}

// retargeted previews another target, sets it, is refused to set it on an old revision, and
// rolls back.
func (s *site) retargeted(c *client.Client) {
	s.t.Helper()
	ctx := s.t.Context()
	first, revision, err := c.ReadTarget(ctx)
	if err != nil || first.Number != 1 {
		s.t.Fatalf("%+v, %v", first, err)
	}
	other := api.SetTarget{Spec: strings.Replace(talkingSpec, "hello", "bonjour", 1)}
	preview, err := c.PutTarget(ctx, other, client.IfMatch(revision), client.DryRun())
	if err != nil || !preview.DryRun || len(preview.Steps) == 0 ||
		preview.Steps[0].Action != "restart" || len(preview.Steps[0].Reasons) == 0 {
		s.t.Errorf("%+v, %v", preview, err)
	}
	set, err := c.PutTarget(ctx, other, client.IfMatch(revision))
	if err != nil || !set.Changed {
		s.t.Fatalf("%+v, %v", set, err)
	}
	_, err = c.PutTarget(ctx, api.SetTarget{Spec: talkingSpec}, client.IfMatch(revision))
	var said *client.Error
	if !errors.As(err, &said) || said.Code != api.CodeRevision {
		s.t.Errorf("on the old revision: %v", err)
	}
	s.says(c, "bonjour\n")
	diff, err := c.Diff(ctx, first.ID, "")
	if err != nil || len(diff.Changes) != 1 || diff.Changes[0].Class != "restart" ||
		diff.To != set.TargetID {
		s.t.Errorf("%+v, %v", diff, err)
	}
	back, err := c.Rollback(ctx, api.Rollback{Reason: "nobody understands it"})
	if err != nil || !back.Changed {
		s.t.Fatalf("%+v, %v", back, err)
	}
	s.says(c, "hello\n")
	list, err := c.FindConfigurations(ctx, api.Page{})
	if err != nil || len(list.Configurations) < 2 || !list.Configurations[0].Target ||
		list.Configurations[0].ID != back.TargetID {
		s.t.Errorf("%+v, %v, after %+v", list, err, back)
	}
}

// says waits until the task printed a line.
func (s *site) says(c *client.Client, want string) {
	s.t.Helper()
	s.eventually("it says "+want, func() error {
		var text strings.Builder
		err := c.Logs(s.t.Context(), "web-0", "server", api.LogQuery{Lines: 1}, &text)
		if err == nil && text.String() != want {
			err = errors.New("it says " + text.String())
		}
		return err
	})
	s.whole()
}

// restartWatched restarts the instance and gives the events of it, a line each.
func (s *site) restartWatched(c *client.Client) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	before := s.status()
	asked, enough := false, errors.New("enough")
	var all strings.Builder
	// The last ID that cannot be known gives a reset at once: then the stream is there.
	err := c.Events(ctx, api.EventQuery{LastID: "x.1"}, func(e api.Event) error {
		if !asked {
			asked = true
			_, err := c.CommandPod(ctx, "web-0", api.CommandRestart,
				api.PodCommand{Reason: "to see it come back"}, client.Once("restart-1"))
			return err
		}
		fmt.Fprintf(&all, "%s %s %s\n", e.Type, e.Task, e.To)
		if e.Entry != nil {
			fmt.Fprintf(&all, "journal %s\n", e.Entry.Kind)
		}
		if e.Task != "" && e.To == "RUNNING" && e.TaskID != ids(before)["web-0-server"] {
			return enough
		}
		return nil
	})
	if err != enough {
		s.t.Fatalf("%v after\n%s", err, all.String())
	}
	s.whole()
	return all.String()
}

// recorded looks the restart up.
func (s *site) recorded(c *client.Client) {
	s.t.Helper()
	journal, err := c.Journal(s.t.Context(), api.JournalQuery{Kind: api.KindCommand})
	if err != nil || len(journal.Entries) != 1 {
		s.t.Fatalf("%+v, %v", journal, err)
	}
	e := journal.Entries[0]
	if e.Caller != "alice" || !strings.HasPrefix(e.Address, "127.0.0.1:") || e.Code != "" ||
		e.Reason != "to see it come back" || !strings.Contains(e.What, "web-0") || e.Result == "" {
		s.t.Errorf("%+v", e)
	}
	again, err := c.CommandPod(s.t.Context(), "web-0", api.CommandRestart,
		api.PodCommand{Reason: "to see it come back"}, client.Once("restart-1"))
	if after := ids(s.whole()); err != nil || !again.Changed {
		s.t.Errorf("%+v, %v, %v", again, err, after)
	}
	journal, err = c.Journal(s.t.Context(), api.JournalQuery{Kind: api.KindCommand})
	if err != nil || len(journal.Entries) != 1 {
		s.t.Errorf("the same key restarted it again: %+v, %v", journal, err)
	}
	history, err := c.History(s.t.Context(), api.HistoryQuery{Plan: api.PlanDeploy})
	if err != nil || len(history.Runs) == 0 ||
		history.Runs[len(history.Runs)-1].State != api.RunComplete {
		s.t.Errorf("%+v, %v", history, err)
	}
	why, err := c.Why(s.t.Context(), "web-0")
	if err != nil || !why.Running {
		s.t.Errorf("%+v, %v", why, err)
	}
}

// printed reads what the task printed.
func (s *site) printed(c *client.Client) {
	s.t.Helper()
	for file, want := range map[string]string{api.LogStdout: "hello\n", api.LogStderr: "oh\n"} {
		var text strings.Builder
		err := c.Logs(s.t.Context(), "web-0", "server", api.LogQuery{File: file, Lines: 1}, &text)
		if err != nil || text.String() != want {
			s.t.Errorf("%s: %q, %v", file, text.String(), err)
		}
	}
}
