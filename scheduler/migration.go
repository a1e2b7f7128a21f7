package scheduler

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How a cluster gets from ZooKeeper to controllers of its own: a campaign whose phases come from
// package migrate. Beside what it rolls, a phase is over only when the controllers, and what they
// keep in ZooKeeper, tell that it is. On the way back the controllers are stopped before the
// brokers are rolled out of the migration, and ZooKeeper is made to forget them.

// Migrating is the kind of a campaign that brings a cluster from ZooKeeper to controllers.
const Migrating CampaignKind = "migrate"

// Migrate begins to bring the cluster from ZooKeeper to controllers.
type Migrate struct {
	// Service is the service as it is to be in the end.
	Service servicespec.Service
	// PauseAfter are the phases behind which it pauses.
	PauseAfter []string
	// Before is what Kafka knows beside the data, which is kept as the file BeforeMigration.
	Before string
	// Then is an upgrade that begins by itself once the migration is done, nil for none.
	Then *Upgrade
}

// BeforeMigration names the file with what Kafka knew before the latest migration.
const BeforeMigration = "before-migration.json"

func (Migrate) command() {}

// String gives the command as an operator would.
func (c Migrate) String() string {
	text := "migrate to KRaft"
	for _, name := range c.PauseAfter {
		text += " pause-after " + name
	}
	if c.Then != nil {
		text += ", then " + c.Then.String()
	}
	return text
}

// trek is what is known of a migration that is under way.
type trek struct {
	facts *MigrationFacts
	// asking is when ZooKeeper was last asked, zero when the answer is there.
	asking time.Time
	next   time.Time // when to ask again
}

// Times of questions to ZooKeeper.
const (
	trekBusy = time.Second
	trekLost = 20 * time.Second
)

// MigrationOf are the phases of the migration of a service to another one, or why there are none.
func MigrationOf(from, to servicespec.Service) ([]migrate.Phase, []string) {
	specs := migrate.Specs{Origin: canonical(from), Final: canonical(to)}
	if refusals := specs.Refusals(); len(refusals) > 0 {
		return nil, refusals
	}
	return specs.Phases(), nil
}

// migrate begins a migration.
func (m *Machine) migrate(cmd Migrate, by Caller) (string, *Problem) {
	if p := m.busyCampaign(); p != nil {
		return "", p
	}
	service := canonical(m.hard.Target.Service)
	phases, refusals := MigrationOf(service, cmd.Service)
	if len(refusals) > 0 {
		return "", problem(Conflict, "the cluster cannot migrate to this: %s",
			strings.Join(refusals, "; "))
	}
	c := Campaign{Kind: Migrating, From: "ZooKeeper", To: "KRaft", PauseAfter: cmd.PauseAfter,
		Then: cmd.Then}
	origin := service
	for _, p := range phases {
		phase := CampaignPhase{Name: p.Name, What: p.What, Undo: p.Undo, Waits: p.Waits}
		for _, pod := range p.Pods {
			phase.Edits = append(phase.Edits, Edit{Pod: pod.Type})
			service = withPod(service, pod)
		}
		if len(p.Pods) > 0 {
			service.Plans = canonical(cmd.Service).Plans
			next := canonical(service)
			edit := Edit{Service: &next}
			if p.Name == migrate.Enter { // the controllers are gone by then
				edit.Undone = &origin
			}
			phase.Edits = append(phase.Edits, edit)
		}
		c.Phases = append(c.Phases, phase)
	}
	if p := m.refuseCampaign(c); p != nil {
		return "", p
	}
	if p := refuseThen(cmd.Then, canonical(cmd.Service)); p != nil {
		return "", p
	}
	if _, p := m.putFile(PutFile{Name: BeforeMigration, Content: cmd.Before}); p != nil {
		return "", p
	}
	k := m.hard.Kafka
	k.Founder, k.Joins = "", true
	m.setKafka(k)
	m.trek = trek{}
	m.beginCampaign(c, by)
	return "the migration from ZooKeeper to KRaft begins; follow it with migrate status", nil
}

// refuseFinal says why a migration cannot be finalized now, "" if it can: what is compared before
// is only worth something once the brokers have their metadata from the controllers. One that is
// undone does not turn round, whatever was said before: once ZooKeeper has forgotten it, the
// controllers' volumes hold metadata that nobody may go on with.
func (m *Machine) refuseFinal(c Campaign) string {
	switch {
	case c.Kind != Migrating:
		return ""
	case c.Back:
		return "the migration is being undone"
	case c.Waiting() || c.Finalize:
		return ""
	}
	return "the migration can be finalized in its phase " + migrate.Stay + ", which it has not " +
		"reached yet"
}

