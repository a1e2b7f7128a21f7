package zkstore

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// instance is the write of a pod instance that was just launched.
func instance(index int, state mesos.TaskState) scheduler.Write {
	return scheduler.WritePod{Pod: scheduler.Pod{
		Name: scheduler.PodName{Type: "web", Index: index}, Incarnation: 1,
		Place: &scheduler.Place{Agent: "11111111-1111-1111-1111-111111111111-S1",
			Hostname: "host-1.example", IP: "10.0.0.1", Reservation: mesos.ReservationID(
				fmt.Sprintf("22222222-2222-2222-2222-%012d", index))},
		Executor: scheduler.Executor{ID: "web__web__33333333-3333-3333-3333-333333333333",
			Command: mesos.Command{Value: strings.Repeat("x", 500)}},
		Tasks: []scheduler.Task{{Name: "server", State: state,
			ID: "web__web-0-server__44444444-4444-4444-4444-444444444444"}},
	}}
}

// atEnsemble opens a store on three servers, behind relays that delay each way by so much.
func atEnsemble(b *testing.B, delay time.Duration) (*zk.Session, *Store) {
	b.Helper()
	var addresses []string
	for _, s := range zktest.StartEnsemble(b, 3) {
		address := s.Address
		if delay > 0 {
			address = zktest.StartRelay(b, address, delay).Address
		}
		addresses = append(addresses, address)
	}
	session, err := zk.Dial(b.Context(), zk.SessionConfig{Logger: slog.New(slog.DiscardHandler),
		URI: "zk://" + strings.Join(addresses, ",") + "/bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(session.Close)
	s, err := Open(session, "bench", false)
	if err != nil {
		b.Fatal(err)
	}
	return session, s
}

// BenchmarkApply writes the two transactions of a task, that it is launched and that it runs,
// alone and in batches of a hundred tasks.
func BenchmarkApply(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		for _, size := range []int{1, 100} {
			b.Run(fmt.Sprintf("delay=%s/batch=%d", delay, size), func(b *testing.B) {
				_, s := atEnsemble(b, delay)
				before, tasks := s.Transactions(), 0
				for b.Loop() {
					for _, state := range []mesos.TaskState{mesos.Staging, mesos.Running} {
						var writes []scheduler.Write
						for i := range size {
							writes = append(writes, instance((tasks+i)%10_000, state))
						}
						if err := s.Apply(writes); err != nil {
							b.Fatal(err)
						}
					}
					tasks += size
				}
				b.ReportMetric(float64(tasks)/b.Elapsed().Seconds(), "tasks/s")
				b.ReportMetric(float64(s.Transactions()-before)/float64(tasks), "transactions/task")
			})
		}
	}
}

// tenThousand gives an ensemble that holds the state of 10,000 instances, with the writes of these.
func tenThousand(
	b *testing.B, delay time.Duration,
) (*zk.Session, *Store, []scheduler.Write) {
	b.Helper()
	session, s := atEnsemble(b, delay)
	var writes []scheduler.Write
	for i := range 10_000 {
		writes = append(writes, instance(i, mesos.Running))
	}
	if err := s.Apply(writes); err != nil {
		b.Fatal(err)
	}
	return session, s, writes
}

// BenchmarkOpen takes office over the state of 10,000 instances, and reads it.
func BenchmarkOpen(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprintf("delay=%s/10000", delay), func(b *testing.B) {
			session, _, writes := tenThousand(b, delay)
			for b.Loop() {
				again, err := Open(session, "bench", false)
				if err != nil || len(again.hard.Pods) != len(writes) {
					b.Fatalf("%d instances: %v", len(again.hard.Pods), err)
				}
			}
		})
	}
}

// BenchmarkTakeOver takes office over the state of 10,000 instances, of which a standby has a copy,
// while the last hundred changes are news to it.
func BenchmarkTakeOver(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond} {
		b.Run(fmt.Sprintf("delay=%s/10000", delay), func(b *testing.B) {
			session, s, writes := tenThousand(b, delay)
			for b.Loop() {
				b.StopTimer()
				c := NewCopy(session, slog.New(slog.DiscardHandler))
				for !c.upToDate() {
					if err := c.round(); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Apply(writes[:100]); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				next, err := c.Open("bench", false)
				if err != nil || !next.Copied() || len(next.hard.Pods) != len(writes) {
					b.Fatalf("%d instances: %v", len(next.hard.Pods), err)
				}
				s = next
			}
		})
	}
}
