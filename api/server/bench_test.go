package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// rollout publishes views of a service of so many tasks that is being deployed: ten times a
// second another view, in which some more tasks run, without a pause between two deployments.
func rollout(b *testing.B, count int) *source {
	b.Helper()
	first := recordedView(plans.InProgress,
		slices.Repeat([]plans.Status{plans.Starting}, count)...)
	s := newSource(first)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for at := 0; ; at = (at + 100) % count {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			s.publish(func(v *scheduler.View) {
				v.At = time.Now()
				v.Pods = slices.Clone(v.Pods)
				phase := &v.Plans[0].Phases[0]
				v.Plans[0].Phases = []scheduler.PhaseView{*phase}
				steps := slices.Clone(phase.Steps)
				v.Plans[0].Phases[0].Steps = steps
				for i := at; i < at+100; i++ {
					task := v.Pods[i].Tasks[0]
					task.State, task.Since = mesos.Running, v.At
					v.Pods[i].Tasks = []scheduler.TaskView{task}
					steps[i].Status, steps[i].Since = plans.Complete, v.At
					later := &steps[(i+count/2)%count]
					later.Status, later.Since = plans.Starting, v.At
				}
			})
		}
	}()
	b.Cleanup(func() {
		close(stop)
		<-ended
	})
	return s
}

// listening gives the address of a server until the benchmark ends.
func listening(b *testing.B, c Config) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web, ended := NewHTTP(New(c)), make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	b.Cleanup(func() {
		web.Close()
		<-ended
	})
	return "http://" + listener.Addr().String()
}

// load puts so many requests a second for a time, whether those before are answered or not, and
// reports how long answers took from when they should have been asked for.
func load(b *testing.B, rate int, length time.Duration, path func(*rand.Rand) string) {
	b.Helper()
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256}}
	defer client.CloseIdleConnections()
	count := rate * int(length/time.Second)
	took := make([]time.Duration, count)
	var wrong atomic.Int64
	rng := rand.New(rand.NewPCG(1, 2))
	var all sync.WaitGroup
	begin := time.Now()
	for i := range count {
		due := begin.Add(time.Duration(i) * time.Second / time.Duration(rate))
		<-time.After(time.Until(due))
		target := path(rng)
		all.Go(func() {
			response, err := client.Get(target)
			if err != nil {
				wrong.Add(1)
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode >= 500 {
				wrong.Add(1)
			}
			took[i] = time.Since(due)
		})
	}
	all.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[count/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[count*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[count-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(wrong.Load()), "errors")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkReadsWhileDeploying: 1,000 reads a second of a service of 10,000 tasks, of which 1,000
// a second come into another state, with ten readers of events beside them. The reads are of
// single pods, tasks and steps, pages of 20 pods, the plans in short, and the health.
func BenchmarkReadsWhileDeploying(b *testing.B) {
	s := rollout(b, 10000)
	feed, stop := fed(s)
	defer stop()
	c := config(nil, &machine{})
	c.View = func() *scheduler.View { v, _ := s.watch(); return v }
	c.Feed, c.Now = feed, time.Now
	base := listening(b, c)
	for range 10 {
		conn := dial(b, base, "GET /v2/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		go func() { _, _ = io.Copy(io.Discard, conn) }()
	}
	for b.Loop() {
		load(b, 1000, 20*time.Second, func(rng *rand.Rand) string {
			pod := fmt.Sprintf("kafka-%d", rng.IntN(10000))
			switch rng.IntN(10) {
			case 0, 1, 2:
				return base + "/v2/pods/" + pod
			case 3:
				return base + "/v2/pods/" + pod + "/why"
			case 4:
				return base + "/v2/plans/deploy/phases/broker/steps/" + pod + ":%5Bbroker%5D"
			case 5:
				return base + "/v2/pods?limit=20"
			case 6:
				return base + "/v2/plans?summary=true"
			case 7:
				return base + "/v1/pod/" + pod + "/status"
			}
			return base + "/v1/health"
		})
	}
}

// BenchmarkHealthBesideSlowSockets: the health while 1,000 clients dribble headers and bodies or
// do not read what they asked for.
func BenchmarkHealthBesideSlowSockets(b *testing.B) {
	v := recordedView(plans.InProgress, slices.Repeat([]plans.Status{plans.Starting}, 3000)...)
	base := listening(b, config(v, &machine{}))
	for b.Loop() {
		for i := range 1000 {
			switch i % 3 {
			case 0:
				dial(b, base, "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
			case 1:
				dial(b, base, "GET /v2/service HTTP/1.1\r\nHost: localhost\r\n\r\n")
			case 2:
				dial(b, base, "POST /v2/service/stop HTTP/1.1\r\nHost: localhost\r\n"+
					"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
			}
		}
		load(b, 200, 4*time.Second, func(*rand.Rand) string { return base + "/v1/health" })
	}
}

// BenchmarkLargePlan asks for a plan of 10,000 steps.
func BenchmarkLargePlan(b *testing.B) {
	v := recordedView(plans.InProgress, slices.Repeat([]plans.Status{plans.Starting}, 10000)...)
	for i := range v.Plans[0].Phases[0].Steps {
		step := &v.Plans[0].Phases[0].Steps[i]
		step.Reason, step.Since = "waits for the steps before it", viewTime
	}
	handler := New(config(v, &machine{}))
	for _, path := range []string{
		"/v2/plans?summary=true", "/v2/plans/deploy?summary=true", "/v2/plans/deploy",
		"/v2/plans/deploy/phases/broker/steps/uuid-9000", "/v1/plans/deploy", "/v2/service",
		"/v1/health", "/v2/pods/kafka-9000", "/v2/pods/kafka-9000/why", "/v2/pods?limit=20",
		"/v1/pod/kafka-9000/status",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
				if w.Code >= 400 {
					b.Fatal(w.Code, w.Body)
				}
				b.SetBytes(int64(w.Body.Len()))
			}
		})
	}
}