// withPod gives a service with a pod in the place of the one of its type, or behind all.
func withPod(s servicespec.Service, pod servicespec.Pod) servicespec.Service {
	s.Pods = slices.Clone(s.Pods)
	for i := range s.Pods {
		if s.Pods[i].Type == pod.Type {
			s.Pods[i] = pod
			return s
		}
	}
	s.Pods = append(s.Pods, pod)
	return s
}

// migrating is the migration that is under way, nil for none.
func (m *Machine) migrating() *Campaign {
	if c := m.hard.Campaign; c.Kind == Migrating && c.under() {
		return &c
	}
	return nil
}

// withdraws reports whether nodes are controllers of a migration that is being undone so far that
// they have to be gone.
func (m *Machine) withdraws(spec servicespec.Pod) bool {
	c := m.migrating()
	if c == nil || !c.Back || !ofMigration(spec) || c.phase() == nil {
		return false
	}
	return migrate.Withdraws(c.phase().Name)
}

// ofMigration reports whether nodes are controllers in the middle of a migration. Those that go
// are of one that is undone: the metadata is with ZooKeeper, and nobody keeps them in mind.
func ofMigration(spec servicespec.Pod) bool {
	return spec.Kafka != nil && spec.Kafka.Controls() && spec.Kafka.Migrates
}

// tellLong is for how long a broker that ended before its turn waits for ZooKeeper to tell whether
// it can come back as it was.
const tellLong = time.Minute

// enters reports whether a broker that ended before its turn comes back into the migration: as it
// ran before nobody would tell it anything, or ZooKeeper does not say. The controllers take over
// without a broker that has no session and hosts nothing, and then tell only those that have
// registered with them (KRaftMigrationDriver and LegacyPropagator of Kafka 3.9).
func (m *Machine) enters(t Task, before servicespec.Pod) bool {
	if !m.outside(before) {
		return false
	}
	nodes := m.toldSince(t)
	return nodes != nil && nodes.KRaft || nodes == nil && !m.now.Before(t.Since.Add(tellLong))
}

// holdOutside says why a broker that comes back before its turn cannot yet, "" if it can.
func (m *Machine) holdOutside(p Pod, l launchOf) string {
	if l.before == nil || !m.outside(l.spec) {
		return ""
	}
	t, _ := p.task(serverTask(l.spec))
	if m.toldSince(t) != nil {
		return ""
	}
	m.askMigration(false)
	m.wakeBy(t.Since.Add(tellLong))
	reason := "waits until ZooKeeper tells who is the controller"
	return cmp.Or(m.trekTrouble(reason), reason)
}

// outside reports whether nodes take no part in the migration that is under way.
func (m *Machine) outside(spec servicespec.Pod) bool {
	return m.migrating() != nil && spec.Kafka != nil && spec.Kafka.OnZooKeeper() &&
		!spec.Kafka.Migrates
}

// toldSince is what ZooKeeper told of the migration since a task ended, nil for nothing.
func (m *Machine) toldSince(t Task) *migrate.Nodes {
	if f := m.trek.facts; f != nil && !f.Asked.Before(t.Since) {
		return f.Nodes
	}
	return nil
}

// withdrawGrace is how long a controller has to end: until all have, no broker can be the one.
const withdrawGrace = 5 * time.Second

// withdraw ends a controller that has to be gone.
func (w *work) withdraw(p Pod) {
	if grace := withdrawGrace; p.anyLive() {
		w.kill(p, &grace)
	}
	w.m.waits[p.Name] = "stays down, as the migration is being undone"
}

// withdrawal reports whether the controllers of a migration have to be gone in a phase.
func withdrawal(c Campaign, phase CampaignPhase) bool {
	return c.Kind == Migrating && c.Back && migrate.Withdraws(phase.Name)
}

// holdsPhase reports whether something has to be seen before the phase in hand of a campaign can
// begin to be undone.
func (m *Machine) holdsPhase(c Campaign, phase CampaignPhase) bool {
	if !withdrawal(c, phase) {
		return false
	}
	f := m.migrationFacts()
	reason := f.Withdrawn()
	if reason != "" {
		m.trek.facts, m.trek.next = nil, time.Time{} // what was said while they ran is void
	} else if reason = f.HandedBack(); reason != "" {
		m.askMigration(true)
	}
	m.campaignTrouble = cmp.Or(m.trekTrouble(reason), reason)
	return reason != ""
}

