package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// aclList answers with the rules that a query wants, without one with all.
func (h *handlers) aclList(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	query := aclQuery(r.URL.Query())
	filters := []api.ACL{{}}
	if query.names() != nil {
		var err error
		if filters, err = query.filters(); err != nil {
			fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
			return
		}
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		var found []api.ACL
		for _, filter := range filters {
			list, err := h.Kafka.ACLs(ctx, at, filter)
			if err != nil {
				return nil, err
			}
			found = append(found, list...)
		}
		return api.Message{Message: "Output: " + aclText("Current ACLs", found)}, nil
	})
}

func (h *handlers) addACL(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	list, err := aclQuery(r.URL.Query()).rules()
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		added, err := h.Kafka.AddACLs(ctx, at, list)
		return api.Message{Message: "Output: " + aclText("Adding ACLs", added)}, err
	})
}

func (h *handlers) removeACL(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	filters, err := aclQuery(r.URL.Query()).filters()
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return
	}
	h.kafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		removed, err := h.Kafka.RemoveACLs(ctx, at, filters)
		return api.Message{Message: "Output: " + aclText("Removed ACLs", removed)}, err
	})
}

// aclText prints rules as Kafka's own tool for them does, those of a resource together.
func aclText(what string, list []api.ACL) string {
	var text strings.Builder
	last := ""
	for _, a := range list {
		resource := fmt.Sprintf("ResourcePattern(resourceType=%s, name=%s, patternType=%s)",
			a.ResourceType, a.Resource, a.Pattern)
		if resource != last {
			fmt.Fprintf(&text, "%s for resource `%s`:\n", what, resource)
		}
		last = resource
		fmt.Fprintf(&text, " \t(principal=%s, host=%s, operation=%s, permissionType=%s)\n",
			a.Principal, a.Host, a.Operation, a.Permission)
	}
	return text.String()
}

// aclQuery are the parameters of the predecessor's requests: those of Kafka's own tool for ACLs.
type aclQuery url.Values

// all gives the values of a parameter, spelled with hyphens or underscores.
func (q aclQuery) all(name string) []string {
	values := append([]string(nil), q[name]...)
	if other := strings.ReplaceAll(name, "-", "_"); other != name {
		values = append(values, q[other]...)
	}
	return values
}

func (q aclQuery) one(name string) string {
	for _, value := range q.all(name) {
		return value
	}
	return ""
}

// is says whether a flag is there: it may stand alone.
func (q aclQuery) is(name string) bool {
	values := q.all(name)
	return len(values) > 0 && values[0] != "false"
}

// names are the resources that are named.
func (q aclQuery) names() []api.ACL {
	var list []api.ACL
	for _, kind := range []struct{ parameter, resource string }{
		{"topic", "TOPIC"}, {"group", "GROUP"}, {"consumer-group", "GROUP"},
		{"transactional-id", "TRANSACTIONAL_ID"},
	} {
		for _, name := range q.all(kind.parameter) {
			list = append(list, api.ACL{ResourceType: kind.resource, Resource: name})
		}
	}
	if q.is("cluster") {
		list = append(list, api.ACL{ResourceType: "CLUSTER", Resource: "kafka-cluster"})
	}
	for i := range list {
		list[i].Pattern = strings.ToUpper(q.one("resource-pattern-type"))
	}
	return list
}

// operations are what may be done to a resource of this kind: what is asked for, or what a
// producer or consumer needs.
func (q aclQuery) operations(resource string) []string {
	var list []string
	if q.is("producer") {
		switch resource {
		case "TOPIC":
			list = append(list, "WRITE", "DESCRIBE", "CREATE")
		case "TRANSACTIONAL_ID":
			list = append(list, "WRITE", "DESCRIBE")
		}
	}
	if q.is("consumer") {
		switch resource {
		case "TOPIC":
			list = append(list, "READ", "DESCRIBE")
		case "GROUP":
			list = append(list, "READ")
		}
	}
	for _, name := range q.all("operation") {
		if name != "" {
			list = append(list, strings.ToUpper(name))
		}
	}
	return list
}

// who are the principals and hosts of a permission, as rules without resources.
func (q aclQuery) who() []api.ACL {
	var list []api.ACL
	for _, permission := range []string{"ALLOW", "DENY"} {
		word := strings.ToLower(permission)
		hosts := q.all(word + "-host")
		if len(hosts) == 0 {
			hosts = []string{""}
		}
		for _, principal := range q.all(word + "-principal") {
			for _, host := range hosts {
				list = append(list, api.ACL{Principal: principal, Host: host,
					Permission: permission})
			}
		}
	}
	return list
}

// rules are what is to be added.
func (q aclQuery) rules() ([]api.ACL, error) {
	names, who := q.names(), q.who()
	if q.is("idempotent") && q.is("producer") && !q.is("cluster") {
		names = append(names, api.ACL{ResourceType: "CLUSTER", Resource: "kafka-cluster"})
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("name a resource: topic, group, transactional-id or cluster")
	case len(who) == 0:
		return nil, fmt.Errorf("name somebody: allow-principal or deny-principal, as User:alice")
	}
	return q.crossed(names, who, "ALL"), nil
}

// filters are what is to be removed or listed; what is not said is any.
func (q aclQuery) filters() ([]api.ACL, error) {
	names, who := q.names(), q.who()
	if len(names) == 0 {
		return nil, fmt.Errorf("name a resource: topic, group, transactional-id or cluster")
	}
	if len(who) == 0 {
		who = []api.ACL{{}}
	}
	return q.crossed(names, who, ""), nil
}

// crossed combines resources with principals and operations.
func (q aclQuery) crossed(names, who []api.ACL, otherwise string) []api.ACL {
	var list []api.ACL
	for _, name := range names {
		operations := q.operations(name.ResourceType)
		if name.ResourceType == "CLUSTER" && q.is("idempotent") {
			operations = append(operations, "IDEMPOTENT_WRITE")
		}
		if len(operations) == 0 {
			operations = []string{otherwise}
		}
		for _, w := range who {
			for _, operation := range operations {
				list = append(list, api.ACL{Principal: w.Principal, Host: w.Host,
					Permission: w.Permission, ResourceType: name.ResourceType,
					Resource: name.Resource, Pattern: name.Pattern, Operation: operation})
			}
		}
	}
	return list
}
