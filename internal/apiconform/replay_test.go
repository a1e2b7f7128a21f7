package apiconform

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
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
	when     []string // its circumstances
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
	alone    []deed
	when     circumstances
	target   servicespec.Service
	// lost is why what the recording goes on to tell cannot be followed, "" while it can.
	lost string
}

func newReplay(service string) *replay {
	return &replay{service: service, vars: variablesOf(service),
		process: newProcess(begin), ids: newIDs(), when: newCircumstances()}
}

// play plays a series. Of several beginnings it takes the one after which most answers conform,
// of equal ones the longest. Ids may go on from there or be counted anew.
func play(s series) (*replay, error) {
	if len(s.leads) == 0 {
		r := newReplay(s.service)
		return r, r.play(s.files)
	}
	var best *replay
	var failure error
	for _, lead := range s.leads {
		for _, anew := range []bool{true, false} {
			r := newReplay(s.service)
			err := r.play(lead)
			if anew {
				r.ids = newIDs()
			}
			if err == nil {
				err = r.play(s.files)
			}
			if err != nil {
				failure = err
			} else if best == nil || count(r.outcomes).conform >= count(best.outcomes).conform {
				best = r
			}
		}
	}
	if best == nil {
		return nil, failure
	}
	return best, nil
}

func (r *replay) play(files []recording) error {
	var lines []line
	var compare []bool
	for _, f := range files {
		lines = append(lines, f.lines...)
		compare = append(compare, slices.Repeat([]bool{f.compare}, len(f.lines))...)
	}
	for i, l := range lines {
		r.counting = compare[i]
		r.enter(l.Moment)
		if l.Request == nil {
			r.follow(lines[i:])
		} else if err := r.exchange(l); err != nil {
			return fmt.Errorf("%s: %w", l.place(), err)
		}
		r.noteKills(lines[i:])
	}
	return nil
}

// follow feeds the first line's event to the scheduler. After one that cannot be followed,
// nothing is, and no answer conforms, until the next start.
func (r *replay) follow(rest []line) {
	l := rest[0]
	var words []string
	if l.Event != nil {
		words = strings.Fields(*l.Event)
	}
	if r.lost != "" && (len(words) == 0 || words[0] != eventStart) {
		return
	}
	r.lost = ""
	if err := r.tried(rest, words); err != nil {
		r.lost = err.Error()
		r.stray(l, "%v; nothing conforms until the next start", err)
		return
	}
	r.when.happened(words, l.Calls, r.target)
	r.when.launched(launchedTasks(l.Calls))
}

// tried makes an error of a panic, which is a bug of ours that has to be seen.
func (r *replay) tried(rest []line, words []string) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	if len(words) == 0 {
		return fmt.Errorf("an empty event")
	}
	return r.event(rest, words)
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

