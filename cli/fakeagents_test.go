package cli

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
)

// agents are one that is there, and one that is away.
func (f *fake) agents(now time.Time) []api.Agent {
	away, end := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), now.Add(2*time.Hour)
	return []api.Agent{
		{ID: "S0", Hostname: "127.0.0.1", State: api.AgentConnected, Zone: "z1",
			Attributes: []string{"rack=r1"}, Pods: []string{"kafka-0"},
			Volumes:     []string{"v-0"},
			Maintenance: &api.Maintenance{Start: now.Add(time.Hour), End: &end}},
		{ID: "S9", Hostname: "127.0.0.9", State: api.AgentAway, AwaySince: &away,
			Reservations: []string{"r-9"}, Volumes: []string{"v-9"}},
	}
}

func (f *fake) readsAgents(get serve) {
	get(api.PathAgents, func(r *http.Request, s api.Service) any {
		list := api.AgentList{Agents: []api.Agent{}}
		for _, a := range f.agents(s.Now) {
			if state := r.FormValue("state"); state == "" || state == a.State {
				list.Agents = append(list.Agents, a)
			}
		}
		return list
	})
	get(api.PathAgent, func(r *http.Request, s api.Service) any {
		return f.agentNamed(r, s, func(a api.Agent) any { return a })
	})
}

func (f *fake) agentNamed(r *http.Request, s api.Service, answer func(api.Agent) any) any {
	name := r.PathValue("agent")
	for _, a := range f.agents(s.Now) {
		if a.ID == name || a.Hostname == name {
			return answer(a)
		}
	}
	return api.Problem{Status: 404, Code: api.CodeNotFound, Detail: "Agent " + name + " not found"}
}

// abandon refuses what is there without force.
func (f *fake) abandon(r *http.Request, s api.Service) any {
	var body api.AgentAbandon
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	return f.agentNamed(r, s, func(a api.Agent) any {
		if a.State == api.AgentConnected && !body.Force {
			return api.Problem{Status: 409, Code: api.CodeConflict,
				Detail: "agent " + a.ID + " is connected"}
		}
		return api.Outcome{Changed: true, Message: "agent " + a.ID + " is abandoned; volumes " +
			"given up: " + a.Volumes[0]}
	})
}
