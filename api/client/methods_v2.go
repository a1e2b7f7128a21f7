package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// Revision is what a resource was when it was read (its ETag), for IfMatch.
type Revision string

// revised gets a path with the revision of what is there.
func revised[T any](ctx context.Context, c *Client, path string) (T, Revision, error) {
	var value T
	a, err := c.get(ctx, path)
	if err == nil {
		err = a.decode(&value)
	}
	return value, Revision(a.etag), err
}

// query collects the parameters of a request that have a value.
type query url.Values

func (q query) text(name, value string) {
	if value != "" {
		url.Values(q).Set(name, value)
	}
}

func (q query) page(p api.Page) {
	if p.Limit > 0 {
		q.text("limit", strconv.Itoa(p.Limit))
	}
	q.text("cursor", p.Cursor)
}

func (q query) after(path string) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + url.Values(q).Encode()
}

// FindPlans gives the plans that a query wants.
func (c *Client) FindPlans(ctx context.Context, want api.PlanQuery) (api.PlanList, error) {
	q := query{}
	q.text("name", want.Name)
	q.text("status", want.Status)
	if want.Summary {
		q.text("summary", "true")
	}
	q.page(want.Page)
	return read[api.PlanList](ctx, c, q.after(api.PathPlansV2))
}

// ReadPlan gives one plan by its name.
func (c *Client) ReadPlan(ctx context.Context, plan string) (api.Plan, Revision, error) {
	return revised[api.Plan](ctx, c, api.Fill(api.PathPlanV2, plan))
}

// ReadPhase gives one phase of a plan, by its name or id.
func (c *Client) ReadPhase(
	ctx context.Context, plan, phase string,
) (api.Phase, Revision, error) {
	return revised[api.Phase](ctx, c, api.Fill(api.PathPhaseV2, plan, phase))
}

// ReadStep gives one step of a phase, by its name or id.
func (c *Client) ReadStep(
	ctx context.Context, plan, phase, step string,
) (api.Step, Revision, error) {
	return revised[api.Step](ctx, c, api.Fill(api.PathStepV2, plan, phase, step))
}

// Journal gives what was commanded and what plans did, newest first.
func (c *Client) Journal(ctx context.Context, want api.JournalQuery) (api.Journal, error) {
	q := query{}
	q.text("kind", want.Kind)
	q.text("plan", want.Plan)
	if !want.Since.IsZero() {
		q.text("since", want.Since.Format(time.RFC3339Nano))
	}
	q.page(want.Page)
	return read[api.Journal](ctx, c, q.after(api.PathJournal))
}

// History gives the runs of plans, newest first.
func (c *Client) History(ctx context.Context, want api.HistoryQuery) (api.History, error) {
	q := query{}
	q.text("plan", want.Plan)
	q.page(want.Page)
	return read[api.History](ctx, c, q.after(api.PathHistory))
}

// FindPods gives the pod instances that a query wants.
func (c *Client) FindPods(ctx context.Context, want api.PodQuery) (api.PodList, error) {
	q := query{}
	q.text("type", want.Type)
	q.text("status", want.Status)
	q.text("host", want.Host)
	q.page(want.Page)
	return read[api.PodList](ctx, c, q.after(api.PathPodsV2))
}

// ReadPod gives one pod instance, by name as "kafka-0"; it need not have been launched.
func (c *Client) ReadPod(ctx context.Context, pod string) (api.Pod, Revision, error) {
	return revised[api.Pod](ctx, c, api.Fill(api.PathPodV2, pod))
}

// Tasks gives the tasks of one instance.
func (c *Client) Tasks(ctx context.Context, pod string) ([]api.Task, error) {
	list, err := read[api.TaskList](ctx, c, api.Fill(api.PathTasksV2, pod))
	return list.Tasks, err
}

// ReadTask gives one task, by its name as in the spec or in full.
func (c *Client) ReadTask(
	ctx context.Context, pod, task string,
) (api.Task, Revision, error) {
	return revised[api.Task](ctx, c, api.Fill(api.PathTaskV2, pod, task))
}

// Why says why an instance is not running where, and what would help.
func (c *Client) Why(ctx context.Context, pod string) (api.Why, error) {
	return read[api.Why](ctx, c, api.Fill(api.PathWhy, pod))
}

// FindConfigurations gives the configurations that are kept, newest first, without their
// services.
func (c *Client) FindConfigurations(
	ctx context.Context, want api.Page,
) (api.ConfigurationList, error) {
	q := query{}
	q.page(want)
	return read[api.ConfigurationList](ctx, c, q.after(api.PathConfigurationsV2))
}

// ReadConfiguration gives one configuration by its id.
func (c *Client) ReadConfiguration(
	ctx context.Context, id string,
) (api.Configuration, Revision, error) {
	return revised[api.Configuration](ctx, c, api.Fill(api.PathConfigurationV2, id))
}

