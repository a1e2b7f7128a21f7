package scheduler

import "github.com/kafka-sched/kafka-sched/servicespec"

// Unsupported says what in a valid spec this release would not do; a spec with any of it is
// refused instead of half obeyed.
func Unsupported(s servicespec.Service) []string {
	return s.Beyond()
}
