package kafkaadmin

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// Features gives what the brokers can have and what the cluster has, by name.
func (Admin) Features(ctx context.Context, at []string) (api.FeatureList, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (api.FeatureList, error) {
		list := api.FeatureList{Epoch: -1, Features: []api.Feature{}}
		answer, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, c.raw)
		if err == nil {
			err = kerr.ErrorForCode(answer.ErrorCode)
		}
		if err != nil {
			return list, err
		}
		list.Epoch = answer.FinalizedFeaturesEpoch
		for _, of := range answer.SupportedFeatures {
			feature := api.Feature{Name: of.Name, Least: int(of.MinVersion),
				Greatest: int(of.MaxVersion)}
			for _, final := range answer.FinalizedFeatures {
				if final.Name == of.Name {
					feature.Finalized = int(final.MaxVersionLevel)
				}
			}
			list.Features = append(list.Features, feature)
		}
		slices.SortFunc(list.Features, func(a, b api.Feature) int {
			return cmp.Compare(a.Name, b.Name)
		})
		return list, nil
	})
}
