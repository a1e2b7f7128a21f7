package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// counter is a metric that scheduler.Note.Count increases.
type counter struct{ name, help string }

// counters by the name that the machine counts under.
var counters = map[string]counter{
	scheduler.CountOffers:      {"offers_received", "Offers that the master sent."},
	scheduler.CountRescinds:    {"offers_rescinded", "Offers that the master took back."},
	scheduler.CountAccepts:     {"offers_accepted", "Offers that were accepted."},
	scheduler.CountDeclines:    {"declines", "Calls that declined offers, one or several."},
	scheduler.CountRevives:     {"revives", "Calls that asked for offers again."},
	scheduler.CountSuppresses:  {"suppresses", "Calls that asked for no more offers."},
	scheduler.CountSubscribes:  {"subscriptions", "Subscriptions that a master confirmed."},
	scheduler.CountDisconnects: {"disconnections", "Ends of the stream from the master."},
	scheduler.CountReserves:    {"reservations_made", "Reservations for pod instances."},
	scheduler.CountUnreserves:  {"reservations_freed", "Reservations that were given back."},
	scheduler.CountLaunches:    {"launches", "Launches of pod instances."},
	scheduler.CountFailures:    {"task_failures", "Tasks that ended without being told to."},
	scheduler.CountKills:       {"kills", "Kill calls."},
	scheduler.CountCommands:    {"commands", "Commands of operators, refused ones too."},
}

// The counts of webhooks (internal/hooks), which no note of the machine asks for.
const (
	HookSent    = "hook-sent"
	HookGivenUp = "hook-given-up"
	HookDropped = "hook-dropped"
)

// hookOutcomes are the labels of these.
var hookOutcomes = map[string]string{
	HookSent: "sent", HookGivenUp: "given_up", HookDropped: "dropped",
}

// taskStates are those that are counted, under scheduler.CountStatus and the state.
var taskStates = []mesos.TaskState{
	mesos.Staging, mesos.Starting, mesos.Running, mesos.Killing, mesos.Finished, mesos.Failed,
	mesos.Killed, mesos.Error, mesos.Lost, mesos.Dropped, mesos.Unreachable, mesos.Gone,
	mesos.GoneByOperator, mesos.Unknown,
}

// namespace begins every name.
const namespace = "kafka_sched"

// total makes "kafka_sched_kills_total" of "kills".
func total(name string) string { return prometheus.BuildFQName(namespace, "", name+"_total") }

// describe declares a gauge that is read off the view.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// The gauges.
var (
	connected = describe("connected",
		"Whether the stream from the Mesos master is open.")
	connectedSince = describe("connected_since_timestamp_seconds",
		"Since when the stream from the Mesos master is open, or is not.")
	subscribeAttempts = describe("subscribe_attempts",
		"Subscriptions that failed since one was confirmed.")
	agentsListed = describe("agents_listed",
		"Agents that the master's operator API listed when it was asked last.")
	agentsTime = describe("agents_listed_timestamp_seconds",
		"When the master's operator API listed the agents last.")
	agentsRefused = describe("agents_refused",
		"Whether the master's operator API does not list the agents.")
	registered = describe("registered",
		"Whether the framework has an id.")
	suppressed = describe("is_suppressed",
		"Whether no offers are wanted.")
	viewTime = describe("view_timestamp_seconds",
		"When the scheduler's state was last changed.")
	planStatus = describe("plan_status",
		"Status of a plan: -1 error, 0 complete, 1 waiting or pending, 2 active.", "plan")
	planStalled = describe("plan_stalled",
		"Whether a plan has made no progress for longer than it may.", "plan")
	planStalledSeconds = describe("plan_stalled_seconds",
		"How long a plan that has work to do has made no progress; 0 for any other.", "plan")
	planSteps = describe("plan_steps",
		"Steps of a plan, by status.", "plan", "status")
	stepSince = describe("step_since_timestamp_seconds",
		"When a step that is not complete came into its status.",
		"plan", "phase", "step", "status")
	stepAttempts = describe("step_failed_attempts",
		"Failed launches in a row of a step that is not complete.", "plan", "phase", "step")
	pods = describe("pods",
		"Pod instances, by type.", "type")
	tasks = describe("tasks",
		"Tasks that were launched, by their latest state.", "state")
	taskReady = describe("task_ready",
		"Whether a running task passed its latest readiness check.", "task")
	podRefused = describe("pod_refused",
		"Whether a pod instance waits because no offer fits.", "pod")
	leftovers = describe("leftovers",
		"Reservations that belong to no instance and wait to be freed.")
	brokers = describe("brokers",
		"Brokers that are registered with Kafka.")
	brokerFenced = describe("broker_fenced",
		"Whether a registered broker is fenced.", "broker")
	brokerNotInSync = describe("broker_partitions_not_in_sync",
		"Partitions that a broker hosts without being in their ISR.", "broker")
	brokerHosted = describe("broker_partitions",
		"Partitions that a broker hosts.", "broker")
	brokerLeads = describe("broker_partitions_led",
		"Partitions that a broker leads.", "broker")
	brokerFailedDirs = describe("broker_log_dirs_failed",
		"Log directories that a broker cannot use any more.", "broker")
	leader = describe("quorum_leader",
		"Node id of the leader of Kafka's quorum, -1 when unknown.")
	voters = describe("quorum_voters",
		"Voters of Kafka's quorum.")
	offline = describe("partitions_offline",
		"Partitions without a leader.")
	topicsDeclared = describe("declared_topics",
		"Topics that the target declares, by how they are: as-declared, differs, refused, unknown.",
		"state")
	brokerDrift = describe("broker_properties_drifted",
		"Properties that a broker has otherwise than the target.", "broker")
	driftTime = describe("drift_timestamp_seconds",
		"When Kafka was asked for what it has otherwise than the target.")
	rollWaiting = describe("roll_waiting_seconds",
		"How long a Kafka node that is to be taken down waits until Kafka can bear it.",
		"pod", "code")
	founded = describe("founded",
		"Whether the Kafka cluster was founded.")
	asked = describe("facts_timestamp_seconds",
		"When the latest facts on Kafka were asked for.")
)

// gauges lists all of them.
var gauges = []*prometheus.Desc{
	connected, connectedSince, subscribeAttempts, agentsListed, agentsTime, agentsRefused,
	registered, suppressed, viewTime, planStatus, planSteps, planStalled,
	planStalledSeconds, stepSince, stepAttempts,
	pods, tasks, taskReady, podRefused, leftovers, brokers, brokerFenced, brokerNotInSync,
	brokerHosted, brokerLeads, brokerFailedDirs, leader, voters, offline, founded, asked,
	rollWaiting,
	topicsDeclared, brokerDrift, driftTime,
}
