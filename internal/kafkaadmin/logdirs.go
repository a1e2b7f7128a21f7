package kafkaadmin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
			if err := isUp(ctx, c, *broker); err != nil {
				return nil, err
			}
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

// isUp refuses a broker that does not serve, or that there is none of.
func isUp(ctx context.Context, c conn, broker int) error {
	brokers, err := c.ListBrokers(ctx)
	if err != nil {
		return err
	}
	var up []string
	for _, b := range brokers {
		if int(b.NodeID) == broker {
			return nil
		}
		up = append(up, strconv.Itoa(int(b.NodeID)))
	}
	return &api.KafkaRefusal{Code: api.CodeNotFound, Message: fmt.Sprintf(
		"Broker %d is not among those that serve: %s", broker, strings.Join(up, ", "))}
}
