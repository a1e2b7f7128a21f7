package kafkaadmin

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kafka-sched/kafka-sched/api"
)

// LogDirs gives the log directories of a broker, or of all when it is nil, by broker and path.
func (Admin) LogDirs(ctx context.Context, at []string, broker *int) ([]api.LogDir, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.LogDir, error) {
		var answer kadm.DescribedAllLogDirs
		var err error
		if broker == nil {
			answer, err = c.DescribeAllLogDirs(ctx, nil)
		} else {
			var of kadm.DescribedLogDirs
			of, err = c.DescribeBrokerLogDirs(ctx, int32(*broker), nil)
			answer = kadm.DescribedAllLogDirs{int32(*broker): of}
		}
		if partly(err) {
			err = nil // what the others have is told
		}
		list := []api.LogDir{}
		for _, dir := range answer.Sorted() {
			shape := api.LogDir{Broker: int(dir.Broker), Path: dir.Dir, Bytes: dir.Size(),
				TotalBytes: dir.TotalBytes, UsableBytes: dir.UsableBytes, Cordoned: dir.IsCordoned}
			if dir.Err != nil {
				shape.Error = dir.Err.Error()
			}
			dir.Topics.Each(func(kadm.DescribedLogDirPartition) { shape.Replicas++ })
			list = append(list, shape)
		}
		slices.SortFunc(list, func(a, b api.LogDir) int {
			return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.Path, b.Path))
		})
		return list, err
	})
}
