package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// routeBrokers adds what is told of brokers, and of what the target declares.
func (x *v2) routeBrokers(r chi.Router) {
	r.Get(api.PathBrokersV2, x.withView(x.heavy.limit(x.brokers)))
	r.Get(api.PathBrokerV2, x.withView(x.heavy.limit(x.broker)))
	r.Get(api.PathDeclaredTopics, x.withView(x.declaredTopics))
}

// brokers answers with all brokers.
func (x *v2) brokers(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if newQuestion(r).answerable(w, r) {
		writeJSON(w, http.StatusOK, x.roster(r.Context(), v).list())
	}
}

// broker answers with one broker, and its log directories.
func (x *v2) broker(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	list := x.roster(r.Context(), v).list()
	i := slices.IndexFunc(list.Brokers,
		func(b api.BrokerDetail) bool { return strconv.Itoa(b.ID) == param(r, "broker") })
	if i < 0 {
		missing(w, r, "Broker", param(r, "broker"))
		return
	}
	one := list.Brokers[i]
	if at := live(v); x.Kafka != nil && len(at) > 0 && one.State == api.BrokerUp {
		dirs, err := x.Kafka.LogDirs(r.Context(), at, &one.ID)
		if err != nil {
			x.Logger.Warn("api: a broker does not tell its log directories", "broker", one.ID,
				"error", err)
		}
		one.LogDirs = dirs
	}
	writeJSON(w, http.StatusOK, one)
}

// roster is what all answers on brokers are made of: the picture, and what Kafka says just now.
type roster struct {
	view  *scheduler.View
	facts scheduler.KafkaFacts
	down  []rolling.NodeID
	fresh bool
}

// roster asks Kafka; without an answer the latest facts have to do, and there are no verdicts.
func (x *v2) roster(ctx context.Context, v *scheduler.View) roster {
	r := roster{view: v}
	if v.Kafka.Facts != nil {
		r.facts = *v.Kafka.Facts
		r.facts.Rolling = nil
	}
	if at := live(v); x.Partitions != nil && len(at) > 0 {
		switch facts := x.Partitions(ctx, at); {
		case facts.Error == "":
			r.facts, r.fresh = facts, true
		default:
			r.facts.Error = facts.Error
		}
	}
	for _, pod := range v.Pods {
		if id, serves := nodeIn(v, pod.Name); serves && pod.Down {
			r.down = append(r.down, rolling.NodeID(id))
		}
	}
	return r
}

// nodeIn is the node id of an instance, and whether it is a broker of the target.
func nodeIn(v *scheduler.View, name scheduler.PodName) (id int, serves bool) {
	if spec := podSpecOf(v, name.Type); spec != nil && spec.Kafka != nil && spec.Kafka.Serves() {
		return spec.Kafka.NodeID(name.Index), true
	}
	return 0, false
}

func podSpecOf(v *scheduler.View, kind string) *servicespec.Pod {
	for i := range v.Target.Pods {
		if v.Target.Pods[i].Type == kind {
			return &v.Target.Pods[i]
		}
	}
	return nil
}