// ReadTarget gives the configuration that the service shall have.
func (c *Client) ReadTarget(ctx context.Context) (api.Configuration, Revision, error) {
	return revised[api.Configuration](ctx, c, api.PathTargetV2)
}

// Diff compares two configurations by their ids; "" for to is the target.
func (c *Client) Diff(ctx context.Context, from, to string) (api.Diff, error) {
	q := query{}
	q.text("to", to)
	return read[api.Diff](ctx, c, q.after(api.Fill(api.PathDiff, from)))
}

// Offers gives what became of the latest offers, newest first.
func (c *Client) Offers(ctx context.Context, want api.OfferQuery) (api.OfferList, error) {
	q := query{}
	q.text("pod", want.Pod)
	q.text("host", want.Host)
	if want.Fits != nil {
		q.text("fits", strconv.FormatBool(*want.Fits))
	}
	q.page(want.Page)
	return read[api.OfferList](ctx, c, q.after(api.PathOffers))
}

// Reservations gives what pod instances hold.
func (c *Client) Reservations(
	ctx context.Context, want api.Page,
) (api.ReservationList, error) {
	q := query{}
	q.page(want)
	return read[api.ReservationList](ctx, c, q.after(api.PathReservations))
}

// Leftovers gives the reservations that wait to be freed.
func (c *Client) Leftovers(ctx context.Context, want api.Page) (api.LeftoverList, error) {
	q := query{}
	q.page(want)
	return read[api.LeftoverList](ctx, c, q.after(api.PathLeftovers))
}

// ChangeOption is something about a change beside what it does.
type ChangeOption func(http.Header, query)

// IfMatch lets a change happen only while its resource is what it was at that revision; else
// the error's code is api.CodeRevision. "" asks for nothing.
func IfMatch(revision Revision) ChangeOption {
	return func(h http.Header, _ query) {
		if revision != "" {
			h.Set("If-Match", string(revision))
		}
	}
}

// Once makes a change happen once however often it is sent under the same key.
func Once(key string) ChangeOption {
	return func(h http.Header, _ query) { h.Set(api.HeaderKey, key) }
}

// DryRun changes nothing and only says what would be done; for PutTarget, Rollback and what is
// asked of Kafka.
func DryRun() ChangeOption {
	return func(_ http.Header, q query) { q.text("dry-run", "true") }
}

// order sends a command of /v2.
func (c *Client) order(
	ctx context.Context, method, path string, body any, options []ChangeOption,
) (api.Outcome, error) {
	return ordered[api.Outcome](ctx, c, method, path, body, options)
}

// ordered is order for commands that are answered in other shapes.
func ordered[T any](
	ctx context.Context, c *Client, method, path string, body any, options []ChangeOption,
) (T, error) {
	header, q := http.Header{}, query{}
	for _, option := range options {
		option(header, q)
	}
	var outcome T
	a, err := c.changeWith(ctx, method, q.after(path), body, header)
	if err == nil {
		err = a.decode(&outcome)
	}
	return outcome, err
}

// CommandService does "stop", "start", "uninstall" or "roll-executors" to the service as a whole.
func (c *Client) CommandService(
	ctx context.Context, command string, body api.ServiceCommand, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathService+"/"+url.PathEscape(command), body, options)
}

// CommandPlan does one of api.Verb… to a plan, or to a phase or step of it.
func (c *Client) CommandPlan(
	ctx context.Context, plan, command string, body api.PlanCommand, options ...ChangeOption,
) (api.Outcome, error) {
	if command == api.VerbForceComplete {
		command = api.CommandForceComplete
	}
	path := api.Fill(api.PathPlanCommandV2, plan, command)
	return c.order(ctx, http.MethodPost, path, body, options)
}

// CommandPod does one of api.Command… to a pod instance, or to tasks of it.
func (c *Client) CommandPod(
	ctx context.Context, pod, command string, body api.PodCommand, options ...ChangeOption,
) (api.Outcome, error) {
	path := api.Fill(api.PathPodCommandV2, pod, command)
	return c.order(ctx, http.MethodPost, path, body, options)
}

// PutTarget makes another configuration the target.
func (c *Client) PutTarget(
	ctx context.Context, target api.SetTarget, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPut, api.PathTargetV2, target, options)
}

// Rollback makes an earlier configuration the target again.
func (c *Client) Rollback(
	ctx context.Context, to api.Rollback, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathRollback, to, options)
}

// eventQuery gives the parameters of a query for events.
func eventQuery(want api.EventQuery) query {
	q := query{}
	q.text("types", strings.Join(want.Types, ","))
	q.text("plan", want.Plan)
	q.text("pod", want.Pod)
	return q
}
