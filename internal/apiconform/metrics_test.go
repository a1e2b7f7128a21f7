package apiconform

import (
	"maps"
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

// metrics compares two texts of that format, metric by metric.
func (c *comparison) metrics(want, got string) {
	wanted, has := families(want), families(got)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if samples, ok := has[name]; !ok {
			c.differ(kindMissing, name, wanted[name], "")
		} else if !slices.Equal(sorted(wanted[name]), sorted(samples)) {
			c.differ(kindValue, name, wanted[name], samples)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, ok := wanted[name]; !ok {
			c.differ(kindExtra, name, "", has[name])
		}
	}
}
