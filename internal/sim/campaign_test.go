package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What the operator has moved to other agents, and his long works on the cluster as a whole.

// move has an instance moved to some agent, or to any. It is never forced: it may be carried out
// when others have gone whose data was there when it was asked for.
func (o *operator) move(pod scheduler.PodName) {
	w := o.w
	c := scheduler.PodMove{Pod: pod.String()}
	if w.flip(0.5) {
		c.To = w.master.agents[w.rng.IntN(len(w.master.agents))].hostname
	}
	w.process.command(c)
}

// endMoves takes back the moves that have waited for long, or lets them lead anywhere.
func (o *operator) endMoves() {
	w := o.w
	if w.now.Before(o.healed.Add(patience / 2)) {
		return
	}
	for _, name := range o.pods() {
		p := w.store.hard.Pods[name]
		switch {
		case p.Move == nil || p.Move.Cause != scheduler.CauseAsked:
		case p.Place == nil && p.Move.To != "":
			w.process.command(scheduler.PodMove{Pod: name.String()})
		case p.Place == nil: // nor does another agent fit; may it go where it was
			w.process.command(scheduler.PodMove{Pod: name.String(), To: p.Move.Hostname})
		case p.Place != nil && p.Request == "" && p.Incarnation == p.Move.Incarnation:
			w.process.command(scheduler.PodMove{Pod: name.String(), Cancel: true})
		}
	}
}

// asStored gives a configuration the Kafka that the service has by now: which it is, is a matter of
// upgrades.
func (o *operator) asStored(s servicespec.Service) servicespec.Service {
	s.Pods = slices.Clone(s.Pods)
	for i := range s.Pods {
		for _, was := range o.w.store.hard.Target.Service.Pods {
			if p := &s.Pods[i]; p.Kafka != nil && was.Kafka != nil && was.Type == p.Type {
				k := *p.Kafka
				k.Version, p.Kafka = was.Kafka.Version, &k
			}
		}
	}
	return s
}

// campaign begins an upgrade, or steers it.
func (o *operator) campaign() {
	w, c := o.w, o.w.store.hard.Campaign
	if c.Number == 0 || !c.Ended.IsZero() && (c.Back || w.flip(0.2)) {
		o.upgrade()
		return
	}
	verbs := []scheduler.CampaignVerb{scheduler.CampaignPause, scheduler.CampaignContinue,
		scheduler.CampaignContinue, scheduler.CampaignFinalize, scheduler.CampaignFinalize,
		scheduler.CampaignRollback}
	o.steer(verbs[w.rng.IntN(len(verbs))])
}

func (o *operator) steer(verb scheduler.CampaignVerb) {
	o.w.process.command(scheduler.CampaignCommand{Kind: scheduler.Upgrading, Verb: verb})
}

// upgradeTo is an upgrade to the latest release.
func (o *operator) upgradeTo(finalize bool) scheduler.Upgrade {
	c := scheduler.Upgrade{To: releases[latest], Java: 17, Finalize: finalize,
		Archives: map[string]string{}}
	for _, version := range releases[:bridge] {
		c.Archives[version] = archive(version)
	}
	return c
}

// upgrade begins an upgrade to the latest release.
func (o *operator) upgrade() {
	w := o.w
	c := o.upgradeTo(w.flip(0.3))
	phases := []string{"nodes", "controllers", "brokers", "verify", "metadata"}
	if w.flip(0.2) {
		c.PauseAfter = []string{phases[w.rng.IntN(len(phases))]}
	}
	w.process.command(c)
}

// endCampaign brings an upgrade to its end: forwards, or backwards where that is not possible.
// Where the way back was begun while Kafka was raising a feature, and the scheduler died over it,
// nodes of the release before do not start any more, and the way is forwards.
func (o *operator) endCampaign() {
	w, c := o.w, o.w.store.hard.Campaign
	under := c.Number > 0 && c.Ended.IsZero()
	switch {
	case !under:
	case c.Kind == scheduler.Migrating:
		o.endMigration(c)
	case c.Back:
		if o.raised() && w.now.After(o.healed.Add(patience)) {
			o.steer(scheduler.CampaignFinalize)
		}
	case w.scenario.bad:
		o.steer(scheduler.CampaignRollback)
	case c.Waiting() && c.Number%2 == 0:
		o.steer(scheduler.CampaignRollback)
	case c.Waiting():
		o.steer(scheduler.CampaignFinalize)
	}
}

// raised reports whether the cluster has a feature that only the latest release knows.
func (o *operator) raised() bool {
	for _, c := range o.w.kafka.clusters {
		for name, level := range c.features {
			if c.id == o.w.store.hard.Kafka.ID && level > abilities[former][name] {
				return true
			}
		}
	}
	return false
}
