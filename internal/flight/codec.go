package flight

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The kinds of events whose payload is of several types, which are named behind a slash.
const (
	fromMesos = "Mesos/"
	commanded = "Command/"
	changed   = "KafkaChanged/"
	fromKafka = "Kafka"
	fromMoves = "Moves"
	fromRoles = "ZooKeeper"
	fromNodes = "Migration"
	tick      = "Tick"
)

// payloads are values of all types that events carry. A test sees to it that none is missing.
var payloads = map[string][]any{
	fromMesos: {mesos.Subscribed{}, mesos.Disconnected{}, mesos.Offers{}, mesos.Rescinded{},
		mesos.Updated{}, mesos.OperationUpdated{}, mesos.InverseOffers{}, mesos.ExecutorFailed{},
		mesos.Refused{}, mesos.AgentsSeen{}},
	commanded: {scheduler.PodRestart{}, scheduler.PodReplace{}, scheduler.PodPause{},
		scheduler.PodResume{}, scheduler.BackoffReset{}, scheduler.PlanCommand{},
		scheduler.ServiceStop{}, scheduler.ServiceStart{}, scheduler.ServiceUninstall{},
		scheduler.SetTarget{}, scheduler.Rollback{}, scheduler.Remark{}, scheduler.PutFile{},
		scheduler.AgentAbandon{}, scheduler.Rebalance{}, scheduler.RebalanceCancel{},
		scheduler.Upgrade{}, scheduler.Migrate{}, scheduler.CampaignCommand{}},
	changed: {scheduler.AddVoter{}, scheduler.RemoveVoter{}, scheduler.Unregister{},
		scheduler.StartMoves{}, scheduler.CancelMoves{}, scheduler.Unthrottle{},
		scheduler.ElectPreferred{}, scheduler.MoveReplicas{}, scheduler.SetFeature{}},
}

// types finds them by their names.
var types = func() map[string]reflect.Type {
	found := map[string]reflect.Type{}
	for kind, values := range payloads { //tidy:unordered a map is made of a map
		for _, v := range values {
			found[kind+reflect.TypeOf(v).Name()] = reflect.TypeOf(v)
		}
	}
	return found
}()

// command is a Commanded without its command.
type command struct {
	ID     scheduler.CommandID
	Caller scheduler.Caller
	What   json.RawMessage
}

// change is a KafkaChanged without its change.
type change struct {
	Error string
	What  json.RawMessage
}

// encode gives an event's kind and its JSON.
func encode(ev scheduler.Event) (kind string, data []byte, err error) {
	switch ev := ev.(type) {
	case scheduler.Tick:
		return tick, []byte("{}"), nil
	case scheduler.FromKafka:
		data, err = json.Marshal(ev.Facts)
		return fromKafka, data, err
	case scheduler.FromMoves:
		data, err = json.Marshal(ev)
		return fromMoves, data, err
	case scheduler.FromZooKeeper:
		data, err = json.Marshal(ev.Facts)
		return fromRoles, data, err
	case scheduler.FromMigration:
		data, err = json.Marshal(ev.Facts)
		return fromNodes, data, err
	case scheduler.FromMesos:
		kind = fromMesos + reflect.TypeOf(ev.Event).Name()
		data, err = json.Marshal(ev.Event)
	case scheduler.KafkaChanged:
		kind = changed + reflect.TypeOf(ev.Change).Name()
		var what []byte
		if what, err = json.Marshal(ev.Change); err == nil {
			data, err = json.Marshal(change{ev.Error, what})
		}
	case scheduler.Commanded:
		kind = commanded + reflect.TypeOf(ev.Command).Name()
		var what []byte
		if what, err = json.Marshal(ev.Command); err == nil {
			data, err = json.Marshal(command{ev.ID, ev.Caller, what})
		}
	default:
		err = fmt.Errorf("an event of an unknown type, %T", ev)
	}
	if _, known := types[kind]; err == nil && !known {
		err = fmt.Errorf("an event of an unknown type, %s", kind)
	}
	return kind, data, err
}

// decode reads what encode gave.
func decode(kind string, data []byte) (scheduler.Event, error) {
	switch kind {
	case tick:
		return scheduler.Tick{}, nil
	case fromKafka:
		var facts scheduler.KafkaFacts
		err := json.Unmarshal(data, &facts)
		return scheduler.FromKafka{Facts: facts}, err
	case fromMoves:
		var moves scheduler.FromMoves
		err := json.Unmarshal(data, &moves)
		return moves, err
	case fromRoles:
		var facts scheduler.ZooKeeperFacts
		err := json.Unmarshal(data, &facts)
		return scheduler.FromZooKeeper{Facts: facts}, err
	case fromNodes:
		var facts scheduler.MigrationFacts
		err := json.Unmarshal(data, &facts)
		return scheduler.FromMigration{Facts: facts}, err
	}
	of, known := types[kind]
	if !known {
		return nil, fmt.Errorf("there is no event of the kind %q", kind)
	}
	value := reflect.New(of)
	var c command
	var k change
	var err error
	switch what := value.Elem().Interface().(type) {
	case scheduler.Command:
		if err = json.Unmarshal(data, &c); err == nil {
			err = json.Unmarshal(c.What, value.Interface())
		}
		what, _ = value.Elem().Interface().(scheduler.Command)
		return scheduler.Commanded{ID: c.ID, Command: what, Caller: c.Caller}, err
	case scheduler.KafkaChange:
		if err = json.Unmarshal(data, &k); err == nil {
			err = json.Unmarshal(k.What, value.Interface())
		}
		what, _ = value.Elem().Interface().(scheduler.KafkaChange)
		return scheduler.KafkaChanged{Change: what, Error: k.Error}, err
	default:
		err = json.Unmarshal(data, value.Interface())
		event, _ := value.Elem().Interface().(mesos.Event)
		return scheduler.FromMesos{Event: event}, err
	}
}
