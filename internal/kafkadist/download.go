package kafkadist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// stallLimit is how long a server may stay silent before a download is given up.
const stallLimit = time.Minute

var errStalled = errors.New("the server has sent nothing for a minute")

// download reads a source's URL into a file.
func (c *Cache) download(ctx context.Context, src Source, target string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(stallLimit, func() { cancel(errStalled) })
	defer watch.Stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, src.Location, nil)
	if err != nil {
		return errors.New("the URL cannot be used")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %s", response.Status)
	}
	if response.ContentLength > maxBytes {
		return errTooLarge
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	body := &meter{ctx: ctx, from: response.Body, report: c.report, news: Progress{
		Stage: Download, Text: "downloading " + src.String(), Total: max(response.ContentLength, 0),
	}}
	c.report(body.news)
	alive := io.TeeReader(body, signOfLife{watch})
	n, err := io.Copy(out, io.LimitReader(alive, maxBytes+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the download ended early, after %d bytes", n)
	case err != nil:
		return fmt.Errorf("downloading: %w", err)
	case n > maxBytes:
		return errTooLarge
	}
	return out.Close()
}

// signOfLife puts the watchdog off whenever bytes pass.
type signOfLife struct{ watch *time.Timer }

func (s signOfLife) Write(p []byte) (int, error) {
	s.watch.Reset(stallLimit)
	return len(p), nil
}

// unreachable words a request that got no answer. The URL is left out: it may hold a password, and
// the caller names the source.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return fmt.Errorf("the server cannot be reached (is this machine offline?): %w", err)
	}
	return fmt.Errorf("downloading: %w", err)
}
