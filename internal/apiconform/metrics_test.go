package apiconform

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// families reads the text format of Prometheus: by the name of each metric its type and the
// names and labels of its samples, without what was measured.
func families(text string) map[string][]string {
	byName := map[string][]string{}
	name := ""
	for _, row := range strings.Split(text, "\n") {
		words := strings.Fields(row)
		switch {
		case len(words) == 4 && words[0] == "#" && words[1] == "TYPE":
			name = words[2]
			byName[name] = append(byName[name], words[3])
		case len(words) >= 2 && words[0] != "#":
			sample := strings.Join(words[:len(words)-1], " ")
			sample = strings.ReplaceAll(sample, ",}", "}") // a comma there means nothing
			byName[name] = append(byName[name], sample)
		case len(words) > 0 && words[0] != "#":
			byName[name] = append(byName[name], row)
		}
	}
	return byName
}

// ownCounter is the name of a counter of what a scheduler does, in the JSON and for Prometheus.
var ownCounter = regexp.MustCompile(
	`^(offers|declines|operation|revives|suppresses|task_status)($|[._])`)

// withCounters gives counters with those that others have and they have not: one is there only
// once it was increased, so that none is 0.
func withCounters(counters, others map[string]any) map[string]any {
	counters = maps.Clone(counters)
	for name := range others { //tidy:unordered each is added by itself
		if _, ok := counters[name]; !ok && ownCounter.MatchString(name) {
			counters[name] = map[string]any{"count": json.Number("0")}
		}
	}
	return counters
}

// isCounter says whether the samples of a metric are those of such a counter.
func isCounter(name string, samples []string) bool {
	return ownCounter.MatchString(name) && slices.Equal(samples, []string{"gauge", name})
}

// metrics compares two texts of that format, metric by metric.
func (c *comparison) metrics(want, got string) {
	wanted, has := families(want), families(got)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if samples, ok := has[name]; !ok && isCounter(name, wanted[name]) {
			continue
		} else if !ok {
			c.differ(kindMissing, name, wanted[name], "")
		} else if !slices.Equal(sorted(wanted[name]), sorted(samples)) {
			c.differ(kindValue, name, wanted[name], samples)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, ok := wanted[name]; !ok && !isCounter(name, has[name]) {
			c.differ(kindExtra, name, "", has[name])
		}
	}
}
