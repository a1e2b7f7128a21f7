package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// talkative gives an HTTP client that tells each request and its answer's status.
func talkative(to io.Writer) *http.Client {
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: teller{to: to, next: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// teller is a transport that tells what passes.
type teller struct {
	to   io.Writer
	next http.RoundTripper
}

func (t teller) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	res, err := t.next.RoundTrip(r)
	became := "no answer"
	if err == nil {
		became = res.Status
	}
	fmt.Fprintf(t.to, "> %s %s: %s after %v\n", r.Method, r.URL, became,
		time.Since(began).Round(time.Millisecond))
	return res, err
}
