package server

import (
	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
)

// routeV1 adds the predecessor's half.
func (h *handlers) routeV1(r chi.Router) {
	r.Get(api.PathPlans, h.withView(planNames))
	r.Get(api.PathPlan, h.withView(plan))
	r.Get(api.PathDeployPlan, h.withView(plan))
	r.Post(api.PathPlanCommand, h.withView(h.planCommand))
	r.Post(api.PathDeployPlanCommand, h.withView(h.planCommand))

	r.Get(api.PathPods, h.withView(podNames))
	r.Get(api.PathPodsStatus, h.withView(podsStatus))
	r.Get(api.PathPodStatus, h.withView(podStatus))
	r.Get(api.PathPodInfo, h.withView(podInfo))
	r.Post(api.PathPodRestart, h.withView(h.podRestart))
	r.Post(api.PathPodReplace, h.withView(h.podReplace))
	r.Post(api.PathPodPause, h.withView(h.podPause))
	r.Post(api.PathPodResume, h.withView(h.podResume))

	r.Get(api.PathEndpoints, h.withView(endpointNames))
	r.Get(api.PathEndpoint, h.withView(h.endpoint))
	r.Get(api.PathConfigurations, h.withView(configurations))
	r.Get(api.PathTargetID, h.withView(targetID))
	r.Get(api.PathTarget, h.withView(target))
	r.Get(api.PathConfiguration, h.withView(configuration))
	r.Get(api.PathTemplate, h.withView(template))
	r.Get(api.PathHealth, h.withView(health))
	h.routeState(r)
	h.routeDebug(r)
	h.routeKafka(r)

	r.Get(api.PathMetricsJSON, h.withView(h.metricsJSON))
	r.Get(api.PathMetricsV1, h.oldMetrics)
	r.Get(api.PathExecutorArtifact, h.artifact(ExecutorArtifact))
	r.Get(api.PathKafkaArtifact, h.artifact(KafkaArtifact))
	r.Get(api.PathWADL, wadl)
}

// routeState adds what lies in the state.
func (h *handlers) routeState(r chi.Router) {
	r.Get(api.PathFrameworkID, h.withView(frameworkID))
	r.Get(api.PathProperties, h.withView(propertyKeys))
	r.Get(api.PathProperty, h.withView(property))
	r.Put(api.PathRefresh, h.withView(refresh))
	r.Get(api.PathFiles, h.withView(fileNames))
	r.Get(api.PathFile, h.withView(file))
	r.Put(api.PathFile, h.withView(h.putFile))
	r.Get(api.PathZones, h.withView(zones))
	r.Get(api.PathTaskZone, h.withView(taskZone))
	r.Get(api.PathAddressZone, h.withView(addressZone))
}

// routeDebug adds what is for people who look for a mistake.
func (h *handlers) routeDebug(r chi.Router) {
	r.Get(api.PathDebugPlans, h.withView(debugPlans))
	r.Get(api.PathDebugTaskStatuses, h.withView(debugTaskStatuses))
	r.Get(api.PathDebugReservations, h.withView(debugReservations))
	r.Get(api.PathDebugThreads, debugThreads)
	r.Get(api.PathDebugOffers, h.withView(debugOffers))
}

// routeKafka adds what the predecessor's Kafka service had beside.
func (h *handlers) routeKafka(r chi.Router) {
	r.Get(api.PathBrokers, h.withView(brokerIDs))
	r.Get(api.PathBroker, h.withView(brokerNode))
	r.Get(api.PathTopics, h.withView(h.topicNames))
	r.Get(api.PathUnavailable, h.withView(h.unavailable))
	r.Get(api.PathUnderReplicated, h.withView(h.underReplicated))
	r.Get(api.PathTopic, h.withView(h.topic))
	r.Put(api.PathTopic, h.withView(h.createTopic))
	r.Delete(api.PathTopic, h.withView(h.deleteTopic))
	r.Get(api.PathTopicOffsets, h.withView(h.topicOffsets))
	r.Put(api.PathTopicOperation, h.withView(h.topicOperation))
	r.Delete(api.PathTopicConfig, h.withView(h.deleteTopicConfig))
}
