package scheduler

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// A migration can be the first part of a chain: what begins by itself once it is finalized is an
// upgrade, a campaign of its own with its own pauses and its own way back, which ends where it
// began. It is planned, and refused, when the chain begins, and planned anew when its turn comes;
// what is against it then is told, and it begins once that is over.

// chained is the upgrade that is to begin when the campaign is done, nil for none.
func (c Campaign) chained() *Upgrade {
	if c.Back {
		return nil
	}
	return c.Then
}

// done is the campaign as the one behind it keeps it, to be shown.
func (c Campaign) done() *CampaignDone {
	d := &CampaignDone{Number: c.Number, Kind: c.Kind, From: c.From, To: c.To, Since: c.Since,
		By: c.By, Ended: c.Ended}
	for _, p := range c.Phases {
		d.Phases = append(d.Phases, PhaseDone{p.Name, p.What, p.Undo})
	}
	return d
}

// refuseThen says why a chain with an upgrade behind a migration to a service cannot begin, nil if
// it can.
func refuseThen(then *Upgrade, to servicespec.Service) *Problem {
	if then == nil {
		return nil
	}
	c, p := campaignOf(to, *then)
	if p == nil {
		p = c.pausable()
	}
	if p != nil {
		p.Message = "the upgrade behind the migration: " + p.Message
	}
	return p
}

// ThenPhases are the phases of the upgrade that begins behind a campaign, as the service will be
// by then; nil if there is none.
func (c Campaign) ThenPhases() []upgrade.Phase {
	if c.chained() == nil {
		return nil
	}
	for i := len(c.Phases) - 1; i >= 0; i-- {
		for _, e := range c.Phases[i].Edits {
			if e.Service != nil {
				_, plan, _ := PlanUpgrade(*e.Service, c.Then.Features, c.Then.Java, c.Then.To)
				return plan.Phases
			}
		}
	}
	return nil
}

// passChain begins the upgrade that waits for the end of the campaign before it.
func (m *Machine) passChain() {
	c := m.hard.Campaign
	then := c.chained()
	if then == nil || c.Number == 0 || c.under() || m.hard.Intent != Run {
		return
	}
	if m.chained != c.Number { // so that what plans do tells that it is done
		m.chained, m.due = c.Number, true
		return
	}
	next, p := m.prepareUpgrade(*then)
	if p != nil {
		m.campaignTrouble = p.Message
		return
	}
	next.Before = c.done()
	m.beginUpgrade(next, *then, Caller{Who: c.By})
	m.record(JournalEntry{Kind: "command", Plan: string(Upgrading), By: c.By,
		What: then.String(), Outcome: "begins, as the " + c.Kind.noun() + " is done"})
}

// chainTold says why the upgrade behind a campaign that is done does not begin, "" if it does.
func (m *Machine) chainTold() string {
	if c := m.hard.Campaign; c.Number == 0 || c.under() || c.chained() == nil {
		return ""
	}
	if m.campaignTrouble == "" {
		return ""
	}
	return fmt.Sprintf("the upgrade to %s does not begin: %s", m.hard.Campaign.Then.To,
		m.campaignTrouble)
}
