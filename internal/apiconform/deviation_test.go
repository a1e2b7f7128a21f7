package apiconform

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// deviationsFile holds the declared deviations in the table below deviationsTitle.
const (
	deviationsFile  = "../../docs/api.md"
	deviationsTitle = "Deviations"
)

// deviation is one declared way in which the API answers differently than the predecessor.
type deviation struct {
	id       string
	requests []*regexp.Regexp // "GET /v1/plans/*"
	when     []*regexp.Regexp // circumstances, or the moment's name
	kinds    []*regexp.Regexp // "missing $.phases[].id"
	reason   string
	count    int // of exchanges, as declared
	used     int // as found
}

// readDeviations parses the table: id, requests, circumstances, differences, reason, exchanges. In
// the patterns, which stand between backquotes, * is any text.
func readDeviations() ([]*deviation, error) {
	text, err := os.ReadFile(deviationsFile)
	if err != nil {
		return nil, err
	}
	var list []*deviation
	inside := false
	for i, row := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(row, "#") {
			inside = strings.TrimSpace(strings.TrimLeft(row, "#")) == deviationsTitle
		}
		if !inside || !strings.HasPrefix(row, "|") {
			continue
		}
		d, err := readDeviation(row)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", deviationsFile, i+1, err)
		}
		if d != nil {
			list = append(list, d)
		}
	}
	return list, nil
}

// readDeviation reads a row of the table; nil for its head.
func readDeviation(row string) (*deviation, error) {
	cells := strings.Split(strings.Trim(strings.TrimSpace(row), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	if cells[0] == "id" || strings.HasPrefix(cells[0], "-") {
		return nil, nil
	}
	if len(cells) != 6 {
		return nil, fmt.Errorf("%d cells, not id, requests, circumstances, differences, reason, "+
			"exchanges", len(cells))
	}
	count, err := strconv.Atoi(cells[5])
	if err != nil || cells[0] == "" || len(cells[4]) < 20 {
		return nil, fmt.Errorf("no id, no reason, or no number of exchanges: %s", row)
	}
	d := &deviation{id: cells[0], reason: cells[4], count: count,
		requests: patterns(cells[1]), when: patterns(cells[2]), kinds: patterns(cells[3])}
	if len(d.requests) == 0 || len(d.when) == 0 || len(d.kinds) == 0 {
		return nil, fmt.Errorf("%s: a cell holds no pattern between backquotes", d.id)
	}
	return d, nil
}

var quoted = regexp.MustCompile("`([^`]+)`")

// patterns reads all that stands between backquotes.
func patterns(cell string) []*regexp.Regexp {
	var list []*regexp.Regexp
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		parts := strings.Split(m[1], "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		list = append(list, regexp.MustCompile("^"+strings.Join(parts, ".*")+"$"))
	}
	return list
}

func anyMatches(list []*regexp.Regexp, text string) bool {
	for _, p := range list {
		if p.MatchString(text) {
			return true
		}
	}
	return false
}

// covers says whether a difference of an exchange is declared here.
func (d *deviation) covers(o outcome, f difference) bool {
	r := o.line.Request
	now := slices.ContainsFunc(append(o.when, o.line.Moment),
		func(when string) bool { return anyMatches(d.when, when) })
	return now && anyMatches(d.requests, r.Method+" "+r.Path) &&
		anyMatches(d.kinds, strings.TrimSpace(f.kind+" "+f.where))
}

// declare notes for each exchange which deviations cover its differences, if all are covered.
func declare(outcomes []outcome, list []*deviation) {
	for i := range outcomes {
		o := &outcomes[i]
		used := map[*deviation]bool{}
		for _, f := range o.found {
			var by *deviation
			for _, d := range list {
				if d.covers(*o, f) {
					by = d
					break
				}
			}
			if by == nil {
				used = nil
				break
			}
			used[by] = true
		}
		for _, d := range list {
			if used[d] {
				d.used++
				o.declared = append(o.declared, d.id)
			}
		}
	}
}
