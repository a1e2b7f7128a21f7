package server

import (
	"net/http"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func (x *v2) agents(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	state := q.oneOf("state", api.AgentConnected, api.AgentAway, api.AgentDraining,
		api.AgentDrained, api.AgentGone, api.AgentAbandoned)
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	var wanted []scheduler.AgentView
	for _, a := range v.Agents() {
		if state == "" || string(a.State) == state {
			wanted = append(wanted, a)
		}
	}
	part, next := pageOf(wanted, page,
		func(a scheduler.AgentView) string { return string(a.ID) },
		func(a scheduler.AgentView, last string) bool { return string(a.ID) > last })
	list := api.AgentList{Agents: make([]api.Agent, 0, len(part)), NextCursor: next}
	for _, a := range part {
		list.Agents = append(list.Agents, agentShape(a))
	}
	writeJSON(w, http.StatusOK, list)
}

func (x *v2) agent(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	found := agentsNamed(v, param(r, "agent"))
	switch {
	case len(found) == 0:
		missing(w, r, "Agent", param(r, "agent"))
		return
	case len(found) > 1:
		ids := make([]string, len(found))
		for i, a := range found {
			ids[i] = string(a.ID)
		}
		fail(w, r, http.StatusConflict, api.CodeConflict, param(r, "agent")+
			" has several agents; name one by its id: "+strings.Join(ids, ", ")+".")
		return
	}
	if !newQuestion(r).answerable(w, r) {
		return
	}
	shape := agentShape(found[0])
	if !unchanged(w, r, revisionOf(shape)) {
		writeJSON(w, http.StatusOK, shape)
	}
}

// agentsNamed finds an agent by its id, or those of a host name.
func agentsNamed(v *scheduler.View, name string) []scheduler.AgentView {
	var found []scheduler.AgentView
	for _, a := range v.Agents() {
		if string(a.ID) == name {
			return []scheduler.AgentView{a}
		}
		if a.Hostname == name {
			found = append(found, a)
		}
	}
	return found
}

func agentShape(a scheduler.AgentView) api.Agent {
	shape := api.Agent{ID: string(a.ID), Hostname: a.Hostname, State: string(a.State),
		AwaySince: instant(a.Since), Note: a.Note, Region: a.Domain.Region,
		Zone: a.Domain.Zone, Attributes: []string{}, Pods: []string{},
		Reservations: texts(a.Leftovers), Volumes: texts(a.Volumes)}
	for _, attribute := range a.Attributes {
		shape.Attributes = append(shape.Attributes, attribute.Name+"="+attribute.Value)
	}
	for _, name := range a.Pods {
		shape.Pods = append(shape.Pods, name.String())
	}
	if u := a.Unavailable; u != nil {
		shape.Maintenance = &api.Maintenance{Start: u.Start.UTC()}
		if u.Duration > 0 {
			shape.Maintenance.End = instant(u.Start.Add(u.Duration))
		}
	}
	return shape
}

func (x *v2) abandonAgent(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	name := param(r, "agent")
	var given api.AgentAbandon
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	if len(agentsNamed(v, name)) == 0 {
		missing(w, r, "Agent", name)
		return
	}
	command := scheduler.AgentAbandon{Agent: name, Force: given.Force}
	x.answerOutcome(w, r, command, given.Reason, func(v *scheduler.View) string {
		if found := agentsNamed(v, name); len(found) == 1 {
			return revisionOf(agentShape(found[0]))
		}
		return `""` // it went away; the machine says so to who does not ask for a revision
	})
}
