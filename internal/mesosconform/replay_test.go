package mesosconform

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// patience is how long an event may be late, beyond its recorded time.
	patience = 2500 * time.Millisecond
	// answerWithin bounds the wait for an answer.
	answerWithin = 10 * time.Second
	// apart is the time between two recorded events that makes their order count.
	apart = 1.5
)

// missing is what is found when nothing came.
const missing = "missing"

// outcome is what became of one exchange.
type outcome struct {
	line     *line
	found    []string // what differs; none if it conforms
	declared string   // the departure that says so
}

// place names the exchange for a reader.
func (o outcome) place(file string) string {
	return fmt.Sprintf("%s:%d %s %s", file, o.line.number, o.line.Conn, o.line.call())
}

// replay is one recording under way.
type replay struct {
	recording recording
	names     *names
	world     *world
	base      time.Time // when the recorded clock was zero
	waiting   map[*line]<-chan answered
	streams   map[string][]*stream // by connection
	all       []*stream
	places    map[*stream]place
	ledgers   map[string]*ledger // by connection
	outcomes  []outcome
	strays    []string
	late      []string
}

// place is how far a stream is read: the latest place that a recorded event had
// among ours.
type place struct {
	at    []float64
	index []int
}

// play replays a recording.
func play(t *testing.T, r recording) *replay {
	p := &replay{recording: r, names: newNames(), waiting: map[*line]<-chan answered{},
		streams: map[string][]*stream{}, places: map[*stream]place{},
		ledgers: map[string]*ledger{}}
	p.world = newWorld(t, r, p.names)
	p.base = time.Now()
	last := 0.0
	for i, l := range r.lines {
		if i > 0 && l.T < last && r.lines[i-1].Dir == dirNote {
			p.base = time.Now().Add(-seconds(l.T))
		}
		last = l.T
		if !r.warmsUp(i) {
			p.catchUp(l.T)
		}
		p.line(l)
	}
	p.finish()
	return p
}

