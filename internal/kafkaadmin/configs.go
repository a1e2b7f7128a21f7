package kafkaadmin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// topicSource is where what a topic has set for itself is from.
var topicSource = kmsg.ConfigSourceDynamicTopicConfig.String()

// TopicConfig gives all of a topic's configuration, by name.
func (Admin) TopicConfig(
	ctx context.Context, at []string, name string,
) ([]api.ConfigEntry, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.ConfigEntry, error) {
		return topicConfig(ctx, c, name)
	})
}

func topicConfig(ctx context.Context, c conn, name string) ([]api.ConfigEntry, error) {
	all, err := describeConfigs(ctx, c, kmsg.ConfigResourceTypeTopic, name)
	return all[name], err
}

// BrokerConfigs gives all of the configuration of brokers, by id and name.
func (Admin) BrokerConfigs(
	ctx context.Context, at []string, ids ...int,
) (map[int][]api.ConfigEntry, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (map[int][]api.ConfigEntry, error) {
		var names []string
		for _, id := range ids {
			names = append(names, strconv.Itoa(id))
		}
		all, err := describeConfigs(ctx, c, kmsg.ConfigResourceTypeBroker, names...)
		found := map[int][]api.ConfigEntry{}
		for i, id := range ids {
			if entries, ok := all[names[i]]; ok {
				found[id] = entries
			}
		}
		return found, err
	})
}

// describeConfigs asks for configurations, each of the brokers that can tell. Kafka's libraries
// leave out what is read-only, which says what needs a restart.
func describeConfigs(
	ctx context.Context, c conn, kind kmsg.ConfigResourceType, names ...string,
) (map[string][]api.ConfigEntry, error) {
	request := kmsg.NewPtrDescribeConfigsRequest()
	request.IncludeSynonyms = true
	for _, name := range names {
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kind, name
		request.Resources = append(request.Resources, resource)
	}
	found := map[string][]api.ConfigEntry{}
	err := each(ctx, c, request, func(_ int, answer *kmsg.DescribeConfigsResponse) error {
		for _, of := range answer.Resources {
			if err := kerr.ErrorForCode(of.ErrorCode); err != nil {
				return refusal(err, told(of.ErrorMessage))
			}
			entries := make([]api.ConfigEntry, 0, len(of.Configs))
			for _, e := range of.Configs {
				entries = append(entries, entryOf(e))
			}
			slices.SortFunc(entries, func(a, b api.ConfigEntry) int {
				return cmp.Compare(a.Name, b.Name)
			})
			found[of.ResourceName] = entries
		}
		return nil
	})
	return found, err
}

func entryOf(e kmsg.DescribeConfigsResponseResourceConfig) api.ConfigEntry {
	entry := api.ConfigEntry{Name: e.Name, Value: told(e.Value), Source: e.Source.String(),
		ReadOnly: e.ReadOnly, Sensitive: e.IsSensitive}
	for _, synonym := range e.ConfigSynonyms {
		switch synonym.Source {
		case kmsg.ConfigSourceStaticBrokerConfig:
			if synonym.Name == e.Name {
				entry.Static = synonym.Value
			}
		case kmsg.ConfigSourceDefaultConfig:
			entry.Default = synonym.Value
		}
	}
	return entry
}

// ChangeTopicConfig sets properties of a topic, and takes others back, all of them or none; or
// only checks whether it could.
func (Admin) ChangeTopicConfig(
	ctx context.Context, at []string, name string, change api.ConfigChange, dryRun bool,
) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		alter := c.AlterTopicConfigs
		if dryRun {
			alter = c.ValidateAlterTopicConfigs
		}
		answer, err := alter(ctx, alterations(change), name)
		if err != nil {
			return err
		}
		of, err := answer.On(name, nil)
		return refusal(cmp.Or(err, of.Err), of.ErrMessage)
	})
}

// ChangeBrokerConfig is ChangeTopicConfig of a broker, or of all brokers when there is no id.
func (Admin) ChangeBrokerConfig(
	ctx context.Context, at []string, id *int, change api.ConfigChange, dryRun bool,
) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		alter := c.AlterBrokerConfigs
		if dryRun {
			alter = c.ValidateAlterBrokerConfigs
		}
		var ids []int32
		if id != nil {
			ids = []int32{int32(*id)}
		}
		answer, err := alter(ctx, alterations(change), ids...)
		if err != nil {
			return err
		}
		for _, of := range answer {
			if of.Err != nil {
				return refusal(of.Err, of.ErrMessage)
			}
		}
		return nil
	})
}

func alterations(change api.ConfigChange) []kadm.AlterConfig {
	var list []kadm.AlterConfig
	for _, name := range slices.Sorted(maps.Keys(change.Set)) {
		list = append(list, kadm.AlterConfig{Op: kadm.SetConfig, Name: name,
			Value: kadm.StringPtr(change.Set[name])})
	}
	for _, name := range change.Delete {
		list = append(list, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: name})
	}
	return list
}
