package scheduler

import (
	"strconv"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Hard is the durable state: exactly what the store holds.
type Hard struct {
	// Framework is "" until the first subscription.
	Framework mesos.FrameworkID
	// Target is the configuration that the service shall have.
	Target Target
	// Intent is what the operator wants of the service as a whole.
	Intent Intent
	Kafka  KafkaCluster
	// Pods by name; an instance appears when it is first placed.
	Pods map[PodName]Pod
	// Leftovers are reservations that belong to no instance any more and wait to be freed.
	Leftovers map[mesos.ReservationID]Leftover
	// Overrides is what operators said of plans.
	Overrides plans.Overrides
	// Earlier are the configurations before the target, by number: the last few, and all that a
	// task still runs with.
	Earlier []EarlierTarget
	// Runs is what plans have done since they were last started, by the plan's name.
	Runs map[string]PlanRun
	// Journal is what operators commanded and how plans went, by number: the last ones.
	Journal []JournalEntry
	// Actions is what the actions of the spec have done, by their names.
	Actions map[string]ActionRun
	// Files are small texts that operators keep here, by name.
	Files map[string]string
	// Agents are those that something is held on and that are away, or not waited for.
	Agents map[mesos.AgentID]Agent
	// Rebalancing is the latest work of moving replicas, the zero value if there never was one.
	Rebalancing Rebalancing
	// Campaign is the latest long work of an operator, the zero value if there never was one.
	Campaign Campaign
}

// Agent is what is kept of an agent that is not simply there.
type Agent struct {
	ID       mesos.AgentID
	Hostname string
	// Away is since when it is not there, as far as is known; zero while it is.
	Away time.Time
	// Fate is what is known or decided of its future.
	Fate Fate
	// Decided is when that was, By who did, and Why the reason.
	Decided time.Time
	By, Why string
}

// Fate is what becomes of an agent.
type Fate string

// The fates of agents.
const (
	FateOpen      Fate = ""          // it may come back, and is waited for
	FateGone      Fate = "gone"      // it can never come back under its id
	FateAbandoned Fate = "abandoned" // nobody waits for it; if it comes back, all is freed
)

// Target is a configuration under its id.
type Target struct {
	ID      string // a UUID; "" when none was ever accepted
	Service servicespec.Service
	// Number counts the accepted configurations, from 1.
	Number int64
	// Since is when it became the target, By who made it so.
	Since time.Time
	By    string
	// Done is when a deployment of it was first complete, zero before.
	Done time.Time
	// Updates says that it is rolled out by the plan "update": it is not the first
	// configuration whose deployment was complete.
	Updates bool
	// Servers are the sizes that ZooKeeper ensembles have by now, by pod type, as long as they
	// are not what Service says; see zookeeper_size.go.
	Servers map[string]int
}

// EarlierTarget is a configuration that was the target.
type EarlierTarget Target

// PlanRun is what a plan has done since it was last started.
type PlanRun struct {
	// Number counts the starts of the plan, from 1.
	Number int64
	// Active says that it was started and not stopped since. The plans that work by
	// themselves (deploy, recovery, decommission, uninstall) need no start.
	Active bool
	// Params become environment variables of what the plan launches.
	Params map[string]string
	// Since is when it was started, By who did.
	Since time.Time
	By    string
	// Steps is what each step did, by its id.
	Steps map[string]StepRun
	// Seen is the last status that the journal has of it.
	Seen plans.Status
}

// StepRun is what a step of a started plan did.
type StepRun struct {
	// Tasks are the launches that it made.
	Tasks []mesos.TaskID
	// Done says that these reached their goals; what becomes of them later is not its concern.
	Done bool
	// Again says that the step is to be done again, although these may still run. If they reach
	// their goals before it begins again, it is done all the same.
	Again bool
}

// ActionRun is what an action has done.
type ActionRun struct {
	// Last is when it last started its plan; what happened until then is no cause any more.
	Last time.Time
	// Crossed says that its metric has been beyond its bound since then.
	Crossed bool
}

// JournalEntry is something that operators will want to look up later.
type JournalEntry struct {
	Number int64 // from 1, never reused
	At     time.Time
	// Kind is command; or what a plan did: plan-start, plan-complete, plan-halt, plan-wait or
	// plan-stop; or verdict, drift or declared: what was said of a Kafka node that is to go, what
	// Kafka has otherwise than the target, and what it was told because of that.
	Kind string
	// Plan is the plan concerned, "" for none.
	Plan string
	// By is who commanded it, and Reason why, as far as known.
	By, Reason string
	// What is the command in words, Outcome what came of it, and Code the problem's code, ""
	// when there was none.
	What, Outcome, Code string
}

// Intent is what the operator wants of the service as a whole.
type Intent string

// The intents. Uninstall is final; it becomes Uninstalled when nothing is held any more and
// only the framework itself is still to be removed.
const (
	Run         Intent = "run"
	Stop        Intent = "stop"
	Uninstall   Intent = "uninstall"
	Uninstalled Intent = "uninstalled"
)

// KafkaCluster is the identity of the Kafka cluster.
//
// A cluster is born when its first controller formats its volume with --standalone, and that
// may happen once: a second time would make a second cluster with the same id. So the volume
// that may be formatted that way is recorded before its task is launched; no other node is
// launched until the founder was seen to be up; and once Founded is set every node, the
// founder's replacement too, joins.
type KafkaCluster struct {
	ID string // Kafka's own form: 22 characters of URL-safe base64
	// Founder is the only volume that may be formatted --standalone.
	Founder mesos.PersistenceID
	Founded bool
	// Archives are where the scheduler serves distributions of Kafka, by version: paths below
	// Config.Address. Of a version that is not among them it is Config.KafkaURI.
	Archives map[string]string
	// Joins says that the cluster was founded in ZooKeeper and migrates: its controllers have yet
	// to found their quorum.
	Joins bool
	// Cordoned are the ids of the brokers that Kafka was told, because of us, to give no new
	// replicas.
	Cordoned []int
}

// hasQuorum reports whether controllers join those that are there, and none founds a quorum.
func (k KafkaCluster) hasQuorum() bool { return k.Founded && !k.Joins }

// PodName names a pod instance: its type and its index, printed "kafka-0".
type PodName struct {
	Type  string
	Index int
}

// String gives the predecessor's form, "<type>-<index>".
func (p PodName) String() string { return p.Type + "-" + strconv.Itoa(p.Index) }

// Pod is the record of one pod instance.
type Pod struct {
	Name PodName
	// Incarnation counts the places that the instance has had, from 1.
	Incarnation int
	// Place is where its reservation lies; nil while it has none.
	Place *Place
	// Executor is the latest one.
	Executor Executor
	// Tasks in the order of the spec; those that were never launched have no ID.
	Tasks []Task
	// Request is what an operator asked of this instance and is not done yet.
	Request Request
	// Caretaker says that the latest launch runs the instance's controller alone, so that the
	// quorum stands while the last brokers of a stopping service end in order.
	Caretaker bool
	// Ran says that a task of this incarnation was running once, so that there may be data.
	Ran bool
	// Replacing says that it was given a new place, or is to be, and is not complete there.
	Replacing bool
	// Failed is when tasks of it failed lately, oldest first, if an action counts that.
	Failed []time.Time
	// Recovery is what is being brought back of it, nil for nothing.
	Recovery *Recovery
	// Move is a planned departure from its agent that is not done, nil for none.
	Move *Move
	// Down is set from when its Kafka is taken down by us until it is wholly back.
	Down *Down
	// Rolls is set in a campaign from when its turn has come, and its tasks are ended to be
	// launched with another configuration, until it is back.
	Rolls bool
	// Force says that an operator wants it taken down next whatever the verdict on it is.
	Force bool
	// New says that it is a broker that a larger count added, and that is to be filled.
	New bool
}

// Down is a Kafka process that was taken down by us.
type Down struct {
	Task mesos.TaskID
	At   time.Time
}

// Move is a planned departure of an instance from its agent.
type Move struct {
	// Agent and Hostname are what it is to leave.
	Agent    mesos.AgentID
	Hostname string
	Why      string
	Order    int // of coming up, for the plan maintenance
	// Incarnation is the one that it was planned in: a later one has left the agent.
	Incarnation int
	// Cause is what wants it.
	Cause MoveCause
	// To is the host name of the agent that it is to go to, "" for any.
	To string
	// Force says that it goes whatever Kafka says.
	Force bool
	// Held is why it was given up after it had begun, "" if it was not.
	Held string
}

// MoveCause is what wants a move.
type MoveCause string

// The causes of moves.
const (
	CauseDrain       MoveCause = "drain"       // the agent is drained, and nothing goes back to it
	CauseMaintenance MoveCause = "maintenance" // of the agent is scheduled
	CauseRoom        MoveCause = "room"        // the configuration wants more than the agent has
	CausePlacement   MoveCause = "placement"   // the rule does not allow the agent any more
	CauseAsked       MoveCause = "asked"       // an operator wants it elsewhere
	CauseSize        MoveCause = "size"        // its volumes are to have other sizes
	CauseDisk        MoveCause = "disk"        // a log directory of its failed
)

// Recovery is the work of bringing tasks of an instance back.
type Recovery struct {
	// Kind is TRANSIENT (in the same place, with the same data) or PERMANENT (in a new place).
	Kind string
	// Order is of coming up, for display.
	Order int
	// Steps are the tasks that are brought back, step by step.
	Steps [][]string
}

// Executor is an executor as it was launched. A task that joins it has to describe it in the
// same words, or Mesos refuses the task.
type Executor struct {
	ID mesos.ExecutorID
	// Version is the release that it is of, "" if that was not kept.
	Version       string
	Command       mesos.Command
	ShutdownGrace time.Duration
	// Secrets are files that the agent makes for it. Here as in Command there are only their
	// paths in the store of secrets, never what is in them.
	Secrets []mesos.SecretFile
}

// Request is what an operator asked of one pod instance.
type Request string

// The requests. The zero Request is none.
const (
	Restart Request = "restart" // same place, same data
	Replace Request = "replace" // new place, data left behind
	// Leave is a replacement if, once its tasks have ended, Kafka says that its data is elsewhere
	// too; else it goes on where it was.
	Leave Request = "leave"
)

// Place is a reservation on one agent.
type Place struct {
	Agent      mesos.AgentID
	Hostname   string
	IP         string
	Domain     mesos.Domain
	Attributes []mesos.Attribute
	// Reservation is what the ids of these resources were derived from (offer.ResourceID).
	Reservation mesos.ReservationID
	// Executor is what the executor holds, Sets what the resource sets of the tasks do.
	Executor resource.List
	Sets     []offer.SetResources
	// Confirmed says that Mesos was seen to have carried the reservation out.
	Confirmed bool
	// Listed says of one that is not confirmed that the master listed it among what is reserved on
	// the agent when it last listed that.
	Listed bool
	// More are the names of sets for which more was asked than they hold; see secure.
	More []string
	// Unseen are the names of sets that were added later and that no task was seen to run with.
	Unseen []string
	// Pending are the operations on it that were asked for and whose outcome is not known.
	Pending []mesos.OperationID
}

// Task is the record of one task of an instance.
type Task struct {
	Name string // the task's name in the spec: "broker"
	// ID is that of the latest launch, "" before the first.
	ID      mesos.TaskID
	State   mesos.TaskState
	Reason  string
	Message string
	// Executor is the one that it was launched with.
	Executor mesos.ExecutorID
	// Last is the latest status that was taken of any launch under this name, nil when none
	// was; it stays over a new launch and a new place until there is another.
	Last *StatusUpdate
	// Reached is the latest of these that had an address, kept as long.
	Reached *StatusUpdate
	// Since is when State was last changed; from one state of an agent that is away to another it
	// stays.
	Since time.Time
	// Ready and Healthy are the latest results of the checks, nil when none came.
	Ready, Healthy *bool
	// Target is the configuration that it was launched with.
	Target string
	IP     string
	// WasReady says that this launch was complete once.
	WasReady bool
	// Deployed is the id of the target that the task was complete under, "" if never; or
	// restarted.
	Deployed string
	// Launch is the hash of what the latest launch was made of, without what concerns other
	// instances; a target under which it would differ rolls the task.
	Launch string
	// Again says that an operator wants it launched again by its step of the plan deploy.
	Again bool
	// Paused says that the operator wants it paused; Idle that its latest launch is.
	Paused, Idle bool
	// Resumed says that it comes back from a pause and is not complete yet.
	Resumed bool
	// Params are the parameters of the plan that launched it.
	Params map[string]string
	// Failures counts launches in a row that ended before the task was complete, and NotBefore
	// is when the next launch may be tried.
	Failures  int
	NotBefore time.Time
}

// StatusUpdate is what Mesos reported of a launch.
type StatusUpdate struct {
	ID              mesos.TaskID
	Executor        mesos.ExecutorID
	Agent           mesos.AgentID
	State           mesos.TaskState
	Source          string // SOURCE_MASTER, SOURCE_AGENT or SOURCE_EXECUTOR
	Reason, Message string
	At              time.Time
	Ready, Healthy  *bool
	IP              string
}

// Leftover is a reservation to be freed: its volumes destroyed, its resources unreserved.
type Leftover struct {
	Reservation mesos.ReservationID
	Pod         PodName
	Agent       mesos.AgentID
	Hostname    string
	// Resources is all of it. It is freed only as a whole, so that an executor that still ends
	// cannot leave a part behind unseen.
	Resources resource.List
	// Confirmed says that Mesos was seen to have carried the reservation out.
	Confirmed bool
	// Freeing says that it was offered and told to go, or that it was never seen and an offer
	// of the agent lacked it; it is gone when the agent's next offer lacks it.
	Freeing bool
	// Tasks may still run on it: it was left while nobody could reach its agent.
	Tasks []mesos.TaskID
	// Pending are the operations that free it, as long as their outcome is not known.
	Pending []mesos.OperationID
}

// Volumes are the persistent volumes in it, for the operator's eye.
func (l Leftover) Volumes() []mesos.PersistenceID { return volumesIn(l.Resources) }

func volumesIn(list resource.List) []mesos.PersistenceID {
	var ids []mesos.PersistenceID
	for _, r := range list {
		if r.Disk != nil && r.Disk.PersistenceID != "" {
			ids = append(ids, mesos.PersistenceID(r.Disk.PersistenceID))
		}
	}
	return ids
}
