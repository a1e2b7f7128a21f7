package api

import "net/http"

// The routes of this project's half.
const (
	PathService          = "/v2/service"
	PathServiceStop      = "/v2/service/stop"
	PathServiceStart     = "/v2/service/start"
	PathServiceUninstall = "/v2/service/uninstall"
	PathServiceRoll      = "/v2/service/roll-executors"
	PathServiceTarget    = "/v2/service/target" // as PathTargetV2

	PathPlansV2       = "/v2/plans"
	PathPlanV2        = "/v2/plans/{plan}"
	PathPhaseV2       = "/v2/plans/{plan}/phases/{phase}"
	PathStepV2        = "/v2/plans/{plan}/phases/{phase}/steps/{step}"
	PathPlanCommandV2 = "/v2/plans/{plan}/{command}"
	PathHistory       = "/v2/history"
	PathJournal       = "/v2/journal"

	PathPodsV2       = "/v2/pods"
	PathPodV2        = "/v2/pods/{pod}"
	PathWhy          = "/v2/pods/{pod}/why"
	PathPodCommandV2 = "/v2/pods/{pod}/{command}"
	PathTasksV2      = "/v2/pods/{pod}/tasks"
	PathTaskV2       = "/v2/pods/{pod}/tasks/{task}"
	PathLogs         = "/v2/pods/{pod}/tasks/{task}/logs"

	PathConfigurationsV2 = "/v2/configurations"
	PathTargetV2         = "/v2/configurations/target"
	PathRollback         = "/v2/configurations/rollback"
	PathConfigurationV2  = "/v2/configurations/{id}"
	PathDiff             = "/v2/configurations/{id}/diff"
	PathDrift            = "/v2/configurations/target/drift"
	PathDriftCorrect     = "/v2/configurations/target/drift/correct"

	PathOffers       = "/v2/offers"
	PathReservations = "/v2/reservations"
	PathLeftovers    = "/v2/leftovers"
	PathEvents       = "/v2/events"

	PathAgents       = "/v2/agents"
	PathAgent        = "/v2/agents/{agent}"
	PathAgentAbandon = "/v2/agents/{agent}/abandon"

	PathRebalance        = "/v2/rebalance"
	PathRebalancePreview = "/v2/rebalance/preview"
	PathRebalanceCancel  = "/v2/rebalance/cancel"

	PathUpgrade        = "/v2/upgrade"
	PathUpgradePreview = "/v2/upgrade/preview"
	PathUpgradeCommand = "/v2/upgrade/{command}"

	PathMigrate           = "/v2/migrate"
	PathMigratePreview    = "/v2/migrate/preview"
	PathMigrateComparison = "/v2/migrate/comparison"
	PathMigrateCommand    = "/v2/migrate/{command}"

	PathBrokersV2      = "/v2/brokers"
	PathBrokerV2       = "/v2/brokers/{broker}"
	PathDeclaredTopics = "/v2/declared-topics"

	PathTopicsV2         = "/v2/topics"
	PathTopicV2          = "/v2/topics/{topic}"
	PathTopicConfigV2    = "/v2/topics/{topic}/config"
	PathTopicPartitions  = "/v2/topics/{topic}/partitions"
	PathTopicReplication = "/v2/topics/{topic}/replication"
	PathTopicOffsetsV2   = "/v2/topics/{topic}/offsets"
	PathTopicTest        = "/v2/topics/{topic}/test"

	PathGroups     = "/v2/groups"
	PathGroup      = "/v2/groups/{group}"
	PathGroupReset = "/v2/groups/{group}/reset"

	PathQuotas     = "/v2/quotas"
	PathUsers      = "/v2/users"
	PathUser       = "/v2/users/{user}"
	PathACLs       = "/v2/acls"
	PathACLsRemove = "/v2/acls/remove"

	PathLogDirs             = "/v2/log-dirs"
	PathTransactions        = "/v2/transactions"
	PathTransaction         = "/v2/transactions/{transaction}"
	PathTransactionAbort    = "/v2/transactions/{transaction}/abort"
	PathElections           = "/v2/elections"
	PathReassignments       = "/v2/reassignments"
	PathReassignmentsCancel = "/v2/reassignments/cancel"
	PathFeatures            = "/v2/features"

	PathVersion = "/v2/version"
	PathMetrics = "/metrics"
	PathOpenAPI = "/openapi.yaml"
)

