package kafkaadmin

import (
	"cmp"
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// rule is an ACL in the words of the protocol.
type rule struct {
	resource   kmsg.ACLResourceType
	pattern    kmsg.ACLResourcePatternType
	operation  kmsg.ACLOperation
	permission kmsg.ACLPermissionType
}

// ruleOf reads the words of an ACL; in a filter "" is any, and else the usual.
func ruleOf(a api.ACL, filter bool) (r rule, err error) {
	or := func(word, otherwise string) string {
		if filter {
			otherwise = "ANY"
		}
		return cmp.Or(word, otherwise)
	}
	if r.resource, err = kmsg.ParseACLResourceType(or(a.ResourceType, "")); err != nil {
		return r, invalid("resource_type must be TOPIC, GROUP, CLUSTER, TRANSACTIONAL_ID, "+
			"DELEGATION_TOKEN or USER, not %q", a.ResourceType)
	}
	if r.pattern, err = kmsg.ParseACLResourcePatternType(or(a.Pattern, "LITERAL")); err != nil {
		return r, invalid("pattern must be LITERAL or PREFIXED, not %q", a.Pattern)
	}
	if r.operation, err = kmsg.ParseACLOperation(or(a.Operation, "")); err != nil {
		return r, invalid("operation must be READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, ALL or "+
			"another of Kafka's, not %q", a.Operation)
	}
	if r.permission, err = kmsg.ParseACLPermissionType(or(a.Permission, "ALLOW")); err != nil {
		return r, invalid("permission must be ALLOW or DENY, not %q", a.Permission)
	}
	return r, nil
}

// wanted is a text of a filter, nil for any.
func wanted(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// ACLs gives the rules that a filter matches.
func (Admin) ACLs(ctx context.Context, at []string, filter api.ACL) ([]api.ACL, error) {
	r, err := ruleOf(filter, true)
	if err != nil {
		return nil, err
	}
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.ACL, error) {
		request := kmsg.NewPtrDescribeACLsRequest()
		request.ResourceType, request.ResourceName = r.resource, wanted(filter.Resource)
		request.ResourcePatternType, request.Principal = r.pattern, wanted(filter.Principal)
		request.Host, request.Operation = wanted(filter.Host), r.operation
		request.PermissionType = r.permission
		answer, err := request.RequestWith(ctx, c.raw)
		if err != nil {
			return nil, err
		}
		if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
			return nil, refusal(err, told(answer.ErrorMessage))
		}
		list := []api.ACL{}
		for _, resource := range answer.Resources {
			for _, a := range resource.ACLs {
				list = append(list, api.ACL{Principal: a.Principal, Host: a.Host,
					ResourceType: resource.ResourceType.String(), Resource: resource.ResourceName,
					Pattern:   resource.ResourcePatternType.String(),
					Operation: a.Operation.String(), Permission: a.PermissionType.String()})
			}
		}
		sortACLs(list)
		return list, nil
	})
}

func sortACLs(list []api.ACL) {
	slices.SortFunc(list, func(a, b api.ACL) int {
		return cmp.Or(cmp.Compare(a.ResourceType, b.ResourceType),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Pattern, b.Pattern),
			cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Host, b.Host),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Permission, b.Permission))
	})
}

// clusterResource is the one name of the resource type CLUSTER.
const clusterResource = "kafka-cluster"

// whole fills in what may be left out of a rule.
func whole(a api.ACL, r rule) (api.ACL, error) {
	a.ResourceType, a.Pattern = r.resource.String(), r.pattern.String()
	a.Operation, a.Permission = r.operation.String(), r.permission.String()
	a.Host = cmp.Or(a.Host, "*")
	if r.resource == kmsg.ACLResourceTypeCluster {
		a.Resource = cmp.Or(a.Resource, clusterResource)
	}
	switch {
	case a.Principal == "":
		return a, invalid("an ACL needs a principal, as User:alice")
	case a.Resource == "":
		return a, invalid("an ACL needs the name of a resource, or * for all")
	}
	return a, nil
}

// AddACLs adds rules, and gives them as they are with what was left out.
func (Admin) AddACLs(ctx context.Context, at []string, list []api.ACL) ([]api.ACL, error) {
	request := kmsg.NewPtrCreateACLsRequest()
	added := make([]api.ACL, 0, len(list))
	for _, a := range list {
		r, err := ruleOf(a, false)
		if err != nil {
			return nil, err
		}
		if a, err = whole(a, r); err != nil {
			return nil, err
		}
		creation := kmsg.NewCreateACLsRequestCreation()
		creation.ResourceType, creation.ResourceName = r.resource, a.Resource
		creation.ResourcePatternType, creation.Principal = r.pattern, a.Principal
		creation.Host, creation.Operation = a.Host, r.operation
		creation.PermissionType = r.permission
		request.Creations = append(request.Creations, creation)
		added = append(added, a)
	}
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.ACL, error) {
		answer, err := request.RequestWith(ctx, c.raw)
		if err != nil {
			return nil, err
		}
		for _, of := range answer.Results {
			if err := kerr.ErrorForCode(of.ErrorCode); err != nil {
				return nil, refusal(err, told(of.ErrorMessage))
			}
		}
		return added, nil
	})
}

// RemoveACLs removes all rules that match one of the filters, and gives what was removed.
func (Admin) RemoveACLs(ctx context.Context, at []string, list []api.ACL) ([]api.ACL, error) {
	request := kmsg.NewPtrDeleteACLsRequest()
	for _, a := range list {
		r, err := ruleOf(a, true)
		if err != nil {
			return nil, err
		}
		filter := kmsg.NewDeleteACLsRequestFilter()
		filter.ResourceType, filter.ResourceName = r.resource, wanted(a.Resource)
		filter.ResourcePatternType, filter.Principal = r.pattern, wanted(a.Principal)
		filter.Host, filter.Operation = wanted(a.Host), r.operation
		filter.PermissionType = r.permission
		request.Filters = append(request.Filters, filter)
	}
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.ACL, error) {
		answer, err := request.RequestWith(ctx, c.raw)
		if err != nil {
			return nil, err
		}
		removed := []api.ACL{}
		for _, of := range answer.Results {
			if err := kerr.ErrorForCode(of.ErrorCode); err != nil {
				return nil, refusal(err, told(of.ErrorMessage))
			}
			for _, m := range of.MatchingACLs {
				if err := kerr.ErrorForCode(m.ErrorCode); err != nil {
					return nil, refusal(err, told(m.ErrorMessage))
				}
				removed = append(removed, api.ACL{Principal: m.Principal, Host: m.Host,
					ResourceType: m.ResourceType.String(), Resource: m.ResourceName,
					Pattern: m.ResourcePatternType.String(), Operation: m.Operation.String(),
					Permission: m.PermissionType.String()})
			}
		}
		sortACLs(removed)
		return removed, nil
	})
}
