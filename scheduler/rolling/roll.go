package rolling

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Phase is how far the roll of one node is.
type Phase string

// The phases, in order.
const (
	Draining   Phase = "draining"    // its leaders go to others
	Stopping   Phase = "stopping"    // its process is to end
	Starting   Phase = "starting"    // its process is to begin
	CatchingUp Phase = "catching-up" // it comes back into everything that it hosts
	Returning  Phase = "returning"   // its leaders come back
	Done       Phase = "done"
)

// Roll is one node on its way down and up again. It is a value: copy it, store it, go on with it
// after a crash.
type Roll struct {
	Node  NodeID
	Phase Phase
	// Since is when the phase began, Moved when anything went forward in it.
	Since, Moved time.Time
	// Acted is when the last action was wanted. Facts that are older say nothing of it.
	Acted time.Time
	// WasDown is set when the node was down before, and not because of us.
	WasDown bool
	// Left is what was left when it was looked at last.
	Left Left
	// Exits is how often the process ended by itself since its start.
	Exits int
	// Reason says what the roll waits for, and Halt why it holds up all others, "" if it does not.
	Reason, Halt string
}

// Left is what keeps a started node from being back.
type Left struct {
	Logs, Segments int // of its log recovery, as last seen
	Partitions     int // not in sync, the fewest that were seen
}

// untold is the number of partitions as long as nobody has told of the node.
const untold = math.MaxInt32

// Condition is what is known of one node beside Kafka's facts.
type Condition struct {
	Role  Role
	Ended bool // its process has ended
	// Logs and Segments are what is left of its log recovery, 0 when it is in none.
	Logs, Segments int
}

// ActionKind is what a roll wants done.
type ActionKind string

// The actions. All may be wanted again, and then have to be done again.
const (
	HandOver       ActionKind = "hand-over"       // move the leaders
	StopNode       ActionKind = "stop"            // SIGTERM, and patience
	StartNode      ActionKind = "start"           // same place, same data
	ElectPreferred ActionKind = "elect-preferred" // bring the leaders back
	MoveReplicas   ActionKind = "move-replicas"   // fragile partitions, before the node goes
)

// Action is something to be done to a node.
type Action struct {
	Kind    ActionKind
	Node    NodeID
	Leaders []Handover // of HandOver and ElectPreferred
	Moves   []Move     // of MoveReplicas
}

// Limits are the times of a roll. Zeros are the usual ones.
type Limits struct {
	// Drain is how long leaders may take to move away: 60 s. After that the controlled
	// shutdown sees to it; a negative time leaves it to that from the beginning.
	Drain time.Duration
	// Return is how long leaders may take to come back: 60 s. After that Kafka itself sees to it.
	Return time.Duration
	// Patience is how long a node may make no progress before it halts the others: 10 min.
	Patience time.Duration
	// Exits is how often a process may end by itself while it comes back: 2.
	Exits int
	// Settle is the pause between one node and the next.
	Settle time.Duration
}

func (l Limits) drain() time.Duration    { return orElse(l.Drain, time.Minute) }
func (l Limits) giveBack() time.Duration { return orElse(l.Return, time.Minute) }
func (l Limits) patience() time.Duration { return orElse(l.Patience, 10*time.Minute) }

func (l Limits) exits() int {
	if l.Exits > 0 {
		return l.Exits
	}
	return 2
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d != 0 {
		return d
	}
	return otherwise
}

// begin begins the roll of a node that may go.
func begin(v Verdict, now time.Time) Roll {
	r := Roll{Node: v.Node, Moved: now}
	if v.Code == Ended {
		r.WasDown = true
		r.enter(Starting, now, "is to be started")
		return r
	}
	r.enter(Draining, now, "its leaders move away")
	return r
}

func (r *Roll) enter(p Phase, now time.Time, reason string) {
	r.Phase, r.Since, r.Moved, r.Reason, r.Halt = p, now, now, reason, ""
}

// down reports whether the node is down because of us, or may be.
func (r *Roll) down() bool {
	return r.Phase == Stopping || r.Phase == Starting || r.Phase == CatchingUp
}

// newer reports whether facts can tell of the last action.
func (r *Roll) newer(f *Facts) bool { return f != nil && f.Asked.After(r.Acted) }

// drained decides, for a node whose leaders move away, whether it goes: the verdict is asked
// again, with the facts of this moment. It reports false when the node has to stay after all.
func (r *Roll) drained(f *Facts, q Request, l Limits) ([]Action, bool) {
	v := f.MayStop(q)
	switch {
	case v.Code == Ended:
		r.WasDown = true
		r.enter(Starting, q.Now, "is to be started")
		return r.act(StartNode, q.Now), true
	case !v.OK():
		return nil, false
	case !r.newer(f):
		return nil, true
	}
	leaders := f.Drain(r.Node, q.Down)
	if len(leaders) > 0 && q.Now.Sub(r.Since) < l.drain() {
		r.Reason = fmt.Sprintf("%d of its leaders move away", len(leaders))
		list := r.act(HandOver, q.Now)
		list[0].Leaders = leaders
		return list, true
	}
	r.enter(Stopping, q.Now, "its process is to end")
	return r.act(StopNode, q.Now), true
}

func (r *Roll) act(kind ActionKind, now time.Time) []Action {
	r.Acted = now
	return []Action{{Kind: kind, Node: r.Node}}
}

