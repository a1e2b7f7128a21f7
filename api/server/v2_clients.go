package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// routeClients adds what is asked of those who use Kafka.
func (x *v2) routeClients(r, change chi.Router) {
	r.Get(api.PathGroups, x.withView(x.groups))
	r.Get(api.PathGroup, x.withView(x.group))
	change.Post(api.PathGroupReset, x.withView(x.resetGroup))
	change.Delete(api.PathGroup, x.withView(x.endGroup))
	r.Get(api.PathQuotas, x.withView(x.quotas))
	change.Post(api.PathQuotas, x.withView(x.changeQuota))
	r.Get(api.PathUsers, x.withView(x.users))
	change.Post(api.PathUsers, x.withView(x.setUser))
	change.Delete(api.PathUser, x.withView(x.endUser))
	r.Get(api.PathACLs, x.withView(x.acls))
	change.Post(api.PathACLs, x.withView(x.addACLs))
	change.Post(api.PathACLsRemove, x.withView(x.removeACLs))
	r.Get(api.PathTransactions, x.withView(x.transactions))
	r.Get(api.PathTransaction, x.withView(x.transaction))
	change.Post(api.PathTransactionAbort, x.withView(x.abortTransaction))
}

func (x *v2) groups(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		groups, err := x.Kafka.Groups(ctx, at)
		part, next := pageOf(groups, page, func(g api.GroupSummary) string { return g.Group },
			func(g api.GroupSummary, last string) bool { return g.Group > last })
		return api.GroupList{Groups: orEmpty(part), NextCursor: next}, err
	})
}

func (x *v2) group(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return x.Kafka.Group(ctx, at, param(r, "group"))
	})
}

// oneWay says whether a reset says exactly once where to go.
func oneWay(reset api.GroupReset) bool {
	ways := 0
	for _, given := range []bool{reset.To != "", reset.Time != nil, reset.Offset != nil,
		reset.Shift != nil} {
		if given {
			ways++
		}
	}
	return ways == 1
}

func (x *v2) resetGroup(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var reset api.GroupReset
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &reset) ||
		!demand(w, r, oneWay(reset), "Exactly one of to, time, offset and shift must be given.") ||
		!demand(w, r, reset.To == "" || reset.To == api.OffsetEarliest ||
			reset.To == api.OffsetLatest, "to must be earliest or latest.") ||
		!demand(w, r, reset.Offset == nil || *reset.Offset >= 0, "offset must not be negative.") {
		return
	}
	name := param(r, "group")
	x.try(w, r, v, dryRun, whereTo(reset), func(ctx context.Context, at []string) (any, error) {
		moves, err := x.Kafka.ResetOffsets(ctx, at, name, reset, dryRun)
		result := api.GroupResetResult{Changed: len(moves) > 0 && !dryRun, Moves: orEmpty(moves)}
		switch {
		case len(moves) == 0:
			result.Message = "group " + name + " has no offsets that could be reset"
		case dryRun:
			result.Message = fmt.Sprintf("%d offsets of group %s would be reset", len(moves), name)
		default:
			result.Message = fmt.Sprintf("%d offsets of group %s are reset", len(moves), name)
		}
		return result, err
	})
}

// whereTo says in a few words where a reset goes.
func whereTo(reset api.GroupReset) string {
	where := reset.To
	switch {
	case reset.Time != nil:
		where = reset.Time.String()
	case reset.Offset != nil:
		where = fmt.Sprint(*reset.Offset)
	case reset.Shift != nil:
		where = fmt.Sprintf("%+d", *reset.Shift)
	}
	return strings.TrimSpace("to " + where + " " + strings.Join(reset.Topics, ","))
}

func (x *v2) endGroup(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	name := param(r, "group")
	x.changeKafka(w, r, v, "", func(ctx context.Context, at []string) (any, error) {
		return didKafka(false, "group %s is deleted with its offsets", name),
			x.Kafka.DeleteGroup(ctx, at, name)
	})
}

func (x *v2) quotas(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		quotas, err := x.Kafka.Quotas(ctx, at)
		return api.QuotaList{Quotas: orEmpty(quotas)}, err
	})
}

func (x *v2) changeQuota(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var change api.QuotaChange
	q := newQuestion(r)
	dryRun := q.is("dry-run")
	if !q.answerable(w, r) || !neededBody(w, r, &change) ||
		!demand(w, r, change.User+change.ClientID+change.IP != "",
			"Whose quota? Give user, client_id or ip; "+api.QuotaDefault+" is for all others.") ||
		!demand(w, r, change.IP == "" || change.User+change.ClientID == "",
			"A quota is of a user, a client_id or both, or of an ip.") ||
		!demand(w, r, len(change.Set)+len(change.Delete) > 0, "There is nothing to change.") {
		return
	}
	var words []string
	for _, name := range sortedKeys(change.Set) {
		value := strconv.FormatFloat(change.Set[name], 'f', -1, 64)
		words = append(words, name+"="+value)
	}
	for _, name := range change.Delete {
		words = append(words, "no "+name)
	}
	note := fmt.Sprintf("user=%q client=%q ip=%q %s", change.User, change.ClientID, change.IP,
		strings.Join(words, ", "))
	x.try(w, r, v, dryRun, note, func(ctx context.Context, at []string) (any, error) {
		return didKafka(dryRun, "the quota is %s", strings.Join(words, ", ")),
			x.Kafka.ChangeQuota(ctx, at, change, dryRun)
	})
}

