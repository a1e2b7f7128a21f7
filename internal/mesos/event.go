package mesos

import "time"

// Event is something that the master tells a framework.
type Event interface {
	String() string
	event()
}

// The events of the v1 scheduler API, less heartbeats, which end in internal/mesoshttp.
// Disconnected is ours: the stream ended for whatever reason.
type (
	// Subscribed opens a stream.
	Subscribed struct {
		Framework FrameworkID
		Master    string // host:port of the leading master
	}
	// Disconnected says that nothing can be sent until the next Subscribed.
	Disconnected struct{ Reason string }
	// Offers brings new offers.
	Offers struct{ Offers []Offer }
	// Rescinded takes an offer back.
	Rescinded struct{ Offer OfferID }
	// Updated is a status update.
	Updated struct{ Status Status }
	// OperationUpdated is the feedback for an operation with an id.
	OperationUpdated struct {
		ID      OperationID
		State   string // OPERATION_FINISHED, …
		Message string
		UUID    []byte // set when it wants an acknowledgement
		Agent   AgentID
	}
	// InverseOffers asks for agents to be left before their maintenance begins.
	InverseOffers struct{ Offers []InverseOffer }
	// ExecutorFailed says that an executor ended, or, with an empty Executor, an agent.
	ExecutorFailed struct {
		Agent    AgentID
		Executor ExecutorID
		Status   int // the wait status, when known
	}
	// Refused is an ERROR event: the master closed the subscription for a reason that a new
	// attempt does not mend.
	Refused struct{ Message string }
)

func (Subscribed) event()       {}
func (Disconnected) event()     {}
func (Offers) event()           {}
func (Rescinded) event()        {}
func (Updated) event()          {}
func (OperationUpdated) event() {}
func (InverseOffers) event()    {}
func (ExecutorFailed) event()   {}
func (Refused) event()          {}

// Call is something that a framework asks of the master, other than to subscribe.
type Call interface {
	String() string
	call()
}

// The calls of the v1 scheduler API that the scheduler uses.
type (
	// Accept uses one or more offers of one agent. Refuse is the filter for what is left.
	Accept struct {
		Offers     []OfferID
		Operations []Operation
		Refuse     time.Duration
	}
	// Decline gives offers back and asks not to see the like for a while.
	Decline struct {
		Offers []OfferID
		Refuse time.Duration
	}
	// Revive clears all filters and undoes Suppress, for all roles.
	Revive struct{}
	// Suppress asks for no more offers, for all roles.
	Suppress struct{}
	// Kill asks to end a task; Grace nil means the task's own kill policy.
	Kill struct {
		Task  TaskID
		Agent AgentID
		Grace *time.Duration
	}
	// Acknowledge confirms a status update that is stored.
	Acknowledge struct {
		Task  TaskID
		Agent AgentID
		UUID  []byte
	}
	// Reconcile asks for the latest status of the tasks named; of all tasks if none is.
	Reconcile struct{ Tasks []TaskOnAgent }
	// AcceptInverse says that the framework does without agents during their maintenance.
	AcceptInverse struct {
		Offers []OfferID
		Refuse time.Duration
	}
	// DeclineInverse says that it cannot.
	DeclineInverse struct {
		Offers []OfferID
		Refuse time.Duration
	}
	// Teardown ends the framework: all its tasks are killed, its id can never be used again.
	Teardown struct{}
)

// TaskOnAgent names a task and the agent on which it was last known to be.
type TaskOnAgent struct {
	Task  TaskID
	Agent AgentID
}

func (Accept) call()      {}
func (Decline) call()     {}
func (Revive) call()      {}
func (Suppress) call()    {}
func (Kill) call()        {}
func (Acknowledge) call() {}
func (Reconcile) call()   {}
func (Teardown) call()    {}

func (AcceptInverse) call()  {}
func (DeclineInverse) call() {}

// FrameworkInfo is what the scheduler subscribes with.
type FrameworkInfo struct {
	ID              FrameworkID // "" at the very first subscription
	Name            string
	User            string
	Role            string
	Principal       string
	FailoverTimeout time.Duration
	WebURL          string
	Hostname        string
}
