package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// reconfiguration is what another target makes of the server properties of the brokers. Kafka
// itself says which of them its brokers take while they run; the rest needs restarts.
type reconfiguration struct {
	kafka   Kafka
	at      []string
	live    []int // the brokers that answer
	changes []servicespec.PropertyChange
	// entries are the brokers' present properties, by broker and name.
	entries map[int]map[string]api.ConfigEntry
	// taken are the names that are changed live; why has a reason for each of the others.
	taken []string
	why   map[string]string
	// orders are what Kafka is told, each of one broker, or of all (nil).
	orders  []order
	applied bool
	// fits says that the data of volumes that become smaller fits into them.
	fits bool
}

// order is a change of the properties of one broker, or of all.
type order struct {
	broker *int
	change api.ConfigChange
}

// readBack is how long a broker may take to show what it took.
const readBack = 5 * time.Second

// planReconfiguration asks Kafka what it can take of another service while it runs. An error is
// the operator's: a property that Kafka does not know or a value that it does not take.
func planReconfiguration(
	ctx context.Context, kafka Kafka, v *scheduler.View, next servicespec.Service,
) (*reconfiguration, error) {
	c := &reconfiguration{kafka: kafka, at: live(v), why: map[string]string{},
		changes: servicespec.PropertyChanges(v.Target, next)}
	if len(c.changes) == 0 {
		return c, nil
	}
	for _, broker := range brokersOf(v) {
		if !broker.Fenced && broker.Address != "" {
			c.live = append(c.live, broker.ID)
		}
	}
	if kafka == nil || len(c.live) == 0 {
		c.refuseAll("Kafka does not answer, and so takes nothing while it runs")
		return c, nil
	}
	all, err := kafka.BrokerConfigs(ctx, c.at, c.live...)
	if err != nil || len(all) < len(c.live) {
		c.refuseAll("not all brokers told what they can take while they run")
		return c, nil
	}
	c.entries = map[int]map[string]api.ConfigEntry{}
	for id, list := range all {
		c.entries[id] = map[string]api.ConfigEntry{}
		for _, entry := range list {
			c.entries[id][entry.Name] = entry
		}
	}
	if err := c.checkNames(); err != nil {
		return c, err
	}
	c.class()
	return c, c.tryOrders(ctx)
}

func (c *reconfiguration) refuseAll(why string) {
	for _, change := range c.changes {
		c.why[change.Name] = why
	}
}

// byName gives the changes of each name, in order.
func (c *reconfiguration) byName() [][]servicespec.PropertyChange {
	found := map[string][]servicespec.PropertyChange{}
	for _, change := range c.changes {
		found[change.Name] = append(found[change.Name], change)
	}
	var list [][]servicespec.PropertyChange
	for _, name := range sortedKeys(found) {
		list = append(list, found[name])
	}
	return list
}

// checkNames refuses names that are like one of Kafka's and are none. Others may be those of
// plug-ins, which brokers do not know by name.
func (c *reconfiguration) checkNames() error {
	known := sortedKeys(c.entries[c.live[0]])
	for _, changes := range c.byName() {
		name := changes[0].Name
		if _, ok := c.entries[c.live[0]][name]; ok || changes[0].New == nil ||
			strings.HasPrefix(name, "listener.name.") {
			continue
		}
		if near := servicespec.Nearest(name, known); near != "" {
			return fmt.Errorf("Kafka has no property %s; did you mean %s?", name, near)
		}
	}
	return nil
}

// class finds out what is taken live: what every broker says is not read-only, and, for what is
// not to be any more, what no broker was started with.
func (c *reconfiguration) class() {
	for _, changes := range c.byName() {
		name := changes[0].Name
		for _, id := range c.live {
			entry, known := c.entries[id][name]
			switch {
			case !known:
				c.why[name] = "Kafka does not know it by name: it is left to plug-ins"
			case entry.ReadOnly:
				c.why[name] = "Kafka reads it when a broker starts"
			}
		}
		for _, change := range changes {
			entry, answers := c.entries[change.Broker][name]
			switch {
			case c.why[name] != "":
			case !answers:
				c.why[name] = fmt.Sprintf("broker %d does not answer", change.Broker)
			case change.New == nil && entry.Static != nil:
				c.why[name] = fmt.Sprintf("broker %d was started with it", change.Broker)
			}
		}
		if c.why[name] == "" {
			c.taken = append(c.taken, name)
		}
	}
}

// ordersFor says what Kafka is told so that brokers have the new values, or the old ones again.
// What all of them are to have is set for all at once, unless that is not wanted: some properties
// are of single brokers, and others of all or none.
func (c *reconfiguration) ordersFor(names []string, one bool, back bool) []order {
	all, each := order{change: api.ConfigChange{Set: map[string]string{}}}, ownOrders{}
	for _, changes := range c.byName() {
		name := changes[0].Name
		if !slices.Contains(names, name) {
			continue
		}
		same := !one && c.uniform(changes, back)
		for i, change := range changes {
			value := change.New
			if back {
				value = change.Old
			}
			own := c.entries[change.Broker][name].Source == ownSource
			switch {
			case same && i == 0 && value != nil:
				all.change.Set[name] = *value
			case same && i == 0:
				all.change.Delete = append(all.change.Delete, name)
			}
			switch {
			case value != nil && !same:
				each.of(change.Broker).Set[name] = *value
			case own || !same || back:
				each.of(change.Broker).Delete = append(each.of(change.Broker).Delete, name)
			}
		}
	}
	return ordered(all, each)
}

// ownOrders are changes of single brokers, by their ids.
type ownOrders map[int]*api.ConfigChange

func (o ownOrders) of(id int) *api.ConfigChange {
	if o[id] == nil {
		o[id] = &api.ConfigChange{Set: map[string]string{}}
	}
	return o[id]
}