// step goes on with a node that is on its way down or up.
func (r *Roll) step(f *Facts, q Request, c Condition, l Limits) []Action {
	switch r.Phase {
	case Stopping:
		if c.Ended {
			r.enter(Starting, q.Now, "is to be started")
			return r.act(StartNode, q.Now)
		}
		r.overdue(q.Now, l, "its process does not end")
	case Starting:
		if !c.Ended {
			r.enter(CatchingUp, q.Now, "Kafka has not told of it yet")
			r.Acted, r.Left = q.Now, Left{c.Logs, c.Segments, untold}
			return nil
		}
		r.overdue(q.Now, l, "its process does not start")
	case CatchingUp:
		return r.catchUp(f, q, c, l)
	case Returning:
		return r.comeBack(f, q, l)
	}
	return nil
}

// overdue halts the others when nothing has gone forward for too long.
func (r *Roll) overdue(now time.Time, l Limits, reason string) {
	r.Reason = reason
	if still := now.Sub(r.Moved); still > l.patience() {
		r.Halt = fmt.Sprintf("node %d: %s, for %s", r.Node, reason, still.Round(time.Second))
	}
}

// catchUp watches a started node until it is wholly back.
func (r *Roll) catchUp(f *Facts, q Request, c Condition, l Limits) []Action {
	if c.Ended {
		r.Exits++
		if r.Exits <= l.exits() {
			r.enter(Starting, q.Now, "its process ended and is to be started again")
			return r.act(StartNode, q.Now)
		}
		r.enter(Starting, q.Now, "its process keeps ending")
		r.Halt = fmt.Sprintf("node %d ended %d times while it came back", r.Node, r.Exits)
		return nil
	}
	missing, left := f.missing(r, q)
	r.progress(q.Now, Left{c.Logs, c.Segments, left})
	if c.Logs+c.Segments > 0 && missing != "" {
		missing = fmt.Sprintf("recovers its logs: %d logs and %d segments are left",
			c.Logs, c.Segments)
	}
	if missing != "" {
		r.overdue(q.Now, l, missing)
		return nil
	}
	r.enter(Returning, q.Now, "its leaders come back")
	return r.comeBack(f, q, l)
}

// progress begins the patience anew when logs were recovered, or fewer partitions are out of sync
// than ever before.
func (r *Roll) progress(now time.Time, left Left) {
	if left.Logs < r.Left.Logs || left.Segments < r.Left.Segments ||
		left.Partitions < r.Left.Partitions {
		r.Moved, r.Halt = now, ""
	}
	left.Partitions = min(left.Partitions, r.Left.Partitions)
	r.Left = left
}

// since reports whether a node that is that far behind has had all metadata since its start. Right
// after its stop it does not look far behind either.
func (r *Roll) since(f *Facts, behind time.Duration) bool {
	return f.Asked.Add(-behind).After(r.Acted)
}

// missing says what keeps a started node from being back, "" when nothing does, and how many
// partitions are not in sync, untold when nobody tells.
func (f *Facts) missing(r *Roll, q Request) (string, int) {
	if !r.newer(f) {
		return "Kafka has not told of it yet", untold
	}
	i := newInquiry(f, q)
	if v := first(i.fresh, i.led, i.confirmed); v != nil {
		return v.reason(), untold
	}
	if v, votes := f.Quorum.voter(r.Node); votes &&
		(v.Behind < 0 || v.Behind > q.Policy.maxBehind() || !r.since(f, v.Behind)) {
		return "it has not caught up with the other controllers", untold
	}
	if q.Role == ControllerRole {
		return "", 0
	}
	switch b, _ := f.Broker(r.Node); {
	case !b.Registered:
		return "it is not registered", untold
	case b.Fenced:
		return "it is fenced", untold
	case b.Answered.Before(f.Asked):
		return "it does not answer", untold
	case b.Behind >= 0 && !r.since(f, b.Behind):
		return "it has not caught up with the metadata", untold
	}
	out := 0
	for p := range f.hosted(r.Node) {
		// What has no leader or is on its way elsewhere cannot wait for this node.
		if !p.offline && !p.moving && (p.disputed || !f.inSyncOn(p, r.Node)) {
			out++
		}
	}
	if out > 0 {
		hosted, _ := f.Hosted(r.Node)
		return fmt.Sprintf("it is not in the ISR of %d of its %d partitions", out, hosted), out
	}
	return "", 0
}

// Back says what keeps a node that runs since a time from being wholly back, "" when nothing does.
func (f *Facts) Back(q Request, since time.Time) string {
	missing, _ := f.missing(&Roll{Node: q.Node, Acted: since}, q)
	return missing
}

// comeBack brings the leaders back, within bounds.
func (r *Roll) comeBack(f *Facts, q Request, l Limits) []Action {
	if q.Now.Sub(r.Since) >= l.giveBack() {
		r.enter(Done, q.Now, "is back, though some leaders are not")
		return nil
	}
	if !r.newer(f) {
		return nil
	}
	leaders := f.Preferred(r.Node)
	if len(leaders) == 0 {
		r.enter(Done, q.Now, "is back")
		return nil
	}
	r.Reason = fmt.Sprintf("%d of its leaders come back", len(leaders))
	list := r.act(ElectPreferred, q.Now)
	list[0].Leaders = leaders
	return list
}

// away are the nodes at work but one, without those that are wholly back but for their leaders.
func away(rolls []Roll, without NodeID) []NodeID {
	var list []NodeID
	for _, r := range rolls {
		if r.Node != without && r.Phase != Returning {
			list = append(list, r.Node)
		}
	}
	slices.Sort(list)
	return list
}
