package scheduler

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Unsupported says what in a valid spec this release would not do; a spec with any of it is
// refused instead of half obeyed.
func Unsupported(s servicespec.Service) []string {
	list := s.Beyond()
	for _, p := range s.Plans {
		if p.Name != planDeploy {
			list = append(list, fmt.Sprintf(
				"plan %s: plans other than deploy are not supported yet", p.Name))
		}
		for _, ph := range p.Phases {
			if ph.Steps != nil {
				list = append(list, fmt.Sprintf("plan %s, phase %s: steps that launch a part of "+
					"a pod's tasks are not supported yet", p.Name, ph.Name))
			}
		}
	}
	for _, pod := range s.Pods {
		for _, t := range pod.Tasks {
			if !t.Essential && len(pod.Tasks) > 1 {
				list = append(list, fmt.Sprintf("pod %s, task %s: essential: false is not "+
					"supported yet; a task that fails restarts its whole pod", pod.Type, t.Name))
			}
		}
		if pod.PreReservedRole != "" && pod.PreReservedRole != "*" {
			list = append(list, fmt.Sprintf(
				"pod %s: a pre-reserved role is not supported yet", pod.Type))
		}
	}
	return list
}