// The commands of PathPlanCommandV2 are the verbs of /v1 (VerbStart and so on), but for this
// one, which is spelled like the rest of /v2.
const CommandForceComplete = "force-complete"

// The commands of PathPodCommandV2.
const (
	CommandRestart      = "restart"       // same place, same data
	CommandReplace      = "replace"       // new place, data left behind
	CommandMove         = "move"          // new place on another agent, when Kafka can bear it
	CommandPause        = "pause"         // tasks run a command that does nothing
	CommandResume       = "resume"        // ends a pause
	CommandResetBackoff = "reset-backoff" // the next launch need not wait
)

// The headers of requests that mean something to /v2, beside those of HTTP.
const (
	// HeaderCaller names who asks; up to MaxCaller bytes of it are kept beside the address.
	HeaderCaller = "Kafka-Sched-Caller"
	// HeaderKey makes a change happen once: the same key with the same request gets the same
	// answer again. It has up to MaxKey printable ASCII characters.
	HeaderKey = "Idempotency-Key"
	// HeaderReplayed is "true" in an answer that was given before.
	HeaderReplayed = "Idempotency-Replayed"
)

// Limits of what a request may hold.
const (
	MaxCaller = 64   // bytes of HeaderCaller that are kept
	MaxKey    = 128  // characters of HeaderKey
	MaxReason = 1024 // bytes of a command's reason
	MaxLimit  = 1000 // of the items of a page
)

// routesV2 lists the routes of this half.
func routesV2() []Route {
	var routes []Route
	for _, path := range []string{
		PathService, PathPlansV2, PathPlanV2, PathPhaseV2, PathStepV2, PathHistory, PathJournal,
		PathPodsV2, PathPodV2, PathWhy, PathTasksV2, PathTaskV2, PathLogs,
		PathConfigurationsV2, PathTargetV2, PathConfigurationV2, PathDiff,
		PathOffers, PathReservations, PathLeftovers, PathEvents,
		PathAgents, PathAgent, PathRebalance, PathRebalancePreview,
		PathUpgrade, PathUpgradePreview, PathMigrate, PathMigrateComparison,
		PathBrokersV2, PathBrokerV2, PathDeclaredTopics,
		PathTopicsV2, PathTopicV2, PathTopicConfigV2, PathTopicOffsetsV2, PathGroups, PathGroup,
		PathQuotas, PathUsers, PathACLs, PathLogDirs, PathTransactions, PathTransaction,
		PathReassignments, PathFeatures, PathDrift,
		PathVersion, PathMetrics, PathOpenAPI,
	} {
		routes = append(routes, Route{http.MethodGet, path})
	}
	for _, path := range []string{
		PathServiceStop, PathServiceStart, PathServiceUninstall, PathServiceRoll,
		PathPlanCommandV2, PathPodCommandV2, PathRollback, PathAgentAbandon,
		PathRebalance, PathRebalanceCancel, PathUpgrade, PathUpgradeCommand,
		PathMigrate, PathMigratePreview, PathMigrateCommand,
		PathTopicsV2, PathTopicConfigV2, PathTopicPartitions, PathTopicReplication, PathTopicTest,
		PathGroupReset, PathQuotas, PathUsers, PathACLs, PathACLsRemove, PathTransactionAbort,
		PathElections, PathReassignments, PathReassignmentsCancel, PathDriftCorrect,
	} {
		routes = append(routes, Route{http.MethodPost, path})
	}
	for _, path := range []string{PathTopicV2, PathGroup, PathUser} {
		routes = append(routes, Route{http.MethodDelete, path})
	}
	return append(routes, Route{http.MethodPut, PathServiceTarget},
		Route{http.MethodPut, PathTargetV2})
}
