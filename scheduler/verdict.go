package scheduler

import (
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// May this Kafka node go down now?
//
// Whatever takes a node of a cluster that was founded down, or its data, asks package rolling
// first: a new configuration, a restart, a replacement, a pause, a plan of the spec's, a move off
// an agent, a fault policy. Only what ends the whole service does not ask, as nobody is to be
// served then, nor what happens without us. A verdict rests on facts about each partition, which
// Kafka is asked for as long as somebody wants one. It is kept in the journal whenever it changes.
//
// A node that was taken down counts as down until it is wholly back, over restarts of the
// scheduler too (Pod.Down). An operator's force (Pod.Force) stands for one stop.

// inquiry is what is known, and was said, of nodes that are to go down.
type inquiry struct {
	// changed is when a Kafka process was last told to end, or ended, or was out of reach. Facts
	// from before say nothing.
	changed time.Time
	// wanted says that somebody wants a verdict; all that the last questions were for all.
	wanted, all bool
	asked       time.Time
	// verdicts are those of the pass, and said those that the journal has, with since when
	// each node waits.
	verdicts map[PodName]Judgement
	said     map[PodName]Judgement
	// seen is when there was last a verdict on a node that rested on facts.
	seen map[PodName]time.Time
	// sick counts failures of health checks in a row.
	sick map[mesos.TaskID]int
	// back are the nodes whose leaders are to come back, since when.
	back map[PodName]time.Time
}

func newInquiry() inquiry {
	return inquiry{verdicts: map[PodName]Judgement{}, said: map[PodName]Judgement{},
		back: map[PodName]time.Time{}, sick: map[mesos.TaskID]int{}, seen: map[PodName]time.Time{}}
}

// begin begins a pass.
func (q *inquiry) begin() {
	q.wanted = false
	q.verdicts = map[PodName]Judgement{}
}

// judge is one of the questions that package rolling answers.
type judge func(*rolling.Facts, rolling.Request) rolling.Verdict

// mayStop says why a Kafka node has to stay, "" if it may be stopped and come back with its data.
func (m *Machine) mayStop(p Pod, spec servicespec.Pod) string {
	return m.may(p, spec, "stop", (*rolling.Facts).MayStop)
}

// mayReplace says why a Kafka node has to keep its place and its data, "" if it may lose them.
func (m *Machine) mayReplace(p Pod, spec servicespec.Pod) string {
	if spec.ZooKeeper != nil {
		return m.holdServerData(p, spec)
	}
	return m.may(p, spec, "replace", (*rolling.Facts).MayReplace)
}

// may asks for a verdict and keeps it.
func (m *Machine) may(p Pod, spec servicespec.Pod, what string, ask judge) string {
	if spec.Kafka == nil || !m.hard.Kafka.Founded || p.Force {
		return ""
	}
	v := ask(m.whole(), m.requestFor(p, spec))
	if v.Code == rolling.NoFacts && what == "stop" && m.neverCame(p, spec) {
		return ""
	}
	v = m.inquiry.lately(p.Name, what, v, m.now)
	m.inquiry.verdicts[p.Name] = Judgement{What: what, Verdict: v}
	if v.OK() {
		return ""
	}
	m.inquiry.wanted = true
	m.moveFirst(p, spec, v)
	return v.Sentence()
}

// lately gives the verdict before this one as long as this one only says that new facts are on
// their way: a broker that hangs makes them slow, and is what an operator wants to read about.
func (q *inquiry) lately(
	name PodName, what string, v rolling.Verdict, now time.Time,
) rolling.Verdict {
	if v.Code != rolling.NoFacts {
		q.seen[name] = now
		return v
	}
	was, waited := q.said[name]
	if waited && was.What == what && !was.Verdict.OK() &&
		now.Before(q.seen[name].Add(factsLost)) {
		return was.Verdict
	}
	return v
}

// neverCame reports whether a launch has never come up so far that anybody could use it.
func (m *Machine) neverCame(p Pod, spec servicespec.Pod) bool {
	ts, _ := taskSpec(spec, spec.Kafka.Task)
	return ts.Readiness != nil && !m.everReady(p, spec)
}

// everReady reports whether the present launch of a Kafka node was ever seen to be ready.
func (m *Machine) everReady(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(spec.Kafka.Task)
	return t.WasReady || t.Ready != nil && *t.Ready
}

// whole is what the service's own cluster says of each partition, nil if it did not since
// a process of it ended, or came up, or was told to end.
func (m *Machine) whole() *rolling.Facts {
	f := m.kafkaNow()
	if f == nil || f.Asked.Before(m.freshAfter) || f.Asked.Before(m.inquiry.changed) {
		return nil
	}
	return f.Rolling
}

// requestFor is what is asked of a node.
func (m *Machine) requestFor(p Pod, spec servicespec.Pod) rolling.Request {
	q := rolling.Request{Node: rolling.NodeID(nodeID(p.Name, spec)), Now: m.now,
		Fading: m.facts.fading(), Policy: PolicyOf(spec)}
	if !spec.Kafka.Serves() {
		q.Role = rolling.ControllerRole
	}
	t, _ := p.task(spec.Kafka.Task)
	q.Ended = !t.live()
	for _, name := range m.podNames() {
		o := m.hard.Pods[name]
		os, wanted := m.spec(name)
		if os.Kafka == nil {
			continue
		}
		if o.Down != nil {
			q.Down = append(q.Down, rolling.NodeID(nodeID(name, os)))
		}
		if wanted && m.joinsSoon(o, os) {
			q.Joining = append(q.Joining, rolling.NodeID(nodeID(name, os)))
		}
	}
	return q
}

// joinSoon is how long a controller that came up may take until it votes: what waits for it does
// so for no longer.
const joinSoon = time.Minute

// joinsSoon reports whether an instance is a controller that came up a moment ago, or comes up.
func (m *Machine) joinsSoon(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(spec.Kafka.Task)
	return spec.Kafka.Controls() && t.live() && !t.unsure() && !t.Idle && !m.endsNow(p.Name) &&
		m.now.Before(t.Since.Add(joinSoon))
}

// PolicyOf is what a pod's spec says of nodes that go down.
func PolicyOf(spec servicespec.Pod) rolling.Policy {
	policy := rolling.Policy{Fragile: fragile(spec)}
	if spec.Update != nil {
		policy.MaxUnavailable = spec.Update.MaxUnavailable
	}
	return policy
}

// holdStop says why what some tasks of an instance run must not be ended now, "" if it may.
func (m *Machine) holdStop(p Pod, spec servicespec.Pod, ends []mesos.TaskID) string {
	if m.takesServer(p, spec, ends) && !m.endsNow(p.Name) {
		return m.holdServer(p, spec)
	}
	if !m.takesKafka(p, spec, ends) || m.decided(p, spec) {
		return ""
	}
	return m.mayStop(p, spec)
}

// takesKafka reports whether a Kafka process that does its work is among launches.
func (m *Machine) takesKafka(p Pod, spec servicespec.Pod, ends []mesos.TaskID) bool {
	return spec.Kafka != nil && p.takes(spec.Kafka.Task, ends)
}

// takes reports whether a task that does its work is among launches.
func (p Pod) takes(task string, ends []mesos.TaskID) bool {
	t, _ := p.task(task)
	return t.live() && !t.Idle && slices.Contains(ends, t.ID)
}

// decided reports whether the present launch of a node was to be taken down before. What was
// begun is ended.
func (m *Machine) decided(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(spec.Kafka.Task)
	return m.endsNow(p.Name) || p.Down != nil && p.Down.Task == t.ID
}

// holdRequest says why what was asked of an instance must not be done now, "" if it may.
func (m *Machine) holdRequest(p Pod) string {
	spec, ok := m.spec(p.Name)
	if ok && spec.ZooKeeper != nil {
		return m.holdServerRequest(p, spec)
	}
	if !ok || spec.Kafka == nil {
		return ""
	}
	t, _ := p.task(spec.Kafka.Task)
	switch {
	case p.Request == Replace && (t.ID == "" || t.runs() && m.decided(p, spec)):
		return ""
	case p.Request == Replace:
		return m.mayReplace(p, spec)
	case !t.live(), m.wentDown(p, t):
		return ""
	}
	return m.holdStop(p, spec, []mesos.TaskID{t.ID})
}

// wentDown reports whether a task went down with its agent, which is gone for ever: no stop takes
// it down any more.
func (m *Machine) wentDown(p Pod, t Task) bool { return t.unsure() && !m.lingers(p) }

// takeDown ends all tasks of an instance.
func (w *work) takeDown(p Pod) {
	spec, _ := w.m.spec(p.Name)
	var live []mesos.TaskID
	for _, t := range p.Tasks {
		if t.live() {
			live = append(live, t.ID)
		}
	}
	w.killTasks(w.m.takenDown(p, spec, live, false), live, nil)
}

// takenDown notes that a Kafka process is taken down, with the verdict on it, and that an instance
// has its turn in a campaign.
func (m *Machine) takenDown(p Pod, spec servicespec.Pod, ends []mesos.TaskID, turn bool) Pod {
	changed := turn && !p.Rolls
	p.Rolls = p.Rolls || turn
	if m.takesServer(p, spec, ends) && p.Force && p.Request != Replace {
		p.Force, changed = false, true
	}
	if m.goesDown(p, spec, ends) {
		t, _ := p.task(spec.Kafka.Task)
		p.Down, changed = &Down{Task: t.ID, At: m.now}, true
		p.Force = p.Force && p.Request == Replace // which asks again before the data goes
		m.inquiry.changed = m.now
		m.acted(p.Name)
	}
	if changed {
		m.setPod(p)
	}
	return p
}

// kafkaAway notes that a task that ran does so no more, as far as anybody knows: what Kafka said
// before says nothing of a cluster without it.
func (m *Machine) kafkaAway(p Pod, t Task) {
	spec, ok := m.spec(p.Name)
	if ok && spec.Kafka != nil && spec.Kafka.Task == t.Name && t.runs() {
		m.inquiry.changed = m.now
	}
}

// goesDown reports whether the Kafka of a node is taken down by the end of tasks, and was not
// before.
func (m *Machine) goesDown(p Pod, spec servicespec.Pod, ends []mesos.TaskID) bool {
	if !m.takesKafka(p, spec, ends) || !m.hard.Kafka.Founded || !m.connected {
		return false
	}
	t, _ := p.task(spec.Kafka.Task)
	return p.Down == nil || p.Down.Task != t.ID
}

// downAgain is how long a node that was to be taken down, and is as before, counts as down.
const downAgain = 10 * time.Second

// noteBack finds out which instances that were taken down, or had their turn, are wholly back.
func (m *Machine) noteBack() {
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, ok := m.spec(name)
		if p.Down == nil && !p.Rolls || ok && !m.cameBack(p, spec) || !ok && m.endsNow(name) {
			continue
		}
		halts := !ok && m.halts(p, spec)
		if p.Down == nil && halts {
			continue
		}
		if ok && p.Down != nil && spec.Kafka.Serves() {
			m.inquiry.back[name] = m.now
		}
		p.Down, p.Rolls = nil, halts
		m.setPod(p)
		m.due = true
	}
}

