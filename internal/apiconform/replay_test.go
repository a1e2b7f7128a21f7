package apiconform

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The words that events begin with.
const (
	eventStart     = "start"
	eventAgent     = "agent"
	eventRegister  = "register"
	eventOffers    = "offers"
	eventTick      = "tick"
	eventStatus    = "status"
	eventReconcile = "reconcile"
	eventNarration = "scheduler" // "scheduler process exits at start: …" tells a story only
)

// How time passes. Ticks are the 5 s between two idle cycles, but shorter than any back-off
// while launches back off; a moment that names the end of a delay begins after it.
const (
	betweenEvents = 100 * time.Millisecond
	tickTime      = 5 * time.Second
	backoffTick   = 500 * time.Millisecond
	delayTime     = time.Minute
)

// begin is when the recordings were made; nothing depends on it.
var begin = time.Date(2026, 11, 21, 12, 43, 48, 0, time.UTC)

// outcome is what became of one exchange.
type outcome struct {
	line     line
	answer   answer
	found    []difference
	declared []string // the rules that cover what was found
}

// stray is an event for which the world of the recording and ours differ.
type stray struct {
	line line
	text string
}

// replay plays the recordings of one service.
type replay struct {
	vars     map[string]string
	service  string
	process  *process
	ids      *ids
	backoff  bool
	moment   string
	counting bool
	outcomes []outcome
	strays   []stray
}

func newReplay(service string) *replay {
	return &replay{service: service, vars: variablesOf(service),
		process: newProcess(begin), ids: newIDs()}
}

