package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// How an operator's long work on the cluster as a whole is done: a campaign, of which there is one
// at a time. It has phases. A phase that rolls nodes is a small change of the target: the machine
// makes the target with that change the target, and the plan deploy rolls it out as it does any
// other, with the verdict before each node. A phase that raises features has Kafka change them, one
// after the other. Each pass looks where the campaign is and does the next thing, so that a
// scheduler may end at any moment. The way back is the same in reverse: each phase keeps, from its
// beginning on, the change that undoes it.

// Campaign is a long work of an operator on the cluster as a whole.
type Campaign struct {
	Number int64 // from 1, 0 for none
	// Kind is also the name of its plan.
	Kind     CampaignKind
	From, To string
	// Phases are what it consists of, fixed when it begins.
	Phases []CampaignPhase
	// At is the phase in hand; behind the last one when all are done, -1 when all are undone.
	At int
	// Back says that phases are undone, from At on downwards.
	Back bool
	// Begun says that the phase in hand was begun, or, on the way back, its undoing.
	Begun bool
	// Finalize says that the operator lets it go past the phase that waits for that.
	Finalize bool
	// PauseAfter are phases behind which it pauses.
	PauseAfter []string
	// Levels are the features that it raised, with what they were before.
	Levels map[string]int
	Since  time.Time
	By     string
	// Ended is when it was over, zero before.
	Ended time.Time
	// Then is the upgrade that begins by itself when it is done, nil for none; Before is the
	// campaign that this one began behind.
	Then   *Upgrade
	Before *CampaignDone
}

// CampaignDone is what the campaign that began behind it keeps of one.
type CampaignDone struct {
	Number   int64
	Kind     CampaignKind
	From, To string
	Phases   []PhaseDone
	Since    time.Time
	By       string
	Ended    time.Time
}

// PhaseDone is a phase of it.
type PhaseDone struct{ Name, What, Undo string }

// CampaignKind is what a campaign is for.
type CampaignKind string

// noun is what a campaign is called.
func (k CampaignKind) noun() string {
	if k == Migrating {
		return "migration"
	}
	return string(k)
}

// Upgrading is the kind of a campaign that brings a cluster to another version of Kafka.
const Upgrading CampaignKind = "upgrade"

// CampaignPhase is a part of a campaign.
type CampaignPhase struct {
	// Name names it, What says what is done, and Undo how it is undone, "" if it cannot be.
	Name, What, Undo string
	// Edits make the next target of the one before; without any nothing is rolled.
	Edits []Edit
	// Undoes undo them; they are there from when the phase begins.
	Undoes []Edit
	// Raise are features to be raised, in order. upgrade.Others becomes names when the phase
	// begins.
	Raise []string
	// Waits says that it lasts until the operator says finalize.
	Waits bool
}

// Edit is a small change of a configuration, of the Kafka of one pod type.
type Edit struct {
	Pod string
	// Version is the Kafka version, "" for no change.
	Version string
	Set     map[string]string
	Unset   []string
	// Service is the service as a whole, of a migration; Undone is what undoing makes of it, nil
	// for what it was.
	Service, Undone *servicespec.Service
}

// String gives the change in a line.
func (e Edit) String() string {
	text := fmt.Sprintf("%s version=%q set=%v unset=%v", e.Pod, e.Version, e.Set, e.Unset)
	for _, s := range []*servicespec.Service{e.Service, e.Undone} {
		if s == nil {
			continue
		}
		data, err := s.Encode()
		if err != nil {
			panic("scheduler: a service that cannot be encoded: " + err.Error())
		}
		text += " service=" + string(data)
	}
	return text
}

// edited makes changes of a service, and gives those that undo them, in their order.
func edited(s servicespec.Service, edits []Edit) (servicespec.Service, []Edit) {
	next := canonical(s)
	var undoes []Edit
	for _, e := range edits {
		if e.Service != nil {
			was := next
			undoes = append([]Edit{{Service: cmp.Or(e.Undone, &was)}}, undoes...)
			next = canonical(*e.Service)
		} else if p := podSpec(next, e.Pod); p != nil {
			undoes = append([]Edit{e.apply(p)}, undoes...)
		}
	}
	return next, undoes
}

