package scheduler

import (
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How replicas are moved. There is one such work at a time, and it goes in rounds: Kafka is asked
// what lies where, what that leaves to be moved is planned anew, and the first portion of it is
// begun and followed to its end. Nothing is kept between rounds but what is on its way, so that a
// restart of the scheduler, a topic that comes or goes, or a broker that dies needs no care.
// What is on its way is stored before Kafka is told of it, and with it that there may be
// throttles, so that these are removed whatever happens.

// Rebalancing is a work of moving replicas.
type Rebalancing struct {
	Number int64 // from 1, 0 for none
	Goal   balance.Goal
	// Brokers are those that are to be filled, or emptied.
	Brokers []int
	// Throttle is how many bytes a second each broker may copy for it, 0 for any.
	Throttle int64
	// Leaving says that the plan decommission wants it.
	Leaving bool
	Since   time.Time
	By      string
	// Round counts the portions, Batch is the one that was begun, nil between two.
	Round int
	Batch []balance.Move
	// Throttled says that there may be throttles, Over that they are to go, because nothing of the
	// batch is on its way any more.
	Over, Throttled bool
	// Ordered says that the latest batch only changed the order of replicas.
	Ordered bool
	// Done of Total partitions were moved, as far as is known, and DoneBytes of TotalBytes.
	Done, Total           int
	DoneBytes, TotalBytes int64
	Cancelled             bool
	// Ended is when it was over, zero before, and Problem why not all was moved that had to.
	Ended   time.Time
	Problem string
}

// survey is the question for what lies where, as far as it has come.
type survey struct {
	wish    string    // that is asked for, "" when the answer is there
	lost    time.Time // when an answer is given up
	next    time.Time // when to ask again
	problem string    // what keeps the work from getting on
}

// Times of moves.
const (
	surveyLost  = time.Minute      // longer than the brokers' time-out
	surveySoon  = time.Second      // while something is on its way
	surveyLater = 5 * time.Second  // while nothing can be done
	emptyAgain  = 30 * time.Second // before what could not be moved is tried again
	roundsMost  = 10000
)

// under reports whether the work is under way.
func (r Rebalancing) under() bool { return r.Number > 0 && r.Ended.IsZero() }

// shown reports whether the work is a plan of its own.
func (r Rebalancing) shown() bool { return r.Number > 0 && !r.Leaving }

// name names the work, and a round of it.
func (r Rebalancing) name() string { return fmt.Sprintf("rebalance %d.%d", r.Number, r.Round) }

// String gives the work in a line.
func (r Rebalancing) String() string {
	text := fmt.Sprintf("%d %s %v round=%d batch=%d done=%d/%d", r.Number, r.Goal, r.Brokers,
		r.Round, len(r.Batch), r.Done, r.Total)
	for _, flag := range []struct {
		on   bool
		text string
	}{{r.Over, " over"}, {r.Throttled, " throttled"}, {r.Cancelled, " cancelled"},
		{!r.Ended.IsZero(), " ended"}} {
		if flag.on {
			text += flag.text
		}
	}
	if r.Problem != "" {
		text += fmt.Sprintf(" problem=%q", r.Problem)
	}
	return text
}

// String gives the command as an operator would.
func (c Rebalance) String() string {
	text := fmt.Sprintf("rebalance %s", c.Goal)
	if len(c.Brokers) > 0 {
		text += fmt.Sprintf(" brokers %v", c.Brokers)
	}
	if c.Throttle > 0 {
		text += fmt.Sprintf(" throttle %d", c.Throttle)
	}
	return text
}

func (m *Machine) setRebalancing(r Rebalancing) {
	m.hard.Rebalancing = r
	m.write(WriteRebalancing{r})
}

// rebalance begins a work that an operator wants.
func (m *Machine) rebalance(c Rebalance, by Caller) (string, *Problem) {
	r, f := m.hard.Rebalancing, m.kafkaNow()
	switch {
	case m.hard.Intent != Run:
		return "", problem(Conflict, "the service is stopped")
	case r.under():
		return "", problem(Conflict, "%s; wait for its end, or cancel it", r.progress())
	case f == nil:
		return "", problem(Conflict, "Kafka does not answer now, so nobody knows what lies where")
	}
	if c.Goal == balance.InDirs && !m.severalDirs() {
		return "", problem(Conflict, "no broker has more than one log directory")
	}
	brokers := slices.Clone(c.Brokers)
	for _, id := range brokers {
		if f.broker(id) == nil {
			return "", problem(NotFound, "Kafka knows no broker %d", id)
		}
	}
	if c.Goal == balance.Fill && len(brokers) == 0 {
		for _, b := range f.Brokers {
			if b.Hosted == 0 && !b.Fenced {
				brokers = append(brokers, b.ID)
			}
		}
		if len(brokers) == 0 {
			return "", problem(AlreadyDone, "no broker is new: each one hosts partitions")
		}
	}
	slices.Sort(brokers)
	m.begin(Rebalancing{Goal: c.Goal, Brokers: slices.Compact(brokers), Throttle: c.Throttle,
		By: by.Who})
	m.forget(planRebalance)
	return "the rebalance begins; follow it with plan follow " + planRebalance, nil
}

// begin stores a new work; the pass does it.
func (m *Machine) begin(r Rebalancing) {
	r.Number, r.Since = m.hard.Rebalancing.Number+1, m.now
	m.setRebalancing(r)
	m.survey = survey{}
	m.due = true
}

// cancelRebalance ends the work that is under way.
func (m *Machine) cancelRebalance() (string, *Problem) {
	r := m.hard.Rebalancing
	switch {
	case !r.under():
		return "", problem(AlreadyDone, "no rebalance is under way")
	case r.Cancelled:
		return "", problem(AlreadyDone, "the rebalance is being cancelled already")
	case r.Leaving:
		return "", problem(Conflict, "the replicas leave brokers that are to go: cancel it by a "+
			"configuration that wants these again, as update rollback does")
	}
	m.cancelMoves(r)
	return "the rebalance is cancelled: what is on its way is taken back, and throttles removed",
		nil
}

func (m *Machine) cancelMoves(r Rebalancing) {
	r.Cancelled = true
	m.setRebalancing(r)
	m.survey = survey{}
	m.due = true
}

// passRebalancing does the next thing for the work that is under way.
func (m *Machine) passRebalancing() {
	r := m.hard.Rebalancing
	if m.hard.Intent != Run || !r.under() {
		return
	}
	forced := m.hard.Overrides.Forced[plans.Key(planRebalance, string(r.Goal), stepMove)]
	if !r.Cancelled && (r.Leaving && m.wantedAgain(r) || r.shown() && forced) {
		m.cancelMoves(r)
		return
	}
	switch {
	case r.Over:
		m.survey.problem = m.changeKafka(Unthrottle{Name: r.name(), Topics: topicsOf(r.Batch)})
	case len(r.Batch) == 0 && r.Cancelled, r.cleared():
		m.endRebalancing(r, "")
	case len(r.Batch) == 0 && m.holdsRebalance(r):
		m.survey.problem = "an operator holds the plan"
	default:
		m.askMoves(r)
	}
}

// holdsRebalance reports whether an operator wants nothing more to be begun.
func (m *Machine) holdsRebalance(r Rebalancing) bool {
	plan := planRebalance
	if r.Leaving {
		plan = planDecommission
	}
	return m.hard.Overrides.Interrupted[plan]
}

// wantedAgain reports whether the target wants a broker that was to be emptied to go.
func (m *Machine) wantedAgain(r Rebalancing) bool {
	return !slices.ContainsFunc(m.leavingBrokers(),
		func(id int) bool { return slices.Contains(r.Brokers, id) })
}

// leavingBrokers are the ids of the brokers that are to go for good.
func (m *Machine) leavingBrokers() []int {
	var ids []int
	for _, name := range m.podNames() {
		if spec, wanted := m.spec(name); !wanted && spec.Kafka != nil && spec.Kafka.Serves() {
			ids = append(ids, nodeID(name, spec))
		}
	}
	return ids
}

// wish is what is to be asked for next.
func (m *Machine) wish(r Rebalancing) MoveWish {
	if len(r.Batch) > 0 {
		return MoveWish{Name: r.name(), Goal: r.Goal, Brokers: r.Brokers, Batch: r.Batch}
	}
	gone := slices.DeleteFunc(m.leavingBrokers(),
		func(id int) bool { return r.Goal == balance.Empty && slices.Contains(r.Brokers, id) })
	wish := MoveWish{Name: r.name(), Goal: r.Goal, Brokers: r.Brokers, Gone: gone}
	if r.Goal == balance.Factors {
		wish.Factors = m.factors()
	}
	return wish
}

// askMoves asks what is to be moved, or how far that is, unless that is under way.
func (m *Machine) askMoves(r Rebalancing) {
	s := &m.survey
	switch {
	case s.wish != "" && m.now.Before(s.lost):
		m.wakeBy(s.lost)
		return
	case s.wish == "" && m.now.Before(s.next):
		m.wakeBy(s.next)
		return
	}
	addresses := m.kafkaAddresses()
	if len(addresses) == 0 {
		s.problem = "no Kafka node runs"
		return
	}
	wish := m.wish(r)
	s.wish, s.lost = wish.String(), m.now.Add(surveyLost)
	m.wakeBy(s.lost)
	m.out.Calls = append(m.out.Calls, AskMoves{addresses, wish})
}

// fromMoves takes in what lies where.
func (m *Machine) fromMoves(ev FromMoves) {
	r := m.hard.Rebalancing
	if m.survey.wish == "" || m.survey.wish != ev.Wish.String() || !r.under() {
		return // of an earlier question
	}
	m.survey = survey{next: m.now.Add(surveySoon)}
	m.due = true
	switch {
	case ev.Moves.Error != "":
		m.survey = survey{next: m.now.Add(surveyLater), problem: ev.Moves.Error}
	case len(r.Batch) > 0 && len(ev.Moves.States) == len(r.Batch):
		m.followBatch(r, ev.Moves.States)
	case len(r.Batch) == 0 && ev.Moves.States == nil:
		m.nextBatch(r, ev.Moves)
	}
}

// nextBatch begins the next portion, or ends the work.
func (m *Machine) nextBatch(r Rebalancing, moves Moves) {
	ordered := !slices.ContainsFunc(moves.Next, balance.Copies)
	switch {
	case r.Cancelled:
	case moves.Foreign > 0:
		m.survey = survey{next: m.now.Add(surveyLater), problem: fmt.Sprintf(
			"%d partitions are being reassigned by somebody else", moves.Foreign)}
	case len(moves.Next) == 0 || ordered && r.Ordered:
		m.endRebalancing(r, leftText(moves))
	case r.Round >= roundsMost:
		m.endRebalancing(r, fmt.Sprintf("%d partitions are left to be moved after %d rounds",
			moves.Count, r.Round))
	default:
		r.Round, r.Batch, r.Over, r.Ordered = r.Round+1, moves.Next, false, ordered
		r.Throttled = r.Throttle > 0
		r.Total, r.TotalBytes = r.Done+moves.Count, r.DoneBytes+moves.Bytes
		m.setRebalancing(r)
		m.startMoves(r, r.Batch)
	}
}

func (m *Machine) startMoves(r Rebalancing, moves []balance.Move) {
	m.survey.problem = m.changeKafka(StartMoves{Name: r.name(), Moves: moves,
		Throttle: r.Throttle})
}

// followBatch looks how far the moves are that were begun: what Kafka does not do is asked for
// again, or, when the work is cancelled, what it does is taken back.
func (m *Machine) followBatch(r Rebalancing, states []MoveState) {
	var idle, runs []balance.Move
	done, bytes := 0, int64(0)
	for i, state := range states {
		switch state {
		case MoveIdle:
			idle = append(idle, r.Batch[i])
		case MoveRuns:
			runs = append(runs, r.Batch[i])
		case MoveDone:
			done++
			bytes += r.Batch[i].Bytes
		}
	}
	switch {
	case len(runs) > 0 && r.Cancelled:
		m.survey.problem = m.changeKafka(CancelMoves{Name: r.name(), Moves: runs})
	case len(idle) > 0 && !r.Cancelled:
		m.startMoves(r, idle)
	case len(runs) == 0:
		r.Done, r.DoneBytes = r.Done+done, r.DoneBytes+bytes
		if r.Over = r.Throttled; !r.Over {
			r.Batch = nil
		}
		m.setRebalancing(r)
		m.survey = survey{}
	default:
		m.survey.problem = fmt.Sprintf("%d of the %d partitions of this round are on their way: %s",
			len(runs), len(states), movesText(runs[:min(2, len(runs))]))
	}
}

// unthrottled notes that the throttles are removed.
func (m *Machine) unthrottled() {
	if r := m.hard.Rebalancing; r.Over {
		r.Over, r.Throttled, r.Batch = false, false, nil
		m.setRebalancing(r)
		m.survey = survey{}
	}
}

// endRebalancing ends the work.
func (m *Machine) endRebalancing(r Rebalancing, trouble string) {
	r.Ended, r.Problem = m.now, trouble
	m.setRebalancing(r)
	m.survey = survey{}
	m.due = true
	m.polling.hurry() // so that Kafka is asked at once
	m.note(Info, "", "replicas were moved", "rebalance", r.String())
}

// leftText says what could not be moved off brokers, "" if all could.
func leftText(m Moves) string {
	if m.LeftCount == 0 {
		return ""
	}
	l := m.Left[0]
	return fmt.Sprintf("%d replicas cannot leave, the first of %s-%d on broker %d: %s",
		m.LeftCount, l.Topic, l.Partition, l.Broker, l.Reason)
}

// The steps of the plan rebalance.
const (
	stepMove     = "move-replicas"
	stepThrottle = "remove-throttle"
)

// plan is the work as a plan.
func (r Rebalancing) plan() plans.Plan {
	plan := plans.Plan{Name: planRebalance, Strategy: servicespec.Serial}
	unique := fmt.Sprint(planRebalance, " ", r.Number) // so that no two have the same ids
	phase := plans.NewPhase(unique, string(r.Goal), servicespec.Serial)
	phase.Steps = append(phase.Steps,
		plans.NewSubjectStep(unique, phase.Name, stepMove, stepMove))
	if r.Throttle > 0 {
		phase.Steps = append(phase.Steps,
			plans.NewSubjectStep(unique, phase.Name, stepThrottle, stepThrottle))
	}
	plan.Phases = append(plan.Phases, phase)
	return plan
}

// rebalanceState says how far a step of the plan rebalance is.
func (m *Machine) rebalanceState(s plans.Step) (plans.Status, string) {
	r := m.hard.Rebalancing
	switch {
	case !r.under() && r.Problem != "" && s.Subject == stepMove:
		return plans.Error, r.Problem
	case !r.under():
		return plans.Complete, ""
	case s.Subject == stepThrottle:
		return plans.Pending, "waits until the replicas are moved"
	case r.Round == 0:
		return plans.Starting, m.rebalanceText(r)
	}
	return plans.Started, m.rebalanceText(r)
}

// rebalanceText says how far the work is, and what holds it.
func (m *Machine) rebalanceText(r Rebalancing) string {
	if m.survey.problem != "" {
		return r.progress() + ": " + m.survey.problem
	}
	return r.progress()
}

// rebalanceTold says how far the latest work is, or why it ended before its goal.
func (m *Machine) rebalanceTold() string {
	r := m.hard.Rebalancing
	if r.under() {
		return m.rebalanceText(r)
	}
	return r.Problem
}

// progress says how far the work is.
func (r Rebalancing) progress() string {
	switch {
	case r.Cancelled:
		return "the moves are being taken back"
	case r.Round == 0:
		return "it is being looked what has to be moved"
	}
	return fmt.Sprintf("%d of %d partitions are moved, %s of %s", r.Done, r.Total,
		bytesText(r.DoneBytes), bytesText(r.TotalBytes))
}

// bytesText prints an amount of bytes for people.
func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	value, unit := float64(n), 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
