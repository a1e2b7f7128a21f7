package flight

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"time"

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
	fromDrift = "Configs"
	fromRoles = "ZooKeeper"
	fromNodes = "Migration"
	tick      = "Tick"
)

// payloads are values of all types that events carry. A test sees to it that none is missing.
var payloads = map[string][]any{
	fromMesos: {mesos.Subscribed{}, mesos.Disconnected{}, mesos.Offers{}, mesos.Rescinded{},
		mesos.Updated{}, mesos.OperationUpdated{}, mesos.InverseOffers{}, mesos.ExecutorFailed{},
		mesos.Refused{}, mesos.AgentsSeen{}},
	commanded: {scheduler.PodRestart{}, scheduler.PodReplace{}, scheduler.PodMove{},
		scheduler.PodPause{}, scheduler.PodResume{}, scheduler.BackoffReset{},
		scheduler.PlanCommand{}, scheduler.ServiceStop{}, scheduler.ServiceStart{},
		scheduler.ServiceUninstall{}, scheduler.SetTarget{}, scheduler.Rollback{},
		scheduler.Remark{}, scheduler.PutFile{}, scheduler.AgentAbandon{},
		scheduler.Rebalance{}, scheduler.RebalanceCancel{}, scheduler.Upgrade{},
		scheduler.Migrate{}, scheduler.CampaignCommand{}, scheduler.RollExecutors{}},
	changed: {scheduler.AddVoter{}, scheduler.RemoveVoter{}, scheduler.Unregister{},
		scheduler.StartMoves{}, scheduler.CancelMoves{}, scheduler.Unthrottle{},
		scheduler.ElectPreferred{}, scheduler.MoveReplicas{}, scheduler.CreateTopic{},
		scheduler.GrowTopic{}, scheduler.ReplicateTopic{}, scheduler.ConfigureTopic{},
		scheduler.ConfigureBrokers{}, scheduler.Cordon{}, scheduler.SetFeature{}},
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

// command is a Commanded whose command is written, or waits to be read when its kind is known.
type command[What any] struct {
	ID     scheduler.CommandID
	Caller scheduler.Caller
	What   What
}

// change is a KafkaChanged in the same way.
type change[What any] struct {
	Error string
	What  What
}

// named gives an event's kind and what is written down of it as JSON.
func named(ev scheduler.Event) (kind string, payload any, err error) {
	switch ev := ev.(type) {
	case scheduler.Tick:
		return tick, ev, nil
	case scheduler.FromKafka:
		return fromKafka, ev.Facts, nil
	case scheduler.FromMoves:
		return fromMoves, ev, nil
	case scheduler.FromConfigs:
		return fromDrift, ev, nil
	case scheduler.FromZooKeeper:
		return fromRoles, ev.Facts, nil
	case scheduler.FromMigration:
		return fromNodes, ev.Facts, nil
	case scheduler.FromMesos:
		kind, payload = fromMesos+reflect.TypeOf(ev.Event).Name(), ev.Event
	case scheduler.KafkaChanged:
		kind = changed + reflect.TypeOf(ev.Change).Name()
		payload = change[any]{ev.Error, ev.Change}
	case scheduler.Commanded:
		kind = commanded + reflect.TypeOf(ev.Command).Name()
		payload = command[any]{ev.ID, ev.Caller, ev.Command}
	default:
		return "", nil, fmt.Errorf("an event of an unknown type, %T", ev)
	}
	if _, known := types[kind]; !known {
		err = fmt.Errorf("an event of an unknown type, %s", kind)
	}
	return kind, payload, err
}

// encode gives an event's kind and its JSON.
func encode(ev scheduler.Event) (kind string, data []byte, err error) {
	kind, payload, err := named(ev)
	if err != nil {
		return "", nil, err
	}
	data, err = json.Marshal(payload)
	return kind, data, err
}

// writeEvent writes an event's kind, its JSON and its text, in a line of their own.
func writeEvent(w io.Writer, at time.Time, ev scheduler.Event) error {
	kind, payload, err := named(ev)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event %s %s ", at.UTC().Format(time.RFC3339Nano), kind)
	if err == nil {
		err = writeJSON(w, payload)
	}
	if err == nil {
		_, err = io.WriteString(w, " ")
	}
	for part := range textOf(ev) {
		if err == nil {
			_, err = io.WriteString(w, oneLine(part))
		}
	}
	if err == nil {
		_, err = io.WriteString(w, "\n")
	}
	return err
}

// textOf gives an event's text in parts: that of ten thousand offers has several megabytes.
func textOf(ev scheduler.Event) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, _ := ev.(scheduler.FromMesos)
		switch list := from.Event.(type) {
		case mesos.Offers:
			inParts(yield, mesos.Offers{}, len(list.Offers), func(i int) mesos.Event {
				return mesos.Offers{Offers: list.Offers[i : i+1]}
			})
		case mesos.AgentsSeen:
			agents := len(list.Agents)
			inParts(yield, mesos.AgentsSeen{}, agents+1, func(i int) mesos.Event {
				if i == agents {
					return mesos.AgentsSeen{Removed: list.Removed}
				}
				return mesos.AgentsSeen{Agents: list.Agents[i : i+1]}
			})
		default:
			yield(scheduler.EventText(ev))
		}
	}
}

// inParts yields the text of an event that has so many parts: how it begins when it has none, and
// then what each part adds to that.
func inParts(yield func(string) bool, none mesos.Event, count int, part func(int) mesos.Event) {
	begin := none.String()
	going := yield(begin)
	for i := 0; going && i < count; i++ {
		going = yield(strings.TrimPrefix(part(i).String(), begin))
	}
}

func oneLine(text string) string { return strings.ReplaceAll(text, "\n", " ") }

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
	case fromDrift:
		var drift scheduler.FromConfigs
		err := json.Unmarshal(data, &drift)
		return drift, err
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
	var c command[json.RawMessage]
	var k change[json.RawMessage]
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
