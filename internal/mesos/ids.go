package mesos

// Ids as the master, the agents or this scheduler assign them. Each is its own type so that
// one cannot be passed for another.
type (
	// FrameworkID is given by the master at the first subscription and kept for ever.
	FrameworkID string
	// AgentID is given by the master when an agent registers; a reboot may change it.
	AgentID string
	// OfferID names one offer; it is valid until accepted, declined or rescinded.
	OfferID string
	// TaskID is made by the scheduler for each launch, never twice.
	TaskID string
	// ExecutorID is made by the scheduler for each new executor.
	ExecutorID string
	// OperationID is made by the scheduler for operations that want feedback.
	OperationID string
	// PersistenceID names one persistent volume for its whole life.
	PersistenceID string
	// ReservationID is the value of the label "resource_id" of a dynamic reservation.
	ReservationID string
)