// cameBack reports whether an instance that was taken down is as it was, or one that had its turn
// runs with what that brought.
func (m *Machine) cameBack(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(serverTask(spec))
	switch {
	case p.Down != nil && spec.Kafka != nil:
		return m.wholly(p, spec)
	case t.ID == "" || !m.hard.Campaign.under():
		return true
	case t.Launch != m.launchHash(p.Name, t.Name):
		return false
	case t.Idle:
		return t.runs()
	}
	ts, _ := taskSpec(spec, t.Name)
	ready, _ := m.taskReady(p, spec, ts, t)
	return ready
}

// wholly reports whether a node is back in all that it was in.
func (m *Machine) wholly(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(spec.Kafka.Task)
	if m.endsNow(p.Name) || t.State != mesos.Running || t.Idle {
		return false
	}
	if f := m.facts; t.ID == p.Down.Task && (f == nil ||
		f.Asked.Before(p.Down.At.Add(downAgain))) {
		return false
	}
	ts, _ := taskSpec(spec, t.Name)
	if ready, _ := m.taskReady(p, spec, ts, t); ready {
		return true
	}
	// What has no leader cannot wait for this node, nor what is on its way elsewhere.
	return t.complete(ts) && m.whole().Back(m.requestFor(p, spec), t.Since) == ""
}

