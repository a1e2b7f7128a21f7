package resource

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// NewRanges makes a normal list of any ranges, in any order, overlapping or not. A range that
// ends before it begins holds nothing and is dropped.
func NewRanges(rs ...Range) Ranges {
	sorted := make(Ranges, 0, len(rs))
	for _, r := range rs {
		if r.Begin <= r.End {
			sorted = append(sorted, r)
		}
	}
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.Begin, b.Begin) })
	var out Ranges
	for _, r := range sorted {
		if n := len(out); n > 0 && touches(out[n-1], r) {
			out[n-1].End = max(out[n-1].End, r.End)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// touches says whether b, which begins no earlier than a, overlaps a or follows it at once.
func touches(a, b Range) bool { return b.Begin <= a.End || b.Begin == a.End+1 }

// ParseRanges reads what String prints, and single numbers too: "[31000-31005,9092]".
func ParseRanges(s string) (Ranges, error) {
	inner, ok := strings.CutPrefix(s, "[")
	if inner, ok = cutSuffixIf(inner, "]", ok); !ok {
		return nil, fmt.Errorf("parsing ranges %q: want a form such as [31000-31005]", s)
	}
	if inner == "" {
		return nil, nil
	}
	var rs []Range
	for part := range strings.SplitSeq(inner, ",") {
		r, err := parseRange(part)
		if err != nil {
			return nil, fmt.Errorf("parsing ranges %q: %w", s, err)
		}
		rs = append(rs, r)
	}
	return NewRanges(rs...), nil
}

func cutSuffixIf(s, suffix string, ok bool) (string, bool) {
	rest, cut := strings.CutSuffix(s, suffix)
	return rest, ok && cut
}

func parseRange(s string) (Range, error) {
	low, high, two := strings.Cut(strings.TrimSpace(s), "-")
	if !two {
		high = low
	}
	begin, err := strconv.ParseUint(low, 10, 64)
	if err != nil {
		return Range{}, fmt.Errorf("%q is not a number: %w", low, err)
	}
	end, err := strconv.ParseUint(high, 10, 64)
	if err != nil {
		return Range{}, fmt.Errorf("%q is not a number: %w", high, err)
	}
	if end < begin {
		return Range{}, fmt.Errorf("%s ends before it begins", s)
	}
	return Range{Begin: begin, End: end}, nil
}

// String prints the ranges as Mesos does: "[31000-31001,31005-31005]".
func (rs Ranges) String() string {
	b := []byte{'['}
	for i, r := range rs {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, r.Begin, 10)
		b = append(b, '-')
		b = strconv.AppendUint(b, r.End, 10)
	}
	return string(append(b, ']'))
}

// Has says whether n is in one of the ranges.
func (rs Ranges) Has(n uint64) bool {
	for _, r := range rs {
		if n <= r.End {
			return r.Begin <= n
		}
	}
	return false
}

// Contains says whether every number of o is in rs.
func (rs Ranges) Contains(o Ranges) bool { return len(o.minus(rs)) == 0 }

// Count is how many numbers there are; what does not fit into it counts as its largest value.
func (rs Ranges) Count() uint64 {
	var n uint64
	for _, r := range rs {
		size := r.End - r.Begin
		if size >= math.MaxUint64-n {
			return math.MaxUint64
		}
		n += size + 1
	}
	return n
}

// Add gives all numbers that are in rs or in o.
func (rs Ranges) Add(o Ranges) Ranges { return NewRanges(slices.Concat(rs, o)...) }

// Sub takes o away. It reports false, and gives nothing, unless rs contains all of o.
func (rs Ranges) Sub(o Ranges) (Ranges, bool) {
	if !rs.Contains(o) {
		return nil, false
	}
	return rs.minus(o), true
}

// Intersect gives the numbers that are in both.
func (rs Ranges) Intersect(o Ranges) Ranges {
	var out Ranges
	for _, a := range rs {
		for _, b := range o {
			if low, high := max(a.Begin, b.Begin), min(a.End, b.End); low <= high {
				out = append(out, Range{Begin: low, End: high})
			}
		}
	}
	return NewRanges(out...)
}

// Pick gives the lowest number of rs that is also within the ranges wanted.
func (rs Ranges) Pick(within Ranges) (uint64, bool) {
	both := rs.Intersect(within)
	if len(both) == 0 {
		return 0, false
	}
	return both[0].Begin, true
}

// minus gives the numbers of rs that are not in o.
func (rs Ranges) minus(o Ranges) Ranges {
	var out Ranges
	for _, r := range rs {
		out = appendRest(out, r, o)
	}
	return out
}

// appendRest appends to out what is left of r without the ranges of cuts.
func appendRest(out Ranges, r Range, cuts Ranges) Ranges {
	for _, cut := range cuts {
		if cut.End < r.Begin {
			continue
		}
		if cut.Begin > r.End {
			break
		}
		if cut.Begin > r.Begin {
			out = append(out, Range{Begin: r.Begin, End: cut.Begin - 1})
		}
		if cut.End >= r.End {
			return out
		}
		r.Begin = cut.End + 1
	}
	return append(out, r)
}
