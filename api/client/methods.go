package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/kafka-sched/kafka-sched/api"
)

// read gets a path and decodes its JSON.
func read[T any](ctx context.Context, c *Client, path string, accepted ...int) (T, error) {
	var value T
	a, err := c.get(ctx, path, accepted...)
	if err == nil {
		err = a.decode(&value)
	}
	return value, err
}

// command sends a change and decodes its answer.
func command[T any](
	ctx context.Context, c *Client, method, path string, body any,
) (T, error) {
	var value T
	a, err := c.change(ctx, method, path, body)
	if err == nil {
		err = a.decode(&value)
	}
	return value, err
}

// Service gives the status document.
func (c *Client) Service(ctx context.Context) (api.Service, error) {
	return read[api.Service](ctx, c, api.PathService)
}

// Plans gives all plans with their steps, in the order in which they are worked on.
func (c *Client) Plans(ctx context.Context) ([]api.Plan, error) {
	list, err := read[api.PlanList](ctx, c, api.PathPlansV2)
	return list.Plans, err
}

// PlanNames gives the names of the plans as /v1 has them.
func (c *Client) PlanNames(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathPlans)
}

// Plan gives one plan by its name or by the one that /v1 knows it under, in which case it has
// only what /v1 shows. A plan with errors is an answer.
func (c *Client) Plan(ctx context.Context, name string) (api.Plan, error) {
	all, err := c.Plans(ctx)
	if err != nil {
		return api.Plan{}, err
	}
	for _, plan := range all {
		if plan.Name == name {
			return plan, nil
		}
	}
	plan, err := read[api.Plan](ctx, c, api.Fill(api.PathPlan, name),
		http.StatusAccepted, http.StatusExpectationFailed)
	plan.Name = name
	return plan, err
}

// PlanCommand does one of api.Verb… to a plan, a phase of it, or a step of that. Phase and
// step are names or ids, "" for none. Changed is false when nothing had to be done.
func (c *Client) PlanCommand(
	ctx context.Context, plan, verb, phase, step string,
) (api.Outcome, error) {
	path := api.Fill(api.PathPlanCommand, plan, verb)
	query := url.Values{}
	if phase != "" {
		query.Set("phase", phase)
	}
	if step != "" {
		query.Set("step", step)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	var body any
	if verb == api.VerbStart {
		body = map[string]string{}
	}
	a, err := c.change(ctx, http.MethodPost, path, body, http.StatusAlreadyReported)
	switch {
	case err != nil:
		return api.Outcome{}, err
	case a.status == http.StatusAlreadyReported:
		return api.Outcome{Message: string(a.body)}, nil
	}
	var message api.Message
	err = a.decode(&message)
	return api.Outcome{Changed: true, Message: message.Message}, err
}

// Pods gives all that is known of every pod instance.
func (c *Client) Pods(ctx context.Context) ([]api.Pod, error) {
	list, err := read[api.PodList](ctx, c, api.PathPodsV2)
	return list.Pods, err
}

// PodNames gives the names of the instances that were launched at least once.
func (c *Client) PodNames(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathPods)
}

// PodsStatus gives the tasks of all instances that were launched at least once.
func (c *Client) PodsStatus(ctx context.Context) (api.PodsStatus, error) {
	return read[api.PodsStatus](ctx, c, api.PathPodsStatus)
}

// PodStatus gives the tasks of one instance, by name as "kafka-0".
func (c *Client) PodStatus(ctx context.Context, pod string) (api.PodInstanceStatus, error) {
	return read[api.PodInstanceStatus](ctx, c, api.Fill(api.PathPodStatus, pod))
}

// PodInfo gives the Mesos descriptions and statuses of an instance's tasks, as they are sent.
func (c *Client) PodInfo(ctx context.Context, pod string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathPodInfo, pod))
}

// PodRestart stops an instance and starts it again in the same place.
func (c *Client) PodRestart(ctx context.Context, pod string) (api.PodCommanded, error) {
	return command[api.PodCommanded](ctx, c, http.MethodPost,
		api.Fill(api.PathPodRestart, pod), nil)
}

