package scheduler

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
)

// Output is what a Step wants from the world; doc.go gives the order and the duties.
type Output struct {
	Writes  []Write
	Calls   []Call
	Replies []Reply
	Notes   []Note
	View    *View // nil when another is to follow at once
}

// Write is one change of the durable state. All writes of one Step are one atomic batch.
type Write interface{ write() }

// The writes: each names the part of Hard that it replaces or removes.
type (
	// WriteFramework sets Hard.Framework.
	WriteFramework struct{ ID mesos.FrameworkID }
	// WriteTarget sets Hard.Target.
	WriteTarget struct{ Target Target }
	// WriteIntent sets Hard.Intent.
	WriteIntent struct{ Intent Intent }
	// WriteKafka sets Hard.Kafka.
	WriteKafka struct{ Kafka KafkaCluster }
	// WritePod sets one entry of Hard.Pods.
	WritePod struct{ Pod Pod }
	// DeletePod removes one.
	DeletePod struct{ Name PodName }
	// WriteLeftover sets one entry of Hard.Leftovers.
	WriteLeftover struct{ Leftover Leftover }
	// DeleteLeftover removes one.
	DeleteLeftover struct{ Reservation mesos.ReservationID }
	// WriteOverrides sets Hard.Overrides.
	WriteOverrides struct{ Overrides plans.Overrides }
	// WriteEarlier sets one entry of Hard.Earlier by its id, or adds it at the end.
	WriteEarlier struct{ Earlier EarlierTarget }
	// DeleteEarlier removes one.
	DeleteEarlier struct{ ID string }
	// WriteRun sets one entry of Hard.Runs.
	WriteRun struct {
		Plan string
		Run  PlanRun
	}
	// DeleteRun removes one.
	DeleteRun struct{ Plan string }
	// WriteJournal adds an entry to Hard.Journal.
	WriteJournal struct{ Entry JournalEntry }
	// DeleteJournal removes the entry of that number.
	DeleteJournal struct{ Number int64 }
	// WriteAction sets one entry of Hard.Actions.
	WriteAction struct {
		Name string
		Run  ActionRun
	}
	// DeleteAction removes one.
	DeleteAction struct{ Name string }
	// WriteFile sets one entry of Hard.Files.
	WriteFile struct{ Name, Content string }
	// WriteAgent sets one entry of Hard.Agents.
	WriteAgent struct{ Agent Agent }
	// DeleteAgent removes one.
	DeleteAgent struct{ ID mesos.AgentID }
	// WriteRebalancing sets Hard.Rebalancing.
	WriteRebalancing struct{ Rebalancing Rebalancing }
)

func (WriteFramework) write()   {}
func (WriteTarget) write()      {}
func (WriteIntent) write()      {}
func (WriteKafka) write()       {}
func (WritePod) write()         {}
func (DeletePod) write()        {}
func (WriteLeftover) write()    {}
func (DeleteLeftover) write()   {}
func (WriteOverrides) write()   {}
func (WriteEarlier) write()     {}
func (DeleteEarlier) write()    {}
func (WriteRun) write()         {}
func (DeleteRun) write()        {}
func (WriteJournal) write()     {}
func (DeleteJournal) write()    {}
func (WriteAction) write()      {}
func (DeleteAction) write()     {}
func (WriteFile) write()        {}
func (WriteAgent) write()       {}
func (DeleteAgent) write()      {}
func (WriteRebalancing) write() {}

// Call is something to do in the world; nobody waits for it.
type Call interface{ call() }

// The calls.
type (
	// ToMesos is a call to the master.
	ToMesos struct{ Call mesos.Call }
	// AskKafka wants a FromKafka event with fresh facts. Addresses are host:port of brokers, and
	// of controllers that are none. All wants KafkaFacts.Rolling too.
	AskKafka struct {
		Addresses []string
		All       bool
	}
	// ChangeKafka wants a change made by one of the brokers or controllers at the addresses, and
	// then a KafkaChanged event.
	ChangeKafka struct {
		Addresses []string
		Change    KafkaChange
	}
	// AskMoves wants a FromMoves event: what lies where in Kafka, and what follows for a wish.
	AskMoves struct {
		Addresses []string
		Wish      MoveWish
	}
	// AskConfigs wants a FromConfigs event: what Kafka has otherwise than a target declares it.
	AskConfigs struct {
		Addresses []string
		Target    string // its id
		Wish      ConfigWish
	}
	// Exit ends the process, once everything before it is done.
	Exit struct {
		Code   int
		Reason string
	}
)

func (ToMesos) call()     {}
func (AskKafka) call()    {}
func (ChangeKafka) call() {}
func (AskMoves) call()    {}
func (AskConfigs) call()  {}
func (Exit) call()        {}

// Reply answers a command.
type Reply struct {
	ID CommandID
	// Problem is nil when the command was taken.
	Problem *Problem
	// Message is a sentence on what happens now, or that nothing had to be done.
	Message string
	// Tasks are the full names of the tasks concerned, for commands on pods.
	Tasks []string
	// Preview is what a configuration would lead to, in order, for commands that preview.
	Preview []PlannedStep
}

// PlannedStep is a step that a new configuration would make necessary.
type PlannedStep struct {
	Phase, Step string
	// Action is launch, restart, replace, decommission or nothing.
	Action string
	// Reasons are the changes that make it necessary, a sentence each.
	Reasons []string
}

// Problem is a user's error: coded, with a sentence, never a stack trace.
type Problem struct {
	Code    ProblemCode
	Message string
}

// Error makes a Problem usable as an error at the border.
func (p *Problem) Error() string { return p.Message }

// ProblemCode is a closed list.
type ProblemCode string

// The codes.
const (
	NotFound       ProblemCode = "not-found"       // no such plan, phase, step or pod
	AlreadyDone    ProblemCode = "already-done"    // the command changes nothing
	Conflict       ProblemCode = "conflict"        // not possible in the present state
	InvalidRequest ProblemCode = "invalid-request" // the request makes no sense
)

// Note is one line for the log, with fields as alternating keys and values.
type Note struct {
	Level  Level
	Text   string
	Fields []string
	// Count names the counter to increase (see internal/metrics), "" for none.
	Count string
}

// Level of a note.
type Level int

// The levels.
const (
	Debug Level = iota
	Info
	Warn
	Err
)
