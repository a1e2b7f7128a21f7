package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// answerOf asks a server on a view and decodes its answer, which must be a 200 of the contract.
func answerOf[T any](t *testing.T, v *scheduler.View, route, target string) T {
	t.Helper()
	w := ask(t, config(v, &machine{}), httptest.NewRequest("GET", target, nil))
	wrong := readContract(t).checkAnswer("GET", route, w.Code, w.Header().Get("Content-Type"),
		w.Body.Bytes())
	if w.Code != http.StatusOK || wrong != "" {
		t.Fatalf("%s: %d %s %s", target, w.Code, wrong, w.Body)
	}
	var value T
	if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestLists asks for parts of every list and compares the names of what comes.
func TestLists(t *testing.T) {
	v := richView()
	for _, c := range []struct{ query, want string }{
		{"plans", "deploy recovery"}, {"plans?name=recovery", "recovery"}, {"plans?name=x", ""},
		{"plans?status=COMPLETE", "recovery"}, {"plans?status=COMPLETE&name=deploy", ""},
		{"plans?limit=1", "deploy +"}, {"plans?summary=true", "deploy recovery"},
		{"pods", "kafka-0 kafka-1 kafka-2"}, {"pods?type=kafka&limit=2", "kafka-0 kafka-1 +"},
		{"pods?type=x", ""}, {"pods?status=RUNNING", "kafka-0 kafka-1"},
		{"pods?status=PENDING", "kafka-2"}, {"pods?status=PAUSED", "kafka-1"},
		{"pods?host=host-1.example", "kafka-0"}, {"pods?limit=3", "kafka-0 kafka-1 kafka-2"},
		{"journal", "16 15 14 13 12 11"}, {"journal?kind=command", "15 14"},
		{"journal?plan=deploy&limit=2", "16 14 +"}, {"journal?kind=command&plan=deploy", "14"},
		{"journal?since=" + url.QueryEscape(viewTime.Add(-5*time.Hour).Format(time.RFC3339)),
			"16 15"},
		{"history", "16 12 11"}, {"history?plan=recovery", "12"}, {"history?limit=1", "16 +"},
		{"configurations", v.TargetID + " " + secondID + " " + firstID},
		{"configurations?limit=2", v.TargetID + " " + secondID + " +"},
		{"offers", "o3 o2 o1"}, {"offers?fits=true", "o2"}, {"offers?fits=false&limit=1", "o3 +"},
		{"offers?pod=kafka-0", ""}, {"offers?host=host-2.example&limit=3", "o3 o2 o1"},
		{"reservations", "reservation-1"}, {"leftovers", "reservation-0"},
		{"agents", "agent-0 agent-2"}, {"agents?limit=1", "agent-0 +"},
		{"agents?state=ABANDONED", "agent-2"}, {"agents?state=AWAY", ""},
	} {
		if got := strings.Join(listed(t, v, c.query), " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
	}
}

// listed gives the names of what a list has, and a plus when there is more.
func listed(t *testing.T, v *scheduler.View, query string) []string {
	t.Helper()
	route, _, _ := strings.Cut("/v2/"+query, "?")
	answer := answerOf[map[string]any](t, v, route, "/v2/"+query)
	names := []string{}
	for _, field := range sortedKeys(answer) {
		if field == "next_cursor" {
			continue
		}
		for _, item := range answer[field].([]any) {
			names = append(names, nameOf(item.(map[string]any)))
		}
	}
	if answer["next_cursor"] != nil {
		names = append(names, "+")
	}
	return names
}

// nameOf is what an item of a list is known by.
func nameOf(item map[string]any) string {
	for _, field := range []string{"offer_id", "number", "id", "name", "reservation"} {
		switch value := item[field].(type) {
		case string:
			return value
		case float64:
			if item["service"] == nil && item["target"] == nil {
				return json.Number(trimmed(value)).String()
			}
		}
	}
	return "?"
}

func trimmed(f float64) string {
	text, _ := json.Marshal(f)
	return string(text)
}

// TestPages walks through every list in pages of every size and gets the whole of it.
func TestPages(t *testing.T) {
	v := richView()
	for _, list := range []string{"plans", "pods", "journal", "history", "configurations",
		"offers", "reservations", "leftovers", "agents"} {
		whole := listed(t, v, list)
		for _, limit := range []string{"1", "2", "1000"} {
			var walked []string
			cursor := ""
			for range 20 {
				query := list + "?limit=" + limit + cursor
				part := answerOf[map[string]any](t, v, "/v2/"+list, "/v2/"+query)
				names := listed(t, v, query)
				walked = append(walked, slices.DeleteFunc(names, func(s string) bool {
					return s == "+"
				})...)
				next, more := part["next_cursor"].(string)
				if !more {
					break
				}
				cursor = "&cursor=" + next
			}
			if !slices.Equal(walked, whole) {
				t.Errorf("%s by %s: %v, want %v", list, limit, walked, whole)
			}
		}
	}
}

// A page goes on behind the last item of the one before, also when that is gone: where there
// is an order behind its place, and in logs, whose oldest entries go first, at the end.
func TestPagesOfWhatIsGone(t *testing.T) {
	v := richView()
	first := answerOf[api.PodList](t, v, "/v2/pods", "/v2/pods?limit=2")
	v.Pods = slices.Delete(v.Pods, 1, 2)
	rest := answerOf[api.PodList](t, v, "/v2/pods", "/v2/pods?cursor="+first.NextCursor)
	if len(rest.Pods) != 1 || rest.Pods[0].Name != "kafka-2" {
		t.Errorf("pods: %+v", rest)
	}
	entries := answerOf[api.Journal](t, v, "/v2/journal", "/v2/journal?limit=5")
	v.Journal = v.Journal[3:]
	left := answerOf[api.Journal](t, v, "/v2/journal", "/v2/journal?cursor="+entries.NextCursor)
	if len(left.Entries) != 0 {
		t.Errorf("journal: %+v", left)
	}
}

func TestHistory(t *testing.T) {
	runs := answerOf[api.History](t, richView(), "/v2/history", "/v2/history").Runs
	last := runs[0]
	if last.State != api.RunRunning || last.Ended != nil || last.Caller != "alice" ||
		last.Address != "10.0.0.9:1234" || last.Reason != "again" || last.Plan != "deploy" {
		t.Errorf("the run that goes on: %+v", last)
	}
	first := runs[2]
	if first.State != api.RunComplete || !first.Ended.Equal(viewTime.Add(-7*time.Hour)) ||
		first.Result != "COMPLETE" || !first.Started.Equal(viewTime.Add(-9*time.Hour)) {
		t.Errorf("the run that is complete: %+v", first)
	}
}

// One plan, phase, step, pod, task, configuration: what only /v2 tells of them.
func TestOne(t *testing.T) {
	v := richView()
	plan := answerOf[api.Plan](t, v, api.PathPlanV2, "/v2/plans/deploy")
	if plan.Held.Reason != "the disks are full" || plan.Run.Params["A"] != "1" ||
		*plan.Progress != (api.Progress{Complete: 1, Total: 3}) || len(plan.Phases[0].Steps) != 3 {
		t.Errorf("%+v", plan)
	}
	plan = answerOf[api.Plan](t, v, api.PathPlanV2, "/v2/plans/deploy?summary=true")
	if len(plan.Phases) != 1 || len(plan.Phases[0].Steps) != 0 ||
		plan.Phases[0].Progress.Total != 3 {
		t.Errorf("summary: %+v", plan)
	}
	phase := answerOf[api.Phase](t, v, api.PathPhaseV2, "/v2/plans/deploy/phases/broker")
	if phase.Held == nil || len(phase.Steps) != 3 {
		t.Errorf("%+v", phase)
	}
	for _, name := range []string{"kafka-2:[broker]", "uuid-4"} {
		step := answerOf[api.Step](t, v, api.PathStepV2,
			"/v2/plans/deploy/phases/uuid-1/steps/"+url.PathEscape(name))
		if step.Held.By != "alice (10.0.0.9:1234)" || step.Pod != "kafka-2" {
			t.Errorf("%+v", step)
		}
	}
	pod := answerOf[api.Pod](t, v, api.PathPodV2, "/v2/pods/kafka-2")
	if !pod.Leaving || pod.Launched || pod.Refusal == "" {
		t.Errorf("%+v", pod)
	}
	if list := answerOf[api.TaskList](t, v, api.PathTasksV2, "/v2/pods/kafka-1/tasks"); len(
		list.Tasks) != 1 || list.Tasks[0].Override != "PAUSED" {
		t.Errorf("%+v", list)
	}
	for _, name := range []string{"broker", "kafka-0-broker"} {
		task := answerOf[api.Task](t, v, api.PathTaskV2, "/v2/pods/kafka-0/tasks/"+name)
		if task.FullName != "kafka-0-broker" || task.Ports[0].Port != 9092 {
			t.Errorf("%+v", task)
		}
	}
	c := answerOf[api.Configuration](t, v, api.PathTargetV2, "/v2/configurations/target")
	if !c.Target || c.ID != v.TargetID || c.Number != 3 || c.By != "bob" || c.Done == nil ||
		!strings.Contains(string(c.Service), `"kafka-principal"`) {
		t.Errorf("%+v", c)
	}
	c = answerOf[api.Configuration](t, v, api.PathConfigurationV2, "/v2/configurations/"+firstID)
	if c.Target || c.Number != 1 || c.Done != nil {
		t.Errorf("%+v", c)
	}
	held := answerOf[api.ReservationList](t, v, api.PathReservations, "/v2/reservations")
	if r := held.Reservations[0]; !r.Confirmed || len(r.Resources) != 2 ||
		r.Resources[0].Owner != "executor" || r.Resources[1].Resources == "" {
		t.Errorf("%+v", r)
	}
}

func TestDiff(t *testing.T) {
	v := richView()
	path := "/v2/configurations/" + firstID + "/diff"
	diff := answerOf[api.Diff](t, v, api.PathDiff, path)
	want := api.Change{Path: "pods.kafka.count", Old: "1", New: "3"}
	if len(diff.Changes) != 1 || diff.To != v.TargetID {
		t.Fatalf("%+v", diff)
	}
	got := diff.Changes[0]
	if got.Class == "" || got.Path != want.Path || got.Old != want.Old || got.New != want.New {
		t.Errorf("%+v", got)
	}
	diff = answerOf[api.Diff](t, v, api.PathDiff, "/v2/configurations/target/diff?to="+secondID)
	if len(diff.Changes) != 1 || diff.Changes[0].Class != "restart" || diff.To != secondID {
		t.Errorf("%+v", diff)
	}
}

// What is not there, and queries that make no sense, are problems with a sentence.
func TestReadsRefuse(t *testing.T) {
	for target, says := range map[string]string{
		"/v2/plans/x":                                     "404 Plan x not found",
		"/v2/plans/x/phases/y":                            "404 Plan x not found",
		"/v2/plans/deploy/phases/y":                       "404 Phase y not found",
		"/v2/plans/deploy/phases/broker/steps/z":          "404 Step z not found",
		"/v2/pods/kafka-9":                                "404 Pod kafka-9 not found",
		"/v2/pods/kafka-0/tasks/x":                        "404 Task x not found",
		"/v2/pods/kafka-9/tasks/x":                        "404 Pod kafka-9 not found",
		"/v2/pods/kafka-9/why":                            "404 Pod kafka-9 not found",
		"/v2/configurations/x":                            "404 Configuration x not found",
		"/v2/configurations/x/diff":                       "404 Configuration x not found",
		"/v2/configurations/target/diff?to=x":             "404 Configuration x not found",
		"/v2/plans?status=complete":                       "400 must be one of ERROR, ",
		"/v2/plans?status=":                               "400 must be one of",
		"/v2/plans?sort=up":                               `400 no parameter "sort"`,
		"/v2/plans?summary=yes":                           "400 must be true or false",
		"/v2/pods?limit=0":                                "400 a number from 1 to 1000",
		"/v2/pods?limit=1001":                             "400 a number from 1 to 1000",
		"/v2/pods?limit=x":                                "400 a number from 1 to 1000",
		"/v2/pods?cursor=%21":                             "400 not one that a list gave",
		"/v2/pods?cursor=":                                "400 not one that a list gave",
		"/v2/pods?limit=1&limit=2":                        "400 more than once",
		"/v2/pods?limit=%zz":                              "400 cannot be read",
		"/v2/journal?since=yesterday":                     "400 a time such as",
		"/v2/offers?fits=1":                               "400 must be true or false",
		"/v2/events?types=plan,x":                         `400 no type "x"`,
		"/v2/version?x=1":                                 "400 there are none",
		"/v2/pods/kafka-0/tasks/broker/logs?file=x":       "400 must be one of stdout, stderr",
		"/v2/pods/kafka-0/tasks/broker/logs?lines=-1":     "400 a number from 0 to 10000",
		"/v2/pods/kafka-2/tasks/broker/logs?lines=1":      "404 was never launched",
		"/v2/pods/kafka-0/tasks/broker/logs?follow=false": "503 not connected to Mesos",
		"/v2/events":                                      "503 gives no events",
	} {
		w := ask(t, config(richView(), &machine{}), httptest.NewRequest("GET", target, nil))
		status, text, _ := strings.Cut(says, " ")
		if trimmed(float64(w.Code)) != status || !strings.Contains(problemOf(t, w), text) {
			t.Errorf("%s: %d %s, want %s", target, w.Code, w.Body, says)
		}
		checkError(t, "/v2/service", w)
	}
}

// problemOf gives the detail of an answer that must be a problem.
func problemOf(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return p.Detail
}

// A revision is the same while nothing changes, whatever the clock says, and another when
// anything that is shown does.
func TestRevisions(t *testing.T) {
	etag := func(v *scheduler.View, path string, minutes int) string {
		c := config(v, &machine{})
		c.Now = func() time.Time { return viewTime.Add(time.Duration(minutes) * time.Minute) }
		return ask(t, c, httptest.NewRequest("GET", path, nil)).Header().Get("ETag")
	}
	for path, change := range map[string]func(*scheduler.View){
		"/v2/plans/deploy": func(v *scheduler.View) {
			v.Plans[0].Phases[0].Steps[2].Status = plans.Started
		},
		"/v2/plans/deploy?summary=true": func(v *scheduler.View) { v.Plans[0].Held = nil },
		"/v2/plans/deploy/phases/broker": func(v *scheduler.View) {
			v.Plans[0].Phases[0].Steps[0].Attempts++
		},
		"/v2/plans/deploy/phases/broker/steps/uuid-2": func(v *scheduler.View) {
			v.Plans[0].Phases[0].Steps[0].Reason = "because"
		},
		"/v2/pods/kafka-0":              func(v *scheduler.View) { v.Pods[0].Request = "" },
		"/v2/pods/kafka-0/tasks":        func(v *scheduler.View) { v.Pods[0].Tasks[0].Ready = nil },
		"/v2/pods/kafka-0/tasks/broker": func(v *scheduler.View) { v.Pods[0].Tasks[0].State = "" },
		"/v2/service":                   func(v *scheduler.View) { v.Intent = scheduler.Stop },
		"/v2/configurations/target":     func(v *scheduler.View) { v.TargetNumber++ },
	} {
		v := richView()
		before := etag(v, path, 1)
		if len(before) < 10 || etag(richView(), path, 99) != before {
			t.Errorf("%s: %s, and %s later", path, before, etag(richView(), path, 99))
		}
		if change(v); etag(v, path, 1) == before {
			t.Errorf("%s: the revision does not tell of the change", path)
		}
	}
}

func TestNotModified(t *testing.T) {
	path := "/v2/pods/kafka-0"
	first := ask(t, config(richView(), &machine{}), httptest.NewRequest("GET", path, nil))
	tag := first.Header().Get("ETag")
	for header, status := range map[string]int{
		tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200,
	} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("If-None-Match", header)
		w := ask(t, config(richView(), &machine{}), r)
		if w.Code != status || status == 304 && w.Body.Len() > 0 {
			t.Errorf("%s: %d %s", header, w.Code, w.Body)
		}
	}
}
