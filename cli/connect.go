package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
)

// readPatience is how long a read waits for a scheduler that is just being started again.
const readPatience = 3 * time.Second

// address is what a scheduler writes into scheduler.json once its API listens.
type address struct {
	PID int    `json:"pid"`
	URL string `json:"url"`
	// Version is its release and Schema that of its state, "" and 0 if it does not say so.
	Version string `json:"version"`
	Schema  int    `json:"schema"`
}

// address reads scheduler.json; the zero address when there is none.
func (f folder) address() (address, error) {
	var a address
	text, err := os.ReadFile(f.file("scheduler", "scheduler.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, fmt.Errorf("reading the scheduler's address: %w", err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, fmt.Errorf("reading the scheduler's address: %w", err)
	}
	return a, nil
}

// apiURL is the URL that --url or, unless --name was given, KAFKA_SCHED_URL says, "" for none.
func (e *env) apiURL() string {
	if e.url == "" && !e.nameGiven {
		return e.getenv("KAFKA_SCHED_URL")
	}
	return e.url
}

// here says whether a command is about a cluster of this machine.
func (e *env) here() bool { return e.apiURL() == "" }

// connect gives a client of the scheduler that the flags, the environment or the cluster's
// folder name, in this order; a name given as a flag is stronger than the environment.
func (e *env) connect() (*client.Client, error) {
	if url := e.apiURL(); url != "" {
		return e.newClient(url)
	}
	f, err := e.folder()
	if err != nil {
		return nil, err
	}
	if _, err := f.load(); err != nil {
		return nil, err
	}
	url, err := f.running()
	if err != nil {
		return nil, err
	}
	if url == "" {
		return nil, fmt.Errorf("the scheduler of %q %w; kafka-sched start%s starts it",
			f.name, errNotRunning, e.nameFlag())
	}
	return e.newClient(url)
}

// running gives the URL of a cluster's scheduler, "" when neither it nor a keeper that starts
// it again runs.
func (f folder) running() (string, error) {
	a, err := f.address()
	if err != nil || a.URL == "" {
		return "", err
	}
	for _, lock := range []string{f.schedulerLock(), f.keeperLock()} {
		if pid, err := holder(lock); err != nil || pid != 0 {
			return a.URL, err
		}
	}
	return "", nil
}

// errNotRunning says of a scheduler that its process is not there.
var errNotRunning = errors.New("does not run")

func (e *env) newClient(address string) (*client.Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fail(exitUsage, "URL %q must begin with http:// or https:// and a host",
			address)
	}
	options := []client.Option{client.WithPatience(readPatience), client.WithCaller(e.caller())}
	if e.verbose {
		options = append(options, client.WithHTTPClient(talkative(e.stderr)))
	}
	return client.New(address, options...), nil
}

// caller is the name under which the journal has what this command does.
func (e *env) caller() string {
	name := e.getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// nameFlag is what has to follow a command that we print for this cluster.
func (e *env) nameFlag() string {
	if e.url != "" {
		return " --url " + e.url
	}
	if e.name == defaultName {
		return ""
	}
	return " --name " + e.name
}

// answer gives the error of a request the exit code and words that the operator needs.
func (e *env) answer(err error) error {
	if err == nil {
		return nil
	}
	if no, ok := errors.AsType[*client.Error](err); ok {
		switch no.Status {
		case http.StatusNotFound:
			return &exitError{exitNotFound, err}
		case http.StatusConflict:
			return &exitError{exitConflict, err}
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			return &exitError{exitUsage, err}
		}
		return err
	}
	if errors.Is(err, client.ErrNoScheduler) {
		return fmt.Errorf("%w; kafka-sched status%s and the scheduler's log say more",
			err, e.nameFlag())
	}
	return err
}

// namesOf is answer for a request that names something: when there is no such thing, the error
// lists those that are.
func (e *env) namesOf(err error, known func() ([]string, error)) error {
	no, ok := errors.AsType[*client.Error](err)
	// The predecessor's API answers 400 without a word to what cannot be a name at all.
	none := ok && (no.Status == http.StatusNotFound ||
		no.Status == http.StatusBadRequest && no.Message == "")
	if !none {
		return e.answer(err)
	}
	if no.Message == "" {
		err = errors.New("there is none of that name")
	}
	names, failed := known()
	if failed == nil && len(names) == 0 {
		return fail(exitNotFound, "%w; there are none", err)
	}
	if failed != nil {
		return e.answer(err)
	}
	return fail(exitNotFound, "%w; there are: %s", err, listing(names))
}

// service asks for the status document.
func (e *env) service(ctx context.Context) (*client.Client, api.Service, error) {
	c, err := e.connect()
	if err != nil {
		return nil, api.Service{}, err
	}
	s, err := c.Service(ctx)
	return c, s, e.answer(err)
}