// noteVerdicts keeps in the journal which verdicts have changed. That Kafka has not been asked
// yet is none.
func (m *Machine) noteVerdicts() {
	said := map[PodName]Judgement{}
	for _, name := range m.podNames() {
		j, judged := m.inquiry.verdicts[name]
		before, waited := m.inquiry.said[name]
		if !judged {
			continue
		}
		if j.Since = m.now; waited {
			j.Since = before.Since
		}
		fresh := j.Verdict.Code == rolling.NoFacts
		if fresh && m.now.Before(j.Since.Add(factsLost)) && (!waited ||
			before.Verdict.Code == rolling.NoFacts || before.Verdict.Code == "") {
			j.Verdict.Code = "" // not worth a word yet
			said[name] = j
			continue
		}
		if j.Verdict.OK() {
			continue // that is told when it is acted on
		}
		if before.Verdict.Code != j.Verdict.Code || before.What != j.What {
			m.tellVerdict(name, j)
		}
		said[name] = j
	}
	m.inquiry.said = said
}

// tellVerdict keeps a verdict in the journal.
func (m *Machine) tellVerdict(name PodName, j Judgement) {
	m.record(JournalEntry{Kind: "verdict", By: "scheduler", What: j.What + " " + name.String(),
		Outcome: j.Verdict.Sentence(), Code: string(j.Verdict.Code)})
}

// acted keeps the verdict in the journal that something is done on now, if there is one.
func (m *Machine) acted(name PodName) {
	if j, judged := m.inquiry.verdicts[name]; judged && j.Verdict.OK() {
		m.tellVerdict(name, j)
	}
}

// askAll reports whether Kafka is to be asked for all, and when that is due at the earliest.
func (m *Machine) askAll(interval time.Duration) (due time.Time, all bool) {
	q := &m.inquiry
	if !q.wanted {
		return time.Time{}, false
	}
	if !q.all || q.asked.Before(q.changed) || q.asked.Before(m.freshAfter) {
		return m.now, true
	}
	took := m.polling.answered.Sub(q.asked) // of many partitions it takes its time
	return m.polling.answered.Add(max(interval, took)), true
}

// verdictOn is the verdict that an instance waits for, nil when it waits for none.
func (m *Machine) verdictOn(name PodName) *Judgement {
	j, waits := m.inquiry.said[name]
	if !waits || j.Verdict.Code == "" {
		return nil
	}
	return &j
}
