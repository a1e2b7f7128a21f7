package rolling

import (
	"slices"
	"time"
)

// Choice is what becomes of partitions that are unavailable whenever one of their brokers is.
type Choice string

// The choices.
const (
	// MoveAway has them moved from a node before it goes where another broker can take them, and
	// allows the rest. It is the choice when none was made.
	MoveAway Choice = "move-first"
	// Allow lets them go with the node.
	Allow Choice = "allow"
	// Refuse keeps the node.
	Refuse Choice = "refuse"
)

// Policy is what an operator chose. Its zero value is the careful one.
type Policy struct {
	// MaxUnavailable is how many brokers of one rack may be down because of us; 0 is 1.
	MaxUnavailable int
	Fragile        Choice
	// MaxFailed is how many other brokers may be down that are not because of us.
	MaxFailed int
	// MaxAge is how old facts may be, 0 is five seconds.
	MaxAge time.Duration
	// MaxBehind is how far who answers and who votes may be behind the leader; 0 is two seconds,
	// Kafka's controller.quorum.fetch.timeout.ms.
	MaxBehind time.Duration
}

func (p Policy) maxUnavailable() int { return max(1, p.MaxUnavailable) }

func (p Policy) maxAge() time.Duration {
	if p.MaxAge > 0 {
		return p.MaxAge
	}
	return 5 * time.Second
}

func (p Policy) maxBehind() time.Duration {
	if p.MaxBehind > 0 {
		return p.MaxBehind
	}
	return 2 * time.Second
}

// Request is what is asked: may a node go?
type Request struct {
	Node NodeID
	Role Role
	Now  time.Time
	// Ended is whether its process is known to have ended.
	Ended bool
	// Down are the others that were taken down by us and are not wholly back.
	Down []NodeID
	// Fading are the voters that the quorum is about to lose: a process votes for them that is
	// ended as soon as anybody can.
	Fading []NodeID
	// Joining are controllers that were launched a moment ago: they are about to vote.
	Joining []NodeID
	Policy  Policy
}

// Role is what a node is to Kafka.
type Role int

// The roles. Voters are told by the facts, so only the part of a broker is needed here.
const (
	BrokerRole     Role = iota // a broker, perhaps a controller too
	ControllerRole             // a controller and no broker
)

// inquiry is a request while it is being looked into.
type inquiry struct {
	*Facts
	Request
	gone []NodeID // the node and those that are down because of us
	// accepted names the partitions that are unavailable meanwhile, as was decided.
	accepted Verdict
	// pauses is set when the quorum cannot do without the node, and never will.
	pauses bool
}

// MayStop answers whether a node may be stopped, to come back at its place with its data.
func (f *Facts) MayStop(r Request) Verdict {
	if r.Ended {
		return Verdict{Node: r.Node, Answer: Allowed, Code: Ended}
	}
	q := newInquiry(f, r)
	serves := r.Role == BrokerRole
	if v := first(q.fresh, q.led, q.confirmed, q.turn, q.majority); v != nil {
		return *v
	}
	if serves {
		if v := q.agreed(); v != nil {
			return *v
		}
		if q.servesNobody() {
			return q.allowed(ServesNobody)
		}
	}
	if v := first(q.othersUp, q.othersAnswered); v != nil {
		return *v
	}
	if serves {
		if v := first(q.online, q.settled, q.inSync, q.chosen); v != nil {
			return *v
		}
	}
	return q.allowed(Safe)
}

// allowed is the verdict when nothing is against it, with the price that it has.
func (q *inquiry) allowed(c Code) Verdict {
	v := *q.verdict(Allowed, c)
	switch {
	case q.pauses:
		v.Code, v.Have = QuorumPauses, len(q.Quorum.Voters)
	case q.accepted.Count > 0:
		v = q.accepted
	}
	return v
}

func newInquiry(f *Facts, r Request) *inquiry {
	if f == nil {
		f = &Facts{Quorum: Quorum{Leader: None}}
	}
	return &inquiry{Facts: f, Request: r, gone: append(slices.Clone(r.Down), r.Node),
		accepted: Verdict{Node: r.Node, Answer: Allowed, Code: Accepted}}
}

// first is the first objection.
func first(checks ...func() *Verdict) *Verdict {
	for _, check := range checks {
		if v := check(); v != nil {
			return v
		}
	}
	return nil
}

func (q *inquiry) verdict(a Answer, c Code) *Verdict {
	return &Verdict{Node: q.Node, Answer: a, Code: c}
}

// fresh wants facts that were asked for lately.
func (q *inquiry) fresh() *Verdict {
	if !q.Asked.IsZero() && q.Now.Sub(q.Asked) <= q.Policy.maxAge() {
		return nil
	}
	v := q.verdict(Wait, NoFacts)
	if !q.Asked.IsZero() {
		v.Age = q.Now.Sub(q.Asked)
	}
	return v
}

// confirmed wants the answers of two brokers that are up to date, where there are two. A controller
// takes no partition with it, so it needs nobody's word as long as there is no broker.
func (q *inquiry) confirmed() *Verdict {
	if q.Role == ControllerRole && len(q.Brokers) == 0 {
		return nil
	}
	up := 0
	for _, b := range q.Brokers {
		if b.Up() {
			up++
		}
	}
	distinct := slices.Compact(slices.Sorted(slices.Values(q.Answers)))
	if need := min(2, max(1, up)); len(distinct) < need {
		v := q.verdict(Wait, OneAnswer)
		v.Have, v.Need = len(distinct), need
		return v
	}
	v := q.verdict(Wait, StaleAnswer)
	for _, id := range distinct {
		if b, _ := q.Broker(id); b.Behind < 0 || b.Behind > q.Policy.maxBehind() {
			v.add(Cause{Node: id, Partition: -1})
		}
	}
	return objection(v)
}

