package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Kafka is what is asked of Kafka, by way of brokers at these addresses. An *api.KafkaRefusal is
// the operator's error, every other one a fault of the moment.
type Kafka interface {
	KafkaTopics
	KafkaClients
	KafkaCluster
}

// KafkaTopics is what is asked of topics.
type KafkaTopics interface {
	Topics(ctx context.Context, at []string) ([]api.TopicSummary, error)
	Topic(ctx context.Context, at []string, name string, withConfig bool) (api.TopicDetail, error)
	Troubled(ctx context.Context, at []string,
		is func(api.PartitionState) bool) ([]api.TopicDetail, error)
	CreateTopic(ctx context.Context, at []string, topic api.TopicCreate, avoid []int,
		dryRun bool) error
	DeleteTopic(ctx context.Context, at []string, name string) error
	SetPartitions(ctx context.Context, at []string, name string, total int, avoid []int,
		dryRun bool) error
	SetReplication(ctx context.Context, at []string, name string, factor int, avoid []int,
		dryRun bool) ([]api.Placement, error)
	TopicConfig(ctx context.Context, at []string, name string) ([]api.ConfigEntry, error)
	ChangeTopicConfig(ctx context.Context, at []string, name string, change api.ConfigChange,
		dryRun bool) error
	Offsets(ctx context.Context, at []string, name string,
		when int64) ([]api.PartitionOffset, error)
	TestTopic(ctx context.Context, at []string, name string,
		test api.TopicTest) (api.TopicTested, error)
}

// KafkaClients is what is asked of those who use Kafka.
type KafkaClients interface {
	Groups(ctx context.Context, at []string) ([]api.GroupSummary, error)
	Group(ctx context.Context, at []string, name string) (api.Group, error)
	ResetOffsets(ctx context.Context, at []string, name string, reset api.GroupReset,
		dryRun bool) ([]api.OffsetMoved, error)
	DeleteGroup(ctx context.Context, at []string, name string) error
	Quotas(ctx context.Context, at []string) ([]api.Quota, error)
	ChangeQuota(ctx context.Context, at []string, change api.QuotaChange, dryRun bool) error
	Users(ctx context.Context, at []string) ([]api.User, error)
	SetUser(ctx context.Context, at []string, user api.UserSet) error
	DeleteUser(ctx context.Context, at []string, name, mechanism string) error
	ACLs(ctx context.Context, at []string, filter api.ACL) ([]api.ACL, error)
	AddACLs(ctx context.Context, at []string, list []api.ACL) ([]api.ACL, error)
	RemoveACLs(ctx context.Context, at []string, list []api.ACL) ([]api.ACL, error)
	Transactions(ctx context.Context, at []string, state string) ([]api.TransactionSummary, error)
	Transaction(ctx context.Context, at []string, id string) (api.Transaction, error)
	AbortTransaction(ctx context.Context, at []string, id string) error
}

// KafkaCluster is what is asked of the brokers themselves.
type KafkaCluster interface {
	BrokerConfigs(ctx context.Context, at []string, ids ...int) (map[int][]api.ConfigEntry, error)
	ChangeBrokerConfig(ctx context.Context, at []string, id *int, change api.ConfigChange,
		dryRun bool) error
	LogDirs(ctx context.Context, at []string, broker *int) ([]api.LogDir, error)
	Elect(ctx context.Context, at []string, election api.Election) (api.ElectionResult, error)
	Reassignments(ctx context.Context, at []string) ([]api.Reassignment, error)
	Reassign(ctx context.Context, at []string, list []api.Placement) ([]api.Placement, error)
	CancelReassignments(ctx context.Context, at []string,
		partitions []api.PartitionName) ([]api.Placement, error)
	Features(ctx context.Context, at []string) (api.FeatureList, error)
}

// live are the addresses of brokers that serve, as Kafka told lately.
func live(v *scheduler.View) []string {
	var addresses []string
	for _, broker := range brokersOf(v) {
		if !broker.Fenced && broker.Address != "" {
			addresses = append(addresses, broker.Address)
		}
	}
	return addresses
}

// kafka has Kafka asked something and writes what came of it.
func (h *handlers) kafka(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	ask func(ctx context.Context, at []string) (any, error),
) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		h.askKafka(w, r, v, ask)
		return
	}
	h.changeKafka(w, r, v, "", ask)
}

// changeKafka is kafka for what changes something: the journal is told, with a note on what the
// path does not say.
func (h *handlers) changeKafka(
	w http.ResponseWriter, r *http.Request, v *scheduler.View, note string,
	ask func(ctx context.Context, at []string) (any, error),
) {
	h.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		answer, err := ask(ctx, at)
		h.remark(r, note, err)
		return answer, err
	})
}

func (h *handlers) askKafka(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	ask func(ctx context.Context, at []string) (any, error),
) {
	at := live(v)
	if h.Kafka == nil || len(at) == 0 {
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"No broker is known to serve.")
		return
	}
	answer, err := ask(r.Context(), at)
	var refusal *api.KafkaRefusal
	switch {
	case err == nil:
		writeJSON(w, http.StatusOK, answer)
	case !errors.As(err, &refusal):
		h.Logger.Warn("api: Kafka did not do what was asked", "path", r.URL.Path, "error", err)
		fail(w, r, http.StatusServiceUnavailable, api.CodeUnavailable,
			"Kafka does not answer: "+err.Error())
	default:
		refused(w, r, refusal)
	}
}

// refused answers with what Kafka, or who asks it, said no to.
func refused(w http.ResponseWriter, r *http.Request, refusal *api.KafkaRefusal) {
	status, detail := http.StatusBadRequest, refusal.Message
	switch topic := param(r, "topic"); {
	case refusal.Code == api.CodeNotFound:
		status = http.StatusNotFound
		if topic != "" {
			detail = "Topic " + topic + " not found"
		}
	case refusal.Code == api.CodeForbidden:
		status = http.StatusForbidden
	case refusal.Code == api.CodeConflict:
		status = http.StatusConflict
		if refusal.Kafka != nil && refusal.Kafka.Name == "TOPIC_ALREADY_EXISTS" && topic != "" {
			detail = "Topic " + topic + " already exists"
		}
	}
	failAs(w, r, api.Problem{Status: status, Code: refusal.Code, Detail: detail,
		Kafka: refusal.Kafka})
}

// remarkMost bounds what the journal is told of a request.
const remarkMost = 300

// remark has what was done to Kafka kept in the journal, with who did it.
func (h *handlers) remark(r *http.Request, note string, err error) {
	what := r.Method + " " + r.URL.RequestURI()
	if note != "" {
		what += " " + note
	}
	outcome := "done"
	if err != nil {
		outcome = "failed: " + err.Error()
	}
	remark := scheduler.Remark{What: printable(what, remarkMost),
		Outcome: printable(outcome, remarkMost)}
	// The client may have gone; the change was made all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), commandTimeout)
	defer cancel()
	if _, err := h.Do(ctx, remark, scheduler.Caller{Who: caller(r)}); err != nil {
		h.Logger.Error("api: a change is not in the journal", "what", what, "error", err)
	}
}
