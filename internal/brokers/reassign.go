package brokers

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
)

// startMoves sets the throttles, if there are to be any, and then reassigns partitions.
func (l *line) startMoves(c scheduler.StartMoves) error {
	if c.Throttle > 0 {
		if err := l.throttle(c); err != nil {
			return fmt.Errorf("setting throttles: %w", err)
		}
	}
	return l.reassign(c.Moves, true)
}

// Error codes of single partitions that say that nothing has to be done: they are no more, or no
// longer on their way.
const (
	unknownTopic   = 3
	noReassignment = 85
)

// The configurations that limit how fast replicas are copied.
const (
	leaderRate       = "leader.replication.throttled.rate"
	followerRate     = "follower.replication.throttled.rate"
	leaderReplicas   = "leader.replication.throttled.replicas"
	followerReplicas = "follower.replication.throttled.replicas"

	configsOfBrokers = kmsg.ConfigResourceTypeBroker
	configsOfTopics  = kmsg.ConfigResourceTypeTopic
	// allBrokers is the name under which is kept what holds for all of them.
	allBrokers = ""
	// configsAtOnce bounds one request.
	configsAtOnce = 100
)

// reassign has partitions moved, or no longer moved.
func (l *line) reassign(moves []balance.Move, on bool) error {
	request := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	request.TimeoutMillis = int32(changeTimeout.Milliseconds() * 2 / 3)
	topics := map[string]int{}
	for _, m := range moves {
		i, known := topics[m.Topic]
		if !known {
			i, topics[m.Topic] = len(request.Topics), len(request.Topics)
			topic := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			topic.Topic = m.Topic
			request.Topics = append(request.Topics, topic)
		}
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition = m.Partition
		for _, id := range m.After {
			if on {
				p.Replicas = append(p.Replicas, int32(id))
			}
		}
		request.Topics[i].Partitions = append(request.Topics[i].Partitions, p)
	}
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.AlterPartitionAssignmentsResponse)
	if err := refused(r.ErrorCode, r.ErrorMessage, 0); err != nil {
		return err
	}
	return refusedMoves(r.Topics, on)
}

// refusalsMost is how many refusals are told in full.
const refusalsMost = 10

// refusedMoves says of which partitions Kafka refused what it was told, and why.
func refusedMoves(
	topics []kmsg.AlterPartitionAssignmentsResponseTopic, on bool,
) error {
	var reasons []string
	for _, topic := range topics {
		for _, p := range topic.Partitions {
			if p.ErrorCode == unknownTopic || !on && p.ErrorCode == noReassignment {
				continue
			}
			if err := refused(p.ErrorCode, p.ErrorMessage, 0); err != nil {
				reasons = append(reasons, fmt.Sprintf("%s-%d: %v", topic.Topic, p.Partition, err))
			}
		}
	}
	if len(reasons) == 0 {
		return nil
	}
	text := strings.Join(reasons[:min(refusalsMost, len(reasons))], "; ")
	if more := len(reasons) - refusalsMost; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return errors.New(text)
}

// throttle limits what brokers copy for some moves: the rate holds for all brokers, and only for
// the replicas that are named in their topics.
func (l *line) throttle(c scheduler.StartMoves) error {
	rate := strconv.FormatInt(c.Throttle, 10)
	brokers := resource(configsOfBrokers, allBrokers, leaderRate, &rate, followerRate, &rate)
	sending, receiving := map[string][]string{}, map[string][]string{}
	var topics []string
	for _, m := range c.Moves {
		topics = append(topics, m.Topic)
		for _, id := range m.Before {
			sending[m.Topic] = append(sending[m.Topic], fmt.Sprintf("%d:%d", m.Partition, id))
		}
		for _, id := range m.After {
			if !slices.Contains(m.Before, id) {
				receiving[m.Topic] = append(receiving[m.Topic],
					fmt.Sprintf("%d:%d", m.Partition, id))
			}
		}
	}
	slices.Sort(topics)
	list := []kmsg.IncrementalAlterConfigsRequestResource{brokers}
	for _, topic := range slices.Compact(topics) {
		from, to := strings.Join(sending[topic], ","), strings.Join(receiving[topic], ",")
		list = append(list,
			resource(configsOfTopics, topic, leaderReplicas, &from, followerReplicas, &to))
	}
	return l.configure(list)
}

// unthrottle takes the limits away again.
func (l *line) unthrottle(c scheduler.Unthrottle) error {
	rates := resource(configsOfBrokers, allBrokers, leaderRate, nil, followerRate, nil)
	rates.Configs = append(rates.Configs, single(allBrokers, insideRate, nil)[0].Configs...)
	list := []kmsg.IncrementalAlterConfigsRequestResource{rates}
	for _, topic := range c.Topics {
		list = append(list,
			resource(configsOfTopics, topic, leaderReplicas, nil, followerReplicas, nil))
	}
	return l.configure(list)
}

// resource sets two configurations of a broker or topic, or deletes them where they are nil.
func resource(
	kind kmsg.ConfigResourceType, name, key1 string, value1 *string, key2 string, value2 *string,
) kmsg.IncrementalAlterConfigsRequestResource {
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kind, name
	set := func(key string, value *string) {
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value, c.Op = key, value, kmsg.IncrementalAlterConfigOpSet
		if value == nil {
			c.Op = kmsg.IncrementalAlterConfigOpDelete
		}
		r.Configs = append(r.Configs, c)
	}
	set(key1, value1)
	set(key2, value2)
	return r
}

// configure changes configurations, in portions; topics that are no more are left out.
func (l *line) configure(list []kmsg.IncrementalAlterConfigsRequestResource) error {
	var errs []error
	for portion := range slices.Chunk(list, configsAtOnce) {
		request := kmsg.NewPtrIncrementalAlterConfigsRequest()
		request.Resources = portion
		response, err := l.call(request)
		if err != nil {
			return err
		}
		for _, r := range response.(*kmsg.IncrementalAlterConfigsResponse).Resources {
			err := refused(r.ErrorCode, r.ErrorMessage, unknownTopic)
			if err != nil {
				errs = append(errs, fmt.Errorf("%q: %w", r.ResourceName, err))
			}
		}
	}
	return errors.Join(errs...)
}

// cordonedDirs is the configuration that names the log directories that take no new replicas.
const cordonedDirs = "cordoned.log.dirs"

// cordon has the broker that is talked to take no new replicas, or take them again.
func (l *line) cordon(c scheduler.Cordon) error {
	if !c.On {
		return l.configure(single(strconv.Itoa(c.Broker), cordonedDirs, nil))
	}
	every := "*"
	return l.configure(single(strconv.Itoa(c.Broker), cordonedDirs, &every))
}