// awaited reports whether all that a phase of a migration brings about was seen.
func (m *Machine) awaited(c Campaign, phase CampaignPhase) bool {
	if c.Kind != Migrating {
		return true
	}
	reason := ""
	switch {
	case !c.Back:
		reason = m.migrationFacts().Lacks(phase.Name)
	case !migrate.Withdraws(phase.Name):
		reason = m.migrationFacts().Lacks(migrate.DualWrite)
	case phase.Name == migrate.Controllers:
		reason = m.remains()
	}
	m.campaignTrouble = cmp.Or(m.trekTrouble(reason), reason)
	return reason == ""
}

// handsOver notes that a migration is over: on the way back there is no quorum any more.
func (m *Machine) handsOver(c Campaign) {
	if k := m.hard.Kafka; c.Kind == Migrating && c.Back && (k.Joins || k.Founder != "") {
		k.Joins, k.Founder = false, ""
		m.setKafka(k)
	}
}

// remains says what of the controllers of an undone migration is still there, "" for nothing.
func (m *Machine) remains() string {
	for _, name := range m.podNames() {
		if _, wanted := m.spec(name); !wanted {
			return fmt.Sprintf("%s is being decommissioned", name)
		}
	}
	return ""
}

// trekTrouble adds to a reason why ZooKeeper does not tell what is waited for.
func (m *Machine) trekTrouble(reason string) string {
	if f := m.trek.facts; reason != "" && f != nil && f.Error != "" {
		return reason + ": " + f.Error
	}
	return ""
}

// migrationFacts is what was seen of the migration that is under way.
func (m *Machine) migrationFacts() migrate.Facts {
	f := migrate.Facts{Leader: -1}
	for _, name := range m.podNames() {
		p := m.hard.Pods[name]
		spec, _ := m.spec(name)
		if spec.Kafka == nil || !spec.Kafka.Controls() {
			continue
		}
		if p.anyLive() {
			f.Runs = append(f.Runs, nodeID(name, spec))
		}
	}
	for _, pod := range m.hard.Target.Service.Pods {
		if pod.Kafka == nil || !pod.Kafka.Controls() {
			continue
		}
		for i := range pod.Count {
			f.Wanted = append(f.Wanted, pod.Kafka.NodeID(i))
		}
	}
	if k := m.kafkaNow(); k != nil && !k.Asked.Before(m.freshAfter) {
		f.Voters, f.Leader = k.Voters, k.Leader
		f.Told, f.Takes = k.Controllers, k.Migrating
	}
	t := m.trek.facts
	if t != nil && t.Nodes != nil && !t.Asked.Before(m.inquiry.changed) {
		f.ZooKeeper = t.Nodes
	}
	return f
}

// passMigration has ZooKeeper asked as long as a migration is under way, and does not wait for its
// operator, which it may for weeks.
func (m *Machine) passMigration() {
	c := m.migrating()
	if c == nil {
		m.trek = trek{}
		return
	}
	if c.Waiting() || m.pausedCampaign() {
		return
	}
	m.curious = true
	phase := c.phase()
	if phase != nil && withdrawal(*c, *phase) && m.migrationFacts().Withdrawn() != "" {
		return // what it says while they run is void
	}
	m.askMigration(false)
}

// askMigration asks ZooKeeper, unless that is under way or was done just now.
func (m *Machine) askMigration(forget bool) {
	t := &m.trek
	switch {
	case !t.asking.IsZero() && m.now.Before(t.asking.Add(trekLost)):
		m.wakeBy(t.asking.Add(trekLost))
		return
	case t.asking.IsZero() && m.now.Before(t.next):
		m.wakeBy(t.next)
		return
	}
	for _, pod := range m.hard.Target.Service.Pods {
		if pod.Kafka == nil || pod.Kafka.ZooKeeper == "" {
			continue
		}
		connect, _, _ := m.connect(*pod.Kafka)
		t.asking = m.now
		m.wakeBy(m.now.Add(trekLost))
		m.out.Calls = append(m.out.Calls, AskMigration{connect, forget})
		return
	}
}

// fromMigration takes in what ZooKeeper tells.
func (m *Machine) fromMigration(ev FromMigration) {
	if m.migrating() == nil {
		return
	}
	before := m.trek.facts
	m.trek = trek{facts: &ev.Facts, next: m.now.Add(trekBusy)}
	if before == nil || !reflect.DeepEqual(before.Nodes, ev.Facts.Nodes) {
		m.note(Info, "", "ZooKeeper tells of the migration", "facts", ev.Facts.String())
	}
}
