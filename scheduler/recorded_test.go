package scheduler

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// recordedStories is what the names of stories begin with that the simulation recorded. What they
// say of the world is what came of what the machine did, so no crash can be put into them.
const recordedStories = "seed-"

// recorded is a line of a recorded story: "at TIME KIND [lost]", with the event as JSON. The time
// is that since the beginning, and no other event comes but those that are there. KIND start makes
// a machine of what is stored, and the first time of the spec as well; what the machine wants
// written at a lost event is not.
func (s *story) recorded(d *datadriven.TestData) string {
	at, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		s.t.Fatal(err)
	}
	kind := d.CmdArgs[1].Key
	if s.began.IsZero() {
		s.began = s.now
	}
	s.now = s.began.Add(at)
	if kind == "start" {
		s.restart(d)
		return ""
	}
	ev := s.event(kind, []byte(d.Input))
	if len(d.CmdArgs) > 2 && d.CmdArgs[2].Key == "lost" {
		s.machine.Step(s.now, ev)
		return ""
	}
	s.now = s.now.Add(-time.Millisecond) // single adds it
	return s.single(ev)
}

// restart makes a machine of what is stored, with ids that count on.
func (s *story) restart(d *datadriven.TestData) {
	service, problems := servicespec.Parse("spec.yml", []byte(d.Input), nil)
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	s.cfg = Config{Target: Target{ID: "target-1", Service: service},
		ExecutorURI: "http://s/executor", KafkaURI: "http://s/kafka.tgz",
		UUID: func() (id [16]byte) {
			s.count++
			binary.BigEndian.PutUint64(id[8:], s.count)
			return id
		}}
	s.machine = Restore(s.cfg, s.stored.clone())
}

// event reads an event of a kind.
func (s *story) event(kind string, input []byte) Event {
	read := func(into any) {
		if err := json.Unmarshal(input, into); err != nil {
			s.t.Fatalf("%s: %v", kind, err)
		}
	}
	switch kind {
	case "tick":
		return Tick{}
	case "KafkaFacts":
		var facts KafkaFacts
		read(&facts)
		return FromKafka{facts}
	case "KafkaChanged":
		var changed struct {
			Kind, Error string
			Change      json.RawMessage
		}
		read(&changed)
		input = changed.Change
		return KafkaChanged{s.changeOf(changed.Kind, read), changed.Error}
	case "FromZooKeeper":
		return readAs[FromZooKeeper](read)
	case "FromMigration":
		return readAs[FromMigration](read)
	case "FromMoves":
		return readAs[FromMoves](read)
	case "FromConfigs":
		return readAs[FromConfigs](read)
	}
	if command := commandOf(kind); command != nil {
		return Commanded{ID: 1, Command: command(read), Caller: Caller{Who: "operator"}}
	}
	return FromMesos{s.mesosEvent(kind, read)}
}

// changeOf reads a change of Kafka.
func (s *story) changeOf(kind string, read func(any)) KafkaChange {
	switch kind {
	case "AddVoter":
		return readAs[AddVoter](read)
	case "RemoveVoter":
		return readAs[RemoveVoter](read)
	case "Unregister":
		return readAs[Unregister](read)
	case "StartMoves":
		return readAs[StartMoves](read)
	case "CancelMoves":
		return readAs[CancelMoves](read)
	case "CreateTopic":
		return readAs[CreateTopic](read)
	case "GrowTopic":
		return readAs[GrowTopic](read)
	case "ReplicateTopic":
		return readAs[ReplicateTopic](read)
	case "ConfigureTopic":
		return readAs[ConfigureTopic](read)
	case "ConfigureBrokers":
		return readAs[ConfigureBrokers](read)
	case "Cordon":
		return readAs[Cordon](read)
	case "SetFeature":
		return readAs[SetFeature](read)
	}
	s.t.Fatalf("there is no change %s", kind)
	return nil
}

func (s *story) mesosEvent(kind string, read func(any)) mesos.Event {
	switch kind {
	case "Subscribed":
		return readAs[mesos.Subscribed](read)
	case "Disconnected":
		return readAs[mesos.Disconnected](read)
	case "Offers":
		return readAs[mesos.Offers](read)
	case "Rescinded":
		return readAs[mesos.Rescinded](read)
	case "Updated":
		return readAs[mesos.Updated](read)
	case "OperationUpdated":
		return readAs[mesos.OperationUpdated](read)
	case "InverseOffers":
		return readAs[mesos.InverseOffers](read)
	case "ExecutorFailed":
		return readAs[mesos.ExecutorFailed](read)
	case "Refused":
		return readAs[mesos.Refused](read)
	case "AgentsSeen":
		return readAs[mesos.AgentsSeen](read)
	}
	s.t.Fatalf("there is no event %s", kind)
	return nil
}

func readAs[T any](read func(any)) T {
	var v T
	read(&v)
	return v
}

// commandOf gives what reads a command of a kind, nil if there is none.
func commandOf(kind string) func(func(any)) Command {
	commands := map[string]func(func(any)) Command{
		"PodRestart":       func(r func(any)) Command { return readAs[PodRestart](r) },
		"PodReplace":       func(r func(any)) Command { return readAs[PodReplace](r) },
		"PodMove":          func(r func(any)) Command { return readAs[PodMove](r) },
		"Upgrade":          func(r func(any)) Command { return readAs[Upgrade](r) },
		"Migrate":          func(r func(any)) Command { return readAs[Migrate](r) },
		"CampaignCommand":  func(r func(any)) Command { return readAs[CampaignCommand](r) },
		"PodPause":         func(r func(any)) Command { return readAs[PodPause](r) },
		"PodResume":        func(r func(any)) Command { return readAs[PodResume](r) },
		"BackoffReset":     func(r func(any)) Command { return readAs[BackoffReset](r) },
		"PlanCommand":      func(r func(any)) Command { return readAs[PlanCommand](r) },
		"ServiceStop":      func(r func(any)) Command { return readAs[ServiceStop](r) },
		"ServiceStart":     func(r func(any)) Command { return readAs[ServiceStart](r) },
		"ServiceUninstall": func(r func(any)) Command { return readAs[ServiceUninstall](r) },
		"SetTarget":        func(r func(any)) Command { return readAs[SetTarget](r) },
		"Rollback":         func(r func(any)) Command { return readAs[Rollback](r) },
		"Remark":           func(r func(any)) Command { return readAs[Remark](r) },
		"PutFile":          func(r func(any)) Command { return readAs[PutFile](r) },
		"AgentAbandon":     func(r func(any)) Command { return readAs[AgentAbandon](r) },
	}
	return commands[strings.TrimSpace(kind)]
}
