package apiconform

import (
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
	states  map[string]mesos.TaskState
	came    bool
}

func newCircumstances() circumstances {
	return circumstances{words: map[string]word{}, ends: map[string]bool{},
		resumed: map[string]bool{}, states: map[string]mesos.TaskState{}}
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
	var list []string
	if c.pending {
		list = append(list, beforePass)
	}
	if c.came {
		list = append(list, cameBack)
	}
	about := planOf(path)
	for plan, w := range c.words {
		if w.started && (about == "" || about == plan) && (plan != "deploy" || w.target == target) {
			list = append(list, wordsKept)
			break
		}
	}
	pod := podOf(path)
	if len(c.ends) > 0 && (pod == "" || c.ends[pod]) {
		list = append(list, endsAgain)
	}
	if len(c.resumed) > 0 && (pod == "" || c.resumed[pod]) {
		list = append(list, staysStarting)
	}
	return list
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
	if !hasTaskThatEnds(service, pod) {
		return
	}
	switch command := path[strings.LastIndex(path, "/")+1:]; {
	case command == "replace":
		c.ends[pod] = true
	case command == "resume" && l.Request.Body == nil:
		c.resumed[pod] = true
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
func (c *circumstances) happened(words, calls []string) {
	switch words[0] {
	case eventOffers, eventTick:
		c.pending = c.pending && slices.ContainsFunc(calls,
			func(call string) bool { return strings.HasPrefix(call, "killTask ") })
	case eventStart:
		c.pending, c.came = false, false
		for plan, w := range c.words {
			w.started = true
			c.words[plan] = w
		}
	case eventStatus:
		if len(words) < 3 {
			return
		}
		state := mesos.TaskState(strings.TrimPrefix(words[2], "TASK_"))
		before := c.states[words[1]]
		c.came = c.came || state == mesos.Running &&
			(before.Terminal() || before == mesos.Unreachable)
		c.states[words[1]] = state
	}
}

// launched forgets how the tasks before ended.
func (c *circumstances) launched(tasks []string) {
	for _, name := range tasks {
		delete(c.states, name)
	}
}
