package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kafka-sched/kafka-sched/api"
)

// The states of groups that nobody is in.
const (
	groupEmpty = "Empty"
	groupDead  = "Dead"
)

// Groups gives all groups, by name.
func (Admin) Groups(ctx context.Context, at []string) ([]api.GroupSummary, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.GroupSummary, error) {
		groups, err := c.ListGroups(ctx)
		if partly(err) {
			err = nil // the coordinator that is down has its groups taken over soon
		}
		list := make([]api.GroupSummary, 0, len(groups))
		for _, g := range groups.Sorted() {
			list = append(list, api.GroupSummary{Group: g.Group, State: g.State,
				Protocol: g.ProtocolType, Coordinator: int(g.Coordinator)})
		}
		slices.SortFunc(list, func(a, b api.GroupSummary) int {
			return cmp.Compare(a.Group, b.Group)
		})
		return list, err
	})
}

// partly says that some brokers did not answer, but others did.
func partly(err error) bool {
	var shards *kadm.ShardErrors
	return errors.As(err, &shards) && !shards.AllFailed
}

// Group describes one group with its members and how far it has come.
func (Admin) Group(ctx context.Context, at []string, name string) (api.Group, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (api.Group, error) {
		group, owners, err := describeGroup(ctx, c, name)
		if err != nil {
			return group, err
		}
		committed, err := c.FetchOffsets(ctx, name)
		if err != nil {
			return group, err
		}
		if group.State == groupDead && len(committed) == 0 {
			return group, missing("Group", name)
		}
		partitions := committed.Partitions()
		partitions.Merge(owned(owners))
		if len(partitions) == 0 {
			return group, nil
		}
		ends, err := c.ListEndOffsets(ctx, partitions.Topics()...)
		if err != nil && !partly(err) {
			return group, err
		}
		addOffsets(&group, partitions, committed, ends, owners)
		return group, nil
	})
}

// owners are the members that have partitions.
type owners map[string]map[int32]string

func (o owners) add(member string, assigned kadm.TopicsSet) {
	assigned.Each(func(topic string, p int32) {
		if o[topic] == nil {
			o[topic] = map[int32]string{}
		}
		o[topic][p] = member
	})
}

func owned(by owners) kadm.TopicsSet {
	set := kadm.TopicsSet{}
	for topic, partitions := range by {
		for p := range partitions {
			set.Add(topic, p)
		}
	}
	return set
}

// addOffsets adds how far a group has come.
func addOffsets(
	group *api.Group, partitions kadm.TopicsSet, committed kadm.OffsetResponses,
	ends kadm.ListedOffsets, by owners,
) {
	for _, topic := range partitions.Sorted() {
		slices.Sort(topic.Partitions)
		for _, p := range topic.Partitions {
			offset := api.GroupOffset{Topic: topic.Topic, Partition: int(p), Committed: -1,
				End: -1, Lag: -1, Member: by[topic.Topic][p]}
			if at, ok := committed.Lookup(topic.Topic, p); ok && at.Err == nil {
				offset.Committed = at.At
			}
			if end, ok := ends.Lookup(topic.Topic, p); ok && end.Err == nil {
				offset.End = end.Offset
			}
			if offset.Committed >= 0 && offset.End >= 0 {
				offset.Lag = max(0, offset.End-offset.Committed)
				group.Lag += offset.Lag
			}
			group.Offsets = append(group.Offsets, offset)
		}
	}
}

// describeGroup describes a group of either protocol: a coordinator does not find those of the
// new one among the classic groups. A group that nobody knows is Dead.
func describeGroup(ctx context.Context, c conn, name string) (api.Group, owners, error) {
	group := api.Group{GroupSummary: api.GroupSummary{Group: name, State: groupDead},
		Members: []api.GroupMember{}, Offsets: []api.GroupOffset{}}
	by := owners{}
	classic, err := coordinated(ctx, func() (kadm.DescribedGroup, error) {
		described, err := c.DescribeGroups(ctx, name)
		return described[name], firstOf(err, described[name].Err)
	})
	switch {
	case err != nil && !errors.Is(err, kerr.GroupIDNotFound):
		return group, by, err
	case err != nil || classic.State == groupDead:
		return describeNewGroup(ctx, c, group)
	}
	group.State, group.Protocol = classic.State, classic.ProtocolType
	group.Coordinator, group.Assignor = int(classic.Coordinator.NodeID), classic.Protocol
	for _, m := range classic.Members {
		group.Members = append(group.Members, api.GroupMember{ID: m.MemberID,
			Instance: told(m.InstanceID), Client: m.ClientID, Host: m.ClientHost})
		if assigned, ok := m.Assigned.AsConsumer(); ok {
			set := kadm.TopicsSet{}
			for _, topic := range assigned.Topics {
				set.Add(topic.Topic, topic.Partitions...)
			}
			by.add(m.MemberID, set)
		}
	}
	return group, by, nil
}

// describeNewGroup describes a group of the protocol that brokers since 3.7 have.
func describeNewGroup(
	ctx context.Context, c conn, group api.Group,
) (api.Group, owners, error) {
	by := owners{}
	described, err := c.DescribeConsumerGroups(ctx, group.Group)
	of := described[group.Group]
	if err != nil || of.Err != nil || of.Group == "" {
		// An older broker, or no such group: there may be offsets all the same.
		coordinators := c.FindGroupCoordinators(ctx, group.Group)
		group.Coordinator = int(coordinators[group.Group].NodeID)
		return group, by, nil
	}
	group.State, group.Protocol = of.State, "consumer"
	group.Coordinator, group.Assignor = int(of.Coordinator.NodeID), of.AssignorName
	for _, m := range of.Members {
		group.Members = append(group.Members, api.GroupMember{ID: m.MemberID,
			Instance: told(m.InstanceID), Client: m.ClientID, Host: m.ClientHost})
		by.add(m.MemberID, m.Assignment)
	}
	return group, by, nil
}

// DeleteGroup deletes a group that has no members, with its offsets.
func (Admin) DeleteGroup(ctx context.Context, at []string, name string) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		answer, err := c.DeleteGroups(ctx, name)
		if err != nil {
			return err
		}
		if errors.Is(answer[name].Err, kerr.GroupIDNotFound) {
			return missing("Group", name)
		}
		return answer[name].Err
	})
}

// sortedTopics gives the topics of a set in order, each with its partitions in order.
func sortedTopics[T any](set map[string]map[int32]T, each func(topic string, p int32, of T)) {
	for _, topic := range slices.Sorted(maps.Keys(set)) {
		for _, p := range slices.Sorted(maps.Keys(set[topic])) {
			each(topic, p, set[topic][p])
		}
	}
}
