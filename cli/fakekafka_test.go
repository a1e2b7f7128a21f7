package cli

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
)

// thing answers with what is there, and 404 for what is named "nosuch".
func thing(
	kind, parameter string, answer func(name string) any,
) func(*http.Request, api.Service) any {
	return func(r *http.Request, _ api.Service) any {
		name := r.PathValue(parameter)
		if name == "nosuch" {
			return api.Problem{Status: 404, Code: api.CodeNotFound,
				Detail: kind + " nosuch not found"}
		}
		return answer(name)
	}
}

func always(answer any) func(*http.Request, api.Service) any {
	return func(*http.Request, api.Service) any { return answer }
}

// readsAdmin serves what is asked of Kafka by /v2.
func (f *fake) readsAdmin(get serve) {
	orders := api.TopicSummary{Name: "orders", Partitions: 2, ReplicationFactor: 2,
		UnderReplicated: 1, Unavailable: 1}
	get(api.PathTopicsV2, always(api.TopicList{Topics: []api.TopicSummary{orders}}))
	get(api.PathTopicV2, thing("Topic", "topic", func(string) any {
		return api.TopicDetail{TopicSummary: orders, ID: "id-1",
			Config: []api.ConfigEntry{{Name: "retention.ms", Value: "5"}},
			State: []api.PartitionState{{Leader: 1, Replicas: []int{1, 2}, ISR: []int{1, 2}},
				{Partition: 1, Leader: -1, Replicas: []int{2}, Offline: []int{2}}}}
	}))
	get(api.PathTopicConfigV2, thing("Topic", "topic", func(string) any {
		return api.ConfigList{Config: []api.ConfigEntry{{Name: "retention.ms", Value: "5",
			Source: "DYNAMIC_TOPIC_CONFIG"}}}
	}))
	billing := api.GroupSummary{Group: "billing", State: "Stable", Protocol: "consumer"}
	get(api.PathGroups, always(api.GroupList{Groups: []api.GroupSummary{billing}}))
	get(api.PathGroup, thing("Group", "group", func(string) any {
		return api.Group{GroupSummary: billing, Lag: 5,
			Members: []api.GroupMember{{ID: "m-1", Client: "app", Host: "/10.0.0.9"}},
			Offsets: []api.GroupOffset{{Topic: "orders", Committed: 7, End: 12, Lag: 5,
				Member: "m-1"}, {Topic: "orders", Partition: 1, Committed: -1, End: -1, Lag: -1}}}
	}))
	get(api.PathQuotas, always(api.QuotaList{Quotas: []api.Quota{{User: api.QuotaDefault,
		Limits: map[string]float64{"producer_byte_rate": 1048576}}}}))
	get(api.PathUsers, always(api.UserList{Users: []api.User{{Name: "alice",
		Credentials: []api.Credential{{Mechanism: api.Scram512, Iterations: 4096}}}}}))
	get(api.PathACLs, always(api.ACLList{ACLs: []api.ACL{rule()}}))
	get(api.PathLogDirs, always(api.LogDirList{LogDirs: []api.LogDir{{Broker: 1, Path: "/data",
		Replicas: 3, Bytes: 100, TotalBytes: -1, UsableBytes: -1}}}))
	ongoing := api.TransactionSummary{ID: "pay-1", State: "Ongoing", ProducerID: 4}
	get(api.PathTransactions, always(api.TransactionList{
		Transactions: []api.TransactionSummary{ongoing}}))
	get(api.PathTransaction, thing("Transaction", "transaction", func(string) any {
		return api.Transaction{TransactionSummary: ongoing, TimeoutMS: 60000,
			Partitions: []api.PartitionName{{Topic: "orders", Partition: 1}}}
	}))
	get(api.PathReassignments, always(api.ReassignmentList{Reassignments: []api.Reassignment{
		{Topic: "orders", Replicas: []int{1, 2}, Adding: []int{2}}}}))
	get(api.PathDrift, always(drifted()))
	get(api.PathDeclaredTopics, always(api.DeclaredTopics{AsDeclared: 1,
		Topics: []api.DeclaredTopic{{Name: "audit", State: api.TopicAsDeclared},
			{Name: "orders", Partitions: 12, ReplicationFactor: 3, State: api.TopicDiffers,
				Reason: "it has 6 partitions, 12 are declared"}}}))
	get(api.PathBrokersV2, func(_ *http.Request, s api.Service) any {
		return api.BrokerList{Brokers: brokersIn(s)}
	})
	get(api.PathBrokerV2, func(r *http.Request, s api.Service) any {
		for _, b := range brokersIn(s) {
			if strconv.Itoa(b.ID) == r.PathValue("broker") {
				b.LogDirs = []api.LogDir{{Broker: b.ID, Path: "/data", Replicas: 3},
					{Broker: b.ID, Path: "/worn", Error: "KAFKA_STORAGE_ERROR"}}
				b.Drift = drifted().Properties
				return b
			}
		}
		return errors.New("Broker " + r.PathValue("broker") + " not found")
	})
	get(api.PathFeatures, always(api.FeatureList{Epoch: 5, Features: []api.Feature{
		{Name: "metadata.version", Least: 7, Greatest: 29, Finalized: 29}}}))
}