// event carries an event out.
func (r *replay) event(rest []line, words []string) error {
	p, l := r.process, rest[0]
	p.now = p.now.Add(betweenEvents)
	args := words[1:]
	if words[0] != eventStart && words[0] != eventAgent {
		if err := r.alive(); err != nil {
			return err
		}
	}
	switch words[0] {
	case eventStart:
		return r.start(args)
	case eventAgent:
		return p.cluster.addAgent(args)
	case eventRegister:
		p.register()
	case eventOffers:
		return r.offers(rest, args)
	case eventTick:
		p.now = p.now.Add(tickTime)
		if r.backoff {
			p.now = p.now.Add(backoffTick - tickTime)
		}
		r.answerDeeds()
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

// alive starts a process if a recording begins in the middle and nothing led to it.
func (r *replay) alive() error {
	if r.process.machine != nil {
		return nil
	}
	return r.start(nil)
}

// furnish names the agents if no line did.
func (r *replay) furnish() error {
	if len(r.process.cluster.agents) > 0 {
		return nil
	}
	for _, a := range agentsOf[r.service] {
		if err := r.process.cluster.addAgent(strings.Fields(a)); err != nil {
			return err
		}
	}
	return nil
}

// agentsOf are those that the two services had from the beginning.
var agentsOf = map[string][]string{
	kafkaService: {"small-1.example zone-a 0.5 1000 2000", "host-1.example zone-a 8 16000 50000",
		"host-2.example zone-b 8 16000 50000", "host-3.example zone-c 8 16000 50000",
		"host-4.example zone-d 8 16000 50000"},
	mixedService: {"host-1.example zone-a 8 16000 50000", "host-2.example zone-b 8 16000 50000",
		"host-3.example zone-c 8 16000 50000"},
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
	r.target = service
	backoff := scheduler.Backoff{First: -1}
	if r.backoff {
		backoff = scheduler.Backoff{First: 3 * time.Second, Max: time.Minute, Factor: 2}
	}
	return r.process.start(service, backoff, r.address(), r.vars[uninstallFlag] == "true")
}

// address is the one that the scheduler's cluster had for it.
func (r *replay) address() string {
	parts := strings.Split(strings.Trim(r.vars["FRAMEWORK_NAME"], "/"), "/")
	slices.Reverse(parts)
	return fmt.Sprintf("%s.%s.%s:%s", strings.Join(parts, "-"), r.vars["MARATHON_NAME"],
		serviceTLD, r.vars["PORT_API"])
}

func (r *replay) status(l line, args []string) error {
	if err := r.furnish(); err != nil {
		return err
	}
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
func (r *replay) offers(rest []line, hostnames []string) error {
	if err := r.furnish(); err != nil {
		return err
	}
	p := r.process
	if !p.connected {
		p.register()
	}
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
	r.answerDeeds()
	accepted := acceptedAgents(rest[0].Calls)
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
	tasks := p.cluster.takeLaunched()
	r.noteLaunches(rest, tasks)
	var got []string
	for _, t := range tasks {
		got = append(got, t.info.Name)
	}
	slices.Sort(got)
	if want := launchedTasks(rest[0].Calls); !slices.Equal(want, got) {
		r.stray(rest[0], "launched %v, recorded %v", got, want)
	}
	return nil
}

var (
	acceptCall = regexp.MustCompile(`^acceptOffers agent=(\S+) ops=\[(.*)\]$`)
	launchOp   = regexp.MustCompile(`LAUNCH_GROUP ([^,\]]*)`)
)

// acceptedAgents lists the agents whose offers were accepted, by the tasks launched there; those
// where something was only freed come last.
func acceptedAgents(calls []string) []string {
	type accept struct{ host, task string }
	var list []accept
	for _, call := range calls {
		if m := acceptCall.FindStringSubmatch(call); m != nil {
			task := "~"
			if launch := launchOp.FindStringSubmatch(m[2]); launch != nil {
				task = launch[1]
			}
			list = append(list, accept{m[1], task})
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
	if r.lost != "" {
		if r.counting && l.Response != nil {
			r.outcomes = append(r.outcomes, outcome{line: l,
				found: []difference{{kind: kindWorld, got: r.lost}}})
		}
		return nil
	}
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
	if err := r.alive(); err != nil {
		return err
	}
	if l.Response != nil && l.Response.Status == http.StatusNotAcceptable {
		send.Headers = map[string]string{"accept": "application/json"}
	}
	target := ""
	if r.process.view != nil {
		target = r.process.view.TargetID
	}
	got := r.process.ask(send)
	r.when.asked(l, r.target, target)
	if l.Response == nil {
		return nil
	}
	c := comparison{ids: r.ids, path: bare(l.Request.Path)}
	c.answers(*l.Response, got)
	if len(c.found) == 0 {
		r.ids.settle(c.pairs)
	} else {
		r.ids.guess(guesses(decode(l.Response.Body), decode([]byte(got.body))))
	}
	if r.counting {
		r.outcomes = append(r.outcomes, outcome{line: l, answer: got, found: c.found,
			when: r.when.at(bare(l.Request.Path), target)})
	}
	return nil
}
