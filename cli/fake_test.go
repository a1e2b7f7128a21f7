package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// fake is a scheduler's API with canned answers, and beside it the master's and agents' part
// that logs need. It moves on by one stage with each look at the status document, so that what
// a test sees does not depend on time.
type fake struct {
	// file keeps the fake's memory over restarts, "" for one that is not restarted.
	file string
	// mode is how the service behaves: "" well, "failing" its second broker ends again and
	// again, "stuck" it never gets an offer.
	mode string
	// release is the one that the scheduler says that it is of.
	release string
	self    string // host:port
	now     func() time.Time
	gone    func() // called when the uninstallation is done

	mu     sync.Mutex
	name   string
	memory memory
	calls  []string
	output map[string]string // of the tasks, by file name
	read   int               // where the output that was last read ended
	behind bool              // somebody who has read it all has asked for more
}

// memory is what a fake keeps over restarts.
type memory struct {
	Intent string
	Looks  int // since the intent changed
	Count  int
	Target string
	Spec   string // of the target
	// Executors is the release that the executors are of.
	Executors string
}

func newFake(service servicespec.Service, file, mode string) *fake {
	f := &fake{
		file: file, mode: mode, name: service.Name, now: time.Now,
		release: or(os.Getenv("TEST_VERSION"), "1"),
		output: map[string]string{
			"kafka-0-broker.out": "one\ntwo\nthree\n",
			"kafka-1-broker.out": "starting\nout of luck\n",
			"kafka-1-broker.err": "java.lang.Error: no luck\n",
		},
		memory: memory{Intent: api.IntentRun, Count: 3, Target: "t-1"},
	}
	if len(service.Pods) > 0 {
		f.memory.Count = service.Pods[0].Count
	}
	if text, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(text, &f.memory); err != nil {
			panic(err)
		}
		f.memory.Looks = 0
	}
	if f.memory.Executors == "" {
		f.memory.Executors = f.release
		f.save()
	}
	return f
}

func (f *fake) save() {
	if f.file == "" {
		return
	}
	text, err := json.Marshal(f.memory)
	if err == nil {
		err = writeFile(f.file, text)
	}
	if err != nil {
		panic(err)
	}
}

// handler serves everything.
func (f *fake) handler() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, answer func(*http.Request, api.Service) any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			send(w, answer(r, f.service()))
		})
	}
	get(api.PathVersion, func(*http.Request, api.Service) any { return api.Version{Version: "1"} })
	get(api.PathService, func(*http.Request, api.Service) any {
		f.memory.Looks++
		f.save()
		return f.service()
	})
	get(api.PathPlans, func(_ *http.Request, s api.Service) any { return planNames(s) })
	get(api.PathPlansV2, func(_ *http.Request, s api.Service) any {
		return api.PlanList{Plans: s.Plans}
	})
	get(api.PathPlan, func(r *http.Request, s api.Service) any {
		if p := s.Plan(r.PathValue("plan")); p != nil {
			return *p
		}
		return errors.New("Plan " + r.PathValue("plan") + " not found")
	})
	get(api.PathPods, func(_ *http.Request, s api.Service) any { return launchedNames(s) })
	get(api.PathPodsStatus, func(_ *http.Request, s api.Service) any { return podsStatus(s) })
	get(api.PathPodStatus, podAnswer(func(p api.Pod) any { return instance(p) }))
	get(api.PathPodInfo, podAnswer(func(p api.Pod) any {
		return []map[string]any{{"info": map[string]string{"name": p.Tasks[0].FullName},
			"status": nil}}
	}))
	get(api.PathEndpoints, func(*http.Request, api.Service) any { return []string{"broker"} })
	get(api.PathEndpoint, func(r *http.Request, s api.Service) any {
		if r.PathValue("endpoint") == "broker" {
			return s.Endpoints[0].Endpoint
		}
		return errors.New("") // as the predecessor's answer, which is a page for browsers
	})
	f.readsV2(get)
	f.readsKafka(get)
	f.readsAdmin(get)
	f.readsUpgrade(get)
	f.readsMigration(get)
	f.commands(mux)
	f.mesos(mux)
	return mux
}

