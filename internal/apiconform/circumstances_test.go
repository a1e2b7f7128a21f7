package apiconform

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A deviation may hold only in certain circumstances, which follow from what was recorded
// before, whatever the moments are called.
const (
	// beforePass: a command was taken, and no cycle has come since that killed nothing.
	beforePass = "a command under way"
	// wordsKept: there was a word on this plan before the last start, and since then no start
	// with another target, if the plan is deploy. Requests about all plans see any.
	wordsKept = "a word kept over a start"
	// endsAgain: a pod of which a task ends by itself was replaced.
	endsAgain = "a replaced pod with a task that ends"
	// staysStarting: a pod of which a task has ended by itself was resumed as a whole.
	staysStarting = "a resumed pod with a task that ended"
	// whileUninstalling: the service was told to go.
	whileUninstalling = "an uninstall"
	// isPaused: the pod was paused and not resumed, or the resume is under way.
	isPaused = "a paused pod"
	// isReplaced: a pod is replaced, and none of its tasks has run since.
	isReplaced = "a pod being replaced"
	// justKilled: a task was killed, and no cycle has come since.
	justKilled = "a kill without a pass since"
	// smallerCount: the service was started with a smaller count of a pod than before.
	smallerCount = "a smaller count"
	// noCheck: the latest status that said of a task to run did not say how its readiness check
	// went, and the task has one.
	noCheck = "a status without its check"
	// cameBack: a task that was lost or had ended was said to run.
	cameBack = "a task came back"
)

// word is what an operator said about a plan.
type word struct {
	target  string // ours at the time
	started bool   // the process was started since
}

// circumstances are followed through a series.
type circumstances struct {
	pending bool
	words   map[string]word // by plan
	ends    map[string]bool // pods that were replaced
	resumed map[string]bool // … that were resumed
	paused  map[string]bool // … paused
	waking  map[string]bool // … of these resumed, but not launched again
	leaving map[string]bool // … replaced, and did not run since
	counts  map[string]int  // of each pod
	states  map[string]mesos.TaskState
	came    bool
	gone    bool // the service is told to go
	blind   bool // a status had no check
	killed  bool
	fewer   bool
}

func newCircumstances() circumstances {
	return circumstances{words: map[string]word{}, ends: map[string]bool{},
		resumed: map[string]bool{}, paused: map[string]bool{},
		waking: map[string]bool{}, leaving: map[string]bool{}, counts: map[string]int{},
		states: map[string]mesos.TaskState{}}
}

// truths says which of a few are true.
func truths(all map[string]bool) (list []string) {
	for _, when := range slices.Sorted(maps.Keys(all)) {
		if all[when] {
			list = append(list, when)
		}
	}
	return list
}

// concerns says whether a request is about one of these pods, or about all pods.
func concerns(pods map[string]bool, pod string) bool {
	return len(pods) > 0 && (pod == "" || pods[pod])
}

var (
	planOfPath = regexp.MustCompile(`^/v1/plans/([^/?]+)`)
	podOfPath  = regexp.MustCompile(`^/v1/pod/([^/?]+)/`)
	podOfTask  = regexp.MustCompile(`^/v1/state/(?:properties|zone/tasks)/([a-z]+-\d+)-`)
)

// planOf is the plan that a request is about, "" for one about all.
func planOf(path string) string {
	if m := planOfPath.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	if strings.HasPrefix(path, "/v1/plan") && !strings.HasPrefix(path, "/v1/plans") {
		return "deploy"
	}
	return ""
}

// podOf is the pod instance that a request is about, "" for one about all.
func podOf(path string) string {
	for _, pattern := range []*regexp.Regexp{podOfPath, podOfTask} {
		if m := pattern.FindStringSubmatch(path); m != nil {
			return m[1]
		}
	}
	return ""
}