// apply makes the change of a pod, and gives the one that undoes it.
func (e Edit) apply(p *servicespec.Pod) Edit {
	back := Edit{Pod: e.Pod}
	if z := p.ZooKeeper; z != nil && e.Version != "" {
		back.Version, z.KafkaVersion = z.KafkaVersion, e.Version
	}
	k := p.Kafka
	if k == nil {
		return back
	}
	if e.Version != "" {
		back.Version, k.Version = k.Version, e.Version
	}
	properties := maps.Clone(k.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	for _, name := range slices.Concat(sortedKeys(e.Set), e.Unset) {
		value, had := properties[name]
		switch {
		case had && back.Set == nil:
			back.Set = map[string]string{name: value}
		case had:
			back.Set[name] = value
		default:
			back.Unset = append(back.Unset, name)
		}
		delete(properties, name)
		if value, set := e.Set[name]; set {
			properties[name] = value
		}
	}
	if k.Properties = properties; len(properties) == 0 {
		k.Properties = nil
	}
	return back
}

// under reports whether the campaign is under way.
func (c Campaign) under() bool { return c.Number > 0 && c.Ended.IsZero() }

// Waiting reports whether it waits for the operator to say finalize, or rollback.
func (c Campaign) Waiting() bool {
	phase := c.phase()
	return c.under() && phase != nil && phase.Waits && !c.Finalize && !c.Back
}

// shown reports whether it is a plan: one that was undone is none any more.
func (c Campaign) shown() bool { return c.Number > 0 && (c.under() || !c.Back) }

// phase is the one in hand, nil when there is none.
func (c *Campaign) phase() *CampaignPhase {
	if c.At < 0 || c.At >= len(c.Phases) {
		return nil
	}
	return &c.Phases[c.At]
}

// String gives the campaign in a line.
func (c Campaign) String() string {
	text := fmt.Sprintf("%d %s %s->%s at=%d", c.Number, c.Kind, c.From, c.To, c.At)
	if p := c.phase(); p != nil {
		text += ":" + p.Name
	}
	for _, flag := range []struct {
		on   bool
		text string
	}{{c.Begun, " begun"}, {c.Back, " back"}, {c.Finalize, " finalize"},
		{!c.Ended.IsZero(), " ended"}} {
		if flag.on {
			text += flag.text
		}
	}
	for _, name := range sortedKeys(c.Levels) {
		text += fmt.Sprintf(" %s=%d", name, c.Levels[name])
	}
	if c.Then != nil {
		text += " then " + c.Then.String()
	}
	if c.Before != nil {
		text += fmt.Sprintf(" behind %s %d", c.Before.Kind, c.Before.Number)
	}
	return text
}

func (m *Machine) setCampaign(c Campaign) {
	m.hard.Campaign = c
	m.write(WriteCampaign{c})
	m.due = true
	m.stirAll()
}

// passCampaign does what can be done now for the campaign that is under way.
func (m *Machine) passCampaign() {
	for m.hard.Intent == Run && m.hard.Campaign.under() && !m.pausedCampaign() {
		if !m.advanceCampaign(m.hard.Campaign) {
			return
		}
	}
}

// advanceCampaign does the next thing for a campaign; it reports whether it got on.
func (m *Machine) advanceCampaign(c Campaign) bool {
	phase := c.phase()
	switch {
	case phase == nil:
		m.endCampaign(c)
		return true
	case c.Waiting(), !c.Begun && (m.holdsPhase(c, *phase) || m.holdsRaise(c, *phase)):
		return false
	case !c.Begun:
		return m.beginPhase(c, *phase)
	case m.rolledOut(*phase) && m.raised(c, *phase) && m.awaited(c, *phase):
		m.endPhase(c, *phase)
		return true
	}
	return false
}

// beginPhase makes the change that a phase is, or the one that undoes it; it reports whether it
// could.
func (m *Machine) beginPhase(c Campaign, phase CampaignPhase) bool {
	if slices.Contains(phase.Raise, upgrade.Others) && !c.Back {
		names, known := m.otherFeatures(c)
		if !known {
			return false
		}
		phase.Raise = names
	}
	c.Begun = true
	edits := phase.Edits
	if c.Back {
		edits = phase.Undoes
	}
	next, undoes := edited(m.hard.Target.Service, edits)
	again := !c.Back && phase.Undoes != nil
	if !c.Back && !again {
		phase.Undoes = undoes
	}
	c.Phases = slices.Clone(c.Phases)
	c.Phases[c.At] = phase
	m.setCampaign(c)
	if len(edits) > 0 && !reflect.DeepEqual(next, canonical(m.hard.Target.Service)) {
		m.replaceTarget(Target{ID: uuid(m.cfg.UUID()), Service: next,
			Number: m.hard.Target.Number + 1, Since: m.now, Updates: true,
			By: fmt.Sprintf("plan %s", c.Kind)})
	}
	if again {
		m.takeTurnsBack()
	}
	return true
}

// rolledOut reports whether what a phase made the target runs everywhere.
func (m *Machine) rolledOut(phase CampaignPhase) bool {
	if len(phase.Edits) == 0 {
		return true
	}
	if m.hard.Target.Done.IsZero() || m.assess(m.built()[0]).Status != plans.Complete {
		return false // or steps of it were begun anew
	}
	for _, name := range m.podNames() {
		if p := m.hard.Pods[name]; p.Down != nil || phase.edits(name.Type) && m.passedOver(p) {
			return false
		}
	}
	return true
}

// passedOver reports whether a node does not run with the target: the plan deploy may be done with
// it all the same, as an operator forced its step to its end.
func (m *Machine) passedOver(p Pod) bool {
	spec, wanted := m.spec(p.Name)
	t, _ := p.task(serverTask(spec))
	return wanted && t.Name != "" && (t.ID == "" || t.Launch != m.launchHash(p.Name, t.Name))
}

// endPhase goes on to the next phase, or, on the way back, to the one before.
func (m *Machine) endPhase(c Campaign, phase CampaignPhase) {
	c.Begun = false
	if c.Back {
		c.At--
		m.setCampaign(c)
		return
	}
	c.At++
	m.setCampaign(c)
	if slices.Contains(c.PauseAfter, phase.Name) && (c.At < len(c.Phases) || c.Then != nil) {
		m.pauseCampaign(c, Caller{Who: "plan " + string(c.Kind),
			Reason: "it was to pause after " + phase.Name})
	}
}

// endCampaign ends what was done, or undone, wholly.
func (m *Machine) endCampaign(c Campaign) {
	c.Ended = m.now
	m.setCampaign(c)
	m.handsOver(c)
	if !c.Back {
		return // what plans do is told anyhow
	}
	run := m.hard.Runs[string(c.Kind)]
	run.Seen = ""
	m.setRun(string(c.Kind), run)
	m.record(JournalEntry{Kind: "plan-stop", Plan: string(c.Kind), By: c.By,
		What: "plan " + string(c.Kind), Outcome: "rolled back to " + c.From})
}

// pausedCampaign reports whether an operator holds the campaign.
func (m *Machine) pausedCampaign() bool {
	c := m.hard.Campaign
	return c.under() && m.hard.Overrides.Interrupted[string(c.Kind)]
}

// pauseCampaign holds it.
func (m *Machine) pauseCampaign(c Campaign, by Caller) {
	said := copyOverrides(m.hard.Overrides)
	said.Interrupted[string(c.Kind)] = true
	said.Said[string(c.Kind)] = plans.Said{At: m.now, By: by.Who, Reason: by.Reason}
	m.hard.Overrides = said
	m.write(WriteOverrides{said})
}

// holdCampaign says why a roll of a campaign does not go on, "" if it does.
func (m *Machine) holdCampaign() string {
	if !m.pausedCampaign() {
		return ""
	}
	return fmt.Sprintf("the %s is paused", m.hard.Campaign.Kind.noun())
}

// inForce are the changes that the campaign has made of the target so far, in their order.
func (c Campaign) inForce() []Edit {
	var edits []Edit
	for i, phase := range c.Phases {
		switch {
		case i < c.At, i == c.At && c.Begun && !c.Back, i == c.At && c.Back && !c.Begun:
			edits = append(edits, phase.Edits...)
		case i == c.At && c.Back:
			edits = append(edits, phase.Edits...)
			edits = append(edits, phase.Undoes...)
		}
	}
	return edits
}

// refuseTarget says why a configuration may not become the target while a campaign is under way,
// "" if it may: it has to leave alone what the campaign has in hand.
func (m *Machine) refuseTarget(next servicespec.Service) string {
	c := m.hard.Campaign
	if !c.under() {
		return ""
	}
	with, _ := edited(next, c.inForce())
	if reflect.DeepEqual(with, canonical(next)) {
		return ""
	}
	return fmt.Sprintf("the %s from %s to %s is under way, and the configuration has not what it "+
		"brought about; finish it or roll it back first", c.Kind.noun(), c.From, c.To)
}

// serverTask is the task that runs Kafka, or ZooKeeper, "" for none.
func serverTask(spec servicespec.Pod) string {
	switch {
	case spec.Kafka != nil:
		return spec.Kafka.Task
	case spec.ZooKeeper != nil:
		return spec.ZooKeeper.Task
	}
	return ""
}
