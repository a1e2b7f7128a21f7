package placement

import "maps"

// Crowd is the places of a pod type's instances, counted by every value that a rule can ask for.
// The counts are kept while places come and go, so that a rule costs the same whoever many
// instances run.
type Crowd struct {
	size    int
	changes int
	fields  map[string]*values
}

// NewCrowd counts places.
func NewCrowd(places ...Agent) *Crowd {
	c := &Crowd{fields: map[string]*values{}}
	for _, a := range places {
		c.Add(a)
	}
	return c
}

// Add takes in one more place.
func (c *Crowd) Add(a Agent) { c.change(a, 1) }

// Remove takes out a place that was added.
func (c *Crowd) Remove(a Agent) { c.change(a, -1) }

// Size is how many places there are.
func (c *Crowd) Size() int { return c.size }

// Changes counts what was added and removed: as long as it is the same, so is the crowd.
func (c *Crowd) Changes() int { return c.changes }

// Left counts what was removed.
func (c *Crowd) Left() int { return (c.changes - c.size) / 2 }

// Clone gives a crowd that goes its own way from here on.
func (c *Crowd) Clone() *Crowd {
	out := &Crowd{size: c.size, changes: c.changes, fields: make(map[string]*values, len(c.fields))}
	for field, v := range c.fields {
		out.fields[field] = v.clone()
	}
	return out
}

func (v *values) clone() *values {
	out := &values{counts: make(map[string]*int, v.used), alike: maps.Clone(v.alike), used: v.used}
	numbers := make([]int, 0, v.used)
	//tidy:unordered each for itself
	for value, n := range v.counts {
		if *n > 0 {
			numbers = append(numbers, *n)
			out.counts[value] = &numbers[len(numbers)-1]
		}
	}
	return out
}

func (c *Crowd) change(a Agent, by int) {
	c.size += by
	c.changes++
	for _, field := range [...]string{fieldHostname, fieldRegion, fieldZone} {
		var room [2]string
		for _, value := range a.values(field, &room) {
			c.of(field).change(value, by)
		}
	}
	if a.Zone != "" {
		c.of(fieldDomain).change(domain(a), by)
	}
	for i, attribute := range a.Attributes {
		if first(a.Attributes, i) {
			c.of(attribute.Name).change(attribute.Value, by)
		}
	}
}

// first says whether no attribute before the i-th is the same, since one that an agent has twice
// counts once. An attribute cannot be mistaken for a field: rules could not tell them apart.
func first(all []Attribute, i int) bool {
	for _, earlier := range all[:i] {
		if earlier == all[i] {
			return false
		}
	}
	switch all[i].Name {
	case fieldHostname, fieldRegion, fieldZone, fieldDomain:
		return false
	}
	return true
}

// fieldDomain is where zones are counted together with their regions; no rule can name it.
const fieldDomain = "\x00domain"

func domain(a Agent) string { return a.Region + "\x00" + a.Zone }

// Neighbours gives how many of the places are on an agent's host, and how many in its zone,
// as counters that are kept up to date. A place without a zone has no neighbours there.
func (c *Crowd) Neighbours(a Agent) (onHost, inZone *int) {
	none := 0
	if inZone = &none; a.Zone != "" {
		inZone = c.of(fieldDomain).counter(domain(a))
	}
	return c.of(fieldHostname).counter(a.Hostname), inZone
}

// of gives the counts of one field.
func (c *Crowd) of(field string) *values {
	v := c.fields[field]
	if v == nil {
		v = &values{counts: map[string]*int{}, alike: map[int]int{}}
		c.fields[field] = v
	}
	return v
}

// values says how many places have each value of a field.
type values struct {
	counts map[string]*int // a value that no place has any more stays, with 0
	alike  map[int]int     // how many values are had by so many places, for each number above 0
	used   int             // the values that any place has
	fewest int             // the smallest count above 0; 0 when it is not known
}

// counter is where the number of places with a value is kept.
func (v *values) counter(value string) *int {
	n := v.counts[value]
	if n == nil {
		n = new(int)
		v.counts[value] = n
	}
	return n
}

func (v *values) count(value string) int {
	if n := v.counts[value]; n != nil {
		return *n
	}
	return 0
}

func (v *values) change(value string, by int) {
	n := v.counter(value)
	if *n > 0 {
		v.used--
		if v.alike[*n]--; v.alike[*n] == 0 {
			delete(v.alike, *n)
		}
	}
	if *n += by; *n > 0 {
		v.used++
		v.alike[*n]++
	}
	v.fewest = 0
}

// spread gives how many values are used, and how many places have the value that has the fewest
// of those used.
func (v *values) spread() (used, fewest int) {
	if v.fewest == 0 && v.used > 0 {
		//tidy:unordered the smallest of all
		for n := range v.alike {
			if v.fewest == 0 || n < v.fewest {
				v.fewest = n
			}
		}
	}
	return v.used, v.fewest
}

// Seats are the counters that decide, for one agent, the part of a rule that depends on peers.
// They are made once an agent and read each time, at the cost of a few comparisons.
type Seats []seat

// seat is one constraint for one agent: the counters of the values that the agent has.
type seat struct {
	peers  *values // nil but for GROUP_BY
	limit  int
	closed bool // the agent has no such value, or the constraint makes no sense
	first  *int // the counter of its value
	more   []*int
}

func (t *test) seat(values []string) seat {
	s := seat{limit: t.limit, closed: t.broken != "" || len(values) == 0}
	if t.Operator == GroupBy {
		s.peers = t.peers
	}
	for i, value := range values {
		if n := t.peers.counter(value); i == 0 {
			s.first = n
		} else {
			s.more = append(s.more, n)
		}
	}
	return s
}

// Free says whether peers leave the agent free, now.
func (s Seats) Free() bool {
	for i := range s {
		if !s[i].free() {
			return false
		}
	}
	return true
}

func (s *seat) free() bool {
	if s.closed || !s.has(*s.first) {
		return false
	}
	for _, n := range s.more {
		if !s.has(*n) {
			return false
		}
	}
	return true
}

// has says whether a value that so many peers have can take one more.
func (s *seat) has(n int) bool {
	switch {
	case s.peers == nil:
		return n < s.limit
	case n == 0:
		return true
	}
	used, fewest := s.peers.spread()
	return used >= s.limit && n <= fewest
}
