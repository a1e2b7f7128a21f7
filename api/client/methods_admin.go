package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
)

// FindTopics gives the topics, Kafka's own too if they are wanted.
func (c *Client) FindTopics(
	ctx context.Context, internal bool, want api.Page,
) (api.TopicList, error) {
	q := query{}
	if internal {
		q.text("internal", "true")
	}
	q.page(want)
	return read[api.TopicList](ctx, c, q.after(api.PathTopicsV2))
}

// ReadTopic gives a topic with its partitions and what it has set for itself.
func (c *Client) ReadTopic(ctx context.Context, topic string) (api.TopicDetail, error) {
	return read[api.TopicDetail](ctx, c, api.Fill(api.PathTopicV2, topic))
}

// TopicConfig gives all properties of a topic.
func (c *Client) TopicConfig(ctx context.Context, topic string) (api.ConfigList, error) {
	return read[api.ConfigList](ctx, c, api.Fill(api.PathTopicConfigV2, topic))
}

// NewTopic makes a topic, with a configuration of its own.
func (c *Client) NewTopic(
	ctx context.Context, topic api.TopicCreate, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathTopicsV2, topic, options)
}

// ChangeTopicConfig sets properties of a topic, and takes others back.
func (c *Client) ChangeTopicConfig(
	ctx context.Context, topic string, change api.ConfigChange, options ...ChangeOption,
) (api.Outcome, error) {
	path := api.Fill(api.PathTopicConfigV2, topic)
	return c.order(ctx, http.MethodPost, path, change, options)
}

// SetTopicReplication gives each partition of a topic so many replicas.
func (c *Client) SetTopicReplication(
	ctx context.Context, topic string, factor int, options ...ChangeOption,
) (api.ReassignResult, error) {
	return ordered[api.ReassignResult](ctx, c, http.MethodPost,
		api.Fill(api.PathTopicReplication, topic), api.TopicReplication{Factor: factor}, options)
}

// TestTopic writes records to a topic, or reads some, and tells how fast that was.
func (c *Client) TestTopic(
	ctx context.Context, topic string, test api.TopicTest,
) (api.TopicTested, error) {
	return ordered[api.TopicTested](ctx, c, http.MethodPost,
		api.Fill(api.PathTopicTest, topic), test, nil)
}

// FindGroups gives the consumer groups.
func (c *Client) FindGroups(ctx context.Context, want api.Page) (api.GroupList, error) {
	q := query{}
	q.page(want)
	return read[api.GroupList](ctx, c, q.after(api.PathGroups))
}

// ReadGroup gives a group with its members, and how far it has come.
func (c *Client) ReadGroup(ctx context.Context, group string) (api.Group, error) {
	return read[api.Group](ctx, c, api.Fill(api.PathGroup, group))
}

// ResetGroup lets a group that has no members go on elsewhere.
func (c *Client) ResetGroup(
	ctx context.Context, group string, reset api.GroupReset, options ...ChangeOption,
) (api.GroupResetResult, error) {
	return ordered[api.GroupResetResult](ctx, c, http.MethodPost,
		api.Fill(api.PathGroupReset, group), reset, options)
}

// DeleteGroup deletes a group that has no members, with its offsets.
func (c *Client) DeleteGroup(ctx context.Context, group string) (api.Outcome, error) {
	return c.order(ctx, http.MethodDelete, api.Fill(api.PathGroup, group), nil, nil)
}

// Quotas gives all quotas.
func (c *Client) Quotas(ctx context.Context) (api.QuotaList, error) {
	return read[api.QuotaList](ctx, c, api.PathQuotas)
}

// ChangeQuota sets limits of some clients, and takes others away.
func (c *Client) ChangeQuota(
	ctx context.Context, change api.QuotaChange, options ...ChangeOption,
) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathQuotas, change, options)
}

// Users gives everybody who has SCRAM credentials.
func (c *Client) Users(ctx context.Context) (api.UserList, error) {
	return read[api.UserList](ctx, c, api.PathUsers)
}

// SetUser gives a user a password.
func (c *Client) SetUser(ctx context.Context, user api.UserSet) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.PathUsers, user, nil)
}

// DeleteUser takes a user's passwords away, or that of one mechanism.
func (c *Client) DeleteUser(ctx context.Context, user, mechanism string) (api.Outcome, error) {
	q := query{}
	q.text("mechanism", mechanism)
	return c.order(ctx, http.MethodDelete, q.after(api.Fill(api.PathUser, user)), nil, nil)
}

