package client

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
)

// Properties gives the keys of what the predecessor called the state's properties.
func (c *Client) Properties(ctx context.Context) ([]string, error) {
	return read[[]string](ctx, c, api.PathProperties)
}

// Property gives the value of such a key, as it is sent.
func (c *Client) Property(ctx context.Context, key string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, c, api.Fill(api.PathProperty, key))
}

// RefreshState asks for the state to be read again.
func (c *Client) RefreshState(ctx context.Context) (api.Message, error) {
	return command[api.Message](ctx, c, http.MethodPut, api.PathRefresh, nil)
}
