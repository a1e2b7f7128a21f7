package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// maxLine is the longest line of a stream of events that is read, in bytes.
const maxLine = 4 << 20

// Events calls with every event that a query wants until the context ends, the callback gives
// an error, or the stream does; the callback's error is returned as it is. A stream that the
// scheduler ends gives io.ErrUnexpectedEOF, or nil after an event of the type
// api.EventDropped; the caller may ask again with the last event's ID.
func (c *Client) Events(
	ctx context.Context, want api.EventQuery, each func(api.Event) error,
) error {
	header := http.Header{"Accept": {api.EventsType}}
	if want.LastID != "" {
		header.Set("Last-Event-ID", want.LastID)
	}
	response, err := c.stream(ctx, eventQuery(want).after(api.PathEvents), header)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue // its type and ID are in the data too; the rest keeps the line open
		}
		var event api.Event
		if err := json.Unmarshal([]byte(data), &event); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		if err := each(event); err != nil || event.Type == api.EventDropped {
			return err
		}
	}
	return c.broken(ctx, lines.Err())
}

// broken is the error of a stream that ended by itself.
func (c *Client) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading from %s: %w", c.base, err)
}

// Logs writes what a task printed, and with Follow what it prints until the context ends.
func (c *Client) Logs(
	ctx context.Context, pod, task string, want api.LogQuery, to io.Writer,
) error {
	q := query{}
	q.text("file", want.File)
	if want.Lines >= 0 {
		q.text("lines", strconv.Itoa(want.Lines))
	}
	if want.Follow {
		q.text("follow", "true")
	}
	response, err := c.stream(ctx, q.after(api.Fill(api.PathLogs, pod, task)),
		http.Header{"Accept": {api.TextType}})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(to, response.Body)
	if err != nil || want.Follow {
		return c.broken(ctx, err)
	}
	return nil
}

// stream gets an answer without an end: only the context limits how long it is read.
func (c *Client) stream(
	ctx context.Context, path string, header http.Header,
) (*http.Response, error) {
	patient := *c.http
	patient.Timeout = 0
	response, err := c.send(ctx, &patient, http.MethodGet, path, nil, header)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	a, err := c.whole(response)
	if err != nil {
		return nil, err
	}
	return nil, a.err()
}
