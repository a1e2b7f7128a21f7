package client

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// RebalanceStatus says how far the latest work of moving replicas is.
func (c *Client) RebalanceStatus(ctx context.Context) (api.RebalanceStatus, error) {
	return read[api.RebalanceStatus](ctx, c, api.PathRebalance)
}

// RebalancePreview says what a rebalance would do now.
func (c *Client) RebalancePreview(
	ctx context.Context, goal string, brokers []int,
) (api.RebalancePreview, error) {
	q := query{}
	q.text("goal", goal)
	var ids []string
	for _, id := range brokers {
		ids = append(ids, strconv.Itoa(id))
	}
	q.text("brokers", strings.Join(ids, ","))
	return read[api.RebalancePreview](ctx, c, q.after(api.PathRebalancePreview))
}

// Rebalance begins to move replicas.
func (c *Client) Rebalance(
	ctx context.Context, body api.Rebalance, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathRebalance, body, options)
}

// CancelRebalance ends that.
func (c *Client) CancelRebalance(
	ctx context.Context, body api.RebalanceCancel, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathRebalanceCancel, body, options)
}
