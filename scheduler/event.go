package scheduler

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Event is something that happened. The loop stamps the time at which it took it in.
type Event interface{ event() }

// The events.
type (
	// FromMesos is what the master said.
	FromMesos struct{ Event mesos.Event }
	// FromKafka is the answer to an AskKafka call.
	FromKafka struct{ Facts KafkaFacts }
	// KafkaChanged is what became of a ChangeKafka call: Error is "" if Kafka took the change.
	KafkaChanged struct {
		Change KafkaChange
		Error  string
	}
	// FromMoves is the answer to an AskMoves call.
	FromMoves struct {
		Wish  MoveWish
		Moves Moves
	}
	// FromConfigs is the answer to an AskConfigs call.
	FromConfigs struct {
		Target string // as in the call
		Drift  Drift
	}
	// Commanded is an operator's command; its outcome is a Reply with the same ID.
	Commanded struct {
		ID      CommandID
		Command Command
		Caller  Caller
	}
	// Tick says only that time passed; the loop sends it at NextWake.
	Tick struct{}
)

func (FromMesos) event()    {}
func (FromKafka) event()    {}
func (KafkaChanged) event() {}
func (FromMoves) event()    {}
func (FromConfigs) event()  {}
func (Commanded) event()    {}
func (Tick) event()         {}

// Caller is who commands something.
type Caller struct {
	// Who is an address, or a name where one is known.
	Who string
	// Reason is what was given as the reason, "" for none; it is kept and shown.
	Reason string
}

// CommandID pairs a command with its reply.
type CommandID uint64

// Command is what an operator can ask.
type Command interface{ command() }

// The commands.
type (
	// PodRestart stops an instance and starts it again in the same place. Force does so whatever
	// Kafka says.
	PodRestart struct {
		Pod   string
		Force bool
	}
	// PodReplace gives an instance a new place and destroys its data. Force does so whatever Kafka
	// says, even if nobody else has the data.
	PodReplace struct {
		Pod   string
		Force bool
	}
	// PodMove gives an instance a place on another agent once Kafka can bear it: on To, named by
	// its host name or id, or on any. Its data is built up anew there. Force does not ask Kafka.
	// Cancel takes an earlier PodMove back that was not begun.
	PodMove struct {
		Pod, To string
		Force   bool
		Cancel  bool
	}
	// PodPause ends tasks of an instance and launches them again in place with a command that
	// does nothing, for somebody to look around; without Tasks all of the instance's. Tasks
	// are named as in the spec or in full.
	PodPause struct {
		Pod   string
		Tasks []string
	}
	// PodResume ends a pause.
	PodResume struct {
		Pod   string
		Tasks []string
	}
	// BackoffReset lets an instance be launched at once, whatever failed before.
	BackoffReset struct{ Pod string }
	// PlanCommand acts on a plan, one of its phases, or a step, by name or id.
	PlanCommand struct {
		Verb              PlanVerb
		Plan, Phase, Step string
		// Params become environment variables of what the plan launches; for start only.
		Params map[string]string
		// Force has what the command launches anew taken down whatever Kafka says; for start
		// and restart only.
		Force bool
	}
	// ServiceStop ends all tasks and keeps reservations and data.
	ServiceStop struct{}
	// ServiceStart undoes ServiceStop.
	ServiceStart struct{}
	// ServiceUninstall ends the service for ever and frees all that it holds.
	ServiceUninstall struct{}
	// SetTarget makes another configuration the target.
	SetTarget struct {
		ID      string
		Service servicespec.Service
		// Preview changes nothing and only says what would be done, in Reply.Preview.
		Preview bool
		// Live are the server properties that all brokers have taken while they run, so that
		// they are no reason to restart one.
		Live []string
		// Fits says that what is on volumes that become smaller fits into them.
		Fits bool
	}
	// Rollback makes an earlier configuration the target again, "" the one before this.
	Rollback struct {
		ID      string
		Preview bool
		Live    []string // as in SetTarget
		Fits    bool     // likewise
	}
	// Rebalance moves replicas: until all brokers have about the same, onto some brokers, or off
	// them. Throttle is how many bytes a second each broker may copy for it, 0 for any.
	Rebalance struct {
		Goal     balance.Goal
		Brokers  []int
		Throttle int64
	}
	// RebalanceCancel ends it, and takes back what is on its way.
	RebalanceCancel struct{}
	// Remark has a change that was made elsewhere, to a topic, kept in the journal.
	Remark struct{ What, Outcome string }
	// PutFile keeps a small text for an operator under a name.
	PutFile struct{ Name, Content string }
	// AgentAbandon gives up all that is held on an agent, named by its id or its host name:
	// nobody waits for it any more. Force does so although the agent is there, or although the
	// data may be needed.
	AgentAbandon struct {
		Agent string
		Force bool
	}
)

