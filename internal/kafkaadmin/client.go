package kafkaadmin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// Admin does what an operator asks of Kafka. The zero Admin is good, and all methods may be
// called by several goroutines.
type Admin struct{}

const (
	// callTimeout ends a call, testTimeout a test of a topic.
	callTimeout = 15 * time.Second
	testTimeout = 45 * time.Second
	// dialTimeout and answerTimeout give up one broker, and another one is asked.
	dialTimeout   = 2 * time.Second
	answerTimeout = 3 * time.Second
	// retryTimeout and retryPause bound how often what a broker cannot do now is asked again.
	retryTimeout = 12 * time.Second
	retryPause   = 100 * time.Millisecond
	// coordinatorTimeout is how long a coordinator may take to be there.
	coordinatorTimeout = 5 * time.Second
)

const clientName = "kafka-sched"

// conn is the client of one call, under both of its names.
type conn struct {
	*kadm.Client
	raw *kgo.Client
}

// ask calls a function with a client of these addresses, and closes its connections.
func ask[T any](
	ctx context.Context, at []string, call func(context.Context, conn) (T, error),
	options ...kgo.Opt,
) (T, error) {
	return askWithin(ctx, callTimeout, at, call, options...)
}

func askWithin[T any](
	ctx context.Context, timeout time.Duration, at []string,
	call func(context.Context, conn) (T, error), options ...kgo.Opt,
) (T, error) {
	var none T
	if len(at) == 0 {
		return none, errors.New("there is no address to ask")
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	raw, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(at...), kgo.ClientID(clientName), kgo.DialTimeout(dialTimeout),
		kgo.RequestTimeoutOverhead(answerTimeout), kgo.RetryTimeout(retryTimeout),
		kgo.RetryBackoffFn(func(int) time.Duration { return retryPause }),
		kgo.MetadataMinAge(retryPause), kgo.DisableClientMetrics(),
	}, options...)...)
	if err != nil {
		return none, fmt.Errorf("making a client: %w", err)
	}
	defer raw.Close()
	admin := kadm.NewClient(raw)
	admin.SetTimeoutMillis(int32(callTimeout / time.Millisecond))
	answer, err := call(ctx, conn{admin, raw})
	return answer, refusal(err, "")
}

// done is ask for what has no answer but an error.
func done(
	ctx context.Context, at []string, call func(context.Context, conn) error,
) error {
	_, err := ask(ctx, at, func(ctx context.Context, c conn) (struct{}, error) {
		return struct{}{}, call(ctx, c)
	})
	return err
}

// each calls a function with the answers to a request that goes to several brokers. It fails
// only if nobody answered; one that is down has nothing to say.
func each[R kmsg.Response](
	ctx context.Context, c conn, r kmsg.Request, take func(broker int, answer R) error,
) error {
	var failed error
	answered := false
	for _, shard := range c.raw.RequestSharded(ctx, r) {
		answer, ok := shard.Resp.(R)
		switch {
		case shard.Err != nil || !ok:
			failed = shard.Err
			continue
		}
		answered = true
		if err := take(int(shard.Meta.NodeID), answer); err != nil {
			return err
		}
	}
	if !answered {
		return failed
	}
	return nil
}

// coordinated calls again while there is no coordinator: the first question about any group, or
// any transactional id, has Kafka make the topic whose partitions coordinators lead.
func coordinated[T any](ctx context.Context, call func() (T, error)) (T, error) {
	ended := time.After(coordinatorTimeout)
	for {
		answer, err := call()
		if !errors.Is(err, kerr.CoordinatorNotAvailable) {
			return answer, err
		}
		select {
		case <-time.After(retryPause):
		case <-ended:
			return answer, err
		case <-ctx.Done():
			return answer, err
		}
	}
}

// refusal makes an *api.KafkaRefusal of what Kafka refused, with the broker's own sentence where
// it gave one. A fault of the moment stays what it is.
func refusal(err error, sentence string) error {
	var refused *kerr.Error
	var known *api.KafkaRefusal
	if err == nil || errors.As(err, &known) || !errors.As(err, &refused) {
		return err
	}
	code := codeOf(refused)
	if code == "" {
		if sentence != "" {
			return fmt.Errorf("%w: %s", err, sentence)
		}
		return err
	}
	if own := ownWords[refused.Code]; own != "" {
		sentence = own
	} else if sentence == "" || sentence == refused.Message {
		sentence = refused.Description
	}
	return &api.KafkaRefusal{Code: code, Message: fmt.Sprintf("%s (%s, %d)", sentence,
		refused.Message, refused.Code), Kafka: &api.KafkaCode{Number: int(refused.Code),
		Name: refused.Message}}
}

// ownWords are sentences for what Kafka says too little of.
var ownWords = map[int16]string{
	kerr.SecurityDisabled.Code: "the brokers have no authorizer, so there are no ACLs; set " +
		"authorizer.class.name and super.users among their properties first",
	kerr.NonEmptyGroup.Code: "the group has members; stop its consumers first",
	kerr.GroupSubscribedToTopic.Code: "the group's consumers are subscribed to the topic; stop " +
		"them first",
	kerr.GroupIDNotFound.Code:         "there is no such group",
	kerr.TransactionalIDNotFound.Code: "there is no such transactional id",
}

// codeOf says what kind of refusal an error is, "" for a fault of the moment.
func codeOf(err *kerr.Error) string {
	switch err {
	case kerr.UnknownTopicOrPartition, kerr.UnknownTopicID, kerr.GroupIDNotFound,
		kerr.ResourceNotFound, kerr.TransactionalIDNotFound:
		return api.CodeNotFound
	case kerr.TopicAlreadyExists, kerr.NonEmptyGroup, kerr.GroupSubscribedToTopic,
		kerr.NoReassignmentInProgress, kerr.SecurityDisabled, kerr.DuplicateResource,
		kerr.ReassignmentInProgress, kerr.PreferredLeaderNotAvailable,
		kerr.EligibleLeadersNotAvailable, kerr.ElectionNotNeeded, kerr.UnknownMemberID,
		kerr.ConcurrentTransactions, kerr.InvalidTxnState, kerr.TopicDeletionDisabled,
		kerr.InvalidProducerEpoch, kerr.ThrottlingQuotaExceeded:
		return api.CodeConflict
	case kerr.ClusterAuthorizationFailed, kerr.TopicAuthorizationFailed,
		kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed:
		return api.CodeForbidden
	}
	if err.Retriable || err == kerr.UnknownServerError || err == kerr.NotController {
		return ""
	}
	return api.CodeInvalidRequest
}

// invalid is a refusal of ours.
func invalid(format string, values ...any) error {
	return &api.KafkaRefusal{Code: api.CodeInvalidRequest, Message: fmt.Sprintf(format, values...)}
}

// conflict is one too, of what may be possible later.
func conflict(format string, values ...any) error {
	return &api.KafkaRefusal{Code: api.CodeConflict, Message: fmt.Sprintf(format, values...)}
}

// missing is one of what is not there.
func missing(kind, name string) error {
	return &api.KafkaRefusal{Code: api.CodeNotFound, Message: kind + " " + name + " not found"}
}

// ints makes numbers of brokers what the API has.
func ints(list []int32) []int {
	out := make([]int, 0, len(list))
	for _, n := range list {
		out = append(out, int(n))
	}
	return out
}

func int32s(list []int) []int32 {
	out := make([]int32, 0, len(list))
	for _, n := range list {
		out = append(out, int32(n))
	}
	return out
}

// told is a text that a broker may have left out.
func told(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