// ACLs gives the rules that match; what is "" matches everything.
func (c *Client) ACLs(ctx context.Context, filter api.ACL) (api.ACLList, error) {
	q := query{}
	q.text("principal", filter.Principal)
	q.text("host", filter.Host)
	q.text("resource-type", filter.ResourceType)
	q.text("resource", filter.Resource)
	q.text("pattern", filter.Pattern)
	q.text("operation", filter.Operation)
	q.text("permission", filter.Permission)
	return read[api.ACLList](ctx, c, q.after(api.PathACLs))
}

// AddACLs adds rules.
func (c *Client) AddACLs(ctx context.Context, list []api.ACL) (api.ACLList, error) {
	return ordered[api.ACLList](ctx, c, http.MethodPost, api.PathACLs,
		api.ACLChange{ACLs: list}, nil)
}

// RemoveACLs removes the rules that match any of these, and gives them.
func (c *Client) RemoveACLs(ctx context.Context, list []api.ACL) (api.ACLList, error) {
	return ordered[api.ACLList](ctx, c, http.MethodPost, api.PathACLsRemove,
		api.ACLChange{ACLs: list}, nil)
}

// LogDirs gives the log directories of all brokers, or of one; -1 is all.
func (c *Client) LogDirs(ctx context.Context, broker int) (api.LogDirList, error) {
	q := query{}
	if broker >= 0 {
		q.text("broker", strconv.Itoa(broker))
	}
	return read[api.LogDirList](ctx, c, q.after(api.PathLogDirs))
}

// Transactions gives the transactional ids, or those that are in a state.
func (c *Client) Transactions(ctx context.Context, state string) (api.TransactionList, error) {
	q := query{}
	q.text("state", state)
	return read[api.TransactionList](ctx, c, q.after(api.PathTransactions))
}

// ReadTransaction gives a transactional id with the partitions of its transaction.
func (c *Client) ReadTransaction(ctx context.Context, id string) (api.Transaction, error) {
	return read[api.Transaction](ctx, c, api.Fill(api.PathTransaction, id))
}

// AbortTransaction ends the transaction that is under way.
func (c *Client) AbortTransaction(ctx context.Context, id string) (api.Outcome, error) {
	return c.order(ctx, http.MethodPost, api.Fill(api.PathTransactionAbort, id), nil, nil)
}

// Elect has leaders elected.
func (c *Client) Elect(
	ctx context.Context, election api.Election,
) (api.ElectionResult, error) {
	return ordered[api.ElectionResult](ctx, c, http.MethodPost, api.PathElections, election, nil)
}

// Reassignments gives the partitions that are being moved.
func (c *Client) Reassignments(ctx context.Context) (api.ReassignmentList, error) {
	return read[api.ReassignmentList](ctx, c, api.PathReassignments)
}

// Reassign begins to move partitions.
func (c *Client) Reassign(ctx context.Context, moves api.Reassign) (api.ReassignResult, error) {
	return ordered[api.ReassignResult](ctx, c, http.MethodPost, api.PathReassignments, moves, nil)
}

// CancelReassignments brings partitions back that are being moved, without names all.
func (c *Client) CancelReassignments(
	ctx context.Context, partitions []api.PartitionName,
) (api.ReassignResult, error) {
	return ordered[api.ReassignResult](ctx, c, http.MethodPost, api.PathReassignmentsCancel,
		api.ReassignCancel{Partitions: partitions}, nil)
}

// Features gives Kafka's features and the levels of them.
func (c *Client) Features(ctx context.Context) (api.FeatureList, error) {
	return read[api.FeatureList](ctx, c, api.PathFeatures)
}

// Brokers gives all brokers with what is known of them.
func (c *Client) Brokers(ctx context.Context) (api.BrokerList, error) {
	return read[api.BrokerList](ctx, c, api.PathBrokersV2)
}

// Broker gives one broker with its log directories.
func (c *Client) Broker(ctx context.Context, id string) (api.BrokerDetail, error) {
	return read[api.BrokerDetail](ctx, c, api.Fill(api.PathBrokerV2, id))
}

// DeclaredTopics gives the topics that the target declares, with how they are.
func (c *Client) DeclaredTopics(ctx context.Context) (api.DeclaredTopics, error) {
	return read[api.DeclaredTopics](ctx, c, api.PathDeclaredTopics)
}

// Drift gives what brokers have otherwise than the target has it.
func (c *Client) Drift(ctx context.Context) (api.Drift, error) {
	return read[api.Drift](ctx, c, api.PathDrift)
}

// CorrectDrift has the brokers have what the target has, as far as they take it while they run, and
// gives what was found.
func (c *Client) CorrectDrift(ctx context.Context) (api.Drift, error) {
	return ordered[api.Drift](ctx, c, http.MethodPost, api.PathDriftCorrect, nil, nil)
}
