package scheduler

import (
	"testing"
	"time"
)

const wakeSpec = `
name: kafka
scheduler: {user: nobody}
pods:
  kafka:
    count: 1
    kafka: {version: 4.3.1, heap: 256}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports: {broker: {port: 0, advertise: true}, controller: {port: 0}}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
`

// TestAnswersThatSayNothing: while a broker comes up Kafka is asked again and again, and everything
// is looked at only for answers that say something new, and once a second.
func TestAnswersThatSayNothing(t *testing.T) {
	r := newRig(t, wakeSpec)
	r.offer("")
	r.up("kafka-0-broker")
	passes := func(f KafkaFacts, after time.Duration) bool {
		t.Helper()
		r.now = r.now.Add(after)
		r.tick() // asks
		before := r.machine.passedAt
		f.Asked = r.now
		r.step(FromKafka{f})
		r.settle()
		return r.machine.passedAt.After(before)
	}
	empty := KafkaFacts{ClusterID: r.machine.hard.Kafka.ID, Leader: -1}
	if !passes(empty, factsBusy) {
		t.Error("the first answer is not looked at")
	}
	for range 2 {
		if passes(empty, factsBusy) {
			t.Error("an answer that says nothing new has everything looked at")
		}
	}
	if wake := r.machine.NextWake(); wake.After(r.now.Add(factsBusy)) {
		t.Errorf("the next question is due after %s only", wake.Sub(r.now))
	}
	if led := (KafkaFacts{ClusterID: empty.ClusterID, Leader: 0}); !passes(led, factsBusy) {
		t.Error("an answer that says something new is not looked at")
	} else if !passes(led, passEvery) {
		t.Error("an answer that comes a second after the last look is not looked at")
	}
}

// TestWhoWaitsLongIsAskedLess: the longer somebody waits for what Kafka says, the less often it is
// asked, until something happens.
func TestWhoWaitsLongIsAskedLess(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var p polling
	var moved time.Duration
	for _, c := range []struct{ after, want time.Duration }{
		{0, factsBusy}, {4 * time.Second, factsBusy}, {16 * time.Second, time.Second},
		{time.Hour, factsSlow},
	} {
		p.answered = begin.Add(c.after)
		if got := p.haste(begin, begin.Add(moved)); got != c.want {
			t.Errorf("after %s it is asked every %s, want %s", c.after, got, c.want)
		}
	}
	moved = 2 * time.Hour
	if got := p.haste(begin, begin.Add(moved)); got != factsBusy {
		t.Errorf("after a task ended it is asked every %s, want %s", got, factsBusy)
	}
}

// TestKillWakes: a kill that may have got lost is repeated, though nothing else wakes anybody.
func TestKillWakes(t *testing.T) {
	r := newRig(t, clockSpec)
	for range 10 {
		r.round()
	}
	r.must(PodRestart{Pod: "web-0"})
	r.settle()
	if len(r.kills) != 1 {
		t.Fatalf("kills %v", r.kills)
	}
	if wake := r.machine.NextWake(); wake.IsZero() || wake.After(r.now.Add(killAgain)) {
		t.Errorf("it wakes at %s, and it is %s", wake, r.now)
	}
}
