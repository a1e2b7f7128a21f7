package mesosconform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// unordered are the lists that come out of hash maps.
var unordered = map[string]bool{
	"offers": true, "resources": true, "total_resources": true, "allocated_resources": true,
	"offered_resources": true, "agents": true, "recovered_agents": true, "frameworks": true,
	"completed_frameworks": true, "tasks": true, "completed_tasks": true,
	"unreachable_tasks": true, "pending_tasks": true, "queued_tasks": true,
	"launched_tasks": true, "terminated_tasks": true, "executors": true,
	"completed_executors": true, "roles": true, "capabilities": true, "attributes": true,
	"operations": true, "containers": true, "volumes": true, "executor_ids": true,
	"inverse_offers": true, "configs": true, "weight_infos": true, "draining_machines": true,
	"down_machines": true, "infos": true, "file_infos": true, "slaves": true,
	"metrics": true, "flags": true, "orphan_executors": true, "orphan_tasks": true,
}

// clocks are members whose values are times.
var clocks = map[string]bool{
	"timestamp": true, "start_time": true, "elected_time": true, "mtime": true,
	"registered_time": true, "reregistered_time": true, "unregistered_time": true,
	"uptime_secs": true, "estimated_drain_start_time": true, "unregistration_time": true,
	"cpus_user_time_secs": true, "cpus_system_time_secs": true, "mem_rss_bytes": true,
	"mem_total_bytes": true, "processes": true, "threads": true, "build_time": true,
}

// comparison collects the differences of two JSON values.
type comparison struct {
	names *names
	found []string
}

// differences compares a recorded value with one of ours and learns what ids mean.
func differences(n *names, recorded, got any) []string {
	c := &comparison{names: n}
	c.value("$", "", recorded, got)
	return c.found
}

func (c *comparison) differ(path string, recorded, got any) {
	if strings.HasSuffix(path, ".data") {
		recorded, got = decoded(recorded), decoded(got)
	}
	c.found = append(c.found, fmt.Sprintf("%s: recorded %s, ours %s", path, short(recorded),
		short(got)))
}

// decoded is the text of bytes, for a reader.
func decoded(v any) any {
	s, _ := v.(string)
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return string(b)
	}
	return v
}

func short(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(b) > 600 {
		return string(b[:600]) + "…"
	}
	return string(b)
}

func (c *comparison) value(path, key string, recorded, got any) {
	switch want := recorded.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			c.differ(path, recorded, got)
			return
		}
		c.object(path, key, want, have)
	case []any:
		have, ok := got.([]any)
		if !ok {
			c.differ(path, recorded, got)
			return
		}
		c.list(path, key, want, have)
	case string:
		have, ok := got.(string)
		if !ok || !c.text(key, want, have) {
			c.differ(path, recorded, got)
		}
	case json.Number:
		have, ok := got.(json.Number)
		if !ok || !c.number(key, want, have) {
			c.differ(path, recorded, got)
		}
	default:
		if recorded != got {
			c.differ(path, recorded, got)
		}
	}
}

func (c *comparison) text(key, want, have string) bool {
	if c.names.sameText(want, have) {
		return true
	}
	if key != "data" {
		return false
	}
	a, errA := base64.StdEncoding.DecodeString(want)
	b, errB := base64.StdEncoding.DecodeString(have)
	return errA == nil && errB == nil && c.names.sameText(string(a), string(b))
}

func (c *comparison) number(key string, want, have json.Number) bool {
	a, errA := want.Float64()
	b, errB := have.Float64()
	switch {
	case errA != nil || errB != nil:
		return want == have
	case clocks[key] || key == "nanoseconds" && a > 1e17 && b > 1e17:
		return true
	case key == "port" || key == "executor_pid" || key == "pid":
		return c.names.same(key+" "+want.String(), key+" "+have.String())
	}
	return a == b && strings.Contains(want.String(), ".") == strings.Contains(have.String(), ".")
}

// cut says that a recorded list of tasks has only ids and states.
func cut(key string, want map[string]any) bool {
	return strings.HasSuffix(key, "tasks") && want["task_id"] != nil && len(want) <= 3
}

// unsettled are what an agent may or may not know yet of the container of a task in
// a group when it passes an update on.
var unsettled = map[string]bool{"network_infos": true, "executor_pid": true}

