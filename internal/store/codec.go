package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// The keys; those that end in a slash are followed by a name. What people name (plans and
// files) is escaped as in the path of a URL, so that any name makes one plain key of its own.
const (
	frameworkKey = "framework"
	targetKey    = "target"
	intentKey    = "intent"
	kafkaKey     = "kafka"
	overridesKey = "overrides"
	podKey       = "pod/"
	leftoverKey  = "leftover/"
	earlierKey   = "earlier/"
	runKey       = "run/"
	journalKey   = "journal/"
	actionKey    = "action/"
	fileKey      = "file/"
	agentKey     = "agent/"
	movesKey     = "rebalancing"
	campaignKey  = "campaign"
)

// journalKeyOf pads the number so that the keys are in the order of the numbers.
func journalKeyOf(number int64) string { return fmt.Sprintf("%s%019d", journalKey, number) }

// Change is what one write does to a store of keys and values.
type Change struct {
	// Key is what changes.
	Key string
	// Value is what is put under the key, nil to delete it.
	Value []byte
}

// Written is a write that is encoded when somebody needs it first, and once.
type Written struct {
	scheduler.Write
	change func() (Change, error)
}

// Once makes writes that are encoded once.
func Once(w scheduler.Write) Written {
	return Written{w, sync.OnceValues(func() (Change, error) { return encodeWrite(w) })}
}

// atOnce is how many instances one goroutine encodes or decodes.
const atOnce = 250

// inParts has the numbers below n looked at on all processors, as ten thousand records take one of
// them half a second.
func inParts(n int, look func(i int)) {
	var parts sync.WaitGroup
	for from := 0; from < n; from += atOnce {
		part := func() {
			for i := from; i < min(from+atOnce, n); i++ {
				look(i)
			}
		}
		if n <= atOnce {
			part()
			return
		}
		parts.Go(part)
	}
	parts.Wait()
}

// Encode gives the changes that the writes mean, in their order.
func Encode(writes []scheduler.Write) ([]Change, error) {
	encoded, failed := make([]Change, len(writes)), make([]error, len(writes))
	inParts(len(writes), func(i int) { encoded[i], failed[i] = encodeWrite(writes[i]) })
	for i, err := range failed {
		if err != nil {
			return nil, fmt.Errorf("encoding %T: %w", writes[i], err)
		}
	}
	return encoded, nil
}

// Latest leaves the last change of each key, in the order of these.
func Latest(changes []Change) []Change {
	last := make(map[string]int, len(changes))
	for i, c := range changes {
		last[c.Key] = i
	}
	out := make([]Change, 0, len(last))
	for i, c := range changes {
		if last[c.Key] == i {
			out = append(out, c)
		}
	}
	return out
}

func encodeWrite(w scheduler.Write) (Change, error) {
	switch w := w.(type) {
	case Written:
		return w.change()
	case scheduler.WriteFramework:
		return put(frameworkKey, framework{ID: &w.ID})
	case scheduler.WriteTarget:
		return putTarget(targetKey, w.Target)
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
	case scheduler.WriteEarlier:
		return putTarget(earlierKey+w.Earlier.ID, scheduler.Target(w.Earlier))
	case scheduler.DeleteEarlier:
		return Change{Key: earlierKey + w.ID}, nil
	case scheduler.WriteRun:
		return put(runKey+url.PathEscape(w.Plan), planRunToRow(w.Run))
	case scheduler.DeleteRun:
		return Change{Key: runKey + url.PathEscape(w.Plan)}, nil
	case scheduler.WriteJournal:
		return put(journalKeyOf(w.Entry.Number), journalEntryToRow(w.Entry))
	case scheduler.DeleteJournal:
		return Change{Key: journalKeyOf(w.Number)}, nil
	case scheduler.WriteAction:
		return put(actionKey+url.PathEscape(w.Name), actionToRow(w.Run))
	case scheduler.DeleteAction:
		return Change{Key: actionKey + url.PathEscape(w.Name)}, nil
	case scheduler.WriteFile:
		return put(fileKey+url.PathEscape(w.Name), fileToRow(w.Content))
	case scheduler.WriteAgent:
		return put(agentKey+url.PathEscape(string(w.Agent.ID)), agentToRow(w.Agent))
	case scheduler.DeleteAgent:
		return Change{Key: agentKey + url.PathEscape(string(w.ID))}, nil
	case scheduler.WriteRebalancing:
		return put(movesKey, rebalancingToRow(w.Rebalancing))
	case scheduler.WriteCampaign:
		row, err := campaignToRow(w.Campaign)
		if err != nil {
			return Change{}, err
		}
		return put(campaignKey, row)
	default:
		panic(fmt.Sprintf("store: write of unknown type %T", w))
	}
}

