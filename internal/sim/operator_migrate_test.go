package sim

import (
	"slices"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
)

// What the operator does for a cluster to get from ZooKeeper to controllers, and what he spares of
// the servers of ZooKeeper.

// migration begins a migration, or steers it.
func (o *operator) migration() {
	w, c := o.w, o.w.store.hard.Campaign
	switch {
	case c.Number == 0, !c.Ended.IsZero() && c.Back:
		o.migrate()
		return
	case w.flip(0.1):
		o.steerMigration(scheduler.CampaignRollback)
		return
	}
	verbs := []scheduler.CampaignVerb{scheduler.CampaignPause, scheduler.CampaignContinue,
		scheduler.CampaignContinue, scheduler.CampaignFinalize, scheduler.CampaignFinalize}
	o.steerMigration(verbs[w.rng.IntN(len(verbs))])
}

func (o *operator) steerMigration(verb scheduler.CampaignVerb) {
	o.w.process.command(scheduler.CampaignCommand{Kind: scheduler.Migrating, Verb: verb})
}

// migrate begins a migration.
func (o *operator) migrate() {
	w, next := o.w, o.shape
	next.metadata = migrated
	c := scheduler.Migrate{Service: next.service(), Before: "{}"}
	phases := []string{migrate.Controllers, migrate.Enter, migrate.DualWrite, migrate.Brokers}
	if w.flip(0.2) {
		c.PauseAfter = []string{phases[w.rng.IntN(len(phases))]}
	}
	w.process.command(c)
}

// endMigration brings a migration to its end, forwards or backwards.
func (o *operator) endMigration(c scheduler.Campaign) {
	switch {
	case !c.Waiting():
	case c.Number%2 == 0:
		o.steerMigration(scheduler.CampaignRollback)
	default:
		o.steerMigration(scheduler.CampaignFinalize)
	}
}

// withdraws reports whether the controllers of a migration are to go, and their data with them.
func (o *operator) withdraws() bool {
	c := o.w.store.hard.Campaign
	under := c.Number > 0 && c.Ended.IsZero() && c.Kind == scheduler.Migrating
	return under && c.Back && c.At <= 1
}

// noteUndone keeps that the controllers of a migration that is undone go.
func (o *operator) noteUndone(out scheduler.Output) {
	for _, write := range out.Writes {
		w, ok := write.(scheduler.WriteCampaign)
		if !ok || !w.Campaign.Back || w.Campaign.Kind != scheduler.Migrating {
			continue
		}
		for name := range o.w.store.hard.Pods {
			if _, controls := o.voter(name); controls {
				o.leave(name)
			}
		}
	}
}

// isServer reports whether an instance is a ZooKeeper server.
func (o *operator) isServer(name scheduler.PodName) bool {
	spec, known := o.w.wanted(name)
	return known && spec.ZooKeeper != nil
}

// spareServer reports whether a majority of the servers has all data without one of them.
func (o *operator) spareServer(own scheduler.PodName) bool {
	kept, all := 0, 0
	for name, p := range o.w.store.hard.Pods {
		if !o.isServer(name) {
			continue
		}
		if all++; name == own || p.Place == nil || p.Request == scheduler.Replace {
			continue
		}
		for v := range o.w.kafka.zoo.synced {
			if !v.destroyed && slices.Contains(volumesOf(p), v.id) {
				kept++
			}
		}
	}
	return len(o.w.kafka.zoo.synced) == 0 || kept > all/2
}
