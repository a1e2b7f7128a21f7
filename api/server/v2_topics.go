package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// routeTopics adds what is asked of topics.
func (x *v2) routeTopics(r, change chi.Router) {
	r.Get(api.PathTopicsV2, x.withView(x.topicList))
	r.Get(api.PathTopicV2, x.withView(x.topicDetail))
	r.Get(api.PathTopicConfigV2, x.withView(x.topicConfig))
	r.Get(api.PathTopicOffsetsV2, x.withView(x.offsetList))
	change.Post(api.PathTopicsV2, x.withView(x.newTopic))
	change.Delete(api.PathTopicV2, x.withView(x.endTopic))
	change.Post(api.PathTopicConfigV2, x.withView(x.changeTopicConfig))
	change.Post(api.PathTopicPartitions, x.withView(x.setPartitions))
	change.Post(api.PathTopicReplication, x.withView(x.setReplication))
	change.Post(api.PathTopicTest, x.withView(x.testTopic))
}

// neededBody reads a body that has to be there; it answers itself when it is not, or is wrong.
func neededBody(w http.ResponseWriter, r *http.Request, into any) bool {
	given, ok := bodyInto(w, r, into)
	if ok && !given {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest,
			"The body is missing; it must be a JSON object.")
	}
	return given && ok
}

// demand answers a request that makes no sense, unless a condition holds.
func demand(w http.ResponseWriter, r *http.Request, holds bool, sentence string) bool {
	if !holds {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, sentence)
	}
	return holds
}

// try has Kafka change something, or only check whether it would; the journal hears of changes.
func (x *v2) try(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, dryRun bool, note string,
	ask func(ctx context.Context, at []string) (any, error),
) {
	if dryRun {
		x.askKafka(w, r, v, ask)
		return
	}
	x.changeKafka(w, r, v, note, ask)
}

// didKafka is the outcome of a change that Kafka took.
func didKafka(dryRun bool, format string, values ...any) api.Outcome {
	message := fmt.Sprintf(format, values...)
	if dryRun {
		return api.Outcome{DryRun: true, Message: "Kafka would take it: " + message}
	}
	return api.Outcome{Changed: true, Message: message}
}

func (x *v2) topicList(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	internal, page := q.is("internal"), q.page()
	if !q.answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		topics, err := x.Kafka.Topics(ctx, at)
		topics = slices.DeleteFunc(topics, func(t api.TopicSummary) bool {
			return t.Internal && !internal
		})
		part, next := pageOf(topics, page, func(t api.TopicSummary) string { return t.Name },
			func(t api.TopicSummary, last string) bool { return t.Name > last })
		return api.TopicList{Topics: orEmpty(part), NextCursor: next}, err
	})
}

// orEmpty makes a list that JSON has as [] and not as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (x *v2) topicDetail(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return x.Kafka.Topic(ctx, at, param(r, "topic"), true)
	})
}

func (x *v2) topicConfig(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		entries, err := x.Kafka.TopicConfig(ctx, at, param(r, "topic"))
		return api.ConfigList{Config: orEmpty(entries)}, err
	})
}

func (x *v2) offsetList(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	when := q.offsetAt("at")
	if !q.answerable(w, r) {
		return
	}
	name := param(r, "topic")
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		offsets, err := x.Kafka.Offsets(ctx, at, name, when)
		return api.OffsetList{Topic: name, Offsets: orEmpty(offsets)}, err
	})
}

func (x *v2) newTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var topic api.TopicCreate
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &topic) ||
		!demand(w, r, topic.Name != "", "The topic has no name.") ||
		!demand(w, r, topic.Partitions >= 0 && topic.Partitions <= maxPartitions,
			fmt.Sprintf("partitions must be a number from 1 to %d.", maxPartitions)) ||
		!demand(w, r, topic.ReplicationFactor >= 0 && topic.ReplicationFactor <= maxReplication,
			fmt.Sprintf("replication_factor must be a number from 1 to %d.", maxReplication)) {
		return
	}
	x.try(w, r, v, dryRun, topic.Name, func(ctx context.Context, at []string) (any, error) {
		return didKafka(dryRun, "topic %s is made", topic.Name),
			x.Kafka.CreateTopic(ctx, at, topic, v.Avoid(), dryRun)
	})
}

