package server

import (
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
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
		if outcome.Refusal == nil {
			shape.Accepted++
			of.Explanation = append(of.Explanation,
				"PASS(LaunchEvaluationStage):Added launch operation for "+outcome.Pod)
		} else {
			of.Outcome = "fail"
			shape.Rejected++
			shape.RejectedAgents[string(outcome.Agent)]++
		}
		for _, reason := range outcome.Reasons() {
			shape.FailureReasons[stage(reason)]++
			of.Explanation = append(of.Explanation,
				"FAIL("+stage(reason)+"):"+reason.String())
		}
		shape.Offers = append(shape.Offers, of)
	}
	writeJSON(w, http.StatusOK, shape)
}

// stage is the predecessor's name for where an offer was found not to fit.
func stage(reason offer.Reason) string {
	switch reason.Code {
	case offer.PortTaken, offer.NoPort:
		return "PortEvaluationStage"
	case offer.NoVolume:
		return "VolumeEvaluationStage"
	case offer.Placement:
		return "PlacementRule"
	case offer.Maintenance, offer.Draining, offer.Platform:
		return "Maintenance" // which the predecessor did not look at
	}
	if reason.Name == resource.Disk {
		return "VolumeEvaluationStage"
	}
	return "ResourceEvaluationStage"
}
