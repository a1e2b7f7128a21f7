package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

func fullView() *scheduler.View {
	at := time.Unix(1_800_000_000, 0)
	ready := true
	broker := scheduler.BrokerFacts{ID: 0, Hosted: 7, NotInSync: 2, Leads: 3, Fenced: true}
	step := scheduler.StepView{Name: "kafka-0:[broker]", Status: plans.Starting, Since: at,
		Attempts: 4}
	return &scheduler.View{
		At: at, Framework: "f-1", Connected: true,
		Plans: []scheduler.PlanView{
			{Name: "deploy", Status: plans.InProgress, Phases: []scheduler.PhaseView{{
				Name: "broker", Steps: []scheduler.StepView{step, step, {
					Name: "kafka-1:[broker]", Status: plans.Complete, Since: at,
				}},
			}}},
			{Name: "recovery", Status: plans.Complete},
			{Name: "broken", Status: plans.Pending, Errors: []string{"no"}},
		},
		Pods: []scheduler.PodView{{
			Name:    scheduler.PodName{Type: "kafka"},
			Refusal: &offer.Refusal{Pod: "kafka-0"},
			Verdict: &scheduler.Judgement{What: "stop", Since: at,
				Verdict: rolling.Verdict{Answer: rolling.Wait, Code: rolling.UnderMinISR}},
			Tasks: []scheduler.TaskView{
				{FullName: "kafka-0-broker", State: mesos.Running, Ready: &ready},
				{FullName: "kafka-0-\xff"},
			},
		}},
		Leftovers: []scheduler.Leftover{{}, {}},
		Kafka: scheduler.KafkaView{Founded: true, Facts: &scheduler.KafkaFacts{
			Asked: at, Leader: 1, Voters: []int{0, 1, 2}, OfflinePartitions: 5,
			Brokers: []scheduler.BrokerFacts{broker},
		}},
	}
}

func TestLint(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := New(registry)
	m.Observe(fullView())
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
	n, err := testutil.GatherAndCount(registry)
	if err != nil || n < len(gauges)+len(counters)+len(taskStates) {
		t.Errorf("%d series, %v", n, err)
	}
}

// Every name that the machine can count under has a counter.
func TestEveryCountIsDeclared(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../scheduler/counts.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, n := New(prometheus.NewRegistry()), 0
	m.Strict = true
	ast.Inspect(file, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			name, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			switch name {
			case scheduler.CountStatus:
				name += string(mesos.Running)
			case scheduler.CountOperation:
				name += mesos.OperationFinished
			}
			m.Count(name)
			n++
		}
		return true
	})
	if n != len(counters)+2 {
		t.Errorf("the machine counts under %d names, %d are declared", n, len(counters)+2)
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err, string(body))
	}
	return string(body)
}

func TestScrape(t *testing.T) {
	m := New(NewRegistry())
	if before := scrape(t, m); strings.Contains(before, "kafka_sched_connected") {
		t.Error("gauges without a view")
	}
	m.Observe(fullView())
	m.Count(scheduler.CountOffers)
	m.Count(scheduler.CountStatus + "GONE_BY_OPERATOR")
	m.Count("")
	m.Count("never.declared")
	text := scrape(t, m)
	for _, line := range []string{
		`kafka_sched_offers_received_total 1`,
		`kafka_sched_declines_total 0`,
		`kafka_sched_task_statuses_total{state="GONE_BY_OPERATOR"} 1`,
		`kafka_sched_undeclared_counts_total 1`,
		`kafka_sched_connected 1`,
		`kafka_sched_is_suppressed 0`,
		`kafka_sched_plan_status{plan="deploy"} 2`,
		`kafka_sched_plan_status{plan="recovery"} 0`,
		`kafka_sched_plan_status{plan="broken"} -1`,
		`kafka_sched_plan_steps{plan="deploy",status="STARTING"} 2`,
		`kafka_sched_step_since_timestamp_seconds{phase="broker",plan="deploy",` +
			`status="STARTING",step="kafka-0:[broker]"} 1.8e+09`,
		`kafka_sched_step_failed_attempts{phase="broker",plan="deploy",` +
			`step="kafka-0:[broker]"} 4`,
		`kafka_sched_pods{type="kafka"} 1`,
		`kafka_sched_tasks{state="RUNNING"} 1`,
		`kafka_sched_task_ready{task="kafka-0-broker"} 1`,
		`kafka_sched_pod_refused{pod="kafka-0"} 1`,
		`kafka_sched_leftovers 2`,
		`kafka_sched_broker_fenced{broker="0"} 1`,
		`kafka_sched_broker_partitions_not_in_sync{broker="0"} 2`,
		`kafka_sched_quorum_leader 1`,
		`kafka_sched_quorum_voters 3`,
		`kafka_sched_partitions_offline 5`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	for _, of := range []string{"go_goroutines", "go_gc_heap_live_bytes",
		"process_resident_memory_bytes"} {
		if !strings.Contains(text, of) {
			t.Errorf("nothing of %s", of)
		}
	}
}

// What Kafka said before must not look true once it stops answering.
func TestNoFactsAfterAnError(t *testing.T) {
	m := New(prometheus.NewRegistry())
	view := fullView()
	view.Kafka.Facts.Error = "no broker answers"
	m.Observe(view)
	text := scrape(t, m)
	if strings.Contains(text, "quorum_leader") || strings.Contains(text, "broker_fenced") {
		t.Error("facts are shown although Kafka did not answer")
	}
}

func TestStrict(t *testing.T) {
	m := New(prometheus.NewRegistry())
	m.Strict = true
	defer func() {
		if recover() == nil {
			t.Error("an undeclared count was taken")
		}
	}()
	m.Count("never.declared")
}