// commands serves what changes the service.
func (f *fake) commands(mux *http.ServeMux) {
	act := func(method, path string, answer func(*http.Request, api.Service) any) {
		mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
			f.mu.Lock()
			defer f.mu.Unlock()
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			call := r.Method + " " + r.URL.RequestURI()
			if len(body) > 0 && len(body) < 200 && string(body) != "{}" {
				call += " " + string(body)
			}
			f.calls = append(f.calls, call)
			send(w, answer(r, f.service()))
		})
	}
	intent := func(to string) func(*http.Request, api.Service) any {
		return func(*http.Request, api.Service) any {
			changed := f.memory.Intent != to
			if changed {
				f.memory.Intent, f.memory.Looks = to, 0
				f.save()
			}
			return api.Outcome{Changed: changed, Message: "intent is " + to}
		}
	}
	act("POST", api.PathServiceStop, intent(api.IntentStop))
	act("POST", api.PathServiceStart, intent(api.IntentRun))
	act("POST", api.PathServiceUninstall, intent(api.IntentUninstall))
	act("POST", api.PathServiceRoll, func(*http.Request, api.Service) any {
		changed := f.memory.Executors != f.release
		f.memory.Executors = f.release
		f.save()
		return api.Outcome{Changed: changed, Message: "executors of release " + f.release}
	})
	f.commandsV2(act)
	f.commandsKafka(act)
	f.commandsAdmin(act)
}

// mesos serves the master's list of agents and the agent's files.
func (f *fake) mesos(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/v1", func(w http.ResponseWriter, _ *http.Request) {
		send(w, map[string]any{"type": "GET_AGENTS", "get_agents": map[string]any{
			"agents": []any{map[string]any{
				"agent_info": map[string]any{"id": map[string]string{"value": "S0"}},
				"pid":        "slave(1)@" + f.self,
			}},
		}})
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		send(w, map[string]string{"version": "1.11.0"})
	})
	mux.HandleFunc("GET /files/browse", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.browse(w, r.FormValue("path"))
	})
	mux.HandleFunc("GET /files/download", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		fmt.Fprint(w, f.output[filepath.Base(r.FormValue("path"))])
	})
	mux.HandleFunc("GET /files/read", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		content, ok := f.output[filepath.Base(r.FormValue("path"))]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		offset, err := strconv.Atoi(r.FormValue("offset"))
		switch {
		case err != nil:
			w.WriteHeader(http.StatusBadRequest)
		case offset < 0:
			send(w, map[string]any{"data": "", "offset": len(content)})
			f.behind = f.read == len(content)
		default:
			send(w, map[string]any{
				"data": content[min(offset, len(content)):], "offset": offset})
			f.read, f.behind = len(content), false
		}
	})
}

// alreadyReported is the answer to a command that changes nothing.
type alreadyReported struct{}

// send writes an answer: errors are the predecessor's 404, problems what they say.
func send(w http.ResponseWriter, answer any) {
	status, media := http.StatusOK, api.JSONType
	switch a := answer.(type) {
	case error:
		w.Header().Set("Content-Type", api.TextType)
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, a.Error())
		return
	case alreadyReported:
		w.Header().Set("Content-Type", api.TextType)
		w.WriteHeader(http.StatusAlreadyReported)
		fmt.Fprint(w, api.TextAlreadyDone)
		return
	case api.Problem:
		status, media = a.Status, api.ProblemType
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func podAnswer(answer func(api.Pod) any) func(*http.Request, api.Service) any {
	return func(r *http.Request, s api.Service) any {
		if p := s.Pod(r.PathValue("pod")); p != nil {
			return answer(*p)
		}
		return errors.New("Pod " + r.PathValue("pod") + " not found")
	}
}

func planNames(s api.Service) []string {
	var names []string
	for _, p := range s.Plans {
		names = append(names, p.Name)
	}
	return names
}

func launchedNames(s api.Service) []string {
	names := []string{}
	for _, p := range s.Pods {
		if p.Launched {
			names = append(names, p.Name)
		}
	}
	return names
}

func instance(p api.Pod) api.PodInstanceStatus {
	return api.PodInstanceStatus{Name: p.Name, Tasks: []api.TaskStatus{{
		Name: p.Tasks[0].FullName, ID: p.Tasks[0].ID, Status: taskState(p.Tasks[0]),
	}}}
}

func podsStatus(s api.Service) api.PodsStatus {
	kind := api.PodTypeStatus{Name: "kafka"}
	for _, p := range s.Pods {
		kind.Instances = append(kind.Instances, instance(p))
	}
	return api.PodsStatus{Service: s.Name, Pods: []api.PodTypeStatus{kind}}
}
