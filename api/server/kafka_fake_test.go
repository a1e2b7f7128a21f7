package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

func (k *topics) Groups(_ context.Context, at []string) ([]api.GroupSummary, error) {
	return []api.GroupSummary{{Group: "billing", State: "Stable", Protocol: "consumer",
		Coordinator: 1}, {Group: "mail", State: "Empty"}}, k.do(at, "", "groups")
}

func (k *topics) Group(_ context.Context, at []string, name string) (api.Group, error) {
	return api.Group{GroupSummary: api.GroupSummary{Group: name, State: "Stable"},
		Members: []api.GroupMember{{ID: "m-1", Client: "c", Host: "/10.0.0.9"}}, Lag: 5,
		Offsets: []api.GroupOffset{{Topic: "events", Committed: 7, End: 12, Lag: 5,
			Member: "m-1"}}}, k.do(at, name, "group")
}

func (k *topics) ResetOffsets(
	_ context.Context, at []string, name string, reset api.GroupReset, dry bool,
) ([]api.OffsetMoved, error) {
	return []api.OffsetMoved{{Topic: "events", From: 7, To: 0}},
		k.do(at, name, "reset %s %v", whereTo(reset), dry)
}

func (k *topics) DeleteGroup(_ context.Context, at []string, name string) error {
	return k.do(at, name, "delete group")
}

func (k *topics) Quotas(_ context.Context, at []string) ([]api.Quota, error) {
	return []api.Quota{{User: api.QuotaDefault, Limits: map[string]float64{
		"producer_byte_rate": 1024}}}, k.do(at, "", "quotas")
}

func (k *topics) ChangeQuota(
	_ context.Context, at []string, change api.QuotaChange, dry bool,
) error {
	return k.do(at, change.User, "quota %v %v %v", change.Set, change.Delete, dry)
}

func (k *topics) Users(_ context.Context, at []string) ([]api.User, error) {
	return []api.User{{Name: "alice", Credentials: []api.Credential{{Mechanism: api.Scram512,
		Iterations: 4096}}}}, k.do(at, "", "users")
}

func (k *topics) SetUser(_ context.Context, at []string, user api.UserSet) error {
	return k.do(at, user.Name, "password %s", user.Password)
}

func (k *topics) DeleteUser(_ context.Context, at []string, name, mechanism string) error {
	return k.do(at, name, "delete user %s", mechanism)
}

// aliceReads is a rule.
var aliceReads = api.ACL{Principal: "User:alice", Host: "*", ResourceType: "TOPIC",
	Resource: "events", Pattern: "LITERAL", Operation: "READ", Permission: "ALLOW"}

func (k *topics) ACLs(_ context.Context, at []string, filter api.ACL) ([]api.ACL, error) {
	return []api.ACL{aliceReads}, k.do(at, filter.Resource, "acls %s", filter.Principal)
}

func (k *topics) AddACLs(_ context.Context, at []string, of []api.ACL) ([]api.ACL, error) {
	return of, k.do(at, of[0].Resource, "add %v", of)
}

func (k *topics) RemoveACLs(_ context.Context, at []string, of []api.ACL) ([]api.ACL, error) {
	return []api.ACL{aliceReads}, k.do(at, of[0].Resource, "remove %v", of)
}

func (k *topics) Transactions(
	_ context.Context, at []string, state string,
) ([]api.TransactionSummary, error) {
	return []api.TransactionSummary{{ID: "t-1", State: "Ongoing", ProducerID: 4, Coordinator: 1}},
		k.do(at, "", "transactions %s", state)
}

func (k *topics) Transaction(
	_ context.Context, at []string, id string,
) (api.Transaction, error) {
	started := time.Unix(1_700_000_000, 0).UTC()
	return api.Transaction{TransactionSummary: api.TransactionSummary{ID: id, State: "Ongoing"},
			Started: &started, Partitions: []api.PartitionName{{Topic: "events"}}},
		k.do(at, id, "transaction")
}

func (k *topics) AbortTransaction(_ context.Context, at []string, id string) error {
	return k.do(at, id, "abort")
}

func (k *topics) LogDirs(_ context.Context, at []string, broker *int) ([]api.LogDir, error) {
	return []api.LogDir{{Broker: 1, Path: "/data", Replicas: 3, Bytes: 100, TotalBytes: -1,
		UsableBytes: -1}}, k.do(at, "", "log dirs %v", broker != nil)
}

func (k *topics) Elect(
	_ context.Context, at []string, election api.Election,
) (api.ElectionResult, error) {
	return api.ElectionResult{Changed: true, Elected: []api.PartitionName{{Topic: "events"}}},
		k.do(at, "", "elect %s %v", election.Kind, election.Partitions)
}

func (k *topics) Reassignments(_ context.Context, at []string) ([]api.Reassignment, error) {
	return []api.Reassignment{{Topic: "events", Replicas: []int{1, 2}, Adding: []int{2},
		Removing: []int{}}}, k.do(at, "", "reassignments")
}

func (k *topics) Reassign(
	_ context.Context, at []string, list []api.Placement,
) ([]api.Placement, error) {
	err := k.do(at, list[0].Topic, "reassign %v", list[0].Replicas)
	return slices.DeleteFunc(slices.Clone(list),
		func(p api.Placement) bool { return p.Partition == inPlace }), err
}

// inPlace is a partition that is where it is to be whatever is asked.
const inPlace = 99

func (k *topics) CancelReassignments(
	_ context.Context, at []string, partitions []api.PartitionName,
) ([]api.Placement, error) {
	return []api.Placement{{Topic: "events", Replicas: []int{1}}},
		k.do(at, "", "cancel %v", partitions)
}

func (k *topics) Features(_ context.Context, at []string) (api.FeatureList, error) {
	return api.FeatureList{Epoch: 5, Features: []api.Feature{{Name: "metadata.version", Least: 7,
		Greatest: 29, Finalized: 29}}}, k.do(at, "", "features")
}

func (k *topics) BrokerConfigs(
	_ context.Context, at []string, ids ...int,
) (map[int][]api.ConfigEntry, error) {
	all := map[int][]api.ConfigEntry{}
	for _, id := range ids {
		if entries, ok := k.configs[id]; ok {
			all[id] = entries
		}
	}
	return all, k.do(at, "", "configs %v", ids)
}

// ChangeBrokerConfig changes the stand-in's brokers as Kafka does, but for what it refuses.
func (k *topics) ChangeBrokerConfig(
	_ context.Context, _ []string, id *int, change api.ConfigChange, dry bool,
) error {
	for _, name := range sortedKeys(change.Set) {
		if why := k.refuses[name]; why != "" && (id == nil || why != "of all brokers") {
			return &api.KafkaRefusal{Code: api.CodeInvalidRequest, Message: why}
		}
	}
	if dry {
		return nil
	}
	who := "all"
	if id != nil {
		who = fmt.Sprint(*id)
	}
	k.told = append(k.told, fmt.Sprint(who, change.Set, change.Delete))
	for broker, entries := range k.configs {
		for i, entry := range entries {
			value, set := change.Set[entry.Name]
			switch {
			case id != nil && *id != broker:
			case set && k.deaf != entry.Name:
				entries[i].Value, entries[i].Source = value, "DYNAMIC_DEFAULT_BROKER_CONFIG"
				if id != nil {
					entries[i].Source = ownSource
				}
			case slices.Contains(change.Delete, entry.Name) &&
				(id == nil || entry.Source == ownSource):
				entries[i].Source = "DEFAULT_CONFIG"
			}
		}
	}
	return nil
}
