package hooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The headers of a message.
const (
	HeaderSignature = "Kafka-Sched-Signature" // t=<seconds of the epoch>,v1=<hex>
	HeaderEvent     = "Kafka-Sched-Event"     // the kind of the journal's entry
	HeaderDelivery  = "Kafka-Sched-Delivery"  // the message's id
)

const (
	queueSize   = 256
	attempts    = 10
	firstPause  = time.Second
	longPause   = 5 * time.Minute
	postTimeout = 10 * time.Second
)

// Message is the body of a post.
type Message struct {
	// ID is the same for every attempt, and for no other message.
	ID      string    `json:"id"`
	Event   string    `json:"event"` // api.KindPlanStart and so on
	Service string    `json:"service"`
	Plan    string    `json:"plan"`
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	// Result is what the journal says of it: the plan's status.
	Result string `json:"result"`
}

// Counter counts what becomes of messages, under the names metrics.Hook….
type Counter interface{ Count(name string) }

// Config is where messages go.
type Config struct {
	// URL is http:// or https://.
	URL string
	// Secret signs the messages.
	Secret  []byte
	Logger  *slog.Logger
	Metrics Counter
	// Transport makes the requests; nil is Go's default.
	Transport http.RoundTripper
	// Place remembers how far the journal was told of, so that what waits when a process ends is
	// posted by the next one; nil forgets it.
	Place Place
}

// Place remembers an entry of the journal, by its number.
type Place interface {
	// Last is the one that was remembered last; ok is false when none was.
	Last() (number int64, ok bool)
	Remember(number int64)
}

// nowhere remembers nothing.
type nowhere struct{}

func (nowhere) Last() (int64, bool) { return 0, false }
func (nowhere) Remember(int64)      {}

// Sender posts messages.
type Sender struct {
	cfg    Config
	client *http.Client
	queue  chan waiting
}

// waiting is a message, and the number of the entry that it tells of.
type waiting struct {
	Message
	number int64
}

// New checks where messages are to go. It does not connect.
func New(cfg Config) (*Sender, error) {
	at, err := url.Parse(cfg.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL for webhooks: %w", err)
	case at.Scheme != "http" && at.Scheme != "https" || at.Host == "":
		return nil, fmt.Errorf("the URL for webhooks %q must begin with http:// or https://",
			cfg.URL)
	case len(cfg.Secret) == 0:
		return nil, errors.New("webhooks need a secret to be signed with, and it is empty")
	}
	if cfg.Place == nil {
		cfg.Place = nowhere{}
	}
	return &Sender{cfg: cfg, queue: make(chan waiting, queueSize), client: &http.Client{
		Timeout: postTimeout, Transport: cfg.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}, nil
}

// Run posts until the context ends; watch gives the latest view and a channel that is closed
// when there is a later one. It begins behind the entry that is remembered, else with what comes.
func (s *Sender) Run(
	ctx context.Context, watch func() (*scheduler.View, <-chan struct{}),
) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.post(ctx)
	}()
	defer func() { <-done }()
	last, known := s.cfg.Place.Last()
	for {
		v, changed := watch()
		if v != nil {
			if n := len(v.Journal); n > 0 && v.Journal[n-1].Number < last {
				known = false // it is the journal of another life
			}
			if known {
				s.enqueue(v, last)
			}
			if n := len(v.Journal); n > 0 {
				last = v.Journal[n-1].Number
			}
			if !known {
				s.cfg.Place.Remember(last)
			}
			known = true
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// enqueue makes messages of what the journal has after an entry.
func (s *Sender) enqueue(v *scheduler.View, last int64) {
	for _, entry := range v.Journal {
		if entry.Number <= last || entry.Plan == "" || entry.Kind == api.KindCommand {
			continue
		}
		m := Message{
			ID:    fmt.Sprintf("%s-%s-%d", v.Service, v.Framework, entry.Number),
			Event: entry.Kind, Service: v.Service, Plan: entry.Plan, At: entry.At.UTC(),
			By: entry.By, Reason: entry.Reason, Result: entry.Outcome,
		}
		select {
		case s.queue <- waiting{m, entry.Number}:
		default:
			s.cfg.Metrics.Count(metrics.HookDropped)
			s.cfg.Logger.Warn("webhooks: the queue is full; a message is dropped", "id", m.ID)
		}
	}
}

// post posts what is in the queue.
func (s *Sender) post(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.queue:
			if s.deliver(ctx, m.Message); ctx.Err() == nil {
				s.cfg.Place.Remember(m.number)
			}
		}
	}
}

// deliver posts a message until it is taken or given up.
func (s *Sender) deliver(ctx context.Context, m Message) {
	pause := firstPause
	for attempt := 1; ; attempt++ {
		again, err := s.try(ctx, m)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			s.cfg.Metrics.Count(metrics.HookSent)
			return
		case !again || attempt == attempts:
			s.cfg.Metrics.Count(metrics.HookGivenUp)
			s.cfg.Logger.Error("webhooks: a message is given up", "id", m.ID,
				"attempts", attempt, "error", err)
			return
		}
		s.cfg.Logger.Warn("webhooks: a message was not taken and is posted again", "id", m.ID,
			"in", pause, "error", err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, longPause)
	}
}

// try posts a message once; again says whether it is worth another attempt.
func (s *Sender) try(ctx context.Context, m Message) (again bool, err error) {
	body, err := json.Marshal(m)
	if err != nil {
		return false, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", api.JSONType)
	r.Header.Set(HeaderEvent, m.Event)
	r.Header.Set(HeaderDelivery, m.ID)
	r.Header.Set(HeaderSignature, Sign(s.cfg.Secret, time.Now(), body))
	response, err := s.client.Do(r)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	// What the server says is nothing to us, but read, so that the connection can go on.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		return false, nil
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests,
		status >= 500:
		return true, fmt.Errorf("the server answered %s", response.Status)
	}
	return false, fmt.Errorf("the server refused it: %s", response.Status)
}

// Sign gives the value of HeaderSignature for a body that is posted at a time.
func Sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
