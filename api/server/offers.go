package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// debugOffers answers with what became of the latest offers.
func debugOffers(w http.ResponseWriter, _ *http.Request, v *scheduler.View) {
	shape := api.DebugOffers{Offers: []api.DebugOffer{}, FailureReasons: map[string]int{},
		RejectedAgents: map[string]int{}}
	for _, outcome := range v.Outcomes {
		of := api.DebugOffer{
			Offer:       offerProto(outcome.Offer, v.Framework).text(),
			Pod:         outcome.Pod,
			Timestamp:   outcome.At.UnixMilli(),
			Outcome:     "pass",
			Explanation: []string{},
		}
		stage := "PASS(Offer):"
		if outcome.Fits {
			shape.Accepted++
		} else {
			of.Outcome, stage = "fail", "FAIL(Offer):"
			shape.Rejected++
			shape.RejectedAgents[string(outcome.Agent)]++
			shape.FailureReasons["Offer"] += len(outcome.Reasons)
		}
		for _, why := range outcome.Reasons {
			of.Explanation = append(of.Explanation, stage+why.String())
		}
		shape.Offers = append(shape.Offers, of)
	}
	writeJSON(w, http.StatusOK, shape)
}