// play plays a series.
func (r *replay) play(s series) error {
	for _, f := range s.files {
		r.counting = f.compare
		if err := r.playFile(f.lines); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) playFile(lines []line) error {
	for _, l := range lines {
		r.enter(l.Moment)
		var err error
		if l.Event != nil {
			err = r.event(l)
		} else {
			err = r.exchange(l)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", l.place(), err)
		}
	}
	return nil
}

// enter begins a moment; what its name says was done is done.
func (r *replay) enter(moment string) {
	if moment == r.moment {
		return
	}
	r.moment = moment
	if strings.Contains(moment, "after the delay") {
		r.process.now = r.process.now.Add(delayTime)
	}
	if strings.Contains(moment, "backoff enabled") {
		r.backoff = true
	}
}

// event feeds an event to the scheduler.
func (r *replay) event(l line) error {
	p := r.process
	p.now = p.now.Add(betweenEvents)
	words := strings.Fields(*l.Event)
	if len(words) == 0 {
		return fmt.Errorf("an empty event")
	}
	args := words[1:]
	if p.machine == nil && words[0] != eventStart && words[0] != eventAgent {
		return fmt.Errorf("%q before the first start", *l.Event)
	}
	switch words[0] {
	case eventStart:
		return r.start(args)
	case eventAgent:
		return p.cluster.addAgent(args)
	case eventRegister:
		p.connected = true
		p.mesos(mesos.Subscribed{Framework: frameworkID, Master: "leader.mesos:5050"})
	case eventOffers:
		return r.offers(l, args)
	case eventTick:
		p.now = p.now.Add(tickTime)
		if r.backoff {
			p.now = p.now.Add(backoffTick - tickTime)
		}
		p.step(scheduler.Tick{})
	case eventStatus:
		return r.status(l, args)
	case eventReconcile:
		for _, s := range p.cluster.answers(p.now) {
			p.mesos(mesos.Updated{Status: s})
		}
	case eventNarration:
	default:
		return fmt.Errorf("unknown event %q", *l.Event)
	}
	return nil
}

// start stops the process and starts it with changed variables, which stay changed.
func (r *replay) start(changes []string) error {
	for _, change := range changes {
		name, value, ok := strings.Cut(change, "=")
		if !ok {
			return fmt.Errorf("start with %q, which is no NAME=VALUE", change)
		}
		r.vars[name] = value
	}
	service, err := readService(r.service, r.vars)
	if err != nil {
		return err
	}
	r.ids.life++
	return r.process.start(service, r.vars[uninstallFlag] == "true")
}

func (r *replay) status(l line, args []string) error {
	s, err := r.process.cluster.status(args, r.process.now)
	if err != nil {
		return err
	}
	if s == nil {
		r.stray(l, "no task %s was launched here", args[0])
		return nil
	}
	r.process.mesos(mesos.Updated{Status: *s})
	return nil
}

// offers makes one offer per agent, one after the other: those that the predecessor accepted
// first, since which offer comes first is the world's choice.
func (r *replay) offers(l line, hostnames []string) error {
	p := r.process
	var agents []*agent
	for _, hostname := range hostnames {
		a := p.cluster.agentAt(hostname)
		if a == nil {
			return fmt.Errorf("an offer of %s, which is no agent", hostname)
		}
		agents = append(agents, a)
	}
	if len(hostnames) == 0 {
		agents = slices.Clone(p.cluster.agents)
	}
	accepted := acceptedAgents(l.Calls)
	rank := func(a *agent) int {
		if i := slices.Index(accepted, a.hostname); i >= 0 {
			return i - len(accepted)
		}
		return 0
	}
	slices.SortStableFunc(agents, func(a, b *agent) int { return rank(a) - rank(b) })
	p.cluster.takeLaunched()
	for _, a := range agents {
		p.mesos(mesos.Offers{Offers: []mesos.Offer{p.cluster.offer(a)}})
	}
	want, got := launchedTasks(l.Calls), p.cluster.takeLaunched()
	if !slices.Equal(want, got) {
		r.stray(l, "launched %v, recorded %v", got, want)
	}
	return nil
}

var (
	acceptCall = regexp.MustCompile(`^acceptOffers agent=(\S+) ops=\[(.*)\]$`)
	launchOp   = regexp.MustCompile(`LAUNCH_GROUP ([^,\]]*)`)
)

// acceptedAgents lists the agents whose offers were accepted, by the tasks launched there.
func acceptedAgents(calls []string) []string {
	type accept struct{ host, task string }
	var list []accept
	for _, call := range calls {
		if m := acceptCall.FindStringSubmatch(call); m != nil {
			list = append(list, accept{m[1], strings.Join(launchOp.FindStringSubmatch(m[2]), "")})
		}
	}
	slices.SortStableFunc(list, func(a, b accept) int { return strings.Compare(a.task, b.task) })
	var hosts []string
	for _, a := range list {
		hosts = append(hosts, a.host)
	}
	return hosts
}

// launchedTasks lists the names of the tasks that were launched, sorted.
func launchedTasks(calls []string) []string {
	var names []string
	for _, call := range calls {
		for _, m := range launchOp.FindAllStringSubmatch(call, -1) {
			names = append(names, strings.Fields(m[1])...)
		}
	}
	slices.Sort(names)
	return names
}

func (r *replay) stray(l line, format string, args ...any) {
	if r.counting {
		r.strays = append(r.strays, stray{l, fmt.Sprintf(format, args...)})
	}
}

// exchange sends a recorded request and compares the answers.
func (r *replay) exchange(l line) error {
	path, unknown := r.ids.translate(l.Request.Path)
	send := *l.Request
	send.Path = path
	if send.Body != nil {
		body, more := r.ids.translate(*send.Body)
		send.Body, unknown = &body, append(unknown, more...)
	}
	if len(unknown) > 0 {
		r.stray(l, "no answer of ours showed what %v is", unknown)
	}
	got, err := r.process.ask(send)
	if err != nil || l.Response == nil {
		return err
	}
	c := comparison{ids: r.ids, path: bare(l.Request.Path)}
	c.answers(*l.Response, got)
	if len(c.found) == 0 {
		r.ids.settle(c.pairs)
	} else {
		r.ids.guess(guesses(decode(l.Response.Body), decode([]byte(got.body))))
	}
	if r.counting {
		r.outcomes = append(r.outcomes, outcome{line: l, answer: got, found: c.found})
	}
	return nil
}
