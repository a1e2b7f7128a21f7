package zk

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// dial begins a session of a test.
func dial(t *testing.T, address string, timeout time.Duration) *Session {
	t.Helper()
	s, err := Dial(t.Context(), SessionConfig{URI: "zk://" + address + "/test", Timeout: timeout,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// A session without a connection is lost after its time-out, however often the connection is
// tried again meanwhile; a shorter cut is nothing.
func TestSessionLost(t *testing.T) {
	t.Parallel()
	relay := zktest.StartRelay(t, zktest.Start(t).Address, 0)
	s := dial(t, relay.Address, 4*time.Second)
	relay.Cut()
	time.AfterFunc(time.Second, relay.Cut)
	select {
	case <-s.Lost():
		t.Fatal("it is lost by a short cut")
	case <-time.After(5 * time.Second):
	}
	if err := s.Connected(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	relay.Close()
	<-s.Lost()
	if took := time.Since(began); took < 3*time.Second || took > 8*time.Second {
		t.Errorf("it is lost after %v", took)
	}
	if err := s.Connected(t.Context()); !errors.Is(err, ErrSessionLost) {
		t.Error(err)
	}
}

// Of two candidates one leads; the other does once the first has gone, and knows who does until
// then.
func TestCampaign(t *testing.T) {
	t.Parallel()
	server := zktest.Start(t)
	enter := func(says string) (*Session, *Election) {
		s := dial(t, server.Address, 4*time.Second)
		e, err := s.Campaign("/test/election", []byte(says))
		if err != nil {
			t.Fatal(err)
		}
		return s, e
	}
	session, first := enter("first")
	if err := first.Won(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, second := enter("second")
	won := make(chan error, 1)
	_, changed := second.Leader()
	go func() { won <- second.Won(t.Context()) }()
	<-changed
	if says, _ := second.Leader(); string(says) != "first" {
		t.Errorf("the leader says %q", says)
	}
	deposed := make(chan error, 1)
	go func() { deposed <- first.Deposed(t.Context()) }()
	session.Close()
	if err := <-won; err != nil {
		t.Fatal(err)
	}
	if err := <-deposed; !errors.Is(err, ErrSessionLost) {
		t.Errorf("the first is deposed with %v", err)
	}
	if err := first.Confirm(t.Context()); !errors.Is(err, ErrSessionLost) {
		t.Errorf("the first is confirmed: %v", err)
	}
}
