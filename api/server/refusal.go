package server

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// sentence tells an operator why no offer fits.
func sentence(refusal offer.Refusal) string {
	if len(refusal.Agents) == 0 {
		if refusal.Kept != "" {
			return fmt.Sprintf("%s waits for an offer of its own agent %s.",
				refusal.Pod, refusal.Kept)
		}
		return refusal.Pod + " waits: no agent offers anything."
	}
	agents := make([]string, 0, len(refusal.Agents))
	for _, agent := range refusal.Agents {
		name := agent.Hostname
		if name == "" {
			name = string(agent.Agent)
		}
		reasons := make([]string, 0, len(agent.Reasons))
		for _, reason := range agent.Reasons {
			reasons = append(reasons, reasonText(reason))
		}
		agents = append(agents, name+": "+strings.Join(reasons, ", "))
	}
	waits := refusal.Pod + " fits no offer"
	if refusal.Kept != "" {
		waits = fmt.Sprintf("%s waits for its own agent %s", refusal.Pod, refusal.Kept)
	}
	return waits + ". " + strings.Join(agents, "; ") + "."
}

// reasonText is one thing that is missing, in a few words.
func reasonText(reason offer.Reason) string {
	switch {
	case reason.Code == offer.Insufficient:
		return fmt.Sprintf("%s %s of %s needed", reason.Name,
			decimal(reason.Have), decimal(reason.Need))
	case reason.Detail != "":
		return strings.TrimSuffix(reason.Detail, ".")
	}
	words := map[offer.Code]string{
		offer.PortTaken:   "the port is taken",
		offer.NoPort:      "no port is left",
		offer.NoVolume:    "no disk is large enough",
		offer.Placement:   "the placement rule forbids it",
		offer.NotReserved: "its reservation is not in the offer",
		offer.OtherAgent:  "its reservation is on another agent",
		offer.Maintenance: "a maintenance window is scheduled",
	}[reason.Code]
	if words == "" {
		words = string(reason.Code)
	}
	if reason.Name != "" {
		words += " (" + reason.Name + ")"
	}
	return words
}

// decimal prints thousandths without trailing zeros.
func decimal(amount resource.Milli) string {
	return strconv.FormatFloat(float64(amount)/1000, 'f', -1, 64)
}