func (PodRestart) command()       {}
func (PodReplace) command()       {}
func (PodMove) command()          {}
func (PodPause) command()         {}
func (PodResume) command()        {}
func (BackoffReset) command()     {}
func (PlanCommand) command()      {}
func (ServiceStop) command()      {}
func (ServiceStart) command()     {}
func (ServiceUninstall) command() {}
func (SetTarget) command()        {}
func (Rollback) command()         {}
func (Rebalance) command()        {}
func (RebalanceCancel) command()  {}
func (Remark) command()           {}
func (PutFile) command()          {}
func (AgentAbandon) command()     {}

// PlanVerb is what a PlanCommand does.
type PlanVerb string

// The verbs, as the predecessor's routes spell them.
const (
	PlanStart         PlanVerb = "start"
	PlanStop          PlanVerb = "stop"
	PlanContinue      PlanVerb = "continue"
	PlanInterrupt     PlanVerb = "interrupt"
	PlanForceComplete PlanVerb = "forceComplete"
	PlanRestart       PlanVerb = "restart"
)

// KafkaFacts is what the Kafka cluster said of itself, all from fresh requests.
type KafkaFacts struct {
	// Asked is when the questions were put.
	Asked time.Time
	// Error is why there is no answer at all, "" otherwise.
	Error string
	// ClusterID as the brokers report it.
	ClusterID string
	// Leader is the node id of the quorum's leader, -1 when unknown.
	Leader int
	// Voters are the node ids of the quorum's voters.
	Voters []int
	// Present are those of them that the leader heard of lately, itself included. A voter whose
	// node was replaced stays a voter for a while, under the same id, and is not present.
	Present []int
	// Replicas are those of the quorum's log, of voters and of others, as the leader tells of
	// them; none if it does not name their directories.
	Replicas []QuorumReplica
	// JoinsItself says that a controller becomes a voter by itself, as from Kafka 4.2 on.
	JoinsItself bool
	// Cordons says that Kafka can be told to give a broker no new replicas, as from the metadata
	// version of 4.3 on.
	Cordons bool
	// MostReplicas is the largest replication factor of all topics, and MostReplicated one that
	// has it.
	MostReplicas   int
	MostReplicated string
	// Brokers by ascending id: those that are registered, none if only controllers answered.
	Brokers []BrokerFacts
	// OfflinePartitions is the number of partitions without a leader.
	OfflinePartitions int
	// Rolling is what was said of each partition, nil when that was not asked for. It does not
	// change.
	Rolling *rolling.Facts
}

// QuorumReplica is one copy of the quorum's log.
type QuorumReplica struct {
	ID int
	// Directory is the id of the log directory that it lies in, in Kafka's own form. A node whose
	// volume was replaced has the same id and another directory.
	Directory string
	// Votes says that it is a voter, Present that the leader heard of it lately, and Caught that it
	// has nearly all that the leader has.
	Votes, Present, Caught bool
}

// BrokerFacts is what is known of one registered broker.
type BrokerFacts struct {
	ID int
	// Address is where clients reach it: host:port.
	Address string
	// Fenced brokers are registered and do not serve.
	Fenced bool
	// Hosted is the number of partitions that list the broker as a replica; NotInSync is how
	// many of these do not have it in their ISR.
	Hosted, NotInSync int
	// Leads is the number of partitions that it leads.
	Leads int
	// Failed are the paths of its log directories that it cannot use any more.
	Failed []string
	// Cordoned says that it takes no new replicas.
	Cordoned bool
}
