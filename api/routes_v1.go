package api

import "net/http"

// The routes of the predecessor's half. Those of a service by its name, as
// "/v1/service/<name>/plans", are these without the name; see PrefixesOfServices.
const (
	PathPlans             = "/v1/plans"
	PathPlan              = "/v1/plans/{plan}"
	PathPlanCommand       = "/v1/plans/{plan}/{command}"
	PathDeployPlan        = "/v1/plan" // deprecated: the plan "deploy"
	PathDeployPlanCommand = "/v1/plan/{command}"

	PathPods       = "/v1/pod"
	PathPodsStatus = "/v1/pod/status"
	PathPodStatus  = "/v1/pod/{pod}/status"
	PathPodInfo    = "/v1/pod/{pod}/info"
	PathPodRestart = "/v1/pod/{pod}/restart"
	PathPodReplace = "/v1/pod/{pod}/replace"
	PathPodPause   = "/v1/pod/{pod}/pause"
	PathPodResume  = "/v1/pod/{pod}/resume"

	PathEndpoints = "/v1/endpoints"
	PathEndpoint  = "/v1/endpoints/{endpoint}"

	PathConfigurations = "/v1/configurations"
	PathTargetID       = "/v1/configurations/targetId"
	PathTarget         = "/v1/configurations/target"
	PathConfiguration  = "/v1/configurations/{id}"

	PathFrameworkID = "/v1/state/frameworkId"
	PathProperties  = "/v1/state/properties"
	PathProperty    = "/v1/state/properties/{key}"
	PathRefresh     = "/v1/state/refresh"
	PathFiles       = "/v1/state/files"
	PathFile        = "/v1/state/files/{name}"
	PathZones       = "/v1/state/zone/tasks"
	PathTaskZone    = "/v1/state/zone/tasks/{task}"
	PathAddressZone = "/v1/state/zone/{podType}/{ip}"

	PathHealth      = "/v1/health"
	PathMetricsJSON = "/v1/metrics"
	PathMetricsV1   = "/v1/metrics/prometheus"

	PathDebugPlans        = "/v1/debug/plans"
	PathDebugTaskStatuses = "/v1/debug/taskStatuses"
	PathDebugReservations = "/v1/debug/reservations"
	PathDebugThreads      = "/v1/debug/threads"
	PathDebugOffers       = "/v2/debug/offers" // the predecessor's, whatever its number says

	PathTemplate         = "/v1/artifacts/template/{configId}/{podType}/{task}/{configName}"
	PathExecutorArtifact = "/v1/artifacts/executor/{digest}/{file}"
	PathKafkaArtifact    = "/v1/artifacts/kafka/{digest}/{file}"
	PathJavaArtifact     = "/v1/artifacts/jre/{digest}/{file}"

	PathBrokers         = "/v1/brokers"
	PathBroker          = "/v1/brokers/{broker}"
	PathTopics          = "/v1/topics"
	PathTopic           = "/v1/topics/{topic}"
	PathTopicOffsets    = "/v1/topics/{topic}/offsets"
	PathTopicOperation  = "/v1/topics/{topic}/operation/{operation}"
	PathTopicConfig     = "/v1/topics/{topic}/operation/config/{key}"
	PathUnavailable     = "/v1/topics/unavailable_partitions"
	PathUnderReplicated = "/v1/topics/under_replicated_partitions"

	PathACL     = "/v1/acl"
	PathACLList = "/v1/acl/list"

	PathWADL = "/application.wadl"
)

// PrefixesOfServices begin the routes of a service by its name, with "." for "/" in it. The
// first is what the predecessor answers to, the others are what its documents say.
func PrefixesOfServices() []string {
	return []string{"/v1/service/", "/v1/services/", "/v1/multi/"}
}

// routesV1 lists the predecessor's half.
func routesV1() []Route {
	var routes []Route
	for _, path := range []string{
		PathPlans, PathPlan, PathDeployPlan, PathPods, PathPodsStatus, PathPodStatus,
		PathPodInfo, PathEndpoints, PathEndpoint, PathConfigurations, PathTargetID,
		PathTarget, PathConfiguration, PathFrameworkID, PathProperties, PathProperty,
		PathFiles, PathFile, PathZones, PathTaskZone, PathAddressZone, PathHealth,
		PathMetricsJSON, PathMetricsV1, PathDebugPlans, PathDebugTaskStatuses,
		PathDebugReservations, PathDebugThreads, PathDebugOffers, PathTemplate,
		PathExecutorArtifact, PathKafkaArtifact, PathJavaArtifact,
		PathBrokers, PathBroker, PathTopics,
		PathTopic, PathTopicOffsets, PathUnavailable, PathUnderReplicated, PathACLList, PathWADL,
	} {
		routes = append(routes, Route{http.MethodGet, path})
	}
	for _, path := range []string{
		PathPlanCommand, PathDeployPlanCommand, PathPodRestart, PathPodReplace, PathPodPause,
		PathPodResume,
	} {
		routes = append(routes, Route{http.MethodPost, path})
	}
	for _, path := range []string{PathRefresh, PathFile, PathTopic, PathTopicOperation, PathACL} {
		routes = append(routes, Route{http.MethodPut, path})
	}
	for _, path := range []string{PathTopic, PathTopicConfig, PathACL} {
		routes = append(routes, Route{http.MethodDelete, path})
	}
	return routes
}
