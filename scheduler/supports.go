package scheduler

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Unsupported says what in a valid spec this release would not do; a spec with any of it is
// refused instead of half obeyed.
func Unsupported(s servicespec.Service) []string {
	list := s.Beyond()
	for _, pod := range s.Pods {
		if pod.PreReservedRole != "" && pod.PreReservedRole != "*" {
			list = append(list, fmt.Sprintf(
				"pod %s: a pre-reserved role is not supported yet", pod.Type))
		}
	}
	return list
}