// brokersIn are the brokers of a service, each of which may go.
func brokersIn(s api.Service) []api.BrokerDetail {
	list := []api.BrokerDetail{}
	for _, p := range s.Pods {
		if p.Broker != nil {
			list = append(list, api.BrokerDetail{Broker: *p.Broker, State: api.BrokerUp,
				Pod: p.Name, Hostname: p.Hostname, Roles: []string{"broker", "controller"},
				Endpoints: []string{"PLAINTEXT://" + p.Broker.Address},
				MayGo: api.MayGo{Answer: "allowed", Code: "safe",
					Sentence: "node may go: every partition keeps its minimum in sync"}})
		}
	}
	return list
}

func drifted() api.Drift {
	wanted := "8"
	return api.Drift{Silent: []int{2}, Properties: []api.DriftedProperty{{Broker: 1,
		Name: "num.io.threads", Wanted: &wanted, Actual: "9", Source: "DYNAMIC_BROKER_CONFIG",
		Reason: "somebody set it in Kafka"}}}
}

func rule() api.ACL {
	return api.ACL{Principal: "User:alice", Host: "*", ResourceType: "TOPIC", Resource: "orders",
		Pattern: "LITERAL", Operation: "READ", Permission: "ALLOW"}
}

// commandsAdmin serves what changes something in Kafka by /v2.
func (f *fake) commandsAdmin(
	act func(method, path string, answer func(*http.Request, api.Service) any),
) {
	done := func(string) any { return api.Outcome{Changed: true, Message: "it is done"} }
	moves := api.ReassignResult{Changed: true, Message: "1 partitions move",
		Partitions: []api.Placement{{Topic: "orders", Replicas: []int{1, 2, 3}}}}
	for _, path := range []string{api.PathTopicsV2, api.PathTopicConfigV2, api.PathQuotas,
		api.PathUsers, api.PathTransactionAbort} {
		act("POST", path, thing("Transaction", "transaction", done))
	}
	act("DELETE", api.PathGroup, thing("Group", "group", done))
	act("DELETE", api.PathUser, thing("User", "user", done))
	move := func(string) any { return moves }
	act("POST", api.PathTopicReplication, thing("Topic", "topic", move))
	act("POST", api.PathTopicTest, thing("Topic", "topic", func(string) any {
		return api.TopicTested{Records: 10, Bytes: 10240, Seconds: 0.5}
	}))
	act("POST", api.PathGroupReset, thing("Group", "group", func(name string) any {
		if name == "busy" {
			return api.Problem{Status: 409, Code: api.CodeConflict,
				Detail: "group busy has members"}
		}
		return api.GroupResetResult{Changed: true, Message: "1 offsets are reset",
			Moves: []api.OffsetMoved{{Topic: "orders", From: 7, To: 0}}}
	}))
	act("POST", api.PathACLs, always(api.ACLList{ACLs: []api.ACL{rule()}}))
	act("POST", api.PathACLsRemove, always(api.ACLList{ACLs: []api.ACL{rule()}}))
	act("POST", api.PathElections, always(api.ElectionResult{Message: "1 partitions failed",
		Failed: []api.PartitionFailed{{Topic: "orders", Error: "no replica is in sync"}}}))
	act("POST", api.PathReassignments, always(moves))
	act("POST", api.PathDriftCorrect, always(drifted()))
	act("POST", api.PathReassignmentsCancel, always(moves))
}
