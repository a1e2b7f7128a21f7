package cli

import (
	"encoding/json"
	"net/http"

	"github.com/kafka-sched/kafka-sched/api"
)

// readsUpgrade serves what is asked of upgrades: there is a way to 4.3.1 from 3.9.1, and to no
// other version; the latest upgrade waits.
func (f *fake) readsUpgrade(get serve) {
	phases := []api.Phased{{Name: "nodes", What: "roll the nodes", Undo: "roll them back"},
		{Name: "verify", What: "wait", Undo: "roll the nodes back"},
		{Name: "protocol", What: "raise the protocol"}}
	get(api.PathUpgradePreview, func(r *http.Request, _ api.Service) any {
		p := api.UpgradePreview{From: "3.9.1", To: r.FormValue("to"), Phases: []api.Phased{},
			Refusals: []string{}, Warnings: []string{"clients older than 2.1"}}
		if p.To != "4.3.1" {
			p.Refusals = []string{"Kafka " + p.To + " is older than 3.9.1"}
			return p
		}
		p.Phases = phases
		return p
	})
	get(api.PathUpgrade, func(_ *http.Request, s api.Service) any {
		c := api.Campaign{Number: 1, State: api.CampaignWaiting, From: "3.9.1", To: "4.3.1",
			Phase: "verify", By: "ann@desk", Since: &s.Now, Reason: "verify: waits"}
		for i, p := range phases {
			p.State = []string{api.CampaignDone, api.CampaignWaiting, api.CampaignPending}[i]
			c.Phases = append(c.Phases, p)
		}
		return c
	})
}

// upgrade begins one, if there is nothing wrong with where it is to pause.
func (f *fake) upgrade(r *http.Request, _ api.Service) any {
	var body api.Upgrade
	_ = json.NewDecoder(r.Body).Decode(&body)
	if len(body.PauseAfter) > 0 && body.PauseAfter[0] != "nodes" {
		return api.Problem{Status: 400, Code: api.CodeInvalidRequest, Detail: "no such phase"}
	}
	return api.Outcome{Changed: true, Message: "the upgrade to " + body.To + " begins"}
}

// commandUpgrade is paused already, and takes all else.
func (f *fake) commandUpgrade(r *http.Request, _ api.Service) any {
	verb := r.PathValue("command")
	if verb == api.CommandPauseCampaign {
		return api.Outcome{Message: "the upgrade is paused already"}
	}
	return api.Outcome{Changed: true, Message: verb + " was taken"}
}
