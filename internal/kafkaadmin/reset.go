package kafkaadmin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kafka-sched/kafka-sched/api"
)

// ResetOffsets lets a group go on elsewhere, or only tells where it would. The group must have no
// members, because they would go on where they are.
func (Admin) ResetOffsets(
	ctx context.Context, at []string, name string, reset api.GroupReset, dryRun bool,
) ([]api.OffsetMoved, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.OffsetMoved, error) {
		group, _, err := describeGroup(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if group.State != groupEmpty && group.State != groupDead {
			return nil, conflict("group %s is %s with %d members, who would go on where they are;"+
				" stop them first", name, group.State, len(group.Members))
		}
		committed, err := c.FetchOffsets(ctx, name)
		if err != nil {
			return nil, err
		}
		if group.State == groupDead && len(committed) == 0 && len(reset.Topics) == 0 {
			return nil, missing("Group", name)
		}
		wanted, err := wantedPartitions(ctx, c, reset.Topics, committed)
		if err != nil {
			return nil, err
		}
		moves, err := movesOf(ctx, c, reset, wanted, committed)
		if err != nil || dryRun || len(moves) == 0 {
			return moves, err
		}
		var offsets kadm.Offsets
		for _, m := range moves {
			offsets.AddOffset(m.Topic, int32(m.Partition), m.To, -1)
		}
		return moves, c.CommitAllOffsets(ctx, name, offsets)
	})
}

// wantedPartitions reads names as "orders" and "orders:0"; without any it is all that the group
// has offsets of.
func wantedPartitions(
	ctx context.Context, c conn, names []string, committed kadm.OffsetResponses,
) (kadm.TopicsSet, error) {
	if len(names) == 0 {
		return committed.Partitions(), nil
	}
	wanted := kadm.TopicsSet{}
	for _, name := range names {
		topic, number, one := strings.Cut(name, ":")
		detail, err := describe(ctx, c, topic)
		if err != nil {
			return nil, err
		}
		if !one {
			for _, p := range detail.State {
				wanted.Add(topic, int32(p.Partition))
			}
			continue
		}
		p, err := strconv.Atoi(number)
		if err != nil || p < 0 || p >= len(detail.State) {
			return nil, invalid("topic %s has no partition %q; there are 0 to %d", topic, number,
				len(detail.State)-1)
		}
		wanted.Add(topic, int32(p))
	}
	return wanted, nil
}

// bounds are the first and the next offset of partitions, and those that were asked for.
type bounds struct{ first, next, asked kadm.ListedOffsets }

// movesOf says where each partition's offset goes: never before its first record or behind its
// last.
func movesOf(
	ctx context.Context, c conn, reset api.GroupReset, wanted kadm.TopicsSet,
	committed kadm.OffsetResponses,
) ([]api.OffsetMoved, error) {
	moves := []api.OffsetMoved{}
	if len(wanted) == 0 {
		return moves, nil
	}
	b, err := boundsOf(ctx, c, reset, wanted.Topics())
	if err != nil {
		return nil, err
	}
	for _, topic := range wanted.Sorted() {
		slices.Sort(topic.Partitions)
		for _, p := range topic.Partitions {
			move := api.OffsetMoved{Topic: topic.Topic, Partition: int(p), From: -1}
			if at, ok := committed.Lookup(topic.Topic, p); ok {
				move.From = at.At
			}
			if move.To, err = b.target(reset, topic.Topic, p, move.From); err != nil {
				return nil, err
			}
			moves = append(moves, move)
		}
	}
	return moves, nil
}

func boundsOf(
	ctx context.Context, c conn, reset api.GroupReset, topics []string,
) (b bounds, err error) {
	if b.first, err = c.ListStartOffsets(ctx, topics...); err != nil {
		return b, err
	}
	if b.next, err = c.ListEndOffsets(ctx, topics...); err != nil {
		return b, err
	}
	if reset.Time != nil {
		b.asked, err = listOffsets(ctx, c, reset.Time.UnixMilli(), topics...)
	}
	return b, err
}

// target is where a partition's offset goes; after a time that is later than all records it is
// the next one.
func (b bounds) target(
	reset api.GroupReset, topic string, p int32, from int64,
) (int64, error) {
	first, _ := b.first.Lookup(topic, p)
	next, ok := b.next.Lookup(topic, p)
	switch {
	case !ok:
		return 0, invalid("topic %s has no partition %d", topic, p)
	case first.Err != nil || next.Err != nil:
		return 0, fmt.Errorf("partition %s-%d: %w", topic, p, firstOf(first.Err, next.Err))
	}
	to := next.Offset
	switch {
	case reset.To == api.OffsetEarliest:
		to = first.Offset
	case reset.Offset != nil:
		to = *reset.Offset
	case reset.Shift != nil && from < 0:
		return 0, conflict("the group has no offset in %s-%d that could be shifted; reset it to "+
			"%s or %s", topic, p, api.OffsetEarliest, api.OffsetLatest)
	case reset.Shift != nil:
		to = from + *reset.Shift
	case reset.Time != nil:
		if asked, ok := b.asked.Lookup(topic, p); ok && asked.Err == nil && asked.Offset >= 0 {
			to = asked.Offset
		}
	}
	return min(max(to, first.Offset), next.Offset), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
