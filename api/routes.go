package api

import (
	"net/http"
	"net/url"
	"strings"
)

// The routes of the predecessor's half.
const (
	PathPlans             = "/v1/plans"
	PathPlan              = "/v1/plans/{plan}"
	PathPlanCommand       = "/v1/plans/{plan}/{command}"
	PathDeployPlan        = "/v1/plan" // deprecated: the plan "deploy"
	PathDeployPlanCommand = "/v1/plan/{command}"
	PathPods              = "/v1/pod"
	PathPodsStatus        = "/v1/pod/status"
	PathPodStatus         = "/v1/pod/{pod}/status"
	PathPodInfo           = "/v1/pod/{pod}/info"
	PathPodRestart        = "/v1/pod/{pod}/restart"
	PathPodReplace        = "/v1/pod/{pod}/replace"
	PathEndpoints         = "/v1/endpoints"
	PathEndpoint          = "/v1/endpoints/{endpoint}"
	PathConfigurations    = "/v1/configurations"
	PathTargetID          = "/v1/configurations/targetId"
	PathTarget            = "/v1/configurations/target"
	PathConfiguration     = "/v1/configurations/{id}"
	PathFrameworkID       = "/v1/state/frameworkId"
	PathHealth            = "/v1/health"
	PathMetricsV1         = "/v1/metrics/prometheus"
	PathExecutorArtifact  = "/v1/artifacts/executor/{digest}/{file}"
	PathKafkaArtifact     = "/v1/artifacts/kafka/{digest}/{file}"
)

// Route is one path of the API with one method that it answers to; whatever answers to GET
// answers to HEAD as well.
type Route struct{ Method, Path string }

// Routes lists every route, each once.
func Routes() []Route {
	var routes []Route
	for _, path := range []string{
		PathPlans, PathPlan, PathDeployPlan, PathPods, PathPodsStatus, PathPodStatus,
		PathPodInfo, PathEndpoints, PathEndpoint, PathConfigurations, PathTargetID,
		PathTarget, PathConfiguration, PathFrameworkID, PathHealth, PathMetricsV1,
		PathExecutorArtifact, PathKafkaArtifact,
	} {
		routes = append(routes, Route{http.MethodGet, path})
	}
	for _, path := range []string{
		PathPlanCommand, PathDeployPlanCommand, PathPodRestart, PathPodReplace,
	} {
		routes = append(routes, Route{http.MethodPost, path})
	}
	return append(routes, routesV2()...)
}

// Fill gives a path with its {parameters} replaced, in order, by the escaped values.
func Fill(path string, values ...string) string {
	for _, value := range values {
		begin, end := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
		if begin < 0 || end < begin {
			return path
		}
		escaped := url.PathEscape(value)
		if escaped == "." || escaped == ".." { // proxies would resolve these
			escaped = strings.ReplaceAll(escaped, ".", "%2E")
		}
		path = path[:begin] + escaped + path[end+1:]
	}
	return path
}
