package rolling_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// What follows is a Kafka cluster as far as its availability goes. It knows nothing of the package
// under test: no verdict, no policy, no type of it. Time is counted in milliseconds.

// state is what a process does.
type state int

const (
	off state = iota
	booting
	recovering // its logs, after an unclean end
	up
	hung     // it is there, and does nothing
	stopping // in controlled shutdown
)

// Kafka's times.
const (
	beat       = 500    // a tick of the model
	session    = 9_000  // broker.session.timeout.ms
	lagging    = 30_000 // replica.lag.time.max.ms
	fetchLimit = 2_000  // controller.quorum.fetch.timeout.ms
)

// machine is a node: a broker, a controller, or both.
type machine struct {
	id            int
	rack          string
	serves, votes bool

	state      state
	until      int // end of booting or stopping
	logs       int // left to recover
	badConfig  bool
	unclean    bool
	registered bool
	fenced     bool
	heard      int // when the controllers last heard of it
	caughtUp   int // when it last had all metadata
	laggy      bool
	slow       bool // it does not keep up with its leaders
	cut        bool // we do not reach it
	frozen     bool // it learns no metadata, since
	frozenAt   int
	view       *picture
	downSince  int
	byUs       bool // it was stopped by us and is not wholly back
	exits      int
}

func (m *machine) alive() bool { return m.state == up }

// share is one replica.
type share struct {
	node    int
	inSync  bool
	backlog int // ms of fetching that are left
	stale   int // since when it does not fetch, 0 when it does
}

// part is one partition.
type part struct {
	topic  string
	id     int
	minISR int
	shares []share
	leader int
	target []int // of a reassignment
}

func (p *part) share(node int) *share {
	for i := range p.shares {
		if p.shares[i].node == node {
			return &p.shares[i]
		}
	}
	return nil
}

func (p *part) isr() []int {
	var list []int
	for _, s := range p.shares {
		if s.inSync {
			list = append(list, s.node)
		}
	}
	return list
}

// picture is the metadata at a moment.
type picture struct {
	at       int
	parts    []part
	fenced   []bool
	register []bool
}

// kafka is the cluster.
type kafka struct {
	now     int
	rand    *rand.Rand
	nodes   []*machine
	parts   []*part
	leader  int // of the quorum
	vacant  int // when an election ends
	changed bool
	last    *picture
	// alike is set where all brokers take about the same time for the same.
	alike bool
}

// span is a time between two bounds.
func (k *kafka) span(least, most int) int {
	if k.alike {
		middle := (least + most) / 2
		least, most = middle-middle/10, middle+middle/10
	}
	return least + k.rand.IntN(most-least)
}

func (k *kafka) voters() (list []*machine) {
	for _, m := range k.nodes {
		if m.votes {
			list = append(list, m)
		}
	}
	return list
}

// tick lets time go by.
func (k *kafka) tick() {
	k.now += beat
	for _, m := range k.nodes {
		k.process(m)
	}
	k.elect()
	if k.leader >= 0 {
		k.control()
	}
	for _, p := range k.parts {
		k.replicate(p)
	}
	k.learn()
}

// process lets a process begin, recover, stop.
func (k *kafka) process(m *machine) {
	switch m.state {
	case booting:
		if k.now < m.until {
			return
		}
		if m.badConfig {
			m.exits++
			k.end(m, false)
			return
		}
		m.state = recovering
		if m.unclean && m.serves {
			m.logs = 1 + k.rand.IntN(30)
		}
	case recovering:
		if m.logs = max(0, m.logs-1); m.logs == 0 {
			m.state, m.unclean = up, false
			m.heard = k.now
		}
	case stopping:
		if k.now >= m.until {
			k.end(m, false)
		}
	}
}

// start begins a process that is not there.
func (k *kafka) start(m *machine) {
	if m.state == off {
		m.state, m.until = booting, k.now+k.span(2_000, 8_000)
	}
}

// end is the end of a process, in order or not.
func (k *kafka) end(m *machine, unclean bool) {
	if m.state == off {
		return
	}
	m.state, m.unclean, m.downSince = off, m.unclean || unclean, k.now
	m.slow, m.laggy, m.logs = false, false, 0
	for _, p := range k.parts {
		if s := p.share(m.id); s != nil {
			s.stale = max(s.stale, k.now)
		}
	}
	k.changed = true
}

// elect keeps a leader of the quorum while a majority of voters is there.
func (k *kafka) elect() {
	var there []*machine
	voters := k.voters()
	for _, m := range voters {
		if m.alive() || m.state == stopping {
			there = append(there, m)
		}
	}
	can := len(there) > len(voters)/2
	if k.leader >= 0 && (!can || !slices.Contains(there, k.nodes[k.leader])) {
		k.leader, k.vacant = -1, k.now+1_000+k.rand.IntN(2_000)
	}
	if k.leader < 0 && can && k.now >= k.vacant {
		var fit []*machine
		for _, m := range there {
			if !m.laggy && m.alive() {
				fit = append(fit, m)
			}
		}
		if len(fit) > 0 {
			k.leader = fit[k.rand.IntN(len(fit))].id
		}
	}
	if k.leader < 0 {
		return
	}
	for _, m := range k.nodes {
		running := m.alive() || m.state == stopping
		if running && !m.frozen && (!m.laggy || m.id == k.leader) {
			m.caughtUp = k.now
		}
	}
}