// list are the brokers of the service, and those that are registered beside them.
func (r roster) list() api.BrokerList {
	list := api.BrokerList{Brokers: []api.BrokerDetail{}, Asked: instant(r.facts.Asked),
		Error: r.facts.Error}
	known := map[int]bool{}
	for _, pod := range r.view.Pods {
		id, serves := nodeIn(r.view, pod.Name)
		if pod.Broker != nil { // of a pod that leaves, too
			id, serves = pod.Broker.ID, true
		}
		if serves {
			known[id] = true
			list.Brokers = append(list.Brokers, r.detail(id, &pod))
		}
	}
	for _, b := range r.facts.Brokers {
		if !known[b.ID] {
			list.Brokers = append(list.Brokers, r.detail(b.ID, nil))
		}
	}
	slices.SortFunc(list.Brokers,
		func(a, b api.BrokerDetail) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// detail is one broker; there is no pod for a foreign one.
func (r roster) detail(id int, pod *scheduler.PodView) api.BrokerDetail {
	shape := api.BrokerDetail{Broker: api.Broker{ID: id}, State: api.BrokerUnregistered,
		Endpoints: []string{}, Roles: r.roles(id)}
	i := slices.IndexFunc(r.facts.Brokers,
		func(b scheduler.BrokerFacts) bool { return b.ID == id })
	if i >= 0 {
		shape.Broker = *brokerShape(&r.facts.Brokers[i])
		shape.InSync = shape.Hosted - shape.NotInSync
		if shape.State = api.BrokerUp; shape.Fenced {
			shape.State = api.BrokerFenced
		}
	}
	if shape.Address != "" {
		shape.Endpoints = append(shape.Endpoints, "PLAINTEXT://"+shape.Address)
	}
	if r.fresh && r.facts.Rolling != nil {
		shape.UnderReplicated = r.facts.Rolling.UnderReplicated(rolling.NodeID(id))
	}
	policy := rolling.Policy{}
	if pod == nil {
		shape.State = api.BrokerForeign
	} else {
		shape.Pod, shape.Hostname, shape.Rack = pod.Name.String(), pod.Hostname, pod.Domain.Zone
		if spec := podSpecOf(r.view, pod.Name.Type); spec != nil {
			policy = scheduler.PolicyOf(*spec)
		}
	}
	shape.MayGo = r.mayGo(id, policy)
	r.addDrift(&shape)
	return shape
}

// roles are what a broker does for the cluster.
func (r roster) roles(id int) []string {
	roles := []string{"broker"}
	if slices.Contains(r.facts.Voters, id) {
		roles = append(roles, "controller")
	}
	if r.facts.Leader == id && r.facts.Error == "" && !r.facts.Asked.IsZero() {
		roles = append(roles, "active-controller")
	}
	return roles
}

// mayGo is the verdict on a broker as things stand.
func (r roster) mayGo(id int, policy rolling.Policy) api.MayGo {
	var facts *rolling.Facts
	if r.fresh {
		facts = r.facts.Rolling
	}
	down := slices.DeleteFunc(slices.Clone(r.down),
		func(n rolling.NodeID) bool { return n == rolling.NodeID(id) })
	v := facts.MayStop(rolling.Request{Node: rolling.NodeID(id), Now: r.facts.Asked, Down: down,
		Policy: policy})
	return api.MayGo{Answer: string(v.Answer), Code: string(v.Code), Sentence: v.Sentence()}
}

// addDrift adds what the broker has otherwise than the target.
func (r roster) addDrift(shape *api.BrokerDetail) {
	drift := r.view.Kafka.Drift
	if drift == nil || drift.Error != "" || !slices.Contains(drift.Told, shape.ID) {
		return
	}
	shape.DriftAsked = instant(drift.Asked)
	for _, d := range drift.Brokers {
		if d.Broker == shape.ID {
			shape.Drift = append(shape.Drift, api.DriftedProperty(d))
		}
	}
}

// declaredTopics answers how the topics are that the target declares.
func (x *v2) declaredTopics(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if newQuestion(r).answerable(w, r) {
		writeJSON(w, http.StatusOK, declaredShape(v))
	}
}

func declaredShape(v *scheduler.View) api.DeclaredTopics {
	shape := api.DeclaredTopics{Topics: []api.DeclaredTopic{}}
	for _, t := range v.Kafka.Declared {
		shape.Topics = append(shape.Topics, api.DeclaredTopic{Name: t.Name,
			Partitions: t.Partitions, ReplicationFactor: t.Replication, Config: t.Config,
			State: string(t.State), Reason: t.Reason})
		if t.State == scheduler.TopicReached {
			shape.AsDeclared++
		}
	}
	if v.Kafka.Drift != nil {
		shape.Asked = instant(v.Kafka.Drift.Asked)
	}
	return shape
}
