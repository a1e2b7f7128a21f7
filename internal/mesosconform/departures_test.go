package mesosconform

import (
	"encoding/base64"
	"math"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// departure is a rule about where localmesos is not like the real one on purpose.
// It looks at what was recorded, and says what it is about in a way that
// docs/mesos-conformance.md repeats.
type departure struct {
	id, why string
	applies func(p *replay, o outcome) bool
}

// only tells whether each difference is one of a kind.
func only(o outcome, kind *regexp.Regexp) bool {
	for _, f := range o.found {
		if !kind.MatchString(f) {
			return false
		}
	}
	return true
}

func on(pattern string) func(*replay, outcome) bool {
	kind := regexp.MustCompile(pattern)
	return func(_ *replay, o outcome) bool { return only(o, kind) }
}

// asked is the recorded request with a pattern of calls.
func asked(pattern string, and func(*replay, outcome) bool) func(*replay, outcome) bool {
	calls := regexp.MustCompile(`^(` + pattern + `)$`)
	return func(p *replay, o outcome) bool {
		return calls.MatchString(o.line.call()) && and(p, o)
	}
}

var departures = []departure{
	{"aborts", "The real master aborts (SIGABRT) on this request: nobody gets an answer, and all " +
		"streams are cut. localmesos answers 400, or TASK_ERROR for the tasks, and lives on.",
		aborts},
	{"flags", "The flags are those of another program.",
		func(_ *replay, o outcome) bool {
			return o.line.call() == "GET_FLAGS" || strings.HasSuffix(o.line.Endpoint, "/flags")
		}},
	{"build", "localmesos was not built from Mesos's sources: of the version there is only the " +
		"number of the API that is spoken.",
		on(`^\$(\.get_version\.version_info)?\.(build_date|build_time|build_user|git_\w+): `)},
	{"before v1", "The endpoints from before the v1 API (/state, /reserve, /roles and so on) " +
		"are not served; whatever they show or do, the v1 API does as well. Offers that they " +
		"take back stay.", beforeV1},
	{"logs", "Programs of Mesos (fetcher, executors) log to the task's stderr; ours do not. " +
		"Nor is there a folder of links to the tasks in an executor's sandbox.", logs},
	{"fetch message", "The message of a failed fetch says which URI it was and why, not only " +
		"that a program exited with status 1.",
		on(`^\$\..*message: recorded "[^"]*Failed to fetch all URIs`)},
	{"shuffle", "Which agent goes to which of several roles or frameworks is chance with the " +
		"real allocator, and which of several offers is taken back for a quota; ours takes " +
		"agents in their order.", shuffled},
	{"nested containers", "Containers inside of an executor's are not managed by the agent: " +
		"there are no sessions, and nothing to attach to.", nested},
	{"statistics", "There are no statistics of what containers use.",
		asked("GET_CONTAINERS", on(`resource_statistics`))},
	{"disk quota", "The use of disk is not limited; what uses too much goes on, and is not " +
		"offered.", diskQuota},
	{"phantom executor", "After a LAUNCH_GROUP without tasks the real master counts the " +
		"executor as running, for ever; nothing runs, and localmesos counts nothing.", phantom},
	{"twice", "When an agent or a master is back, the real ones send the first update that is " +
		"not acknowledged twice.", twice},
	{"race", "An ACKNOWLEDGE that races a TEARDOWN is answered 202 or 400, as it comes. An " +
		"offer that is made while a launch is under way knows its executor or not. A check of a " +
		"task that is being killed fails in time or not, and it may end by itself just then.",
		raced},
	{"ranges", "The sum of the ranges of several agents has each number once: when one of them " +
		"is taken back, the real master forgets that others have it, too.",
		on(`(offered|allocated)_resources\[\]: not recorded, ours \{.*"type":"RANGES"`)},
	{"lost disk", "After a SHRINK_VOLUME by a framework the real master never offers the freed " +
		"disk again, and takes operations on it for errors; localmesos does neither.", lostDisk},
}

// aborts finds requests that nobody answered while the process was not stopped
// by anybody, and the end of the streams then.
func aborts(p *replay, o outcome) bool {
	if o.line.Dir == dirRequest {
		return o.line.answer == nil
	}
	if o.line.Closed != "eof-without-last-chunk" {
		return false
	}
	for _, l := range p.recording.lines {
		if l.Dir == dirRequest && l.answer == nil && l.T <= o.line.T && o.line.T-l.T < 0.5 {
			return true
		}
	}
	return false
}

var served = regexp.MustCompile(`^(master|agent\d+)(/master|/slave\(1\))?/` +
	`(api/|files/(read|browse|download)(\?|$)|health|version|redirect|teardown|metrics/)`)

func beforeV1(p *replay, o outcome) bool {
	if o.line.Dir == dirRequest {
		return !served.MatchString(o.line.Endpoint)
	}
	return o.line.call() == "RESCIND" && p.before(o.line, 0.05, func(l *line) bool {
		return l.Dir == dirRequest && l.method() == http.MethodPost &&
			!served.MatchString(l.Endpoint)
	})
}

// before tells whether a line of a kind was recorded at most so many seconds before another.
func (p *replay) before(l *line, within float64, kind func(*line) bool) bool {
	return slices.ContainsFunc(p.recording.lines, func(x *line) bool {
		return x.number < l.number && l.T-x.T <= within && kind(x)
	})
}

var logLine = regexp.MustCompile(`(?m)^[IWE]\d{8} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\.cpp:\d+\]`)

// logs finds files that have log lines of Mesos, and lists of such files.
func logs(_ *replay, o outcome) bool {
	if o.line.Dir != dirRequest || o.line.answer == nil {
		return false
	}
	switch body := o.line.answer.Body.(type) {
	case map[string]any:
		if strings.Contains(textAt(body, "type"), "LIST_FILES") {
			return only(o, listed) || only(o, notFound) &&
				strings.HasSuffix(textAt(o.line.Body, "list_files", "path"), "/tasks")
		}
		data, err := base64.StdEncoding.DecodeString(textAt(body, "read_file", "data"))
		return err == nil && (logLine.Match(data) || listing.Match(data))
	case string:
		return logLine.MatchString(body)
	}
	return logLine.MatchString(textAt(o.line.answer.Body, "data"))
}

// listing is the output of ls -l, which has the size of stderr.
var listing = regexp.MustCompile(`(?m)^-rw-r--r-- .* stderr$`)

var listed = regexp.MustCompile(`^\$(\.list_files\.file_infos)?\[[^\]]*\]` +
	`(\.size: |: recorded .*/tasks")`)

var notFound = regexp.MustCompile(`^status: recorded 200, ours 404 `)

var whose = regexp.MustCompile(`^\$\.offers\.offers\[[^\]]*\]` +
	`(\.agent_id\.value|\.url\.address\.port|\.allocation_info\.role|` +
	`\.resources\[[^\]]*\]\.allocation_info\.role): `)

func shuffled(p *replay, o outcome) bool {
	switch o.line.call() {
	case "OFFERS":
		return only(o, whose)
	case "RESCIND":
		return p.before(o.line, 0.05, func(l *line) bool {
			return l.Dir == dirRequest && l.call() == "UPDATE_QUOTA"
		})
	}
	return false
}

var nestedCall = regexp.MustCompile(`NESTED_CONTAINER|ATTACH_CONTAINER|^DATA$`)

// inside are differences in lists of containers that are about those inside of others.
var inside = regexp.MustCompile(`resource_statistics|^\$\.get_containers\.containers\[\]: ` +
	`recorded \{.*"parent":`)

func nested(p *replay, o outcome) bool {
	input, _ := at(o.line.Body, "recordio").([]any)
	if nestedCall.MatchString(o.line.call()) || len(input) > 0 &&
		nestedCall.MatchString(textAt(input[0], "type")) {
		return true
	}
	if o.line.call() == "GET_CONTAINERS" {
		return only(o, inside)
	}
	// What comes on a stream that such a call would have opened.
	for _, l := range p.recording.lines {
		if l.Dir == dirRequest && l.Conn == o.line.Conn && nestedCall.MatchString(l.call()) {
			return o.line.Dir == dirEvent
		}
	}
	return false
}

func diskQuota(p *replay, o outcome) bool {
	limited := func(l *line) bool {
		return textAt(l.Body, "update", "status", "reason") == "REASON_CONTAINER_LIMITATION_DISK"
	}
	switch o.line.call() {
	case "UPDATE":
		return limited(o.line)
	case "OFFERS":
		return only(o, split) && p.before(o.line, math.Inf(1), limited)
	case "FAILURE":
	default:
		return false
	}
	return slices.ContainsFunc(p.recording.lines, func(l *line) bool {
		return limited(l) && l.T >= o.line.T && l.T-o.line.T < 0.05
	})
}

// twice finds a missing event that repeats another one at once.
func twice(p *replay, o outcome) bool {
	if o.line.call() != "UPDATE" || !slices.Equal(o.found, []string{missing}) {
		return false
	}
	for _, l := range p.recording.lines {
		if l.Dir == dirEvent && l.Conn == o.line.Conn && l.number < o.line.number &&
			o.line.T-l.T < 0.1 && reflect.DeepEqual(l.Body, o.line.Body) {
			return true
		}
	}
	return false
}

var available = regexp.MustCompile(`^\$\.update\.status\.message: .* is more than available `)

func phantom(p *replay, o outcome) bool {
	if o.line.call() != "OFFERS" && !only(o, available) {
		return false
	}
	return accepted(p, o, func(op any) bool {
		tasks, _ := at(op, "launch_group", "task_group", "tasks").([]any)
		return textAt(op, "type") == "LAUNCH_GROUP" && len(tasks) == 0
	})
}

var (
	tornDown  = regexp.MustCompile(`^status: recorded (202, ours 400|400, ours 202)`)
	executors = regexp.MustCompile(`\.executor_ids(\[\])?: `)
	endings   = regexp.MustCompile(`(offered_resources|completed_tasks)\[\]|` +
		`^before it: not recorded: .*"TASK_FINISHED"`)
	healthAlso = regexp.MustCompile(`^\$\.update\.status\.healthy: `)
)

func raced(p *replay, o outcome) bool {
	if only(o, endings) && p.anyEndedItself() {
		return true
	}
	switch o.line.call() {
	case "ACKNOWLEDGE":
		return only(o, tornDown)
	case "OFFERS":
		return only(o, executors) && p.before(o.line, 0.01, func(l *line) bool {
			return l.Dir == dirRequest && l.call() == "ACCEPT"
		})
	case "UPDATE":
		state := textAt(o.line.Body, "update", "status", "state")
		return (state == "TASK_KILLED" || state == "TASK_KILLING") && (only(o, healthAlso) ||
			p.endedItself(textAt(o.line.Body, "update", "status", "task_id", "value")))
	case "TASK_UPDATED":
		state := textAt(o.line.Body, "task_updated", "state")
		return (state == "TASK_KILLED" || state == "TASK_KILLING") &&
			p.endedItself(textAt(o.line.Body, "task_updated", "status", "task_id", "value"))
	}
	return false
}

func (p *replay) anyEndedItself() bool {
	return slices.ContainsFunc(p.recording.lines, func(l *line) bool {
		return p.endedItself(textAt(l.Body, "update", "status", "task_id", "value"))
	})
}

// endedItself tells that a task was being killed when it ended by itself.
func (p *replay) endedItself(task string) bool {
	return slices.ContainsFunc(p.recording.lines, func(l *line) bool {
		status := at(l.Body, "update", "status")
		if task == "" || textAt(status, "task_id", "value") != task ||
			textAt(status, "state") != "TASK_KILLED" ||
			textAt(status, "message") != "Command exited with status 0" {
			return false
		}
		return p.before(l, 0.05, func(x *line) bool {
			killing := at(x.Body, "update", "status")
			return textAt(killing, "task_id", "value") == task &&
				textAt(killing, "state") == "TASK_KILLING"
		})
	})
}

// accepted tells whether an operation of some kind was asked for before.
func accepted(p *replay, o outcome, kind func(op any) bool) bool {
	for _, l := range p.recording.lines {
		if l.T < o.line.T && l.call() == "ACCEPT" {
			ops, _ := at(l.Body, "accept", "operations").([]any)
			if slices.ContainsFunc(ops, kind) {
				return true
			}
		}
	}
	return false
}

var diskAmount = regexp.MustCompile(`^\$\.offers\.offers\[[^\]]*\]\.resources\[[^\]]*\]|` +
	`^before it: not recorded: .*"OPERATION_FINISHED"`)

func lostDisk(p *replay, o outcome) bool {
	if !(o.line.call() == "OFFERS" && only(o, diskAmount)) &&
		!(o.line.call() == "UPDATE_OPERATION_STATUS" && textAt(o.line.Body,
			"update_operation_status", "status", "state") == "OPERATION_ERROR") {
		return false
	}
	return accepted(p, o, func(op any) bool { return textAt(op, "type") == "SHRINK_VOLUME" })
}

// declare marks the outcomes that a rule covers.
func declare(p *replay) {
	for i := range p.outcomes {
		o := &p.outcomes[i]
		if len(o.found) == 0 {
			continue
		}
		for _, d := range departures {
			if d.applies(p, *o) {
				o.declared = d.id
				break
			}
		}
	}
}
