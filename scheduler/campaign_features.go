package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
)

// How a campaign raises features of Kafka, and lowers them again on the way back. How far each can
// be raised is what all nodes say that can do it; Kafka itself refuses what it cannot do, and
// what it says against it is the reason of the step. Nothing is raised before it is stored what it
// was.

// FeatureFacts is what Kafka says of one of its features.
type FeatureFacts struct {
	Name string
	// Finalized is its level, 0 for none; Least and Greatest are what all nodes can do.
	Finalized, Least, Greatest int
}

// SetFeature brings a feature to a level.
type SetFeature struct {
	Name  string
	Level int
	// Lower says that this is less than now: Kafka does it only if nothing is lost by it.
	Lower bool
}

func (SetFeature) kafkaChange() {}

// String implements fmt.Stringer.
func (c SetFeature) String() string {
	return fmt.Sprintf("%s%d", c.asked(), c.Level)
}

// asked is what the text begins with, whatever the level.
func (c SetFeature) asked() string {
	verb := "raise"
	if c.Lower {
		verb = "lower"
	}
	return fmt.Sprintf("%s feature %s to ", verb, c.Name)
}

// features is what Kafka says of its features since the last of its processes came up, not known
// if it did not. Whoever calls it has Kafka asked.
func (m *Machine) features() (list []FeatureFacts, known bool) {
	m.inquiry.wanted = true
	if m.whole() == nil || len(m.facts.Features) == 0 {
		m.campaignTrouble = "Kafka does not say which levels of features it can have"
		return nil, false
	}
	m.campaignTrouble = ""
	return m.facts.Features, true
}

// otherFeatures are those that can be raised and that no phase before raises.
func (m *Machine) otherFeatures(c Campaign) (names []string, known bool) {
	list, known := m.features()
	for _, f := range list {
		before := func(p CampaignPhase) bool { return slices.Contains(p.Raise, f.Name) }
		if f.Name != upgrade.Quorum && f.Greatest > f.Finalized &&
			!slices.ContainsFunc(c.Phases[:c.At], before) {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names, known
}

// holdsRaise reports whether a Kafka node has to have the target, or to have gone, before a phase
// can begin to raise features: one of the former release keeps them where they are.
func (m *Machine) holdsRaise(c Campaign, phase CampaignPhase) bool {
	if c.Back || len(phase.Raise) == 0 {
		return false
	}
	for _, name := range m.podNames() {
		p, spec := m.hard.Pods[name], podSpec(m.hard.Target.Service, name.Type)
		_, wanted := m.spec(name)
		switch {
		case spec == nil || spec.Kafka == nil:
		case !wanted && p.Place != nil:
			m.campaignTrouble = fmt.Sprintf("%s is being decommissioned, and is of Kafka %s", name,
				c.From)
			return true
		case m.passedOver(p):
			m.campaignTrouble = fmt.Sprintf("%s is not launched with Kafka %s yet", name, c.To)
			return true
		}
	}
	return false
}

// raised reports whether the features of a phase are where they shall be, and has the next one
// brought there if not.
func (m *Machine) raised(c Campaign, phase CampaignPhase) bool {
	if len(phase.Raise) == 0 {
		return true
	}
	list, known := m.features()
	if !known {
		return false
	}
	change := c.nextFeature(phase, list)
	if change == nil {
		return !m.turnedLately(c, phase)
	}
	if _, kept := c.Levels[change.Name]; !kept && !c.Back {
		c.Levels = with(c.Levels, change.Name, featureOf(list, change.Name).Finalized)
		m.setCampaign(c)
	}
	m.campaignTrouble = m.changeKafka(*change)
	return false
}

// turnedLately reports whether Kafka may yet bring a feature of a phase the other way, as it was
// asked to before the campaign turned round, or did since it was last asked for the levels.
func (m *Machine) turnedLately(c Campaign, phase CampaignPhase) bool {
	for _, name := range phase.Raise {
		start := SetFeature{Name: name, Lower: !c.Back}.asked()
		for _, key := range slices.Sorted(maps.Keys(m.changing)) {
			change := m.changing[key]
			answered := change.taken || change.failed != ""
			if strings.HasPrefix(key, start) && (!answered && m.now.Before(change.until) ||
				answered && m.facts.Asked.Before(change.since)) {
				m.campaignTrouble = "Kafka was asked to " + key + " and has not done so yet"
				if m.now.Before(change.until) {
					m.wakeBy(change.until)
				}
				return true
			}
		}
	}
	return false
}

// nextFeature is the next change that a phase wants, nil for none any more. On the way back the
// last feature goes first.
func (c Campaign) nextFeature(phase CampaignPhase, list []FeatureFacts) *SetFeature {
	names := slices.Clone(phase.Raise)
	if c.Back {
		slices.Reverse(names)
	}
	for _, name := range names {
		f := featureOf(list, name)
		before, kept := c.Levels[name]
		switch {
		case c.Back && kept && f.Finalized > before:
			return &SetFeature{Name: name, Level: before, Lower: true}
		case !c.Back && f.Greatest > f.Finalized:
			return &SetFeature{Name: name, Level: f.Greatest}
		}
	}
	return nil
}

func featureOf(list []FeatureFacts, name string) FeatureFacts {
	for _, f := range list {
		if f.Name == name {
			return f
		}
	}
	return FeatureFacts{Name: name}
}
