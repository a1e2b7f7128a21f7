package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kafka-sched/kafka-sched/api/server"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/store/zkstore"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// dialState begins a session at the ZooKeeper of a state.
func (s *schedulerRun) dialState(ctx context.Context) (*zk.Session, error) {
	cfg, err := s.o.State.Config()
	if err != nil {
		return nil, err
	}
	cfg.Logger = s.log
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return zk.Dial(ctx, cfg)
}

// errOver says that the service is uninstalled, which is no failure.
var errOver = errors.New("the service is uninstalled")

// openState opens the state: the file, or, once this scheduler leads, what is in ZooKeeper. Its
// error is errOver for a service that another scheduler has uninstalled.
func (s *schedulerRun) openState(ctx context.Context) (closer func(), err error) {
	if s.o.State.URI == "" {
		file, err := store.Open(filepath.Join(s.o.Dir, "state.db"))
		if err != nil {
			return nil, err
		}
		s.store = file
		return func() { file.Close() }, nil
	}
	session, err := s.dialState(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.takeOffice(ctx, session); err != nil {
		session.Close()
		return nil, err
	}
	return func() {
		if err := s.store.Close(); err != nil {
			s.log.Debug("the last batch is left to who leads next to carry out", "error", err)
		}
		session.Close()
	}, nil
}

// joinedMark is the file that says that this scheduler has worked with a state in ZooKeeper: if
// the service is uninstalled, or its state has vanished, it must not install it again.
const joinedMark = "joined"

// takeOffice stands by until this scheduler leads, and then opens the state.
func (s *schedulerRun) takeOffice(ctx context.Context, session *zk.Session) error {
	joined := exists(filepath.Join(s.o.Dir, joinedMark))
	condition, err := zkstore.Look(session)
	switch {
	case err != nil:
		return err
	case condition == zkstore.Ended && joined:
		return s.over()
	case condition == zkstore.Absent && joined:
		return fmt.Errorf("the state at %s in ZooKeeper at %s has vanished; put it back, or, to "+
			"begin anew as a framework that knows nothing of the old one's tasks and volumes, "+
			"remove %s", session.Path, session.Servers(), filepath.Join(s.o.Dir, joinedMark))
	case condition == zkstore.Live:
		if err := s.join(); err != nil {
			return err
		}
	}
	says, err := json.Marshal(announcement{PID: os.Getpid(), URL: s.advertised()})
	if err != nil {
		return fmt.Errorf("encoding the announcement: %w", err)
	}
	if s.election, err = session.Campaign(zkstore.ElectionPath(session), says); err != nil {
		return err
	}
	held := zkstore.NewCopy(session, s.log)
	if err := s.standBy(ctx, held); err != nil {
		return err
	}
	began := time.Now()
	opened, err := held.Open(s.advertised(), condition == zkstore.Ended)
	if errors.Is(err, zkstore.ErrUninstalled) {
		return s.over()
	}
	if err != nil {
		return err
	}
	s.store, s.ending = opened, opened.End
	if err := s.raise(opened); err != nil {
		return err
	}
	s.log.Info("this scheduler leads", "epoch", opened.Epoch(), "state", session.Path,
		"took", time.Since(began).Round(time.Millisecond).String(), "had_it", opened.Copied())
	return s.join()
}

// raise brings a state in ZooKeeper of an earlier schema to the present one. What it was is kept in
// a file first, in the form of state export: whoever has to go back to the earlier release can put
// it in its place.
func (s *schedulerRun) raise(opened *zkstore.Store) error {
	earlier := opened.Earlier()
	if earlier == 0 {
		return nil
	}
	hard, err := opened.Load()
	if err != nil {
		return err
	}
	path := filepath.Join(s.o.Dir, fmt.Sprintf("zookeeper.schema-%d.json", earlier))
	if err := store.BackUp(path, hard); err != nil {
		return fmt.Errorf("keeping the state of schema %d before it is raised: %w", earlier, err)
	}
	s.log.Info("the state in ZooKeeper is brought to the present schema", "from", earlier,
		"to", zkstore.Schema, "backup", path)
	return opened.Raise()
}

func (s *schedulerRun) join() error {
	path := filepath.Join(s.o.Dir, joinedMark)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return fmt.Errorf("noting that the state was joined: %w", err)
	}
	return nil
}

// over leaves the mark of a service that another scheduler has uninstalled.
func (s *schedulerRun) over() error {
	s.log.Info("the scheduler's work is done", "reason", "another has uninstalled the service")
	if err := s.markUninstalled("another scheduler has uninstalled it"); err != nil {
		return err
	}
	return errOver
}

// standBy hands requests on to the scheduler that leads, until this one does, and meanwhile keeps a
// copy of the state.
func (s *schedulerRun) standBy(ctx context.Context, held *zkstore.Copy) error {
	following, stop := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { held.Follow(following) })
	defer follower.Wait()
	defer stop()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	s.front.set(server.Standby{
		Leader: s.leader, Self: s.listener.Addr().String(), AllowHost: s.allowHost(),
		Metrics: metrics.Standby(), Logger: s.log, Transport: transport,
	}.Handler())
	s.openDoors()
	if err := s.announce(); err != nil {
		return err
	}
	s.log.Info("standing by", "url", s.url())
	won := make(chan error, 1)
	go func() { won <- s.election.Won(ctx) }()
	select {
	case err := <-won:
		s.front.set(nil)
		return err
	case err := <-s.doors:
		return err
	}
}

// leader is the URL of the scheduler that leads, "" while none is known.
func (s *schedulerRun) leader() string {
	says, _ := s.election.Leader()
	var a announcement
	if json.Unmarshal(says, &a) != nil {
		return ""
	}
	return a.URL
}

// confirm asks whether this scheduler may speak for the service: whoever was deposed without
// having noticed must not take the subscription away from who leads.
func (s *schedulerRun) confirm(ctx context.Context) error {
	if s.election == nil {
		return nil
	}
	return s.election.Confirm(ctx)
}

// deposed waits until this scheduler may lead no more, and says why; nil with the context.
func (s *schedulerRun) deposed(ctx context.Context) error {
	if s.election == nil {
		<-ctx.Done()
		return nil
	}
	err := s.election.Deposed(ctx)
	if err != nil {
		err = fmt.Errorf("this scheduler leads no more: %w", err)
	}
	return err
}

// front is what answers at the scheduler's address, which stays the same while a standby
// becomes the one that leads. Without a handler it says that it is not ready yet.
type front struct{ handler atomic.Pointer[http.Handler] }

func (f *front) set(h http.Handler) {
	if h == nil {
		f.handler.Store(nil)
		return
	}
	f.handler.Store(&h)
}

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := f.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	server.Unready(w, r)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
