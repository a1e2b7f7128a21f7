package server

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// routeV1 adds the predecessor's half.
func (h *handlers) routeV1(r chi.Router) {
	r.Get(api.PathPlans, h.withView(planNames))
	r.Get(api.PathPlan, h.withView(plan))
	r.Get(api.PathDeployPlan, h.withView(plan))
	r.Post(api.PathPlanCommand, h.withView(h.planCommand))
	r.Post(api.PathDeployPlanCommand, h.withView(h.planCommand))

	r.Get(api.PathPods, h.whileWanted(podNames))
	r.Get(api.PathPodsStatus, h.whileWanted(podsStatus))
	r.Get(api.PathPodStatus, h.whileWanted(podStatus))
	r.Get(api.PathPodInfo, h.whileWanted(h.podInfo))
	r.Post(api.PathPodRestart, h.whileWanted(h.podRestart))
	r.Post(api.PathPodReplace, h.whileWanted(h.podReplace))
	r.Post(api.PathPodPause, h.whileWanted(h.podPause))
	r.Post(api.PathPodResume, h.whileWanted(h.podResume))

	r.Get(api.PathEndpoints, h.whileWanted(endpointNames))
	r.Get(api.PathEndpoint, h.whileWanted(h.endpoint))
	r.Get(api.PathConfigurations, h.whileWanted(configurations))
	r.Get(api.PathTargetID, h.whileWanted(targetID))
	r.Get(api.PathTarget, h.whileWanted(target))
	r.Get(api.PathConfiguration, h.whileWanted(configuration))
	r.Get(api.PathTemplate, h.withView(template))
	r.Get(api.PathHealth, h.withView(h.health))
	h.routeState(r)
	h.routeDebug(r)
	h.routeKafka(r)

	r.Get(api.PathMetricsJSON, h.withView(h.metricsJSON))
	r.Get(api.PathMetricsV1, h.oldMetrics)
	r.Get(api.PathExecutorArtifact, h.artifact(ExecutorArtifact))
	r.Get(api.PathKafkaArtifact, h.artifact(KafkaArtifact))
	r.Get(api.PathJavaArtifact, h.artifact(JavaArtifact))
	r.Get(api.PathWADL, wadl)
}

// whileWanted answers 404 to all that the predecessor does not know while a service is being
// uninstalled, when it has nothing but a plan. Our own half shows what is left.
func (h *handlers) whileWanted(next viewHandler) http.HandlerFunc {
	return h.withView(func(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
		if uninstalling(v) {
			page(w, r, http.StatusNotFound)
			return
		}
		next(w, r, v)
	})
}

func uninstalling(v *scheduler.View) bool {
	return v.Intent == scheduler.Uninstall || v.Intent == scheduler.Uninstalled
}

// routeState adds what lies in the state.
func (h *handlers) routeState(r chi.Router) {
	r.Get(api.PathFrameworkID, h.whileWanted(frameworkID))
	r.Get(api.PathProperties, h.whileWanted(propertyKeys))
	r.Get(api.PathProperty, h.whileWanted(property))
	r.Put(api.PathRefresh, h.whileWanted(refresh))
	r.Get(api.PathFiles, h.whileWanted(fileNames))
	r.Get(api.PathFile, h.whileWanted(file))
	r.Put(api.PathFile, h.whileWanted(h.putFile))
	r.Get(api.PathZones, h.whileWanted(zones))
	r.Get(api.PathTaskZone, h.whileWanted(taskZone))
	r.Get(api.PathAddressZone, h.whileWanted(addressZone))
}

// routeDebug adds what is for people who look for a mistake.
func (h *handlers) routeDebug(r chi.Router) {
	r.Get(api.PathDebugPlans, h.whileWanted(debugPlans))
	r.Get(api.PathDebugTaskStatuses, h.whileWanted(debugTaskStatuses))
	r.Get(api.PathDebugReservations, h.whileWanted(debugReservations))
	r.Get(api.PathDebugThreads, debugThreads)
	r.Get(api.PathDebugOffers, h.whileWanted(debugOffers))
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
	r.Get(api.PathACLList, h.withView(h.aclList))
	r.Put(api.PathACL, h.withView(h.addACL))
	r.Delete(api.PathACL, h.withView(h.removeACL))
}
