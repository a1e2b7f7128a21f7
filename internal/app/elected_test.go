package app

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/store/zkstore"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// twin gives a second scheduler of a site's service, with a folder of its own.
func (s *site) twin() *site {
	other := *s
	other.options.Dir = filepath.Join(s.dir, "scheduler-2")
	other.options.LogFile = filepath.Join(s.dir, "scheduler-2.log")
	other.client, other.life = nil, nil
	return &other
}

// leads reads the metric that says whether a scheduler leads, "" while it does not answer.
func (s *site) leads() string {
	s.t.Helper()
	res, err := http.Get(s.client.URL() + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, is := strings.CutPrefix(line, "kafka_sched_leads "); is {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Two schedulers of one service: one leads, the other hands requests on to it, takes over when
// it ends, and both know when the service is uninstalled.
func TestElection(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	first := newSite(t, webSpec)
	first.options.State = zk.Access{
		URI: "zk://" + server.Address + "/kafka-sched/web", SessionTimeout: 4 * time.Second}
	first.start()
	before := first.whole()

	second := first.twin()
	second.start()
	t.Cleanup(func() {
		if second.life != nil {
			second.stop()
		}
	})
	if first.leads() != "1" || second.leads() != "0" {
		t.Errorf("who leads: %s, %s", first.leads(), second.leads())
	}
	if asked := second.whole(); !maps.Equal(ids(asked), ids(before)) {
		t.Errorf("asked, the standby says %v", ids(asked))
	}
	first.stop()
	second.eventually("the standby leads", func() error {
		if second.leads() != "1" {
			return errors.New("it does not")
		}
		return nil
	})
	if after := second.whole(); !maps.Equal(ids(after), ids(before)) {
		t.Errorf("the tasks were %v, and are %v", ids(before), ids(after))
	}
	first.start()
	first.relaunched("web-1", first.whole(), func() { // the command goes through the standby
		if _, err := first.client.PodRestart(t.Context(), "web-1"); err != nil {
			t.Fatal(err)
		}
	})
	bothUninstall(first, second)
}

// A state in ZooKeeper of the first schema is raised by who takes office, and kept in a file
// before.
func TestRaisesTheStateInZooKeeper(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	s := newSite(t, webSpec)
	uri := "zk://" + server.Address + "/kafka-sched/web"
	s.options.State = zk.Access{URI: uri}
	s.start()
	before := s.whole()
	s.stop()
	session, err := zk.Dial(t.Context(), zk.SessionConfig{URI: uri,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if _, err := session.Conn.Set(session.Path, []byte("kafka-sched state, schema 1"),
		-1); err != nil {
		t.Fatal(err)
	}
	s.start()
	if after := s.whole(); !maps.Equal(ids(after), ids(before)) {
		t.Errorf("the tasks were %v, and are %v", ids(before), ids(after))
	}
	root, _, err := session.Conn.Get(session.Path)
	if want := fmt.Sprint("kafka-sched state, schema ", zkstore.Schema); string(root) != want {
		t.Errorf("the root says %s: %v", root, err)
	}
	kept, err := os.Open(filepath.Join(s.options.Dir, "zookeeper.schema-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	entries, err := store.Import(kept)
	if _, is := entries["pod/web-1"]; err != nil || !is {
		t.Errorf("what is kept has no web-1: %v", err)
	}
}

// bothUninstall uninstalls a service through its standby: both schedulers end well, and neither
// installs it again.
func bothUninstall(standby, leader *site) {
	t := standby.t
	t.Helper()
	_, err := standby.client.CommandService(t.Context(), "uninstall", api.ServiceCommand{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*site{leader, standby} {
		s.eventually("the scheduler ends", func() error {
			select {
			case <-s.life.ended:
				return s.life.err
			default:
				return errors.New("it runs")
			}
		})
		if !exists(filepath.Join(s.options.Dir, uninstalledMark)) {
			t.Errorf("%s has no mark", s.options.Dir)
		}
		s.life = nil
		if err := RunScheduler(t.Context(), s.options, "test"); err != nil {
			t.Errorf("started again, it says %v", err)
		}
	}
	if left := leader.reservations(); len(left) > 0 {
		t.Error(fmt.Errorf("reservations are left: %v", left))
	}
}
