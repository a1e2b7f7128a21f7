package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// serve adds a route to a fake.
type serve func(path string, answer func(*http.Request, api.Service) any)

// readsV2 serves what is asked for of /v2, and the predecessor's state and configurations.
func (f *fake) readsV2(get serve) {
	get(api.PathPlanV2, func(r *http.Request, s api.Service) any {
		p := s.Plan(r.PathValue("plan"))
		if p == nil {
			return api.Problem{Status: 404, Code: api.CodeNotFound, Detail: "no such plan"}
		}
		if p.Name == api.PlanRecovery {
			p.Held = &api.Held{At: s.Now, By: "ann@desk", Reason: "look first"}
		}
		return *p
	})
	get(api.PathHistory, func(r *http.Request, s api.Service) any {
		ended := s.Now.Add(-time.Hour)
		return api.History{Runs: []api.HistoryRun{{
			Plan: or(r.FormValue("plan"), api.PlanDeploy), Number: 7,
			Started: ended.Add(-95 * time.Second), Ended: &ended, State: api.RunComplete,
			Caller: "ann@desk", Address: "10.0.0.7:1", Reason: "more memory", Result: "complete",
		}}}
	})
	get(api.PathJournal, func(r *http.Request, s api.Service) any {
		entry := api.JournalEntry{Number: 8, At: s.Now, Kind: api.KindCommand, Plan: "deploy",
			Caller: "ann@desk", Address: "10.0.0.7:1", Reason: "look first",
			What: "interrupt deploy", Result: "deploy is held"}
		if kind := r.FormValue("kind"); kind != "" && kind != entry.Kind {
			return api.Journal{Entries: []api.JournalEntry{}}
		}
		return api.Journal{Entries: []api.JournalEntry{entry}}
	})
	get(api.PathPodsV2, func(_ *http.Request, s api.Service) any {
		return api.PodList{Pods: s.Pods}
	})
	get(api.PathWhy, podAnswer(f.why))
	get(api.PathOffers, func(r *http.Request, s api.Service) any {
		list := api.OfferList{Offers: []api.OfferOutcome{}}
		for i, fits := range []bool{false, true} {
			o := api.OfferOutcome{At: s.Now.Add(-time.Duration(i+1) * time.Minute),
				Pod: fmt.Sprintf("kafka-%d", i), OfferID: fmt.Sprintf("O%d", i), AgentID: "S0",
				Hostname: "127.0.0.1", Fits: fits, Resources: "cpus:1; mem:512"}
			if !fits {
				o.Reasons, o.Codes = []string{"1 of 2 cpus"}, []string{"cpus"}
			}
			if pod := r.FormValue("pod"); pod == "" || pod == o.Pod {
				list.Offers = append(list.Offers, o)
			}
		}
		return list
	})
	get(api.PathReservations, func(_ *http.Request, s api.Service) any {
		return api.ReservationList{Reservations: []api.Reservation{{ID: "r-0", Pod: "kafka-0",
			AgentID: "S0", Hostname: "127.0.0.1", Volumes: []string{"v-0"}, Confirmed: true,
			Resources: []api.OwnedResources{{Owner: "broker", Resources: "cpus:1; mem:2048"}}}}}
	})
	get(api.PathLeftovers, func(_ *http.Request, s api.Service) any {
		return api.LeftoverList{Leftovers: []api.Leftover{{Reservation: "r-9", Pod: "kafka-9",
			AgentID: "S9", Hostname: "127.0.0.9", Volumes: []string{"v-9"}}}}
	})
	f.configurations(get)
	get("/v1/state/properties", func(*http.Request, api.Service) any {
		return []string{"suppressed"}
	})
	get("/v1/state/properties/{key}", func(r *http.Request, _ api.Service) any {
		if r.PathValue("key") == "suppressed" {
			return true
		}
		return errors.New("Property " + r.PathValue("key") + " not found")
	})
	get(api.PathFrameworkID, func(*http.Request, api.Service) any { return []string{"F-1"} })
	get(api.PathHealth, func(*http.Request, api.Service) any { return api.Health{Value: 200} })
	get(api.PathMetrics, func(*http.Request, api.Service) any { return "kafka_sched_up 1" })
}

