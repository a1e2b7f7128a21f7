package kafkaadmin

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/kafka-sched/kafka-sched/api"
)

// The kinds of entities that have quotas.
const (
	quotaUser   = "user"
	quotaClient = "client-id"
	quotaIP     = "ip"
)

// Quotas gives all quotas.
func (Admin) Quotas(ctx context.Context, at []string) ([]api.Quota, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.Quota, error) {
		answer, err := c.DescribeClientQuotas(ctx, false, nil)
		list := make([]api.Quota, 0, len(answer))
		for _, of := range answer {
			quota := api.Quota{Limits: map[string]float64{}}
			for _, entity := range of.Entity {
				name := api.QuotaDefault
				if entity.Name != nil {
					name = *entity.Name
				}
				switch entity.Type {
				case quotaUser:
					quota.User = name
				case quotaClient:
					quota.ClientID = name
				case quotaIP:
					quota.IP = name
				}
			}
			for _, value := range of.Values {
				quota.Limits[value.Key] = value.Value
			}
			list = append(list, quota)
		}
		slices.SortFunc(list, func(a, b api.Quota) int {
			return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.ClientID, b.ClientID),
				cmp.Compare(a.IP, b.IP))
		})
		return list, err
	})
}

// ChangeQuota sets limits of some clients, and takes others away.
func (Admin) ChangeQuota(
	ctx context.Context, at []string, change api.QuotaChange, dryRun bool,
) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		alter := c.AlterClientQuotas
		if dryRun {
			alter = c.ValidateAlterClientQuotas
		}
		entry := kadm.AlterClientQuotaEntry{Entity: entityOf(change)}
		for _, name := range slices.Sorted(maps.Keys(change.Set)) {
			entry.Ops = append(entry.Ops, kadm.AlterClientQuotaOp{Key: name,
				Value: change.Set[name]})
		}
		for _, name := range change.Delete {
			entry.Ops = append(entry.Ops, kadm.AlterClientQuotaOp{Key: name, Remove: true})
		}
		answer, err := alter(ctx, []kadm.AlterClientQuotaEntry{entry})
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

func entityOf(change api.QuotaChange) kadm.ClientQuotaEntity {
	var entity kadm.ClientQuotaEntity
	for _, part := range []struct{ kind, name string }{
		{quotaUser, change.User}, {quotaClient, change.ClientID}, {quotaIP, change.IP},
	} {
		component := kadm.ClientQuotaEntityComponent{Type: part.kind}
		switch part.name {
		case "":
			continue
		case api.QuotaDefault:
		default:
			component.Name = kadm.StringPtr(part.name)
		}
		entity = append(entity, component)
	}
	return entity
}
