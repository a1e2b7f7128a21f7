package brokers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// DefaultTimeout is how long an ask waits for brokers unless Config says otherwise.
const DefaultTimeout = 5 * time.Second

// allTimeout is how long brokers have to tell of each partition: what they say counts for five
// seconds from the question on, so that a broker which hangs must not take all of that.
const allTimeout = 3 * time.Second

// Config is what an Asker may be told. Its zero value is good.
type Config struct {
	// Timeout is how long brokers have to answer an ask; 0 means DefaultTimeout.
	Timeout time.Duration
	// Logger is told when a broker falls silent and when it speaks again; nil for no log.
	Logger *slog.Logger
	// Now tells the time that facts are stamped with; nil means time.Now.
	Now func() time.Time
}

// Asker asks Kafka clusters for facts. Its methods may be called by several goroutines; one ask is
// under way at a time and others wait for their turn.
type Asker struct {
	cfg  Config
	life context.Context
	end  context.CancelFunc
	// turn is held, by an element in it, by whoever uses peers.
	turn  chan struct{}
	peers map[string]*peer
	asks  int // counts them, so that others are asked in turn
}

// New returns an Asker that has no connection yet. Close it after use.
func New(cfg Config) *Asker {
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	life, end := context.WithCancel(context.Background())
	return &Asker{cfg: cfg, life: life, end: end, turn: make(chan struct{}, 1),
		peers: make(map[string]*peer)}
}

// Close interrupts an ask that is under way, waits for its end and closes all connections. An ask
// after Close returns facts whose Error says so.
func (a *Asker) Close() {
	a.end()
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	a.keep(nil)
}

// Ask puts the questions to all addresses (host:port) and returns when all have answered, or when
// the time is over, or when ctx ends. It returns no error: KafkaFacts.Error says why there are no
// facts. Connections to addresses that are not among these are closed.
func (a *Asker) Ask(ctx context.Context, addresses []string) scheduler.KafkaFacts {
	return a.ask(ctx, addresses, numbers)
}

// AskAll is Ask that also brings KafkaFacts.Rolling: what some brokers say of each partition.
func (a *Asker) AskAll(ctx context.Context, addresses []string) scheduler.KafkaFacts {
	return a.ask(ctx, addresses, all)
}

func (a *Asker) ask(ctx context.Context, addresses []string, how depth) scheduler.KafkaFacts {
	facts := scheduler.KafkaFacts{Asked: a.cfg.Now(), Leader: -1}
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		facts.Error = reason(ctx.Err())
		return facts
	}
	defer func() { <-a.turn }()
	if a.life.Err() != nil {
		facts.Error = "the connections to Kafka are closed"
		return facts
	}
	timeout := a.cfg.Timeout
	if how == all {
		timeout = min(timeout, allTimeout)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	asked := a.cfg.Now()
	addresses = distinct(addresses)
	a.keep(addresses)
	answers, failures := a.askEach(ctx, addresses, how)
	switch {
	case len(addresses) == 0:
		facts.Error = "there is no address to ask"
	case len(answers) == 0:
		facts.Error = strings.Join(failures, "; ")
	default:
		facts = merge(answers)
		addDisks(&facts, answers)
		if facts.Error == "" && how == all {
			facts.Rolling = partitions(asked, answers)
		}
	}
	facts.Asked = asked
	return facts
}

// crowd is the number of nodes above which not every one is asked for everything: the answers
// of each grow with the cluster.
const crowd = 8

// depths says how much each address is asked for: three that answered lately for what is wanted,
// others each time; of the rest all, or in a large cluster a sign of life.
func (a *Asker) depths(addresses []string, how depth) []depth {
	a.asks++
	list := make([]depth, len(addresses))
	for i := range list {
		if list[i] = numbers; len(addresses) > crowd {
			list[i] = sign
		}
	}
	left := most
	for i, address := range addresses {
		if a.peers[address].elected { // it alone tells of reassignments
			list[i] = how
			left--
		}
	}
	for _, silent := range []bool{false, true} {
		for i := range addresses {
			at := (i + a.asks) % len(addresses)
			if p := a.peers[addresses[at]]; left > 0 && p.silent == silent && !p.controls() &&
				!p.elected {
				list[at] = how
				left--
			}
		}
	}
	return list
}

// askEach returns the answers and the reasons of those who gave none, in the order of addresses.
func (a *Asker) askEach(
	ctx context.Context, addresses []string, how depth,
) ([]*answer, []string) {
	given := make([]*answer, len(addresses))
	errs := make([]error, len(addresses))
	depths := a.depths(addresses, how)
	var all sync.WaitGroup
	for i, address := range addresses {
		p := a.peers[address]
		all.Go(func() {
			if given[i], errs[i] = p.ask(ctx, depths[i], a.cfg.Now()); errs[i] == nil {
				given[i].at = a.cfg.Now()
			}
		})
	}
	all.Wait()
	var answers []*answer
	var failures []string
	for i, address := range addresses {
		if errs[i] == nil {
			answers = append(answers, given[i])
		} else {
			failures = append(failures, fmt.Sprintf("%s: %s", address, reason(errs[i])))
		}
		a.report(a.peers[address], errs[i])
	}
	return answers, failures
}

// report logs a change from speaking to silent or back.
func (a *Asker) report(p *peer, err error) {
	switch {
	case err != nil && !p.silent:
		a.cfg.Logger.Info("a broker does not answer", "address", p.address,
			"reason", reason(err))
	case err == nil && p.silent:
		a.cfg.Logger.Info("a broker answers again", "address", p.address)
	}
	p.silent = err != nil
}

// keep makes the peers those of addresses.
func (a *Asker) keep(addresses []string) {
	for address, p := range a.peers {
		if !slices.Contains(addresses, address) {
			p.drop()
			delete(a.peers, address)
		}
	}
	for _, address := range addresses {
		if a.peers[address] == nil {
			a.peers[address] = &peer{address: address}
		}
	}
}

func distinct(addresses []string) []string {
	var once []string
	for _, address := range addresses {
		if !slices.Contains(once, address) {
			once = append(once, address)
		}
	}
	return once
}

// reason is an error in the words of an operator, without the address, which is told with it.
func reason(err error) string {
	var dial *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return "the ask was given up"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dial):
		return dial.Err.Error()
	}
	return err.Error()
}