// why says that the first pod runs and the others have no room.
func (f *fake) why(p api.Pod) any {
	if p.Index == 0 {
		return api.Why{Pod: p.Name, Running: true, Summary: p.Name + " runs and is ready."}
	}
	return api.Why{Pod: p.Name, Summary: p.Name + " is not running: no agent fits.",
		Reasons: []api.WhyReason{{Code: "no-fit", Text: "No offer is large enough.",
			Help: "free 1 cpu on 127.0.0.1, or lower brokers.cpus"}},
		Agents: []api.AgentRefusal{{AgentID: "S0", Hostname: "127.0.0.1",
			Reasons: []string{"has 1 of 2 cpus", "port 9092 is taken"},
			Codes:   []string{"cpus", "ports"}}}}
}

// configurations serves the target and the one before it.
func (f *fake) configurations(get serve) {
	f.readsAgents(get)
	list := func(s api.Service) []api.Configuration {
		since, done := s.Now.Add(-time.Hour), s.Now.Add(-50*time.Minute)
		first := api.Configuration{ID: "t-0", Number: 1, Since: &since, Done: &done}
		return []api.Configuration{{ID: s.TargetID, Number: 2, Target: true, Since: &done,
			By: "ann@desk"}, first}
	}
	get(api.PathConfigurationsV2, func(_ *http.Request, s api.Service) any {
		return api.ConfigurationList{Configurations: list(s)}
	})
	get(api.PathTargetV2, func(_ *http.Request, s api.Service) any {
		c := list(s)[0]
		c.Service = json.RawMessage(`{"name":"kafka","pods":[{"type":"kafka","count":3}]}`)
		return c
	})
	known := func(answer any) func(*http.Request, api.Service) any {
		return func(r *http.Request, _ api.Service) any {
			if id := r.PathValue("id"); id != "t-0" {
				return api.Problem{Status: 404, Code: api.CodeNotFound,
					Detail: "Configuration " + id + " not found"}
			}
			return answer
		}
	}
	get(api.PathConfigurationV2, known(api.Configuration{ID: "t-0",
		Service: json.RawMessage(`{"name":"kafka","pods":[]}`)}))
	get(api.PathDiff, known(api.Diff{From: "t-0", To: "t-1", Changes: []api.Change{{
		Path: "pods.kafka.tasks.broker.memory", Old: "1024", New: "2048", Class: "restart",
		Reason: "the task runs with it"}}}))
	get(api.PathConfigurations, func(_ *http.Request, s api.Service) any {
		return []string{"t-0", s.TargetID}
	})
	get(api.PathTargetID, func(_ *http.Request, s api.Service) any { return []string{s.TargetID} })
	get(api.PathTarget, func(*http.Request, api.Service) any {
		return map[string]any{"name": "kafka", "password": "hidden"}
	})
	get(api.PathConfiguration, known(map[string]string{"name": "kafka"}))
}

