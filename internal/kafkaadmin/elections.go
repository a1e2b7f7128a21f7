package kafkaadmin

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kafka-sched/kafka-sched/api"
)

// Elect has leaders elected, of the partitions that are named or of all. Those that need no
// election are neither among the elected nor among the failed.
func (Admin) Elect(
	ctx context.Context, at []string, election api.Election,
) (api.ElectionResult, error) {
	how := kadm.ElectPreferredReplica
	if election.Kind == api.ElectUnclean {
		how = kadm.ElectLiveReplica
	}
	var partitions kadm.TopicsSet
	for _, p := range election.Partitions {
		partitions.Add(p.Topic, int32(p.Partition))
	}
	return ask(ctx, at, func(ctx context.Context, c conn) (api.ElectionResult, error) {
		result := api.ElectionResult{Elected: []api.PartitionName{},
			Failed: []api.PartitionFailed{}}
		answer, err := c.ElectLeaders(ctx, how, partitions)
		sortedTopics(answer, func(topic string, p int32, of kadm.ElectLeadersResult) {
			switch {
			case errors.Is(of.Err, kerr.ElectionNotNeeded):
			case of.Err != nil:
				said := refusal(of.Err, of.ErrMessage)
				result.Failed = append(result.Failed, api.PartitionFailed{Topic: topic,
					Partition: int(p), Error: said.Error()})
			default:
				result.Elected = append(result.Elected, api.PartitionName{Topic: topic,
					Partition: int(p)})
			}
		})
		result.Changed = len(result.Elected) > 0
		return result, err
	})
}
