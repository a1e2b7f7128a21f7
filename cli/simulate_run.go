package cli

import (
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// doesNotFit is the outcome of a pod that has no place.
const doesNotFit = "does not fit"

// world is what the agents of a snapshot would offer to a service if nothing of it ran.
type world struct {
	offers []mesos.Offer
	away   []string
}

// offeredTo gives what agents would offer to a service: what nobody uses, and what it has itself.
func offeredTo(service servicespec.Service, agents []mesoshttp.AgentState) world {
	var w world
	for _, a := range agents {
		if a.Away != "" {
			w.away = append(w.away, fmt.Sprintf("%s (%s)", a.Hostname, a.Away))
			continue
		}
		own := a.InUse.Labelled(scheduler.LabelService, service.Name)
		a.Offer.Resources = a.Offer.Resources.Add(own...).Filter(func(r resource.Resource) bool {
			return reservedFor(r, service.Role)
		})
		w.offers = append(w.offers, a.Offer)
	}
	return w
}

// reservedFor says whether a resource is offered to a role at all: reserved ones are to the role
// that they are reserved for, and to those below it.
func reservedFor(r resource.Resource, role string) bool {
	n := len(r.Reservations)
	if n == 0 {
		return true
	}
	last := r.Reservations[n-1].Role
	return last == role || strings.HasPrefix(role, last+"/")
}

// run places all pods that a service shall have, and says whether all fit.
func run(trial *scheduler.Trial) (pods []placing, fits bool) {
	fits = true
	for _, name := range trial.Names() {
		p := placeOne(trial, name)
		fits = fits && p.Outcome != doesNotFit
		pods = append(pods, p)
	}
	for _, name := range trial.Surplus() {
		place := trial.Placed(name)
		held := place.Executor
		for _, set := range place.Sets {
			held = append(held[:len(held):len(held)], set.Resources...)
		}
		p := placing{Pod: name.String(), Outcome: "goes", Frees: amountsOf(held)}
		p.at(place)
		pods = append(pods, p)
	}
	return pods, fits
}

// placeOne places one pod.
func placeOne(trial *scheduler.Trial, name scheduler.PodName) placing {
	before := trial.Placed(name)
	match, refusal := trial.Place(name)
	p := placing{Pod: name.String(), Outcome: "new"}
	switch {
	case refusal != nil:
		p.Outcome, p.Reason = doesNotFit, refusal.String()
		p.Agents = agentRefusals(refusal)
		if before == nil {
			return p
		}
		p.at(before)
		if other, no := trial.Elsewhere(name); no == nil {
			p.Elsewhere = hostOf(trial, other.Agent)
		}
		return p
	case before != nil && len(offer.Operations(match)) > 0:
		p.Outcome = "changes"
	case before != nil:
		p.Outcome = "stays"
	}
	p.at(trial.Placed(name))
	p.Reserves, p.Frees = amountsOf(match.Reserve), amountsOf(match.Unreserve)
	var ports []string
	for _, set := range match.Sets {
		for _, port := range set.Ports {
			ports = append(ports, fmt.Sprintf("%s=%d", port.Name, port.Number))
		}
	}
	p.Ports = strings.Join(ports, " ")
	return p
}

// at notes where a pod is.
func (p *placing) at(place *scheduler.Place) {
	p.Agent, p.Host = string(place.Agent), place.Hostname
	p.Region, p.Zone = place.Domain.Region, place.Domain.Zone
}

func hostOf(trial *scheduler.Trial, agent mesos.AgentID) string {
	for _, o := range trial.Offers() {
		if o.Agent == agent {
			return o.Hostname
		}
	}
	return string(agent)
}

// agentRefusals are the reasons of each agent, as the API has them.
func agentRefusals(refusal *offer.Refusal) []api.AgentRefusal {
	var list []api.AgentRefusal
	for _, a := range refusal.Agents() {
		shape := api.AgentRefusal{AgentID: string(a.Agent), Hostname: a.Hostname,
			Reasons: []string{}, Codes: []string{}}
		for _, reason := range a.Reasons {
			shape.Reasons = append(shape.Reasons, reason.String())
			shape.Codes = append(shape.Codes, string(reason.Code))
		}
		list = append(list, shape)
	}
	return list
}

// amountsOf adds up scalars for people: "1.1 cpus, 2080 mem".
func amountsOf(list resource.List) string {
	var parts []string
	for _, name := range []string{resource.CPUs, resource.GPUs, resource.Mem, resource.Disk} {
		if total := list.Total(name); total > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", total, name))
		}
	}
	return strings.Join(parts, ", ")
}
