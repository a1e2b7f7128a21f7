package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The keys; those that end in a slash are followed by a name.
const (
	frameworkKey = "framework"
	targetKey    = "target"
	intentKey    = "intent"
	kafkaKey     = "kafka"
	overridesKey = "overrides"
	podKey       = "pod/"
	leftoverKey  = "leftover/"
)

// Change is what one write does to a store of keys and values.
type Change struct {
	// Key is what changes.
	Key string
	// Value is what is put under the key, nil to delete it.
	Value []byte
}

// Encode gives the changes that the writes mean, in their order.
func Encode(writes []scheduler.Write) ([]Change, error) {
	out := make([]Change, 0, len(writes))
	for _, w := range writes {
		change, err := encodeWrite(w)
		if err != nil {
			return nil, fmt.Errorf("encoding %T: %w", w, err)
		}
		out = append(out, change)
	}
	return out, nil
}

func encodeWrite(w scheduler.Write) (Change, error) {
	switch w := w.(type) {
	case scheduler.WriteFramework:
		return put(frameworkKey, framework{ID: &w.ID})
	case scheduler.WriteTarget:
		row, err := targetToRow(w.Target)
		if err != nil {
			return Change{}, err
		}
		return put(targetKey, row)
	case scheduler.WriteIntent:
		return put(intentKey, intent{Intent: &w.Intent})
	case scheduler.WriteKafka:
		return put(kafkaKey, kafkaToRow(w.Kafka))
	case scheduler.WriteOverrides:
		return put(overridesKey, overridesToRow(w.Overrides))
	case scheduler.WritePod:
		return put(podKey+w.Pod.Name.String(), podToRow(w.Pod))
	case scheduler.DeletePod:
		return Change{Key: podKey + w.Name.String()}, nil
	case scheduler.WriteLeftover:
		return put(leftoverKey+string(w.Leftover.Reservation), leftoverToRow(w.Leftover))
	case scheduler.DeleteLeftover:
		return Change{Key: leftoverKey + string(w.Reservation)}, nil
	default:
		panic(fmt.Sprintf("store: write of unknown type %T", w))
	}
}

func put(key string, row any) (Change, error) {
	value, err := json.Marshal(row)
	if err != nil {
		return Change{}, err
	}
	return Change{Key: key, Value: value}, nil
}

// Decode gives the state that a store's keys and values hold.
func Decode(entries map[string][]byte) (scheduler.Hard, error) {
	hard := scheduler.Hard{
		Pods:      map[scheduler.PodName]scheduler.Pod{},
		Leftovers: map[mesos.ReservationID]scheduler.Leftover{},
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if err := decodeEntry(&hard, key, entries[key]); err != nil {
			return scheduler.Hard{}, fmt.Errorf("decoding the entry %q: %w", key, err)
		}
	}
	return hard, nil
}

func decodeEntry(hard *scheduler.Hard, key string, value []byte) error {
	switch {
	case key == frameworkKey:
		return decode(value, func(row framework) (err error) {
			hard.Framework, err = required("id", row.ID)
			return err
		})
	case key == targetKey:
		return decode(value, func(row target) (err error) {
			hard.Target, err = row.domain()
			return err
		})
	case key == intentKey:
		return decode(value, func(row intent) (err error) {
			hard.Intent, err = row.domain()
			return err
		})
	case key == kafkaKey:
		return decode(value, func(row kafka) (err error) {
			hard.Kafka, err = row.domain()
			return err
		})
	case key == overridesKey:
		return decode(value, func(row overrides) error {
			hard.Overrides = row.domain()
			return nil
		})
	case strings.HasPrefix(key, podKey):
		return decode(value, func(row pod) error {
			p, err := row.domain()
			if err != nil {
				return err
			}
			hard.Pods[p.Name] = p
			return sameName(podKey+p.Name.String(), key)
		})
	case strings.HasPrefix(key, leftoverKey):
		return decode(value, func(row leftover) error {
			l, err := row.domain()
			if err != nil {
				return err
			}
			hard.Leftovers[l.Reservation] = l
			return sameName(leftoverKey+string(l.Reservation), key)
		})
	default:
		return errors.New("there is no such key")
	}
}

func decode[Row any](value []byte, use func(Row) error) error {
	var row *Row
	if err := json.Unmarshal(value, &row); err != nil {
		return err
	}
	if row == nil {
		return errors.New("it is null")
	}
	return use(*row)
}

func sameName(name, key string) error {
	if name != key {
		return fmt.Errorf("what it holds belongs to %q", name)
	}
	return nil
}

// required gives a field that must be there, empty or not.
func required[T any](name string, field *T) (T, error) {
	if field == nil {
		var zero T
		return zero, fmt.Errorf("the field %q is missing", name)
	}
	return *field, nil
}

// each translates a list; nil stays nil.
func each[A, B any](list []A, f func(A) B) []B {
	if list == nil {
		return nil
	}
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// tried translates a list by a function that may fail, and keeps the first error.
func tried[A, B any](list []A, f func(A) (B, error)) ([]B, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]B, len(list))
	for i, v := range list {
		var err error
		if out[i], err = f(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maybe translates what may be nil.
func maybe[A, B any](p *A, f func(A) B) *B {
	if p == nil {
		return nil
	}
	out := f(*p)
	return &out
}
