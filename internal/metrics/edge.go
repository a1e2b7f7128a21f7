package metrics

import "time"

// Edge is how things stand between the scheduler and the masters.
type Edge struct {
	// Since is when the stream of events was opened, or ended.
	Since time.Time
	// Attempts is how many subscriptions have failed since there was a stream.
	Attempts int
	// Agents is how many agents the operator API listed at Asked; Answered says that it did so
	// when it was asked last.
	Agents   int
	Asked    time.Time
	Answered bool
}

func (s sink) edge(e Edge) {
	s.moment(connectedSince, e.Since)
	s.put(subscribeAttempts, float64(e.Attempts))
	s.is(agentsRefused, !e.Answered)
	if !e.Asked.IsZero() {
		s.put(agentsListed, float64(e.Agents))
		s.moment(agentsTime, e.Asked)
	}
}