// at lists those of a request.
func (c *circumstances) at(path, target string) []string {
	about, pod := planOf(path), podOf(path)
	kept := false
	for plan, w := range c.words { //tidy:unordered any of them will do
		kept = kept || w.started && (about == "" || about == plan) &&
			(plan != "deploy" || w.target == target)
	}
	return truths(map[string]bool{
		beforePass: c.pending, cameBack: c.came, whileUninstalling: c.gone, noCheck: c.blind,
		wordsKept: kept, endsAgain: concerns(c.ends, pod),
		staysStarting: concerns(c.resumed, pod), isPaused: concerns(c.paused, pod),
		isReplaced: concerns(c.leaving, pod), justKilled: c.killed, smallerCount: c.fewer,
	})
}

// asked notes a request, if the predecessor took it as a command.
func (c *circumstances) asked(l line, service servicespec.Service, target string) {
	if l.Request.Method != http.MethodPost ||
		l.Response != nil && l.Response.Status >= http.StatusAlreadyReported {
		return
	}
	c.pending = true
	path := bare(l.Request.Path)
	if plan := planOf(path); plan != "" {
		c.words[plan] = word{target: target}
	}
	pod := podOf(path)
	if pod == "" {
		return
	}
	ends := hasTaskThatEnds(service, pod)
	switch command := path[strings.LastIndex(path, "/")+1:]; {
	case command == "pause":
		c.paused[pod] = true
		delete(c.waking, pod)
	case command == "replace":
		c.leaving[pod] = true
		if ends {
			c.ends[pod] = true
		}
	case command == "resume":
		c.waking[pod] = true
		if ends && l.Request.Body == nil {
			c.resumed[pod] = true
		}
	}
}

func hasTaskThatEnds(service servicespec.Service, pod string) bool {
	for _, p := range service.Pods {
		for _, t := range p.Tasks {
			if strings.HasPrefix(pod, p.Type+"-") && t.Goal != servicespec.GoalRunning {
				return true
			}
		}
	}
	return false
}

// happened notes an event.
func (c *circumstances) happened(words, calls []string, service servicespec.Service) {
	switch words[0] {
	case eventOffers, eventTick:
		c.killed = false
		c.pending = c.pending && slices.ContainsFunc(calls,
			func(call string) bool { return strings.HasPrefix(call, "killTask ") })
	case eventStart:
		c.pending, c.came = false, false
		c.gone = c.gone || slices.Contains(words, uninstallFlag+"=true")
		for _, p := range service.Pods {
			c.fewer = c.fewer || p.AllowDecommission && p.Count < c.counts[p.Type]
			c.counts[p.Type] = p.Count
		}
		for plan, w := range c.words {
			w.started = true
			c.words[plan] = w
		}
	case eventStatus:
		if len(words) >= 3 {
			c.told(words, service)
		}
	}
}

// told notes a status.
func (c *circumstances) told(words []string, service servicespec.Service) {
	task := words[1]
	state := mesos.TaskState(strings.TrimPrefix(words[2], "TASK_"))
	c.killed = c.killed || state == mesos.Killed
	if state == mesos.Running {
		delete(c.leaving, task[:max(0, strings.LastIndex(task, "-"))])
		if hasReadiness(service, task) {
			passed := slices.Contains(words, "check=0")
			silent := !strings.Contains(strings.Join(words, " "), "check=")
			c.blind = !passed && (c.blind || silent)
		}
	}
	before := c.states[task]
	c.came = c.came || state == mesos.Running &&
		(before.Terminal() || before == mesos.Unreachable)
	c.states[task] = state
}

func hasReadiness(service servicespec.Service, task string) bool {
	for _, p := range service.Pods {
		for _, t := range p.Tasks {
			if t.Readiness != nil && strings.HasPrefix(task, p.Type+"-") &&
				strings.HasSuffix(task, "-"+t.Name) {
				return true
			}
		}
	}
	return false
}

// launched forgets how the tasks before ended, and that their pods were paused.
func (c *circumstances) launched(tasks []string) {
	for _, name := range tasks {
		delete(c.states, name)
		if pod := name[:max(0, strings.LastIndex(name, "-"))]; c.waking[pod] {
			delete(c.paused, pod)
			delete(c.waking, pod)
		}
	}
}