func putTarget(key string, t scheduler.Target) (Change, error) {
	row, err := targetToRow(t)
	if err != nil {
		return Change{}, err
	}
	return put(key, row)
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
		Runs:      map[string]scheduler.PlanRun{},
		Actions:   map[string]scheduler.ActionRun{},
		Files:     map[string]string{},
		Agents:    map[mesos.AgentID]scheduler.Agent{},
	}
	var pods []string
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if strings.HasPrefix(key, podKey) {
			pods = append(pods, key)
			continue
		}
		if err := decodeEntry(&hard, key, entries[key]); err != nil {
			return scheduler.Hard{}, decodingError(key, err)
		}
	}
	if err := decodePods(hard.Pods, pods, entries); err != nil {
		return scheduler.Hard{}, err
	}
	slices.SortStableFunc(hard.Earlier, func(a, b scheduler.EarlierTarget) int {
		return cmp.Compare(a.Number, b.Number)
	})
	slices.SortFunc(hard.Journal, func(a, b scheduler.JournalEntry) int {
		return cmp.Compare(a.Number, b.Number)
	})
	return hard, nil
}

// decodePods decodes the entries of instances.
func decodePods(
	pods map[scheduler.PodName]scheduler.Pod, keys []string, entries map[string][]byte,
) error {
	decoded, failed := make([]scheduler.Pod, len(keys)), make([]error, len(keys))
	inParts(len(keys), func(i int) { decoded[i], failed[i] = decodePod(keys[i], entries[keys[i]]) })
	for i, p := range decoded {
		if failed[i] != nil {
			return decodingError(keys[i], failed[i])
		}
		pods[p.Name] = p
	}
	return nil
}

func decodePod(key string, value []byte) (p scheduler.Pod, err error) {
	err = decode(value, func(row pod) (err error) {
		if p, err = row.domain(); err != nil {
			return err
		}
		return sameName(podKey+p.Name.String(), key)
	})
	return p, err
}

func decodingError(key string, err error) error {
	return fmt.Errorf("decoding the entry %q: %w", key, err)
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
	case key == movesKey:
		return decode(value, func(row rebalancing) (err error) {
			hard.Rebalancing, err = row.domain()
			return err
		})
	case key == campaignKey:
		return decode(value, func(row campaign) (err error) {
			hard.Campaign, err = row.domain()
			return err
		})
	default:
		return decodeNamed(hard, key, value)
	}
}

// decodeNamed decodes an entry of which there is one for each name.
func decodeNamed(hard *scheduler.Hard, key string, value []byte) error {
	switch {
	case strings.HasPrefix(key, leftoverKey):
		return decode(value, func(row leftover) error {
			l, err := row.domain()
			if err != nil {
				return err
			}
			hard.Leftovers[l.Reservation] = l
			return sameName(leftoverKey+string(l.Reservation), key)
		})
	case strings.HasPrefix(key, earlierKey):
		return decode(value, func(row target) error {
			t, err := row.domain()
			if err != nil {
				return err
			}
			hard.Earlier = append(hard.Earlier, scheduler.EarlierTarget(t))
			return sameName(earlierKey+t.ID, key)
		})
	case strings.HasPrefix(key, journalKey):
		return decode(value, func(row journalEntry) error {
			e, err := row.domain()
			if err != nil {
				return err
			}
			hard.Journal = append(hard.Journal, e)
			return sameName(journalKeyOf(e.Number), key)
		})
	case strings.HasPrefix(key, runKey):
		return decode(value, func(row planRun) error {
			plan, err := nameIn(key, runKey)
			hard.Runs[plan] = row.domain()
			return err
		})
	case strings.HasPrefix(key, actionKey):
		return decode(value, func(row actionRun) error {
			name, err := nameIn(key, actionKey)
			hard.Actions[name] = row.domain()
			return err
		})
	case strings.HasPrefix(key, fileKey):
		return decode(value, func(row file) error {
			name, err := nameIn(key, fileKey)
			if err != nil {
				return err
			}
			hard.Files[name], err = row.domain()
			return err
		})
	case strings.HasPrefix(key, agentKey):
		return decodeAgent(hard, key, value)
	default:
		return errors.New("there is no such key")
	}
}

func decodeAgent(hard *scheduler.Hard, key string, value []byte) error {
	return decode(value, func(row agent) error {
		a, err := row.domain()
		if err != nil {
			return err
		}
		hard.Agents[a.ID] = a
		return sameName(agentKey+url.PathEscape(string(a.ID)), key)
	})
}

// nameIn gives the name that is escaped in a key.
func nameIn(key, prefix string) (string, error) {
	name, err := url.PathUnescape(strings.TrimPrefix(key, prefix))
	if err != nil {
		return "", err
	}
	return name, sameName(prefix+url.PathEscape(name), key)
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

// eachValue translates the values of a map; nil stays nil.
func eachValue[A, B any](m map[string]A, f func(A) B) map[string]B {
	if m == nil {
		return nil
	}
	out := make(map[string]B, len(m))
	for key, value := range m {
		out[key] = f(value)
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