func ordered(all order, each ownOrders) []order {
	var list []order
	if len(all.change.Set)+len(all.change.Delete) > 0 {
		list = append(list, all)
	}
	var ids []int
	for id := range each {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		list = append(list, order{&id, *each[id]})
	}
	return list
}

// ownSource is where what one broker has for itself is from.
const ownSource = "DYNAMIC_BROKER_CONFIG"

// uniform says whether all brokers change, and to the same value.
func (c *reconfiguration) uniform(changes []servicespec.PropertyChange, back bool) bool {
	brokers := map[int]bool{}
	for _, change := range changes {
		brokers[change.Broker] = true
		mine, first := change.New, changes[0].New
		if back {
			mine, first = change.Old, changes[0].Old
		}
		if (mine == nil) != (first == nil) || mine != nil && *mine != *first {
			return false
		}
	}
	for _, id := range c.live {
		if !brokers[id] {
			return false
		}
	}
	return true
}

// tryOrders has Kafka check what it is to be told. What it does not take for all brokers at once is
// tried for each.
func (c *reconfiguration) tryOrders(ctx context.Context) error {
	var whole, single []string
	for _, name := range c.taken {
		if c.tell(ctx, c.ordersFor([]string{name}, false, false), true) == nil {
			whole = append(whole, name)
			continue
		}
		err := c.tell(ctx, c.ordersFor([]string{name}, true, false), true)
		var refusal *api.KafkaRefusal
		switch {
		case errors.As(err, &refusal) && strings.Contains(refusal.Message, "the current value"):
			c.why[name] = refusal.Message // threads cannot become many more or fewer at once
		case errors.As(err, &refusal):
			return fmt.Errorf("Kafka does not take %s: %s", name, refusal.Message)
		case err != nil:
			c.why[name] = "Kafka did not answer whether it takes it while it runs"
		default:
			single = append(single, name)
		}
	}
	c.taken = slices.Sorted(slices.Values(slices.Concat(whole, single)))
	c.orders = slices.Concat(c.ordersFor(whole, false, false), c.ordersFor(single, true, false))
	return nil
}

// tell tells Kafka, or only has it checked.
func (c *reconfiguration) tell(ctx context.Context, orders []order, dryRun bool) error {
	for _, o := range orders {
		if err := c.kafka.ChangeBrokerConfig(ctx, c.at, o.broker, o.change, dryRun); err != nil {
			return err
		}
	}
	return nil
}

// apply tells Kafka, and reads back until all brokers show it. When one does not, all is taken
// back.
func (c *reconfiguration) apply(ctx context.Context) error {
	if len(c.taken) == 0 {
		return nil
	}
	c.applied = true
	err := c.tell(ctx, c.orders, false)
	if err == nil {
		err = c.verify(ctx)
	}
	if err != nil {
		c.undo(ctx)
	}
	return err
}

// undo has the brokers have what they had.
func (c *reconfiguration) undo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTimeout)
	defer cancel()
	for _, name := range c.taken {
		names := []string{name}
		if c.tell(ctx, c.ordersFor(names, false, true), false) != nil {
			// For each, then; what cannot be taken back at all is shown as drift.
			_ = c.tell(ctx, c.ordersFor(names, true, true), false)
		}
	}
}

// verify reads back until every broker has what it was told.
func (c *reconfiguration) verify(ctx context.Context) error {
	return settled(ctx, func() (bool, error) {
		all, err := c.kafka.BrokerConfigs(ctx, c.at, c.live...)
		if err == nil {
			err = c.shown(all)
		}
		return err == nil, err
	})
}

// settled looks until something is so, or for too long.
func settled(ctx context.Context, look func() (bool, error)) error {
	deadline := time.NewTimer(readBack)
	defer deadline.Stop()
	for {
		done, err := look()
		if done {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-deadline.C:
			return cmp.Or(err, context.DeadlineExceeded)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// shown says what a broker does not have yet.
func (c *reconfiguration) shown(all map[int][]api.ConfigEntry) error {
	for _, change := range c.changes {
		if !slices.Contains(c.taken, change.Name) {
			continue
		}
		at := slices.IndexFunc(all[change.Broker], func(e api.ConfigEntry) bool {
			return e.Name == change.Name
		})
		switch {
		case at < 0:
			return fmt.Errorf("broker %d does not answer", change.Broker)
		case all[change.Broker][at].Sensitive:
		case change.New == nil && strings.HasPrefix(all[change.Broker][at].Source, "DYNAMIC"),
			change.New != nil && !scheduler.SameValue(*change.New, all[change.Broker][at].Value):
			return fmt.Errorf("broker %d has %s=%s", change.Broker, change.Name,
				all[change.Broker][at].Value)
		}
	}
	return nil
}

// shape is what the API tells of the properties.
func (c *reconfiguration) shape() []api.PropertyChange {
	var list []api.PropertyChange
	for _, changes := range c.byName() {
		for _, change := range changes {
			shape := api.PropertyChange{Name: change.Name, Old: valueOr(change.Old),
				New: valueOr(change.New), Live: slices.Contains(c.taken, change.Name),
				Brokers: []int{change.Broker}}
			if shape.Reason = c.why[change.Name]; shape.Live {
				shape.Reason = "brokers take it while they run"
			}
			last := len(list) - 1
			if last >= 0 && list[last].Name == shape.Name && list[last].Old == shape.Old &&
				list[last].New == shape.New {
				list[last].Brokers = append(list[last].Brokers, change.Broker)
				continue
			}
			list = append(list, shape)
		}
	}
	slices.SortStableFunc(list, func(a, b api.PropertyChange) int {
		return cmp.Compare(a.Name, b.Name)
	})
	return list
}

func valueOr(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
