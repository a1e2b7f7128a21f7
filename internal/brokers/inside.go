package brokers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// insideRate limits how fast a broker copies replicas from one of its log directories to another.
const insideRate = "replica.alter.log.dirs.io.max.bytes.per.second"

// inside reports whether moves are between the log directories of brokers. All are of one kind.
func inside(moves []balance.Move) bool { return len(moves) > 0 && moves[0].Inside() }

// moveInside has brokers move replicas between their log directories, or no longer: a replica that
// is on its way stays where it is when it is told to go there. Each broker is told for itself.
func moveInside(
	ctx context.Context, addresses []string, moves []balance.Move, on bool, throttle int64,
) error {
	var at map[int32]string
	err := firstOf(ctx, addresses, func(l *line) error {
		if throttle > 0 {
			rate := strconv.FormatInt(throttle, 10)
			if err := l.configure(single(allBrokers, insideRate, &rate)); err != nil {
				return fmt.Errorf("setting the throttle: %w", err)
			}
		}
		response, err := l.call(kmsg.NewPtrMetadataRequest())
		if err == nil {
			at = places(response.(*kmsg.MetadataResponse))
		}
		return err
	})
	if err != nil {
		return err
	}
	byBroker := map[int32][]balance.Move{}
	for _, m := range moves {
		id := int32(m.After[0])
		byBroker[id] = append(byBroker[id], m)
	}
	var errs []error
	for id, list := range byBroker {
		if at[id] == "" {
			errs = append(errs, fmt.Errorf("broker %d is not there", id))
			continue
		}
		errs = append(errs, firstOf(ctx, []string{at[id]}, func(l *line) error {
			return l.alterDirs(list, on)
		}))
	}
	return errors.Join(errs...)
}

// places are the addresses of brokers, by their ids.
func places(r *kmsg.MetadataResponse) map[int32]string {
	at := make(map[int32]string, len(r.Brokers))
	for _, b := range r.Brokers {
		at[b.NodeID] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
	}
	return at
}

// alterDirs tells one broker which of its replicas go to which of its directories.
func (l *line) alterDirs(moves []balance.Move, on bool) error {
	request := kmsg.NewPtrAlterReplicaLogDirsRequest()
	for _, m := range moves {
		path := m.To
		if !on {
			path = m.From
		}
		i := slices.IndexFunc(request.Dirs,
			func(d kmsg.AlterReplicaLogDirsRequestDir) bool { return d.Dir == path })
		if i < 0 {
			dir := kmsg.NewAlterReplicaLogDirsRequestDir()
			dir.Dir = path
			i, request.Dirs = len(request.Dirs), append(request.Dirs, dir)
		}
		dir := &request.Dirs[i]
		j := slices.IndexFunc(dir.Topics, func(t kmsg.AlterReplicaLogDirsRequestDirTopic) bool {
			return t.Topic == m.Topic
		})
		if j < 0 {
			topic := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
			topic.Topic = m.Topic
			j, dir.Topics = len(dir.Topics), append(dir.Topics, topic)
		}
		dir.Topics[j].Partitions = append(dir.Topics[j].Partitions, m.Partition)
	}
	response, err := l.call(request)
	if err != nil {
		return err
	}
	for _, topic := range response.(*kmsg.AlterReplicaLogDirsResponse).Topics {
		for _, p := range topic.Partitions {
			if err := refused(p.ErrorCode, nil, unknownTopic); err != nil {
				return fmt.Errorf("%s-%d: %w", topic.Topic, p.Partition, err)
			}
		}
	}
	return nil
}

// single sets one configuration of a broker, or of all, or deletes it.
func single(
	broker, key string, value *string,
) []kmsg.IncrementalAlterConfigsRequestResource {
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = configsOfBrokers, broker
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value, c.Op = key, value, kmsg.IncrementalAlterConfigOpSet
	if value == nil {
		c.Op = kmsg.IncrementalAlterConfigOpDelete
	}
	r.Configs = append(r.Configs, c)
	return []kmsg.IncrementalAlterConfigsRequestResource{r}
}
