package scheduler

import (
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// View is an immutable picture of the machine after a Step, for readers. Nothing in it is
// shared with the machine's own state in a way that a later Step would change.
type View struct {
	// At is when the picture was made.
	At        time.Time
	Service   string
	Framework mesos.FrameworkID // "" before the first subscription
	// Connected says whether the master's stream is open; Master is its host:port.
	Connected bool
	Master    string
	// Suppressed says that no offers are wanted.
	Suppressed bool
	Intent     Intent
	TargetID   string
	Target     servicespec.Service
	// TargetSince is when the target became it, TargetBy who made it so, TargetNumber its
	// number, and TargetDone when a deployment of it was first complete, zero before.
	TargetSince, TargetDone time.Time
	TargetBy                string
	TargetNumber            int64
	// Plans in the order in which they are worked on. While the service is uninstalled there
	// is one, "uninstall".
	Plans []PlanView
	// Pods lists every instance of the target, and any other that still has a record, by type
	// and index.
	Pods      []PodView
	Leftovers []Leftover
	// Away has the agents that something is held on and that are not simply there, Seen what the
	// operator API last said of agents, nil before it did; neither is to be changed.
	Away map[mesos.AgentID]Agent
	Seen map[mesos.AgentID]mesos.SeenAgent
	// Outlooks has the agents whose future is known to be out of the ordinary; not to be changed.
	Outlooks map[mesos.AgentID]Outlook
	// Earlier are the configurations before the target, oldest first.
	Earlier []EarlierTarget
	// Journal is what operators commanded and how plans went, oldest first.
	Journal []JournalEntry
	// Outcomes are what became of the latest offers, oldest first.
	Outcomes []Outcome
	// Files are small texts that operators keep here, by name; not to be changed.
	Files     map[string]string
	Endpoints []EndpointView
	Kafka     KafkaView
}

// PlanView is a plan with what is derived of it.
type PlanView struct {
	Name     string
	Strategy string
	Status   plans.Status
	Errors   []string
	Phases   []PhaseView
	// Run is what is kept of its latest start; zero for a plan that was never started.
	Run PlanRun
	// Held is set while an operator's interrupt holds the plan.
	Held *plans.Said
}

// Outcome is what became of one offer when it was looked at for one pod instance.
type Outcome struct {
	At    time.Time
	Pod   string
	Agent mesos.AgentID
	Host  string
	// Refusal tells what was missing; nil says that it was used.
	Refusal *offer.Refusal
	// Offer as it came.
	Offer mesos.Offer
}

// Reasons are what was missing, nothing for an offer that was used.
func (o Outcome) Reasons() []offer.Reason {
	if o.Refusal == nil {
		return nil
	}
	return o.Refusal.Of(o.Agent)
}

// PhaseView is a phase with what is derived of it.
type PhaseView struct {
	ID       string
	Name     string
	Strategy string
	Status   plans.Status
	Steps    []StepView
	Held     *plans.Said // as in PlanView
}

// StepView is a step with what is derived of it.
type StepView struct {
	ID     string
	Name   string
	Status plans.Status
	// Reason is a sentence on what the step waits for; "" when it waits for nothing.
	Reason string
	// Since is when the step came into its status, zero when unknown.
	Since time.Time
	// Attempts counts failed launches in a row; NotBefore is when the next one may come.
	Attempts  int
	NotBefore time.Time
	Pod       string // "kafka-0", or "" for steps that concern no instance
	Tasks     []string
	Held      *plans.Said // as in PlanView
	// Replaces says that the step gives its instance a new place.
	Replaces bool
}

// PodView is a pod instance.
type PodView struct {
	Name        PodName
	Incarnation int
	Tasks       []TaskView
	Agent       mesos.AgentID
	Hostname    string
	IP          string
	Domain      mesos.Domain
	Volumes     []mesos.PersistenceID
	Reservation mesos.ReservationID
	Request     Request
	// Place is all that is known of where it is, nil while it has none; not to be changed.
	Place *Place
	// Failures counts launches in a row that failed; NotBefore is when the next may come.
	Failures  int
	NotBefore time.Time
	// Leaving says that the target does not want the instance and it is being decommissioned.
	Leaving bool
	// Runs says that anything of it runs. Executor is the release of what it runs under, "" if that
	// is not known, and OtherExecutor says that another one would be launched now.
	Runs          bool
	Executor      string
	OtherExecutor bool
	// Launched says whether a task of the instance was ever launched.
	Launched bool
	// Down says that its Kafka was taken down by us and is not wholly back.
	Down bool
	// Refusal is why the latest offers did not fit, nil when the instance wants none.
	Refusal *offer.Refusal
	// Broker is what Kafka says of it, nil for pods that are not brokers or not registered.
	Broker *BrokerFacts
	// Server is what it says of itself as a ZooKeeper server, nil if it is none.
	Server *ServerFacts
	// Verdict is why it may not be taken down now, nil unless that is wanted.
	Verdict *Judgement
}

// Judgement is the verdict on what is to be done with a Kafka node.
type Judgement struct {
	What    string // stop or replace
	Verdict rolling.Verdict
	Since   time.Time // since when it is waited for
}

// TaskView is a task of an instance.
type TaskView struct {
	Name     string // in the spec: "broker"
	FullName string // "kafka-0-broker"
	ID       mesos.TaskID
	State    mesos.TaskState // "" when never launched
	Reason   string
	Message  string
	Since    time.Time
	Ready    *bool
	Healthy  *bool
	Executor mesos.ExecutorID
	Target   string
	Ports    []offer.PortUse
	Goal     servicespec.Goal
	IP       string
	// Last is the latest status that was taken of any launch under this name, nil for none; not
	// to be changed.
	Last *StatusUpdate
	// Reached is the latest of these that had an address.
	Reached *StatusUpdate
	// Superseded says that it ended, and that another task that shares its resource set was
	// launched since.
	Superseded bool
	// Override is what an operator's pause or a smaller count makes of it: PAUSED, PAUSING,
	// STARTING, DECOMMISSIONING or DECOMMISSIONED, "" for nothing.
	Override string
	// Resources are those of its set, as reserved.
	Resources resource.List
	// Outdated says that the target has it launched otherwise than it was, once its turn comes.
	Outdated bool
}

// EndpointView is an advertised port of all instances that have it. The lists go together: an
// entry for each task that can have the port, by pod index and in the order of the spec.
type EndpointView struct {
	Name    string
	Address []string // host:port
	DNS     []string // host name:port
	Tasks   []string // the names under which the tasks are discovered: "kafka-0-broker"
	Ports   []int
	VIP     *servicespec.VIP // nil when none is declared
}

// KafkaView is what is known of the Kafka cluster.
type KafkaView struct {
	ClusterID string
	Founded   bool
	// Facts are the latest, nil before the first answer.
	Facts *KafkaFacts
	// Rebalancing is the latest work of moving replicas, and Rebalance says how far it is and what
	// holds it.
	Rebalancing Rebalancing
	Rebalance   string
	// Campaign is the latest long work of an operator, CampaignPaused says that one holds it, and
	// CampaignTold how far it is and what holds it.
	Campaign       Campaign
	CampaignPaused bool
	CampaignTold   string
	// ZooKeeper is where the brokers' metadata is, host:port,…/path, "" for with controllers.
	ZooKeeper string
	// Declared are the topics of the target with how they are, by name, and Drift is what differs
	// from the target, nil before Kafka told; not to be changed.
	Declared []DeclaredTopic
	Drift    *Drift
}
