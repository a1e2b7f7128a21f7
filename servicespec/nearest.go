package servicespec

import (
	"slices"
	"strings"
)

// Nearest gives the known name that is most like the given one, "" when none is like it.
// The first of several equally near ones wins, so known must be in a fixed order.
func Nearest(name string, known []string) string {
	const longest = 80
	if len(name) > longest {
		return ""
	}
	best, least := "", min(1+max(1, len(name)/3), max(1, len(name))) // something must be common
	for _, candidate := range known {
		if len(candidate) > longest {
			continue
		}
		d := distance(fold(name), fold(candidate))
		if d < least {
			best, least = candidate, d
		}
	}
	return best
}

// fold removes the differences that are mistaken most easily.
func fold(name string) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that make b
// of a (the restricted Damerau-Levenshtein distance, on bytes).
func distance(a, b string) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// didYouMean makes a hint of the nearest known name, or lists what is known when that is short.
func didYouMean(name string, known []string) string {
	if n := Nearest(name, known); n != "" {
		return "did you mean " + n + "?"
	}
	if len(known) > 0 && len(known) <= 12 {
		return "known are " + strings.Join(known, ", ")
	}
	return ""
}

// sortedNames gives the keys of a map in the one order that everything here uses.
func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
