package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// Reassignments gives the partitions that are being moved, by topic and partition.
func (Admin) Reassignments(ctx context.Context, at []string) ([]api.Reassignment, error) {
	return ask(ctx, at, reassignments)
}

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

// Reassign begins to move partitions to where they are to be. All are taken, or those that are
// refused are the error; the others are moved all the same, as Kafka has it.
func (Admin) Reassign(ctx context.Context, at []string, list []api.Placement) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		return reassign(ctx, c, list)
	})
}

func reassign(ctx context.Context, c conn, list []api.Placement) error {
	request := kadm.AlterPartitionAssignmentsReq{}
	for _, p := range list {
		request.Assign(p.Topic, int32(p.Partition), int32s(p.Replicas))
	}
	return alterAssignments(ctx, c, request)
}

func alterAssignments(
	ctx context.Context, c conn, request kadm.AlterPartitionAssignmentsReq,
) error {
	answer, err := c.AlterPartitionAssignments(ctx, request)
	sortedTopics(answer, func(topic string, p int32, of kadm.AlterPartitionAssignmentsResponse) {
		if err == nil && of.Err != nil {
			err = refusal(of.Err, of.ErrMessage)
			var refused *api.KafkaRefusal
			if errors.As(err, &refused) {
				refused.Message = partitionText(topic, p) + ": " + refused.Message
			}
		}
	})
	return err
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

// SetReplication begins to give each partition of a topic so many replicas, or tells where they
// would be; partitions that have as many are left out.
func (Admin) SetReplication(
	ctx context.Context, at []string, name string, factor int, dryRun bool,
) ([]api.Placement, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.Placement, error) {
		topic, err := describe(ctx, c, name)
		if err != nil {
			return nil, err
		}
		all, err := c.Metadata(ctx)
		if err != nil {
			return nil, err
		}
		if factor > len(all.Brokers) {
			return nil, invalid("%d replicas need as many brokers, and there are %d", factor,
				len(all.Brokers))
		}
		moves := newSpread(all).placements(topic, factor)
		if dryRun || len(moves) == 0 {
			return moves, nil
		}
		return moves, reassign(ctx, c, moves)
	})
}