func (x *v2) endTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	name := param(r, "topic")
	x.changeKafka(w, r, v, "", func(ctx context.Context, at []string) (any, error) {
		return didKafka(false, "topic %s is deleted with all that was in it", name),
			x.Kafka.DeleteTopic(ctx, at, name)
	})
}

func (x *v2) changeTopicConfig(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var change api.ConfigChange
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &change) ||
		!demand(w, r, len(change.Set)+len(change.Delete) > 0, "There is nothing to change.") {
		return
	}
	name := param(r, "topic")
	x.try(w, r, v, dryRun, changes(change), func(ctx context.Context, at []string) (any, error) {
		return didKafka(dryRun, "topic %s has %s", name, changes(change)),
			x.Kafka.ChangeTopicConfig(ctx, at, name, change, dryRun)
	})
}

// changes says in a few words what a change of properties does.
func changes(change api.ConfigChange) string {
	var words []string
	for _, name := range sortedKeys(change.Set) {
		words = append(words, name+"="+change.Set[name])
	}
	for _, name := range change.Delete {
		words = append(words, name+" as the brokers have it")
	}
	return strings.Join(words, ", ")
}

func (x *v2) setPartitions(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var change api.TopicPartitionsChange
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &change) ||
		!demand(w, r, change.Count >= 1 && change.Count <= maxPartitions,
			fmt.Sprintf("count must be a number from 1 to %d.", maxPartitions)) {
		return
	}
	name := param(r, "topic")
	x.try(w, r, v, dryRun, fmt.Sprint(change.Count),
		func(ctx context.Context, at []string) (any, error) {
			return didKafka(dryRun, "topic %s has %d partitions", name, change.Count),
				x.Kafka.SetPartitions(ctx, at, name, change.Count, v.Avoid(), dryRun)
		})
}

func (x *v2) setReplication(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var change api.TopicReplication
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &change) ||
		!demand(w, r, change.Factor >= 1 && change.Factor <= maxReplication,
			fmt.Sprintf("factor must be a number from 1 to %d.", maxReplication)) {
		return
	}
	name := param(r, "topic")
	x.try(w, r, v, dryRun, fmt.Sprint(change.Factor),
		func(ctx context.Context, at []string) (any, error) {
			moves, err := x.Kafka.SetReplication(ctx, at, name, change.Factor, v.Leaving(),
				dryRun)
			result := api.ReassignResult{Changed: len(moves) > 0 && !dryRun,
				Partitions: orEmpty(moves)}
			switch {
			case len(moves) == 0:
				result.Message = fmt.Sprintf("topic %s has %d replicas already", name,
					change.Factor)
			case dryRun:
				result.Message = fmt.Sprintf("%d partitions would get %d replicas", len(moves),
					change.Factor)
			default:
				result.Message = fmt.Sprintf("%d partitions are getting %d replicas", len(moves),
					change.Factor)
			}
			return result, err
		})
}

func (x *v2) testTopic(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var test api.TopicTest
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &test) ||
		!demand(w, r, test.Kind == api.TestProducer || test.Kind == api.TestConsumer,
			"kind must be "+api.TestProducer+" or "+api.TestConsumer+".") ||
		!demand(w, r, test.Records >= 1 && test.Records <= api.MaxTestMessages,
			fmt.Sprintf("records must be a number from 1 to %d.", api.MaxTestMessages)) ||
		!demand(w, r, test.Size >= 0 && test.Size <= api.MaxTestRecord,
			fmt.Sprintf("size must be a number from 1 to %d.", api.MaxTestRecord)) {
		return
	}
	if test.Size == 0 {
		test.Size = testRecord
	}
	note := fmt.Sprintf("%s of %d records", test.Kind, test.Records)
	x.try(w, r, v, test.Kind == api.TestConsumer, note,
		func(ctx context.Context, at []string) (any, error) {
			return x.Kafka.TestTopic(ctx, at, param(r, "topic"), test)
		})
}
