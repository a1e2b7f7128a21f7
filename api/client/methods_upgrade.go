package client

import (
	"context"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
)

// UpgradeStatus says how far the latest upgrade of Kafka is.
func (c *Client) UpgradeStatus(ctx context.Context) (api.Campaign, error) {
	return read[api.Campaign](ctx, c, api.PathUpgrade)
}

// UpgradePreview says how the cluster would get to another version of Kafka.
func (c *Client) UpgradePreview(ctx context.Context, to string) (api.UpgradePreview, error) {
	q := query{}
	q.text("to", to)
	return read[api.UpgradePreview](ctx, c, q.after(api.PathUpgradePreview))
}

// Upgrade begins to bring the cluster to another version of Kafka.
func (c *Client) Upgrade(
	ctx context.Context, body api.Upgrade, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathUpgrade, body, options)
}

// CommandUpgrade steers the upgrade by one of its commands.
func (c *Client) CommandUpgrade(
	ctx context.Context, command string, body api.CampaignCommand, options ...ChangeOption,
) (api.Outcome, error) {
	path := api.Fill(api.PathUpgradeCommand, command)
	return c.order(ctx, http.MethodPost, path, body, options)
}
