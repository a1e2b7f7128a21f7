package client

import (
	"context"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
)

// Migration says how far the latest migration from ZooKeeper to KRaft is.
func (c *Client) Migration(ctx context.Context) (api.Campaign, error) {
	return read[api.Campaign](ctx, c, api.PathMigrate)
}

// MigrateComparison says what is not as it was when the migration began.
func (c *Client) MigrateComparison(ctx context.Context) (api.MigrateComparison, error) {
	return read[api.MigrateComparison](ctx, c, api.PathMigrateComparison)
}

// Migrate begins a migration from ZooKeeper to KRaft.
func (c *Client) Migrate(
	ctx context.Context, body api.Migrate, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathMigrate, body, options)
}

// MigratePreview says how the cluster would get to KRaft, and whether it can now.
func (c *Client) MigratePreview(
	ctx context.Context, body api.Migrate,
) (api.MigratePreview, error) {
	return ordered[api.MigratePreview](ctx, c, http.MethodPost, api.PathMigratePreview, body, nil)
}

// MigrateCommand steers it.
func (c *Client) MigrateCommand(
	ctx context.Context, command string, body api.MigrateCommand, options ...ChangeOption,
) (api.Outcome, error) {
	path := api.Fill(api.PathMigrateCommand, command)
	return c.order(ctx, http.MethodPost, path, body, options)
}
