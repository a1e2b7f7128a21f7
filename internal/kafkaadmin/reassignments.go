package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// Reassignments gives the partitions that are being moved, by topic and partition.
func (Admin) Reassignments(ctx context.Context, at []string) ([]api.Reassignment, error) {
	return ask(ctx, at, reassignments)
}

func partitionText(topic string, p int32) string { return fmt.Sprintf("%s-%d", topic, p) }

func reassignments(ctx context.Context, c conn) ([]api.Reassignment, error) {
	request := kmsg.NewPtrListPartitionReassignmentsRequest() // without topics: of all
	answer, err := request.RequestWith(ctx, c.raw)
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		return nil, refusal(err, told(answer.ErrorMessage))
	}
	list := []api.Reassignment{}
	for _, topic := range answer.Topics {
		for _, p := range topic.Partitions {
			list = append(list, api.Reassignment{Topic: topic.Topic, Partition: int(p.Partition),
				Replicas: ints(p.Replicas), Adding: ints(p.AddingReplicas),
				Removing: ints(p.RemovingReplicas)})
		}
	}
	slices.SortFunc(list, func(a, b api.Reassignment) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return list, nil
}

// Reassign begins to move partitions to where they are to be, and tells which were not there yet.
// All of these are taken, or those that are refused are the error; the others are moved all the
// same, as Kafka has it.
func (Admin) Reassign(
	ctx context.Context, at []string, list []api.Placement,
) ([]api.Placement, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.Placement, error) {
		moves, err := elsewhere(ctx, c, list)
		if err != nil || len(moves) == 0 {
			return moves, err
		}
		return moves, reassign(ctx, c, moves)
	})
}

// elsewhere are the placements of partitions that are not as they are to be. One that is on its
// way has replicas of both places, and so does not count as there.
func elsewhere(ctx context.Context, c conn, list []api.Placement) ([]api.Placement, error) {
	var topics []string
	for _, p := range list {
		topics = append(topics, p.Topic)
	}
	slices.Sort(topics)
	all, err := c.Metadata(ctx, slices.Compact(topics)...)
	return slices.DeleteFunc(slices.Clone(list), func(p api.Placement) bool {
		now := all.Topics[p.Topic].Partitions[int32(p.Partition)]
		return slices.Equal(ints(now.Replicas), p.Replicas)
	}), err
}

func reassign(ctx context.Context, c conn, list []api.Placement) error {
	request := kadm.AlterPartitionAssignmentsReq{}
	for _, p := range list {
		request.Assign(p.Topic, int32(p.Partition), int32s(p.Replicas))
	}
	return alterAssignments(ctx, c, request)
}

// alterAssignments tells Kafka where partitions are to be. What it refuses is told of all of them,
// with the code of the first.
func alterAssignments(
	ctx context.Context, c conn, request kadm.AlterPartitionAssignmentsReq,
) error {
	answer, err := c.AlterPartitionAssignments(ctx, request)
	if err != nil {
		return err
	}
	var first *api.KafkaRefusal
	var said []string
	sortedTopics(answer, func(topic string, p int32, of kadm.AlterPartitionAssignmentsResponse) {
		if cause := refusal(of.Err, of.ErrMessage); cause != nil {
			said = append(said, partitionText(topic, p)+": "+cause.Error())
			if first == nil {
				errors.As(cause, &first)
			}
		}
	})
	switch text := strings.Join(said, "; "); {
	case text == "":
		return nil
	case first == nil:
		return errors.New(text)
	default:
		first.Message = text
		return first
	}
}

// CancelReassignments brings partitions back to where they were: those that are named, or all.
func (Admin) CancelReassignments(
	ctx context.Context, at []string, partitions []api.PartitionName,
) ([]api.Placement, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.Placement, error) {
		moving, err := reassignments(ctx, c)
		if err != nil {
			return nil, err
		}
		request, cancelled := kadm.AlterPartitionAssignmentsReq{}, []api.Placement{}
		for _, r := range moving {
			name := api.PartitionName{Topic: r.Topic, Partition: r.Partition}
			if len(partitions) == 0 || slices.Contains(partitions, name) {
				request.CancelAssign(r.Topic, int32(r.Partition))
				cancelled = append(cancelled, api.Placement{Topic: r.Topic, Partition: r.Partition,
					Replicas: without(r.Replicas, r.Adding)})
			}
		}
		return cancelled, alterAssignments(ctx, c, request)
	})
}

func without(list, gone []int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(n int) bool {
		return slices.Contains(gone, n)
	})
}

// SetReplication begins to give each partition of a topic so many replicas, no new ones on some
// brokers, or tells where they would be; partitions that have as many are left out.
func (Admin) SetReplication(
	ctx context.Context, at []string, name string, factor int, avoid []int, dryRun bool,
) ([]api.Placement, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.Placement, error) {
		if _, err := describe(ctx, c, name); err != nil {
			return nil, err
		}
		l, err := layout(ctx, c, avoid, factor)
		if err != nil {
			return nil, err
		}
		moves := replicated(l, name, factor)
		if dryRun || len(moves) == 0 {
			return moves, nil
		}
		return moves, reassign(ctx, c, moves)
	})
}