// control is what the leading controller does: sessions, leaders, ISRs of those that leave.
func (k *kafka) control() {
	for _, m := range k.nodes {
		if !m.serves {
			continue
		}
		if m.alive() {
			if m.fenced || !m.registered {
				m.registered, m.fenced, k.changed = true, m.frozen, true
			}
			m.heard = k.now
		}
		late := k.now-m.heard > session
		if m.registered && !m.fenced && (m.state == off || late) {
			m.fenced, k.changed = true, true
		}
	}
	for _, p := range k.parts {
		for i := range p.shares {
			s := &p.shares[i]
			m := k.nodes[s.node]
			if s.inSync && (m.fenced || m.state == stopping) && len(p.isr()) > 1 {
				s.inSync, k.changed = false, true
			}
		}
		if p.leader < 0 || !k.leads(p, p.leader) {
			k.chooseLeader(p)
		}
		k.reassigned(p)
	}
}

// leads reports whether a node may go on leading a partition.
func (k *kafka) leads(p *part, node int) bool {
	s, m := p.share(node), k.nodes[node]
	return s != nil && s.inSync && !m.fenced && m.state != off && m.state != stopping
}

func (k *kafka) chooseLeader(p *part) {
	was := p.leader
	p.leader = -1
	for _, s := range p.shares {
		if k.leads(p, s.node) {
			p.leader = s.node
			break
		}
	}
	k.changed = k.changed || was != p.leader
}

// reassigned ends a reassignment when all of its target is in sync.
func (k *kafka) reassigned(p *part) {
	if p.target == nil {
		return
	}
	for _, node := range p.target {
		if s := p.share(node); s == nil || !s.inSync {
			return
		}
	}
	var shares []share
	for _, node := range p.target {
		shares = append(shares, *p.share(node))
	}
	p.shares, p.target, k.changed = shares, nil, true
	if p.leader >= 0 && p.share(p.leader) == nil {
		k.chooseLeader(p)
	}
}

// replicate is what the leader of a partition and its followers do.
func (k *kafka) replicate(p *part) {
	leading := p.leader >= 0 && k.nodes[p.leader].alive()
	for i := range p.shares {
		s := &p.shares[i]
		m := k.nodes[s.node]
		switch {
		case s.node == p.leader:
			s.stale, s.backlog = 0, 0
		case m.alive() && !m.slow && leading:
			if s.stale > 0 {
				s.backlog = max(s.backlog, min(20_000, (k.now-s.stale)/4+k.rand.IntN(2_000)))
				s.stale = 0
			}
			s.backlog = max(0, s.backlog-beat)
		case s.stale == 0:
			s.stale = k.now
		}
		if k.leader < 0 || !leading {
			continue
		}
		if !s.inSync && s.stale == 0 && s.backlog == 0 && m.registered && !m.fenced {
			s.inSync, k.changed = true, true
		}
		if s.inSync && s.node != p.leader && s.stale > 0 && k.now-s.stale > lagging {
			s.inSync, k.changed = false, true
		}
	}
}

// learn brings the metadata to the brokers that are not frozen.
func (k *kafka) learn() {
	if k.changed || k.last == nil {
		k.last, k.changed = k.take(), false
	}
	for _, m := range k.nodes {
		if m.serves && m.alive() && !m.frozen {
			m.view = k.last
		}
	}
}

// take takes a picture of the metadata.
func (k *kafka) take() *picture {
	pic := &picture{at: k.now, parts: make([]part, len(k.parts)),
		fenced: make([]bool, len(k.nodes)), register: make([]bool, len(k.nodes))}
	for i, p := range k.parts {
		pic.parts[i] = *p
		pic.parts[i].shares = slices.Clone(p.shares)
	}
	for i, m := range k.nodes {
		pic.fenced[i], pic.register[i] = m.fenced, m.registered
	}
	return pic
}

// stop tells a process to end in order.
func (k *kafka) stop(m *machine) {
	switch m.state {
	case up:
		m.state, m.until = stopping, k.now+k.span(1_000, 5_000)
	case booting, recovering, hung:
		k.end(m, m.state != booting)
	}
}

// reassign begins to move a partition to other nodes.
func (k *kafka) reassign(p *part, target []int) {
	if p.target != nil {
		return
	}
	for _, node := range target {
		if p.share(node) == nil {
			p.shares = append(p.shares, share{node: node, backlog: 1_000 + k.rand.IntN(15_000)})
		}
	}
	p.target, k.changed = slices.Clone(target), true
}

// lead makes a node the leader of a partition if it can be.
func (k *kafka) lead(p *part, node int) {
	if k.leader >= 0 && k.leads(p, node) && p.leader != node {
		p.leader, k.changed = node, true
	}
}

// back reports whether a node does again all that it is there for.
func (k *kafka) back(m *machine) bool {
	if !m.alive() || m.serves && (!m.registered || m.fenced) {
		return false
	}
	for _, p := range k.parts {
		s := p.share(m.id)
		if s != nil && !s.inSync && p.leader >= 0 && p.target == nil {
			return false
		}
	}
	return true
}

func (k *kafka) String() string {
	text := fmt.Sprintf("%6.1fs leader %d;", float64(k.now)/1000, k.leader)
	for _, m := range k.nodes {
		text += fmt.Sprintf(" %d:%s", m.id, [...]string{"off", "boot", "recover", "up", "hung",
			"stop"}[m.state])
		for _, flag := range []struct {
			set  bool
			name string
		}{{m.fenced, "F"}, {m.cut, "C"}, {m.frozen, "Z"}, {m.slow, "S"}, {m.laggy, "L"},
			{m.byUs, "*"}} {
			if flag.set {
				text += flag.name
			}
		}
	}
	for _, p := range k.parts {
		text += fmt.Sprintf(" | %s-%d/%d L%d", p.topic, p.id, p.minISR, p.leader)
		for _, s := range p.shares {
			mark := "-"
			if s.inSync {
				mark = "+"
			}
			text += fmt.Sprintf(" %d%s", s.node, mark)
		}
		if p.target != nil {
			text += fmt.Sprint(" to ", p.target)
		}
	}
	return text
}
