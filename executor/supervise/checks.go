package supervise

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kafka-sched/kafka-sched/executor"
)

// maxRedirects is how many redirects a check follows.
const maxRedirects = 5

// newHTTPClient is the client of all checks. It keeps no connection, proves nothing about a
// certificate and leaves the host that it was told to ask under no circumstances.
func newHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if req.URL.Host != via[0].URL.Host || len(via) > maxRedirects {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// check runs one check once and posts what came out.
func (t *task) check(e executor.RunCheck) {
	ctx, cancel := context.WithTimeout(t.alive, e.Check.Timeout)
	defer cancel()
	ev := executor.Checked{Task: t.id, Kind: e.Kind}
	var err error
	switch c := e.Check; {
	case c.HTTP != nil:
		ev.Detail, err = t.checkHTTP(ctx, c.HTTP.URL())
	case c.TCP != nil:
		err = checkTCP(ctx, c.TCP)
	case c.Command != nil:
		err = t.checkCommand(ctx, c.Command.Command)
	}
	ev.Passed = err == nil
	if err != nil {
		ev.Detail = err.Error()
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && err != nil {
		ev.Detail = fmt.Sprintf("no answer within %s", e.Check.Timeout)
	}
	t.post(ev)
}

func (t *task) checkHTTP(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := t.http.Do(req)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 399 {
		return "", fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return resp.Status, nil
}

func checkTCP(ctx context.Context, c *executor.TCPCheck) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		return err
	}
	return conn.Close()
}

// checkCommand runs a command in a process group of its own, which is killed when ctx ends.
func (t *task) checkCommand(ctx context.Context, command string) error {
	var said tail
	out := &lines{tail: &said}
	cmd := t.shell(command)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // for a process that left the group with our pipe
	p, err := t.fork.start(cmd)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.signal(syscall.SIGKILL) })
	defer stop()
	status := p.wait()
	if status.Exited() && status.ExitStatus() == 0 {
		return nil
	}
	out.flush()
	why := fmt.Sprintf("exited with status %d", status.ExitStatus())
	if status.Signaled() {
		why = "was ended by " + unix.SignalName(status.Signal())
	}
	if said := said.lines(); len(said) > 0 {
		why = strings.Join(said[max(0, len(said)-2):], "; ") + " (" + why + ")"
	}
	return errors.New(why)
}
