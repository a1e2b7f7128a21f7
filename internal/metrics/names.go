package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// The names that scheduler.Note.Count may have. Those of operations and task statuses are
// made by Operation and TaskStatus.
const (
	OffersReceived   = "offers.received"
	OffersAccepted   = "offers.accepted"
	OffersDeclined   = "offers.declined"
	OffersRescinded  = "offers.rescinded"
	Revives          = "revives"
	Suppresses       = "suppresses"
	Subscriptions    = "subscriptions"
	Disconnections   = "disconnections"
	Reconciliations  = "reconciliations"
	Kills            = "kills"
	Launches         = "launches"
	LaunchFailures   = "launches.failed"
	KafkaAnswers     = "kafka.answers"
	KafkaFailures    = "kafka.failures"
	CommandsTaken    = "commands.taken"
	CommandsRefused  = "commands.refused"
	operationPrefix  = "operation."
	taskStatusPrefix = "task_status.task_"
)

// Operation is the name for an offer operation, by Mesos' type: "LAUNCH_GROUP".
func Operation(kind string) string { return operationPrefix + strings.ToLower(kind) }

// TaskStatus is the name for a status update, by the state without its prefix: "RUNNING".
func TaskStatus(state string) string { return taskStatusPrefix + strings.ToLower(state) }

// counterHelp is what each plain counter counts; its metric is named after it.
var counterHelp = map[string]string{
	OffersReceived:  "Offers that the master sent.",
	OffersAccepted:  "Offers that were accepted, with or without operations.",
	OffersDeclined:  "Offers that were declined.",
	OffersRescinded: "Offers that the master took back.",
	Revives:         "Calls that asked for offers again.",
	Suppresses:      "Calls that asked for no more offers.",
	Subscriptions:   "Subscriptions to a master that were confirmed.",
	Disconnections:  "Ends of the stream from the master.",
	Reconciliations: "Reconciliation calls.",
	Kills:           "Kill calls.",
	Launches:        "Launches of pod instances.",
	LaunchFailures:  "Launches that ended before the instance was complete.",
	KafkaAnswers:    "Answers of the Kafka cluster with facts.",
	KafkaFailures:   "Questions that the Kafka cluster did not answer.",
	CommandsTaken:   "Commands of operators that were taken.",
	CommandsRefused: "Commands of operators that were refused.",
}

// operations and taskStates are the values of the labels that exist from the start.
var (
	operations = []string{"reserve", "unreserve", "create", "destroy", "launch", "launch_group"}
	taskStates = []string{"staging", "starting", "running", "killing", "finished", "failed",
		"killed", "error", "lost", "dropped", "unreachable", "gone", "gone_by_operator",
		"unknown"}
)

// namespace begins every name.
const namespace = "kafka_sched"

// metricName makes "kafka_sched_offers_received_total" of "offers.received".
func metricName(count string) string {
	name := strings.ReplaceAll(count, ".", "_") + "_total"
	return prometheus.BuildFQName(namespace, "", name)
}

// describe declares a gauge that is read off the view.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// The gauges.
var (
	connected = describe("connected",
		"Whether the stream from the Mesos master is open.")
	registered = describe("registered",
		"Whether the framework has an id.")
	suppressed = describe("is_suppressed",
		"Whether no offers are wanted.")
	viewTime = describe("view_timestamp_seconds",
		"When the scheduler's state was last changed.")
	planStatus = describe("plan_status",
		"Status of a plan: -1 error, 0 complete, 1 waiting or pending, 2 active.", "plan")
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
	leader = describe("quorum_leader",
		"Node id of the leader of Kafka's quorum, -1 when unknown.")
	voters = describe("quorum_voters",
		"Voters of Kafka's quorum.")
	offline = describe("partitions_offline",
		"Partitions without a leader.")
	founded = describe("founded",
		"Whether the Kafka cluster was founded.")
	asked = describe("facts_timestamp_seconds",
		"When the latest facts on Kafka were asked for.")
)

// gauges lists all of them.
var gauges = []*prometheus.Desc{
	connected, registered, suppressed, viewTime, planStatus, planSteps, stepSince, stepAttempts,
	pods, tasks, taskReady, podRefused, leftovers, brokers, brokerFenced, brokerNotInSync,
	brokerHosted, brokerLeads, leader, voters, offline, founded, asked,
}
