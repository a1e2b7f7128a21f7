package migrate

import "github.com/kafka-sched/kafka-sched/servicespec"

// The phases of a migration, in their order.
const (
	Controllers = "controllers" // they come up in a pod of their own
	Enter       = "enter"       // brokers are rolled into the migration
	DualWrite   = "dual-write"  // the metadata is with the controllers and in ZooKeeper
	Brokers     = "brokers"     // brokers are rolled into KRaft
	Stay        = "stay"        // until an operator finalizes
	Finalize    = "finalize"    // controllers are rolled without ZooKeeper
)

// Phase is a part of a migration.
type Phase struct {
	Name string
	// What is done, and how it is undone; Undo is "" if it cannot be.
	What, Undo string
	// Waits says that it lasts until an operator wants the next one.
	Waits bool
	// Pods are as the phase wants them, those that differ from the phase before or are new.
	Pods []servicespec.Pod
}

// Phases are those of the migration of a service.
func (s Specs) Phases() []Phase {
	return []Phase{
		{Name: Controllers, What: "start the controllers, which wait for the brokers",
			Undo: "stop the controllers, delete /migration in ZooKeeper, and free what they held",
			Pods: s.controllers(true)},
		{Name: Enter, What: "roll the brokers into the migration; when the last one has " +
			"registered with the controllers, these copy the metadata",
			Undo: "stop the controllers, delete /controller and /migration in ZooKeeper at once, " +
				"and roll the brokers out of the migration",
			Pods: s.brokers(true)},
		{Name: DualWrite, What: "see that the controllers have all metadata, and that each " +
			"change is written to ZooKeeper as well", Undo: "nothing to be done"},
		{Name: Brokers, What: "roll the brokers into KRaft",
			Undo: "roll them back into the migration", Pods: s.brokers(false)},
		{Name: Stay, What: "wait for as long as the operator likes, until migrate finalize",
			Undo: "nothing to be done", Waits: true},
		{Name: Finalize, What: "roll the controllers without ZooKeeper, which is not written to " +
			"any more", Pods: s.controllers(false)},
	}
}

// Withdraws reports whether the controllers have to be gone before a phase can be undone, and
// ZooKeeper has to have elected a broker.
func Withdraws(phase string) bool { return phase == Controllers || phase == Enter }