// commandsV2 serves what is commanded through /v2.
func (f *fake) commandsV2(
	act func(method, path string, answer func(*http.Request, api.Service) any),
) {
	act("POST", api.PathPlanCommandV2, func(r *http.Request, s api.Service) any {
		var body api.PlanCommand
		_ = json.NewDecoder(r.Body).Decode(&body)
		switch {
		case s.Plan(r.PathValue("plan")) == nil:
			return api.Problem{Status: 404, Code: api.CodeNotFound,
				Detail: "Plan " + r.PathValue("plan") + " not found"}
		case body.Phase == "done":
			return api.Outcome{Message: api.TextAlreadyDone}
		}
		return api.Outcome{Changed: true, Message: "Received cmd: " + r.PathValue("command")}
	})
	act("POST", api.PathAgentAbandon, f.abandon)
	act("POST", api.PathUpgrade, f.upgrade)
	act("POST", api.PathUpgradeCommand, f.commandUpgrade)
	act("POST", api.PathMigrate, f.migrate)
	act("POST", api.PathMigratePreview, f.migratePreview)
	act("POST", api.PathMigrateCommand, f.commandMigration)
	act("POST", api.PathPodCommandV2, func(r *http.Request, s api.Service) any {
		p := s.Pod(r.PathValue("pod"))
		var body api.PodCommand
		_ = json.NewDecoder(r.Body).Decode(&body)
		switch {
		case p == nil:
			return api.Problem{Status: 404, Code: api.CodeNotFound,
				Detail: "Pod " + r.PathValue("pod") + " not found"}
		case body.Tasks != nil && !slices.Contains(body.Tasks, "broker"):
			return api.Problem{Status: 400, Code: api.CodeInvalidRequest, Detail: "no such task"}
		case p.Index == 2:
			return api.Outcome{Message: api.TextAlreadyDone}
		}
		return api.Outcome{Changed: true, Message: "ok", Tasks: []string{p.Tasks[0].FullName}}
	})
	act("PUT", api.PathTargetV2, f.setTarget)
	act("POST", api.PathRollback, func(r *http.Request, s api.Service) any {
		var body api.Rollback
		_ = json.NewDecoder(r.Body).Decode(&body)
		switch {
		case r.FormValue("dry-run") == "true":
			return preview(s.Name)
		case body.ID != "t-0" && body.ID != "t-1":
			return api.Problem{Status: 404, Code: api.CodeNotFound,
				Detail: "Configuration " + body.ID + " not found"}
		case body.ID == s.TargetID:
			return api.Outcome{Message: "it is the target already"}
		}
		f.memory.Target, f.memory.Looks, f.memory.Count = body.ID, 0, 3
		f.save()
		return api.Outcome{Changed: true, Message: "ok", TargetID: body.ID}
	})
	act("PUT", "/v1/state/refresh", func(*http.Request, api.Service) any {
		return api.Message{Message: "Received cmd: refresh"}
	})
}

// setTarget takes another count of pods, and previews.
func (f *fake) setTarget(r *http.Request, s api.Service) any {
	var body api.SetTarget
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	service, errs := servicespec.Parse("spec", []byte(body.Spec), body.Files)
	switch {
	case len(errs) > 0:
		return api.Problem{Status: 400, Code: api.CodeInvalidRequest, Detail: errs[0].Error()}
	case r.FormValue("dry-run") == "true":
		return preview(s.Name)
	case f.memory.Spec == body.Spec:
		return api.Outcome{Message: "the service has this configuration already"}
	}
	f.memory.Spec = body.Spec
	f.memory.Count, f.memory.Looks, f.memory.Target = service.Pods[0].Count, 0, "t-2"
	f.save()
	return api.Outcome{Changed: true, Message: "ok", TargetID: "t-2"}
}

func preview(name string) api.Outcome {
	return api.Outcome{DryRun: true, Message: "2 steps", Steps: []api.PlannedStep{
		{Phase: "broker", Step: "kafka-0:[broker]", Action: "restart",
			Reasons: []string{"its memory changes from 2048 to 4096"}},
		{Phase: "broker", Step: "kafka-3:[broker]", Action: "launch",
			Reasons: []string{"there are to be 4 of it"}},
	}}
}

// browse lists the fake's only sandbox.
func (f *fake) browse(w http.ResponseWriter, at string) {
	type entry struct {
		Path  string  `json:"path"`
		Mode  string  `json:"mode"`
		Size  int     `json:"size"`
		MTime float64 `json:"mtime"`
	}
	switch {
	case path.Base(at) == "latest":
		list := []entry{{Path: "/sandbox/data", Mode: "drwxr-xr-x", Size: 4096, MTime: 1e9}}
		for _, name := range slices.Sorted(maps.Keys(f.output)) {
			list = append(list, entry{"/sandbox/" + name, "-rw-r--r--", len(f.output[name]), 1e9})
		}
		send(w, list)
	case path.Base(at) == "data":
		send(w, []entry{})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}
