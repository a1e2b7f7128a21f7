package api

import "time"

// OfferList is the answer of PathOffers, newest first.
type OfferList struct {
	Offers     []OfferOutcome `json:"offers"`
	NextCursor string         `json:"next_cursor,omitempty"`
}

// OfferOutcome is what became of one offer when it was looked at for one pod instance.
type OfferOutcome struct {
	At       time.Time `json:"at"`
	Pod      string    `json:"pod"`
	OfferID  string    `json:"offer_id"`
	AgentID  string    `json:"agent_id"`
	Hostname string    `json:"hostname"`
	// Fits says that it was used; else Reasons is a sentence for each thing that was missing,
	// and Codes are the kinds of these.
	Fits    bool     `json:"fits"`
	Reasons []string `json:"reasons"`
	Codes   []string `json:"codes"`
	// Resources of the offer, in Mesos' text form.
	Resources string `json:"resources"`
}

// ReservationList is the answer of PathReservations, by pod.
type ReservationList struct {
	Reservations []Reservation `json:"reservations"`
	NextCursor   string        `json:"next_cursor,omitempty"`
}

// Reservation is what a pod instance holds on an agent.
type Reservation struct {
	ID       string   `json:"id"`
	Pod      string   `json:"pod"`
	AgentID  string   `json:"agent_id"`
	Hostname string   `json:"hostname"`
	Volumes  []string `json:"volumes"`
	// Confirmed says that Mesos was seen to have carried the reservation out.
	Confirmed bool `json:"confirmed"`
	// Resources are those of the executor and of the resource sets, in Mesos' text form.
	Resources []OwnedResources `json:"resources"`
}

// OwnedResources are the resources of an executor or a resource set.
type OwnedResources struct {
	Owner     string `json:"owner"` // "executor", or the set's name
	Resources string `json:"resources"`
}

// LeftoverList is the answer of PathLeftovers.
type LeftoverList struct {
	Leftovers  []Leftover `json:"leftovers"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

// Why is the answer of PathWhy: in words why a pod instance is not running where, and what
// would help.
type Why struct {
	Pod string `json:"pod"`
	// Running says that all its tasks run and are ready; then there are no reasons.
	Running bool   `json:"running"`
	Summary string `json:"summary"`
	// Reasons, the one that matters most first.
	Reasons []WhyReason `json:"reasons"`
	// Agents are those whose latest offers do not fit, and why.
	Agents []AgentRefusal `json:"agents"`
}

// WhyReason is one thing that keeps an instance from running.
type WhyReason struct {
	// Code is its kind: a word of a list in docs/api.md.
	Code string `json:"code"`
	// Text is a sentence on what is so, and Help one on what would change it.
	Text string `json:"text"`
	Help string `json:"help"`
}