// objection is a verdict that has causes.
func objection(v *Verdict) *Verdict {
	if v.Count == 0 {
		return nil
	}
	return v
}

// turn wants no more down because of us than may be: one, or several of one rack none of which
// is a voter.
func (q *inquiry) turn() *Verdict {
	others := q.others()
	if len(others) == 0 || len(others) < len(q.Down) { // it is one of them already
		return nil
	}
	limit := q.Policy.maxUnavailable()
	if len(others) < limit && q.sameRack(others) {
		return nil
	}
	v := q.verdict(Wait, TurnTaken)
	v.Have, v.Need = len(others), limit
	for _, id := range others {
		v.add(Cause{Node: id, Partition: -1})
	}
	return v
}

// others are those down because of us, without the node itself.
func (q *inquiry) others() []NodeID {
	return slices.DeleteFunc(slices.Clone(q.Down), func(id NodeID) bool { return id == q.Node })
}

// sameRack reports whether a node and others are brokers of one known rack, and no voters.
func (q *inquiry) sameRack(others []NodeID) bool {
	own, _ := q.Broker(q.Node)
	for _, id := range append(others, q.Node) {
		b, _ := q.Broker(id)
		_, votes := q.Quorum.voter(id)
		if votes || b.Rack == "" || b.Rack != own.Rack {
			return false
		}
	}
	return true
}

// agreed wants the node's partitions to be the same in all answers.
func (q *inquiry) agreed() *Verdict {
	v := q.verdict(Wait, AnswersDiffer)
	for p := range q.hosted(q.Node) {
		if p.disputed {
			v.add(q.cause(p))
		}
	}
	return objection(v)
}

// servesNobody reports whether no partition counts on the broker. The last replica of an offline
// partition stays in the ISR though its broker is dead, so a fenced broker counts for nothing.
func (q *inquiry) servesNobody() bool {
	b, _ := q.Broker(q.Node)
	for p := range q.hosted(q.Node) {
		if q.inSyncOn(p, q.Node) && (b.Up() || !p.offline) {
			return false
		}
	}
	return true
}

// othersUp wants every other broker up, but those that are down because of us.
func (q *inquiry) othersUp() *Verdict {
	v := q.verdict(Wait, BrokerDown)
	for _, b := range q.Brokers {
		if !b.Up() && !slices.Contains(q.gone, b.ID) {
			v.add(Cause{Node: b.ID, Partition: -1})
		}
	}
	if v.Count <= q.Policy.MaxFailed {
		return nil
	}
	return v
}

// othersAnswered wants an answer, since the facts were asked for, of every other broker that is up.
func (q *inquiry) othersAnswered() *Verdict {
	v := q.verdict(Wait, BrokerSilent)
	for _, b := range q.Brokers {
		if b.Up() && !slices.Contains(q.gone, b.ID) && b.Answered.Before(q.Asked) {
			v.add(Cause{Node: b.ID, Partition: -1})
		}
	}
	return objection(v)
}

// online wants no partition offline, but those that miss nobody but the node.
func (q *inquiry) online() *Verdict {
	v := q.verdict(Wait, Offline)
	for _, i := range q.offline {
		if p := &q.partitions[i]; !q.missesOnly(p, q.Node) {
			v.add(q.cause(p))
		}
	}
	return objection(v)
}

// missesOnly reports whether a node is the only broker of a partition that is not up.
func (q *inquiry) missesOnly(p *Partition, id NodeID) bool {
	hosts := false
	for _, r := range q.replicasOf(p) {
		b := q.Brokers[r.Broker]
		hosts = hosts || b.ID == id
		if b.ID != id && !b.Up() {
			return false
		}
	}
	return hosts
}

// settled wants none of the node's partitions to be on its way to other brokers.
func (q *inquiry) settled() *Verdict {
	v := q.verdict(Wait, Reassigning)
	for p := range q.hosted(q.Node) {
		if p.moving {
			v.add(q.cause(p))
		}
	}
	return objection(v)
}

// inSync wants every partition to keep its minimum without all that are gone. Of partitions that
// can never keep it, all other replicas have to be in sync.
func (q *inquiry) inSync() *Verdict {
	unknown, under := q.verdict(Wait, MinISRUnknown), q.verdict(Wait, UnderMinISR)
	topic := int32(-1)
	for p := range q.hosted(q.Node) {
		need := min(q.minISR(p), int(p.count)-1)
		switch have := q.inSyncWithout(p, q.gone); {
		case !q.inSyncOn(p, q.Node):
		case q.minISR(p) == 0:
			if p.Topic != topic { // the partitions of a topic follow each other
				topic = p.Topic
				unknown.add(Cause{Topic: q.topics[topic].Name, Partition: -1, Node: None})
			}
		case have < need:
			c := q.cause(p)
			c.Have, c.Need = have, need
			under.add(c)
		}
	}
	if unknown.Count > 0 {
		return unknown
	}
	return objection(under)
}

// chosen does with fragile partitions what was chosen for them.
func (q *inquiry) chosen() *Verdict {
	moved, refused := q.verdict(Wait, MoveFirst), q.verdict(Refused, Fragile)
	for p := range q.hosted(q.Node) {
		switch {
		case !q.fragile(p) || !q.inSyncOn(p, q.Node):
		case q.Policy.Fragile == Refuse:
			refused.add(q.cause(p))
		case q.Policy.Fragile == Allow || !q.hasSpare(p, q.Down):
			q.accepted.add(q.cause(p))
		default:
			moved.add(q.cause(p))
		}
	}
	if refused.Count > 0 {
		return refused
	}
	return objection(moved)
}
