package cli

import (
	"context"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) aclCmd() *cobra.Command {
	return group("acl", "Show and change who may do what", "  kafka-sched acl list",
		e.aclListCmd(), e.aclAddCmd(), e.aclRemoveCmd())
}

// aclFlags are those of Kafka's own tool for ACLs, as the predecessor has them.
type aclFlags struct {
	topics, groups, transactions            []string
	allow, deny, allowHosts, denyHosts      []string
	operations                              []string
	cluster, idempotent, producer, consumer bool
	pattern                                 string
}

func (f *aclFlags) add(c *cobra.Command) *cobra.Command {
	flags := c.Flags()
	flags.StringSliceVar(&f.topics, "topic", nil, "a topic; * is all")
	flags.StringSliceVar(&f.groups, "group", nil, "a consumer group; * is all")
	flags.StringSliceVar(&f.groups, "consumer-group", nil, "the same as --group")
	flags.StringSliceVar(&f.transactions, "transactional-id", nil, "a transactional id; * is all")
	flags.BoolVar(&f.cluster, "cluster", false, "the cluster itself")
	flags.StringVar(&f.pattern, "resource-pattern-type", "",
		"literal, prefixed, or to find rules match or any")
	flags.StringSliceVar(&f.allow, "allow-principal", nil, "who may, as User:alice")
	flags.StringSliceVar(&f.deny, "deny-principal", nil, "who may not")
	flags.StringSliceVar(&f.allowHosts, "allow-host", nil, "from where (default: anywhere)")
	flags.StringSliceVar(&f.denyHosts, "deny-host", nil, "from where not (default: anywhere)")
	flags.StringSliceVar(&f.operations, "operation", nil,
		"read, write, create, delete, alter, describe, … (default: all)")
	flags.BoolVar(&f.producer, "producer", false, "what a producer needs of its topics")
	flags.BoolVar(&f.consumer, "consumer", false, "what a consumer needs of its topics and group")
	flags.BoolVar(&f.idempotent, "idempotent", false, "what an idempotent producer needs, too")
	return c
}

// resources are those that are named.
func (f *aclFlags) resources() []api.ACL {
	var list []api.ACL
	for _, kind := range []struct {
		resource string
		names    []string
	}{{"TOPIC", f.topics}, {"GROUP", f.groups}, {"TRANSACTIONAL_ID", f.transactions}} {
		for _, name := range kind.names {
			list = append(list, api.ACL{ResourceType: kind.resource, Resource: name})
		}
	}
	if f.cluster || f.idempotent {
		list = append(list, api.ACL{ResourceType: "CLUSTER", Resource: "kafka-cluster"})
	}
	for i := range list {
		list[i].Pattern = strings.ToUpper(f.pattern)
	}
	return list
}

// operationsOn are what is done to a kind of resource.
func (f *aclFlags) operationsOn(resource string) []string {
	var list []string
	if f.producer && (resource == "TOPIC" || resource == "TRANSACTIONAL_ID") {
		list = append(list, "WRITE", "DESCRIBE")
	}
	if f.producer && resource == "TOPIC" {
		list = append(list, "CREATE")
	}
	if f.consumer && (resource == "TOPIC" || resource == "GROUP") {
		list = append(list, "READ")
	}
	if f.consumer && resource == "TOPIC" {
		list = append(list, "DESCRIBE")
	}
	if f.idempotent && resource == "CLUSTER" {
		list = append(list, "IDEMPOTENT_WRITE")
	}
	for _, name := range f.operations {
		list = append(list, strings.ToUpper(name))
	}
	return list
}

// rules combines resources, principals with hosts, and operations.
func (f *aclFlags) rules(otherwise string) []api.ACL {
	var who []api.ACL
	for _, side := range []struct {
		permission        string
		principals, hosts []string
	}{{"ALLOW", f.allow, f.allowHosts}, {"DENY", f.deny, f.denyHosts}} {
		hosts := side.hosts
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, principal := range side.principals {
			for _, host := range hosts {
				who = append(who, api.ACL{Principal: principal, Host: host,
					Permission: side.permission})
			}
		}
	}
	if len(who) == 0 && otherwise == "" {
		who = []api.ACL{{}}
	}
	var list []api.ACL
	for _, resource := range f.resources() {
		operations := f.operationsOn(resource.ResourceType)
		if len(operations) == 0 {
			operations = []string{otherwise}
		}
		for _, w := range who {
			for _, operation := range operations {
				w.ResourceType, w.Resource = resource.ResourceType, resource.Resource
				w.Pattern, w.Operation = resource.Pattern, operation
				list = append(list, w)
			}
		}
	}
	return list
}

func (e *env) aclListCmd() *cobra.Command {
	var f aclFlags
	return f.add(kafkaCmd(e, asking[api.ACLList]{
		use: "list", alias: []string{"ls"}, short: "List the ACLs, all or those that match",
		example: "acl list\n  kafka-sched acl list --topic orders",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.ACLList, error) {
			filters := f.rules("")
			if len(f.resources()) == 0 {
				filters = nil
				for _, principal := range append(append([]string{""}, f.allow...), f.deny...) {
					filters = append(filters, api.ACL{Principal: principal})
				}
				if len(filters) > 1 {
					filters = filters[1:]
				}
			}
			all := api.ACLList{ACLs: []api.ACL{}}
			for _, filter := range filters {
				list, err := c.ACLs(ctx, filter)
				if err != nil {
					return all, err
				}
				all.ACLs = append(all.ACLs, list.ACLs...)
			}
			return all, nil
		},
		draw: func(list api.ACLList) error { return e.printACLs(list) },
	}))
}

func (e *env) printACLs(list api.ACLList) error {
	t := e.table([]string{"RESOURCE", "NAME", "PATTERN", "PRINCIPAL", "HOST", "OPERATION",
		"PERMISSION"})
	for _, a := range list.ACLs {
		row(t, a.ResourceType, a.Resource, a.Pattern, a.Principal, a.Host, a.Operation,
			a.Permission)
	}
	return t.Flush()
}

func (e *env) aclAddCmd() *cobra.Command {
	var f aclFlags
	return f.add(kafkaCmd(e, asking[api.ACLList]{
		use: "add", short: "Allow or deny somebody something",
		example: "acl add --allow-principal User:alice --operation read --topic orders\n" +
			"  kafka-sched acl add --allow-principal User:bob --consumer --topic orders --group b",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.ACLList, error) {
			rules := f.rules("ALL")
			if len(f.resources()) == 0 {
				return api.ACLList{}, fail(exitUsage,
					"name a resource: --topic, --group, --transactional-id or --cluster")
			}
			if len(rules) == 0 {
				return api.ACLList{}, fail(exitUsage,
					"name somebody: --allow-principal or --deny-principal, as User:alice")
			}
			return c.AddACLs(ctx, rules)
		},
		draw: e.printACLs,
	}))
}

func (e *env) aclRemoveCmd() *cobra.Command {
	var f aclFlags
	return f.add(kafkaCmd(e, asking[api.ACLList]{
		use: "remove", alias: []string{"delete"},
		short:   "Remove the ACLs that match: all of a resource, or those of somebody",
		example: "acl remove --topic orders --allow-principal User:alice --yes",
		danger:  "remove ACLs",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.ACLList, error) {
			if len(f.resources()) == 0 {
				return api.ACLList{}, fail(exitUsage,
					"name a resource: --topic, --group, --transactional-id or --cluster")
			}
			return c.RemoveACLs(ctx, f.rules(""))
		},
		draw: e.printACLs,
	}))
}
