package scheduler

import (
	"strconv"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// migrate reads "migrate [pause-after=(...)] [then=VERSION …]" with the spec that is to be, or
// "migrate pause|continue|finalize|rollback".
func (s *story) migrate(d *datadriven.TestData) Command {
	if len(d.CmdArgs) > 1 && len(d.CmdArgs[1].Vals) == 0 {
		return CampaignCommand{Kind: Migrating, Verb: CampaignVerb(d.CmdArgs[1].Key)}
	}
	service, problems := servicespec.Parse("spec.yml", []byte(d.Input), nil)
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	c := Migrate{Service: service, Before: "{}"}
	for _, a := range d.CmdArgs[1:] {
		switch a.Key {
		case "pause-after":
			c.PauseAfter = a.Vals
		case "then":
			c.Then = s.upgradeTo(a.Vals[0])
		case "then-pause-after":
			c.Then.PauseAfter = a.Vals
		case "then-finalize":
			c.Then.Finalize = true
		case "then-java":
			c.Then.Java = 11
		case "no-archive":
			c.Then.Archives = nil
		}
	}
	return c
}

// migration has ZooKeeper tell of a migration: "migration [controller=ID] [kraft] [offset=N]", or
// "migration error". Without offset there is no node /migration.
func (s *story) migration(d *datadriven.TestData) string {
	f := MigrationFacts{Asked: s.now.Add(time.Millisecond / 2),
		Nodes: &migrate.Nodes{Controller: -1, Offset: -1}}
	number := func(a datadriven.CmdArg) int {
		n, err := strconv.Atoi(a.Vals[0])
		if err != nil {
			s.t.Fatal(err)
		}
		return n
	}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "controller":
			f.Nodes.Controller = number(a)
		case "kraft":
			f.Nodes.KRaft = true
		case "offset":
			f.Nodes.Migration, f.Nodes.Offset = true, int64(number(a))
		case "error":
			f.Nodes, f.Error = nil, "no ZooKeeper server of zk.example:2181 answers"
		}
	}
	s.nodes = &f
	return s.step(FromMigration{f})
}

// sameNodes has ZooKeeper say the same again, when it is asked after a crash.
func (s *story) sameNodes() {
	if s.nodes != nil {
		s.nodes.Asked = s.now.Add(time.Millisecond / 2)
		s.step(FromMigration{*s.nodes})
	}
}

// kafkaBeside takes in what controllers tell of a migration, and all nodes of features.
func (s *story) kafkaBeside(
	a datadriven.CmdArg, f *KafkaFacts, numbers func([]string) []int,
) {
	switch a.Key {
	case "joins":
		f.JoinsItself = true
	case "controllers":
		f.Controllers = numbers(a.Vals)
	case "migrating":
		f.Controllers, f.Migrating = numbers(a.Vals), numbers(a.Vals)
	case "features":
		f.Features = featuresOf(s.t, a.Vals)
	}
}

// fromEnsemble has ZooKeeper tell of its servers, or of a migration.
func (s *story) fromEnsemble(d *datadriven.TestData) string {
	if d.Cmd == "migration" {
		return s.migration(d)
	}
	return s.zooKeeper(d)
}
