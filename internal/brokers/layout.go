package brokers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// layoutTimeout is how long brokers have to tell what lies where; they walk their disks for it.
const layoutTimeout = 30 * time.Second

// Layout asks what lies where: of some topics who has the replicas and which of them move, or, if
// none is named, of all, with their sizes and log directories too. It returns no error:
// Layout.Error says why there is no answer.
func (a *Asker) Layout(
	ctx context.Context, addresses []string, topics []string,
) scheduler.Layout {
	ctx, cancel := context.WithTimeout(ctx, layoutTimeout)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	s := survey{layout: scheduler.Layout{Asked: a.cfg.Now()}, topics: topics,
		at: map[scheduler.TopicPartition]int{}, dirs: map[balance.BrokerID]int{}}
	err := firstOf(ctx, addresses, func(l *line) error { return l.atController(ctx, s.ask) })
	if err == nil && len(topics) == 0 {
		err = s.measure(ctx)
	}
	if err != nil {
		s.layout.Error = reason(err)
	}
	return s.layout
}

// survey is a layout that is being put together.
type survey struct {
	layout scheduler.Layout
	topics []string
	at     map[scheduler.TopicPartition]int // indexes of partitions
	dirs   map[balance.BrokerID]int         // indexes of brokers
	places []string                         // addresses of brokers, by their indexes
}

// ask learns from one broker who has what, and what is on its way.
func (s *survey) ask(l *line) error {
	request := kmsg.NewPtrMetadataRequest()
	for _, topic := range s.topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = kmsg.StringPtr(topic)
		request.Topics = append(request.Topics, one)
	}
	response, err := l.call(request)
	if err != nil {
		return err
	}
	s.takeMetadata(response.(*kmsg.MetadataResponse))
	list := kmsg.NewPtrListPartitionReassignmentsRequest()
	list.TimeoutMillis = int32(layoutTimeout.Milliseconds())
	if response, err = l.call(list); err != nil {
		return err
	}
	r := response.(*kmsg.ListPartitionReassignmentsResponse)
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			s.layout.Moving = append(s.layout.Moving,
				scheduler.TopicPartition{Topic: topic.Topic, Partition: p.Partition})
		}
	}
	return refused(r.ErrorCode, r.ErrorMessage, 0)
}

func (s *survey) takeMetadata(r *kmsg.MetadataResponse) {
	slices.SortFunc(r.Brokers, func(x, y kmsg.MetadataResponseBroker) int {
		return cmp.Compare(x.NodeID, y.NodeID)
	})
	for _, b := range r.Brokers {
		broker := balance.Broker{ID: balance.BrokerID(b.NodeID)}
		if b.Rack != nil {
			broker.Rack = *b.Rack
		}
		s.dirs[broker.ID] = len(s.layout.Cluster.Brokers)
		s.layout.Cluster.Brokers = append(s.layout.Cluster.Brokers, broker)
		s.places = append(s.places, net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))))
	}
	for _, topic := range r.Topics {
		for _, p := range topic.Partitions {
			if topic.Topic == nil || topic.ErrorCode != 0 {
				continue
			}
			one := balance.Partition{Topic: *topic.Topic, ID: p.Partition}
			for _, id := range p.Replicas {
				one.Replicas = append(one.Replicas, balance.Replica{
					Broker: balance.BrokerID(id), Behind: !slices.Contains(p.ISR, id)})
			}
			key := scheduler.TopicPartition{Topic: one.Topic, Partition: one.ID}
			s.at[key] = len(s.layout.Cluster.Partitions)
			s.layout.Cluster.Partitions = append(s.layout.Cluster.Partitions, one)
		}
	}
}

// measure asks each broker for its log directories. One that does not answer takes no part.
func (s *survey) measure(ctx context.Context) error {
	answers := make([]*kmsg.DescribeLogDirsResponse, len(s.places))
	errs := make([]error, len(s.places))
	var all sync.WaitGroup
	for i, address := range s.places {
		all.Go(func() {
			errs[i] = firstOf(ctx, []string{address}, func(l *line) error {
				response, err := l.call(kmsg.NewPtrDescribeLogDirsRequest())
				if err == nil {
					answers[i] = response.(*kmsg.DescribeLogDirsResponse)
				}
				return err
			})
		})
	}
	all.Wait()
	silent := 0
	for i := range answers {
		broker := &s.layout.Cluster.Brokers[i]
		if answers[i] == nil {
			broker.Standing = balance.Down
			silent++
			continue
		}
		s.takeDirs(broker, answers[i])
	}
	if silent > 0 && silent == len(answers) {
		return fmt.Errorf("no broker tells the sizes: %w", errors.Join(errs...))
	}
	return nil
}

// takeDirs notes what lies in the log directories of a broker, and which of these failed.
func (s *survey) takeDirs(b *balance.Broker, r *kmsg.DescribeLogDirsResponse) {
	known := true
	for _, d := range r.Dirs {
		dir := balance.Dir{Path: d.Dir, Capacity: max(0, d.TotalBytes)}
		if err := refused(d.ErrorCode, nil, 0); err != nil {
			dir.Standing = balance.Down
			s.layout.Failed = append(s.layout.Failed, scheduler.FailedDir{Broker: int(b.ID),
				Path: d.Dir, Reason: err.Error()})
		} else {
			known = known && dir.Capacity > 0
			b.Capacity += dir.Capacity
		}
		b.Dirs = append(b.Dirs, dir)
		for _, topic := range d.Topics {
			for _, p := range topic.Partitions {
				key := scheduler.TopicPartition{Topic: topic.Topic, Partition: p.Partition}
				s.place(key, b.ID, len(b.Dirs)-1, p)
			}
		}
	}
	if !known {
		b.Capacity = 0
	}
}

// place notes where a replica lies and how large it is, or that it moves between directories.
func (s *survey) place(
	key scheduler.TopicPartition, broker balance.BrokerID, dir int,
	p kmsg.DescribeLogDirsResponseDirTopicPartition,
) {
	if p.IsFuture {
		s.layout.Between = append(s.layout.Between,
			scheduler.ReplicaOn{TopicPartition: key, Broker: broker})
		return
	}
	i, known := s.at[key]
	if !known {
		return
	}
	for j := range s.layout.Cluster.Partitions[i].Replicas {
		if r := &s.layout.Cluster.Partitions[i].Replicas[j]; r.Broker == broker {
			r.Dir, r.Bytes = dir, p.Size
		}
	}
}