// PodReplace gives an instance a new place and destroys its data.
func (c *Client) PodReplace(ctx context.Context, pod string) (api.PodCommanded, error) {
	return command[api.PodCommanded](ctx, c, http.MethodPost,
		api.Fill(api.PathPodReplace, pod), nil)
}

// Endpoints gives the names of the endpoints.
func (c *Client) Endpoints(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathEndpoints)
}

// Endpoint gives one endpoint, as the JSON that was sent; api.Endpoint is its shape.
func (c *Client) Endpoint(ctx context.Context, name string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathEndpoint, name))
}

// Configurations gives the ids of the configurations that are known.
func (c *Client) Configurations(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathConfigurations)
}

// TargetID gives the id of the target configuration.
func (c *Client) TargetID(ctx context.Context) (string, error) {
	return first(read[[]string](ctx, c, api.PathTargetID))
}

// Target gives the target configuration, as it is sent.
func (c *Client) Target(ctx context.Context) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.PathTarget)
}

// Configuration gives a configuration by its id, as it is sent.
func (c *Client) Configuration(ctx context.Context, id string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathConfiguration, id))
}

// FrameworkID gives the id that the Mesos master assigned.
func (c *Client) FrameworkID(ctx context.Context) (string, error) {
	return first(read[[]string](ctx, c, api.PathFrameworkID))
}

// first takes the only element of the predecessor's one-element lists.
func first(list []string, err error) (string, error) {
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}

// healthStatuses are the statuses that are a health and not an error of the request.
var healthStatuses = []int{
	api.HealthDeploying, api.HealthRecoveryPending, api.HealthDeployPending,
	api.HealthRecoveryStarting, api.HealthNeedsInput, api.HealthDelayed,
	api.HealthInitializing, api.HealthBackingUp, api.HealthRestoring,
	api.HealthPlanErrors, api.HealthUnavailable,
}

// Health gives the service's health; verbose asks for the reasons. An unhealthy service is an
// answer, not an error.
func (c *Client) Health(ctx context.Context, verbose bool) (api.Health, error) {
	path := api.PathHealth
	if verbose {
		path += "?verbose=true"
	}
	a, err := c.get(ctx, path, healthStatuses...)
	if err != nil {
		return api.Health{}, err
	}
	health := api.Health{Value: a.status}
	switch {
	case len(a.body) == 0: // 204 cannot have a body
		return health, nil
	case a.media != api.JSONType: // no health, but a failure of the server
		return api.Health{}, a.err()
	}
	err = a.decode(&health)
	return health, err
}

// Stop ends all tasks and keeps reservations and data.
func (c *Client) Stop(ctx context.Context) (api.Outcome, error) {
	return command[api.Outcome](ctx, c, http.MethodPost, api.PathServiceStop, nil)
}

// Start undoes Stop.
func (c *Client) Start(ctx context.Context) (api.Outcome, error) {
	return command[api.Outcome](ctx, c, http.MethodPost, api.PathServiceStart, nil)
}

// Uninstall ends the service for ever and frees all that it holds, its data too.
func (c *Client) Uninstall(ctx context.Context) (api.Outcome, error) {
	return command[api.Outcome](ctx, c, http.MethodPost, api.PathServiceUninstall, nil)
}

// SetTarget makes another configuration the target: the rendered text of a spec with the config
// templates that it names, under a UUID that the scheduler makes when id is "".
func (c *Client) SetTarget(
	ctx context.Context, id, spec string, files map[string]string,
) (api.Outcome, error) {
	return command[api.Outcome](ctx, c, http.MethodPut, api.PathServiceTarget,
		api.SetTarget{ID: id, Spec: spec, Files: files})
}

// Version gives the version of the scheduler. It is the cheapest question: it is answered as
// soon as the API listens.
func (c *Client) Version(ctx context.Context) (string, error) {
	version, err := read[api.Version](ctx, c, api.PathVersion)
	return version.Version, err
}

// Metrics gives the counters and gauges in the text format of Prometheus.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	a, err := c.get(ctx, api.PathMetrics)
	return string(a.body), err
}