func (c *comparison) object(path, key string, want, have map[string]any) {
	nested := key == "container_status" && at(want, "container_id", "parent") != nil
	if key == "read_file" {
		want = sizeAsData(want, have)
	}
	if key == "get_tasks" && want["unreachable_tasks"] == nil {
		c.some(path, want, have) // The recording has only some of them.
		return
	}
	partial := cut(key, want) || key == "metrics" || path == "$" && isSnapshot(want)
	for _, k := range sorted(want) {
		if nested && unsettled[k] {
			continue
		}
		if k == "last_status" && partial {
			c.lastStatus(path, want[k], have)
		} else if v, ok := have[k]; !ok {
			c.found = append(c.found, fmt.Sprintf("%s.%s: recorded %s, missing", path, k,
				short(want[k])))
		} else if key != "metrics" || k != "value" {
			if !(partial && path == "$") {
				c.value(path+"."+k, k, want[k], v)
			}
		}
	}
	if partial {
		return
	}
	for _, k := range sorted(have) {
		if _, ok := want[k]; !ok && !(nested && unsettled[k]) {
			c.found = append(c.found, fmt.Sprintf("%s.%s: not recorded, ours %s", path, k,
				short(have[k])))
		}
	}
}

// lastStatus compares what a cut task has of its statuses.
func (c *comparison) lastStatus(path string, want any, task map[string]any) {
	all, _ := task["statuses"].([]any)
	if len(all) == 0 {
		c.found = append(c.found, path+".statuses: recorded one, ours none")
		return
	}
	c.value(path+".statuses[last]", "", want, all[len(all)-1])
}

// sizeAsData is a recorded file that was read whole with the size of ours: names
// in it are not as long as they were when its size was recorded.
func sizeAsData(want, have map[string]any) map[string]any {
	a, errA := base64.StdEncoding.DecodeString(textAt(want, "data"))
	b, errB := base64.StdEncoding.DecodeString(textAt(have, "data"))
	if errA != nil || errB != nil || fmt.Sprint(have["size"]) != fmt.Sprint(len(b)) ||
		!pathIn.Match(a) {
		return want
	}
	out := maps.Clone(want)
	out["size"] = have["size"]
	return out
}

var pathIn = regexp.MustCompile(`/(var/lib/mesos|opt/rec|usr/libexec)/`)

// some compares what is recorded of lists of which only a part is.
func (c *comparison) some(path string, want, have map[string]any) {
	for _, k := range sorted(want) {
		list, _ := want[k].([]any)
		all, _ := have[k].([]any)
		for _, w := range list {
			if c.find(k, w, all) < 0 {
				c.found = append(c.found, fmt.Sprintf("%s.%s[]: recorded %s, missing", path, k,
					short(w)))
			}
		}
	}
}

// isSnapshot tells whether an object is the answer of /metrics/snapshot.
func isSnapshot(o map[string]any) bool {
	for k := range o {
		if !strings.Contains(k, "/") {
			return false
		}
	}
	return len(o) > 0
}

func (c *comparison) list(path, key string, want, have []any) {
	partial := key == "metrics"
	if !unordered[key] {
		for i := range max(len(want), len(have)) {
			p := fmt.Sprintf("%s[%d]", path, i)
			switch {
			case i >= len(have):
				c.found = append(c.found, fmt.Sprintf("%s: recorded %s, missing", p,
					short(want[i])))
			case i >= len(want):
				c.found = append(c.found, fmt.Sprintf("%s: not recorded, ours %s", p,
					short(have[i])))
			default:
				c.value(p, key, want[i], have[i])
			}
		}
		return
	}
	have = slices.Clone(have)
	var left []any
	for _, w := range want {
		if i := c.find(key, w, have); i >= 0 {
			have = slices.Delete(have, i, i+1)
		} else {
			left = append(left, w)
		}
	}
	for _, w := range left {
		p := path + "[]"
		if i := c.nearest(key, w, have); i >= 0 {
			c.value(p, key, w, have[i])
			have = slices.Delete(have, i, i+1)
		} else {
			c.found = append(c.found, fmt.Sprintf("%s: recorded %s, missing", p, short(w)))
		}
	}
	for _, h := range have {
		if !partial {
			c.found = append(c.found, fmt.Sprintf("%s[]: not recorded, ours %s", path, short(h)))
		}
	}
}

// nearest looks for the element that differs least from the recorded one.
func (c *comparison) nearest(key string, want any, have []any) int {
	best, least := -1, 0
	for i, h := range have {
		mark := c.names.mark()
		trial := &comparison{names: c.names}
		trial.value("", key, want, h)
		c.names.undo(mark)
		if best < 0 || len(trial.found) < least {
			best, least = i, len(trial.found)
		}
	}
	return best
}

// find looks for the first element that is as recorded.
func (c *comparison) find(key string, want any, have []any) int {
	for i, h := range have {
		mark := c.names.mark()
		trial := &comparison{names: c.names}
		trial.value("", key, want, h)
		if len(trial.found) == 0 {
			return i
		}
		c.names.undo(mark)
	}
	return -1
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
