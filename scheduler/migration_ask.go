package scheduler

import (
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
)

// What ZooKeeper tells of a migration.

// AskMigration is a call: it wants a FromMigration event with what ZooKeeper tells of a migration.
// With Forget, what keeps a broker from being the controller is deleted there before.
type AskMigration struct {
	// Connect is where the cluster's metadata is, host:port,…/path.
	Connect string
	Forget  bool
}

func (AskMigration) call() {}

// FromMigration is an event: the answer to an AskMigration call.
type FromMigration struct{ Facts MigrationFacts }

func (FromMigration) event() {}

// MigrationFacts is what ZooKeeper tells of a migration.
type MigrationFacts struct {
	// Asked is when the question was put.
	Asked time.Time
	// Error is why nothing is known, "" otherwise.
	Error string
	Nodes *migrate.Nodes
}

// String gives the facts in a line.
func (f MigrationFacts) String() string {
	if f.Nodes == nil {
		return fmt.Sprintf("error %q", f.Error)
	}
	return fmt.Sprintf("controller=%d kraft=%t migration=%t offset=%d", f.Nodes.Controller,
		f.Nodes.KRaft, f.Nodes.Migration, f.Nodes.Offset)
}
