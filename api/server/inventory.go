package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
)

// What Kafka knows beside the data, for the comparison before a migration is finalized.

// inventory asks Kafka for all of it.
func (x *v2) inventory(ctx context.Context, v *scheduler.View) (migrate.Inventory, error) {
	at := live(v)
	if x.Kafka == nil || len(at) == 0 {
		return nil, errors.New("no broker is known to serve")
	}
	i := inventory{migrate.Inventory{}, x.Kafka, at}
	for _, take := range []func(context.Context) error{i.topics, i.acls, i.quotas, i.users,
		i.offsets} {
		if err := take(ctx); err != nil {
			return nil, err
		}
	}
	return i.Inventory, nil
}

// inventory is one that is being taken.
type inventory struct {
	migrate.Inventory
	kafka Kafka
	at    []string
}

// ownOfTopic is where what a topic has for itself is from.
const ownOfTopic = "DYNAMIC_TOPIC_CONFIG"

func (i inventory) topics(ctx context.Context) error {
	topics, err := i.kafka.Topics(ctx, i.at)
	if err != nil {
		return fmt.Errorf("listing topics: %w", err)
	}
	for _, topic := range topics {
		entries, err := i.kafka.TopicConfig(ctx, i.at, topic.Name)
		if err != nil {
			return fmt.Errorf("reading the configuration of topic %s: %w", topic.Name, err)
		}
		var own []string
		for _, e := range entries {
			if e.Source == ownOfTopic {
				own = append(own, e.Name+"="+e.Value)
			}
		}
		slices.Sort(own)
		i.Add(migrate.KindTopics, topic.Name, strings.Join(append([]string{fmt.Sprintf(
			"%d partitions", topic.Partitions)}, own...), " "))
	}
	return nil
}

func (i inventory) acls(ctx context.Context) error {
	list, err := i.kafka.ACLs(ctx, i.at, api.ACL{})
	var refusal *api.KafkaRefusal
	if errors.As(err, &refusal) && refusal.Kafka != nil &&
		refusal.Kafka.Name == "SECURITY_DISABLED" {
		return nil
	}
	for _, acl := range list {
		i.Add(migrate.KindACLs, fmt.Sprintf("%s %s from %s on %s %s (%s)", acl.Principal,
			acl.Operation, acl.Host, acl.ResourceType, acl.Resource, acl.Pattern), acl.Permission)
	}
	return err
}

func (i inventory) quotas(ctx context.Context) error {
	list, err := i.kafka.Quotas(ctx, i.at)
	for _, q := range list {
		for _, name := range slices.Sorted(maps.Keys(q.Limits)) {
			i.Add(migrate.KindQuotas, fmt.Sprintf("%s of user %q, client %q, IP %q", name, q.User,
				q.ClientID, q.IP), fmt.Sprint(q.Limits[name]))
		}
	}
	return err
}

func (i inventory) users(ctx context.Context) error {
	list, err := i.kafka.Users(ctx, i.at)
	for _, user := range list {
		for _, c := range user.Credentials {
			i.Add(migrate.KindUsers, user.Name+" "+c.Mechanism,
				fmt.Sprintf("%d iterations", c.Iterations))
		}
	}
	return err
}

func (i inventory) offsets(ctx context.Context) error {
	groups, err := i.kafka.Groups(ctx, i.at)
	if err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	for _, g := range groups {
		group, err := i.kafka.Group(ctx, i.at, g.Group)
		if err != nil {
			return fmt.Errorf("reading the offsets of group %s: %w", g.Group, err)
		}
		for _, o := range group.Offsets {
			if o.Committed >= 0 {
				name := fmt.Sprintf("%s of %s-%d", g.Group, o.Topic, o.Partition)
				i.Add(migrate.KindOffsets, name, fmt.Sprint(o.Committed))
			}
		}
	}
	return nil
}