func (x *v2) users(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		users, err := x.Kafka.Users(ctx, at)
		return api.UserList{Users: orEmpty(users)}, err
	})
}

// The numbers of iterations that Kafka takes.
const (
	leastIterations = 4096
	mostIterations  = 16384
)

func (x *v2) setUser(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var user api.UserSet
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &user) ||
		!demand(w, r, user.Name != "", "The user has no name.") ||
		!demand(w, r, user.Password != "", "The user has no password.") ||
		!demand(w, r, user.Mechanism == "" || user.Mechanism == api.Scram256 ||
			user.Mechanism == api.Scram512,
			"mechanism must be "+api.Scram256+" or "+api.Scram512+".") ||
		!demand(w, r, user.Iterations == 0 ||
			user.Iterations >= leastIterations && user.Iterations <= mostIterations,
			fmt.Sprintf("iterations must be from %d to %d.", leastIterations, mostIterations)) {
		return
	}
	x.changeKafka(w, r, v, user.Name, func(ctx context.Context, at []string) (any, error) {
		return didKafka(false, "user %s has a new password", user.Name),
			x.Kafka.SetUser(ctx, at, user)
	})
}

func (x *v2) endUser(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	mechanism := q.oneOf("mechanism", api.Scram256, api.Scram512)
	if !q.answerable(w, r) {
		return
	}
	name := param(r, "user")
	x.changeKafka(w, r, v, "", func(ctx context.Context, at []string) (any, error) {
		return didKafka(false, "user %s has no password of that kind any more", name),
			x.Kafka.DeleteUser(ctx, at, name, mechanism)
	})
}

func (x *v2) acls(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	filter := api.ACL{Principal: q.text("principal"), Host: q.text("host"),
		ResourceType: q.text("resource-type"), Resource: q.text("resource"),
		Pattern: q.text("pattern"), Operation: q.text("operation"),
		Permission: q.text("permission")}
	if !q.answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		list, err := x.Kafka.ACLs(ctx, at, filter)
		return api.ACLList{ACLs: orEmpty(list)}, err
	})
}

func (x *v2) addACLs(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	x.changeACLs(w, r, v, func(ctx context.Context, at []string, of []api.ACL) ([]api.ACL, error) {
		return x.Kafka.AddACLs(ctx, at, of)
	})
}

func (x *v2) removeACLs(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	x.changeACLs(w, r, v, func(ctx context.Context, at []string, of []api.ACL) ([]api.ACL, error) {
		return x.Kafka.RemoveACLs(ctx, at, of)
	})
}

func (x *v2) changeACLs(
	w http.ResponseWriter, r *http.Request, v *scheduler.View,
	do func(ctx context.Context, at []string, of []api.ACL) ([]api.ACL, error),
) {
	var change api.ACLChange
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &change) ||
		!demand(w, r, len(change.ACLs) > 0, "There are no acls.") {
		return
	}
	var words []string
	for _, a := range change.ACLs {
		words = append(words, strings.Join([]string{a.Permission, a.Principal, a.Operation,
			a.ResourceType, a.Resource}, " "))
	}
	note := strings.Join(words, ", ")
	x.changeKafka(w, r, v, note, func(ctx context.Context, at []string) (any, error) {
		list, err := do(ctx, at, change.ACLs)
		return api.ACLList{ACLs: orEmpty(list)}, err
	})
}

func (x *v2) transactions(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	state := q.text("state")
	if !q.answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		list, err := x.Kafka.Transactions(ctx, at, state)
		return api.TransactionList{Transactions: orEmpty(list)}, err
	})
}

func (x *v2) transaction(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	x.askKafka(w, r, v, func(ctx context.Context, at []string) (any, error) {
		return x.Kafka.Transaction(ctx, at, param(r, "transaction"))
	})
}

func (x *v2) abortTransaction(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var none struct{}
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &none) {
		return
	}
	id := param(r, "transaction")
	x.changeKafka(w, r, v, "", func(ctx context.Context, at []string) (any, error) {
		return didKafka(false, "the transaction of %s is aborted, and its producer fenced out", id),
			x.Kafka.AbortTransaction(ctx, at, id)
	})
}
