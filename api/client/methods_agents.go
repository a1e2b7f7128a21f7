package client

import (
	"context"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
)

// FindAgents gives the agents that something is held on; state is one of api.Agent…, "" for all.
func (c *Client) FindAgents(
	ctx context.Context, state string, want api.Page,
) (api.AgentList, error) {
	q := query{}
	q.text("state", state)
	q.page(want)
	return read[api.AgentList](ctx, c, q.after(api.PathAgents))
}

// ReadAgent gives one agent, by its id or its host name.
func (c *Client) ReadAgent(ctx context.Context, agent string) (api.Agent, Revision, error) {
	return revised[api.Agent](ctx, c, api.Fill(api.PathAgent, agent))
}

// AbandonAgent has nobody wait any more for an agent, named by its id or its host name.
func (c *Client) AbandonAgent(
	ctx context.Context, agent string, body api.AgentAbandon, options ...ChangeOption,
) (api.Outcome, error) {
	path := api.Fill(api.PathAgentAbandon, agent)
	return c.order(ctx, http.MethodPost, path, body, options)
}