// catchUp does what the real processes did by themselves before a recorded time.
func (p *replay) catchUp(t float64) {
	for {
		next, ok := p.world.due(t)
		if !ok {
			return
		}
		p.until(next.at)
		next.do()
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// behind is how far the replay may fall behind the recording without moving its
// clock. What takes its time in tasks does not wait, so it should seldom move.
const behind = 1500 * time.Millisecond

// until sleeps until the recorded time.
func (p *replay) until(t float64) {
	wait := time.Until(p.base.Add(seconds(t)))
	if wait > 0 {
		<-time.After(wait)
	} else if wait < -behind {
		p.base = p.base.Add(-wait)
	}
}

func (p *replay) line(l *line) {
	p.world.draw(l)
	switch l.Dir {
	case dirNote:
		p.until(l.T)
		p.note(l)
	case dirRequest:
		p.until(l.T)
		p.request(l)
	case dirAnswer:
		// Taken together with its request.
		for _, q := range p.recording.lines {
			if q.answer == l {
				p.answer(q)
			}
		}
	case dirEvent:
		p.event(l)
	}
}

func (p *replay) note(l *line) {
	text := l.note()
	if text == "client closes its connection" {
		for _, s := range p.streams[l.Conn] {
			s.cancel()
		}
		return
	}
	p.world.exitExecutor(l.Conn, text)
	p.world.happen(l)
}

func (p *replay) request(l *line) {
	body, err := p.world.encodeBody(l.Body)
	if err != nil {
		p.outcomes = append(p.outcomes, outcome{line: l, found: []string{err.Error()}})
		return
	}
	url, err := p.world.url(p.names.translatePath(l.Endpoint))
	if err != nil {
		p.outcomes = append(p.outcomes, outcome{line: l, found: []string{err.Error()}})
		return
	}
	if p.overtaken(l) {
		p.world.batch()
	}
	p.waiting[l] = send(l, url, body, p.names.translate(l.Headers["Mesos-Stream-Id"]))
	if l.answer == nil {
		p.answer(l)
	}
}

// overtaken tells that the allocator made its round before it knew of a request
// that uses or returns offers: what it offered came at once.
func (p *replay) overtaken(l *line) bool {
	if c := l.call(); c != "ACCEPT" && c != "DECLINE" {
		return false
	}
	next := p.world.after(l, func(x *line) bool { return x.T > l.T+0.004 })
	return slices.ContainsFunc(next, func(x *line) bool {
		return x.Dir == dirEvent && x.Conn == l.Conn && x.call() == "OFFERS"
	})
}

// answer waits for our answer to a request and compares it.
func (p *replay) answer(l *line) {
	pending := p.waiting[l]
	if pending == nil {
		return
	}
	delete(p.waiting, l)
	var a answered
	select {
	case a = <-pending:
	case <-time.After(answerWithin):
		a.err = fmt.Errorf("no answer within %s", answerWithin)
	}
	for until := time.Now().Add(patience); p.tooEarly(l, a) && time.Now().Before(until); {
		<-time.After(20 * time.Millisecond)
		p.request(l)
		pending = p.waiting[l]
		delete(p.waiting, l)
		a = <-pending
	}
	if a.stream != nil {
		p.streams[l.Conn] = append(p.streams[l.Conn], a.stream)
		p.all = append(p.all, a.stream)
	}
	p.outcomes = append(p.outcomes, outcome{line: l, found: p.compareAnswer(l, a)})
}

// tooEarly tells that an executor subscribes of which our agent does not know yet
// that it runs, or that our master is not elected yet; a real client tries again, too.
func (p *replay) tooEarly(l *line, a answered) bool {
	if a.status == 503 && a.body == "No leader elected" {
		return l.answer != nil && l.answer.Status != 503
	}
	return strings.HasSuffix(l.Endpoint, "/api/v1/executor") && l.call() == "SUBSCRIBE" &&
		a.status == 400 && l.answer != nil && l.answer.Status == 200
}

// headers are those whose values matter.
var headers = []string{"Content-Type", "Mesos-Stream-Id", "Message-Content-Type",
	"WWW-Authenticate", "Allow", "Location"}

func (p *replay) compareAnswer(l *line, a answered) []string {
	switch {
	case l.answer == nil && a.err == nil:
		return []string{fmt.Sprintf("status: the real one did not answer, ours %d", a.status)}
	case l.answer == nil:
		return nil
	case a.err != nil:
		return []string{fmt.Sprintf("status: recorded %d, ours did not answer: %s",
			l.answer.Status, a.err)}
	}
	var found []string
	if a.status != l.answer.Status {
		found = append(found, fmt.Sprintf("status: recorded %d, ours %d %s", l.answer.Status,
			a.status, short(a.body)))
		return found
	}
	for _, h := range headers {
		if w, g := l.answer.Headers[h], a.headers.Get(h); !p.names.sameText(w, g) {
			found = append(found, fmt.Sprintf("header %s: recorded %q, ours %q", h, w, g))
		}
	}
	if a.stream != nil || l.answer.stream() {
		return found
	}
	return append(found, p.compareBody(l.answer.Body, a.body)...)
}

func (p *replay) compareBody(recorded any, got string) []string {
	if text, ok := recorded.(string); ok || recorded == nil {
		if p.names.sameText(text, got) {
			return nil
		}
		return []string{fmt.Sprintf("body: recorded %s, ours %s", short(text), short(got))}
	}
	v, err := decode([]byte(got))
	if err != nil {
		return []string{fmt.Sprintf("body: recorded %s, ours %s", short(recorded), short(got))}
	}
	return differences(p.names, recorded, v)
}

// subject tells events of one kind apart that are about different things.
func subject(v any) string {
	kind := textAt(v, "type")
	switch kind {
	case "UPDATE":
		return kind + " " + textAt(v, "update", "status", "task_id", "value") + " " +
			textAt(v, "update", "status", "state")
	case "TASK_UPDATED":
		return kind + " " + textAt(v, "task_updated", "status", "task_id", "value") + " " +
			textAt(v, "task_updated", "state")
	case "UPDATE_OPERATION_STATUS":
		return kind + " " + textAt(v, "update_operation_status", "status", "operation_id",
			"value") + textAt(v, "update_operation_status", "status", "state")
	}
	return kind
}

// allocated are the events that come of a round of the allocator.
var allocated = map[string]bool{"OFFERS": true, "INVERSE_OFFERS": true}

// event waits for our event that stands for the recorded one: one that is equal,
// or, when it is overdue, the first about the same thing.
func (p *replay) event(l *line) {
	if l.Closed == "eof-without-last-chunk" && p.isLast(l) {
		p.world.cut() // the recording ended with the master
	}
	open := p.streams[l.Conn]
	if len(open) == 0 {
		p.outcomes = append(p.outcomes, outcome{line: l, found: []string{"no stream was opened"}})
		return
	}
	due := p.base.Add(seconds(l.T))
	deadline := time.NewTimer(time.Until(due) + patience)
	defer deadline.Stop()
	if executor, ok := p.world.leaves(l); ok {
		p.world.letExit(executor, time.Until(due))
	}
	for {
		// Of several streams of one connection the first may have to end yet.
		for _, s := range open[:len(open)-1] {
			if p.take(s, l, false) {
				return
			}
		}
		last := open[len(open)-1]
		_, more := last.unused()
		if p.take(last, l, false) {
			return
		}
		wait := 200 * time.Millisecond
		if early := time.Until(due); early > 0 {
			wait = min(wait, early+time.Millisecond)
		} else if allocated[l.call()] {
			p.world.batch()
		}
		select {
		case <-more:
			continue
		case <-time.After(wait):
			continue
		case <-deadline.C:
		}
		if !p.take(last, l, true) {
			p.outcomes = append(p.outcomes, outcome{line: l, found: []string{missing}})
			p.enter(last, l, nil)
		}
		return
	}
}

// take compares a recorded event with those of a stream: it takes the first equal
// one, or, when it is overdue, the nearest about the same thing.
func (p *replay) take(s *stream, l *line, overdue bool) bool {
	candidates, _ := s.unused()
	if overdue {
		e := p.nearest(candidates, l)
		if e != nil {
			p.matched(s, l, e, p.compareEvent(l, e, false))
			p.enter(s, l, e)
		}
		return e != nil
	}
	for _, e := range candidates {
		if found := p.compareEvent(l, e, true); found == nil {
			p.matched(s, l, e, nil)
			return true
		}
	}
	return false
}

// nearest is our event about the same thing that came closest to the time at
// which the recorded one is due.
func (p *replay) nearest(candidates []*received, l *line) *received {
	var best *received
	due := p.base.Add(seconds(l.T))
	for _, e := range candidates {
		if e.closed != "" || l.Closed != "" || subject(e.body) != subject(l.Body) {
			continue
		}
		if best == nil || e.at.Sub(due).Abs() < best.at.Sub(due).Abs() {
			best = e
		}
	}
	return best
}

// isLast tells that nothing was asked after a line.
func (p *replay) isLast(l *line) bool {
	for _, x := range p.recording.lines {
		if x.number > l.number && (x.Dir == dirRequest || x.Dir == dirNote) {
			return false
		}
	}
	return true
}

// compareEvent compares; a trial learns nothing unless all is equal.
func (p *replay) compareEvent(l *line, e *received, trial bool) []string {
	if l.Closed != "" || e.closed != "" {
		if l.Closed != e.closed {
			return []string{fmt.Sprintf("closed: recorded %q, ours %q", l.Closed, e.closed)}
		}
		return nil
	}
	mark := p.names.mark()
	found := differences(p.names, l.Body, e.body)
	if trial && len(found) > 0 {
		p.names.undo(mark)
	}
	return found
}

// matched notes an outcome, and that an event came too early or too late among
// the others of its stream.
func (p *replay) matched(s *stream, l *line, e *received, found []string) {
	e.used, e.as = true, len(p.outcomes)
	if late := e.at.Sub(p.base).Seconds() - l.T; late > 0.25 {
		p.late = append(p.late, fmt.Sprintf("%.3f %s came %.2f s late", l.T,
			outcome{line: l}.place(""), late))
	}
	at := p.places[s]
	for i := range at.at {
		if at.index[i] > e.index && l.call() != "HEARTBEAT" && l.T-at.at[i] > apart {
			found = append(found, fmt.Sprintf("order: it came before another that was recorded "+
				"%.1f s earlier", l.T-at.at[i]))
			break
		}
	}
	p.places[s] = place{append(at.at, l.T), append(at.index, e.index)}
	p.outcomes = append(p.outcomes, outcome{line: l, found: found})
}

// finish ends the cluster and looks for events that were not recorded.
func (p *replay) finish() {
	for _, s := range p.all {
		p.tooMany(s)
		s.cancel()
	}
	p.strays = append(p.strays, p.world.strays...)
	p.world.end()
	slices.SortStableFunc(p.outcomes, func(a, b outcome) int {
		return a.line.number - b.line.number
	})
}

// tooMany counts events that were not recorded against the next one on the stream that
// was; what came after the last one that was recorded is only noted.
func (p *replay) tooMany(s *stream) {
	events := s.all()
	for i, e := range events {
		again := slices.ContainsFunc(events[:i], func(x *received) bool {
			return reflect.DeepEqual(x.body, e.body)
		})
		if e.used || e.closed != "" || subject(e.body) == "HEARTBEAT" || again {
			continue // Or sent again, which is a matter of timers.
		}
		found := "not recorded: " + short(e.body)
		next := slices.IndexFunc(events[i:], func(x *received) bool { return x.used && x.as >= 0 })
		if next < 0 {
			p.strays = append(p.strays, found)
			continue
		}
		o := &p.outcomes[events[i+next].as]
		o.found = append(o.found, "before it: "+found)
	}
}
