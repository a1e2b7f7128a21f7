package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/loop"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

const manySpec = `
name: web
scheduler: {user: nobody}
pods:
  web:
    count: 10000
    tasks:
      server: {goal: RUNNING, cmd: sleep 1000, cpus: 0.1, memory: 32}
plans:
  deploy:
    strategy: parallel
    phases:
      web: {pod: web, strategy: parallel}
`

// cloud is a Mesos on which everything fits: it offers agents, batch after batch, and tells of
// each launch that it runs.
type cloud struct {
	loop     *loop.Loop
	launches chan mesos.TaskInfo
	agents   int
	running  atomic.Int64
}

// Send implements loop.Mesos.
func (c *cloud) Send(call mesos.Call) {
	accept, ok := call.(mesos.Accept)
	if !ok {
		return
	}
	for _, op := range accept.Operations {
		if launch, ok := op.(mesos.Launch); ok {
			for _, task := range launch.Tasks {
				c.launches <- task
			}
		}
	}
}

// offers sends a batch of offers, each of an agent of its own.
func (c *cloud) offers(count int, list resource.List) {
	var batch mesos.Offers
	for range count {
		c.agents++
		name := fmt.Sprintf("agent-%d", c.agents)
		batch.Offers = append(batch.Offers, mesos.Offer{ID: mesos.OfferID("o-" + name),
			Agent: mesos.AgentID(name), Hostname: name, IP: "10.0.0.1", Role: "web-role",
			Resources: list.WithRole("web-role")})
	}
	c.loop.Deliver(batch)
}

// work offers and answers until the context ends.
func (c *cloud) work(ctx context.Context, list resource.List) {
	c.loop.Deliver(mesos.Subscribed{Framework: "fw-1", Master: "m:5050"})
	ready := true
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			c.offers(100, list)
		case task := <-c.launches:
			c.loop.Deliver(mesos.Updated{Status: mesos.Status{Task: task.ID,
				Agent: "agent-1", State: mesos.Running, Ready: &ready, UUID: []byte{1}}})
			c.running.Add(1)
		}
	}
}

// silence implements loop.Kafka and loop.Metrics.
type silence struct{}

func (silence) Ask(context.Context, []string) scheduler.KafkaFacts { return scheduler.KafkaFacts{} }
func (silence) Count(string)                                       {}
func (silence) Observe(*scheduler.View)                            {}

// deploying runs a scheduler of 10,000 tasks that has just begun to launch them, and gives the
// address of its API.
func deploying(b *testing.B) (base string, c *cloud) {
	b.Helper()
	service, problems := servicespec.Parse("many.yml", []byte(manySpec), nil)
	list, err := resource.ParseList("cpus:4;mem:4096;disk:9000;ports:[31000-32000]")
	if len(problems) > 0 || err != nil {
		b.Fatal(problems, err)
	}
	c = &cloud{launches: make(chan mesos.TaskInfo, 10000)}
	var ids uint64
	c.loop = loop.New(loop.Config{
		Machine: scheduler.Restore(scheduler.Config{
			Target:      scheduler.Target{ID: "target-1", Service: service},
			ExecutorURI: "http://s/executor",
			UUID: func() (id [16]byte) {
				ids++
				copy(id[8:], fmt.Sprintf("%08d", ids))
				return id
			},
		}, scheduler.Hard{}),
		Store: store.NewMemory(), Mesos: c, Kafka: silence{}, Metrics: silence{},
		Logger: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	feed := NewFeed()
	var parts sync.WaitGroup
	parts.Go(func() { _, _ = c.loop.Run(ctx) })
	parts.Go(func() { feed.Run(ctx, c.loop.Watch) })
	<-c.loop.Begun()
	parts.Go(func() { c.work(ctx, list) })
	config := Config{View: c.loop.View, Do: c.loop.Do, Feed: feed}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := NewHTTP(New(config))
	parts.Go(func() { _ = web.Serve(listener) })
	b.Cleanup(func() {
		cancel()
		web.Close()
		parts.Wait()
	})
	return "http://" + listener.Addr().String(), c
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
		time.Sleep(time.Until(due)) //nolint:all // the pace of an open-loop load
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

// BenchmarkReadsWhileDeploying: 1,000 reads a second of a service of 10,000 tasks that are being
// launched all the time: single pods, tasks and steps, pages of 20 pods, the plans in short, and
// the health.
func BenchmarkReadsWhileDeploying(b *testing.B) {
	base, c := deploying(b)
	for b.Loop() {
		before := c.running.Load()
		load(b, 1000, 20*time.Second, func(rng *rand.Rand) string {
			pod := fmt.Sprintf("web-%d", rng.IntN(10000))
			switch rng.IntN(10) {
			case 0, 1, 2:
				return base + "/v2/pods/" + pod
			case 3:
				return base + "/v2/pods/" + pod + "/why"
			case 4:
				return base + "/v2/plans/deploy/phases/web/steps/" + pod + ":%5Bserver%5D"
			case 5:
				return base + "/v2/pods?limit=20"
			case 6:
				return base + "/v2/plans?summary=true"
			case 7:
				return base + "/v1/pod/" + pod + "/status"
			}
			return base + "/v1/health"
		})
		b.ReportMetric(float64(c.running.Load()-before)/20, "launches/s")
	}
}

// BenchmarkHealthBesideSlowSockets: the health while 1,000 clients dribble headers and bodies or
// do not read what they asked for.
func BenchmarkHealthBesideSlowSockets(b *testing.B) {
	v := recordedView(plans.InProgress, slices.Repeat([]plans.Status{plans.Starting}, 3000)...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := NewHTTP(New(config(v, &machine{})))
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	defer func() {
		web.Close()
		<-ended
	}()
	base := "http://" + listener.Addr().String()
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
		"/v1/health",
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
