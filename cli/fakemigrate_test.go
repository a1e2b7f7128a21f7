package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// readsMigration serves what is asked of migrations: the latest waits, and lost a quota.
func (f *fake) readsMigration(get serve) {
	get(api.PathMigrate, func(_ *http.Request, s api.Service) any {
		return api.Campaign{Number: 1, State: api.CampaignWaiting, From: "ZooKeeper", To: "KRaft",
			Phase: "stay", By: "ann@desk", Since: &s.Now, Phases: []api.Phased{
				{Name: "brokers", What: "roll the brokers", Undo: "roll them back",
					State: api.CampaignDone},
				{Name: "stay", What: "wait", Undo: "nothing", State: api.CampaignWaiting}},
			Then: &api.Campaign{State: api.CampaignPending, To: "4.3.1", Phases: []api.Phased{
				{Name: "controllers", What: "roll the controllers", State: api.CampaignPending}}}}
	})
	get(api.PathMigrateComparison, func(*http.Request, api.Service) any {
		return api.MigrateComparison{Kinds: []api.ComparedKind{{Kind: "quotas", Before: 2, Now: 1}},
			Differences: []api.Difference{{Kind: "quotas", Name: "alice", Before: "1000"}}}
	})
}

// migratePreview finds what is wrong with a spec that says so by its name.
func (f *fake) migratePreview(r *http.Request, _ api.Service) any {
	var body api.Migrate
	_ = json.NewDecoder(r.Body).Decode(&body)
	p := api.MigratePreview{Refusals: []string{}, Checks: []api.Checked{
		{Name: "replicas", OK: true, Text: "all replicas are in sync"}},
		Phases: []api.Phased{{Name: "enter", What: "roll the brokers", Undo: "roll them back"},
			{Name: "finalize", What: "roll the controllers"}}}
	if strings.Contains(body.Spec, "count: 2") {
		p.Checks[0] = api.Checked{Name: "replicas", Text: "2 replicas are not in sync"}
	}
	if body.Then != nil {
		p.Then = &api.UpgradePreview{From: "3.9.1", To: body.Then.To, Warnings: []string{},
			Refusals: []string{}, Phases: []api.Phased{{Name: "verify", What: "wait"}}}
		if body.Then.To == "3.8.0" {
			p.Then.Refusals, p.Then.Phases = []string{"Kafka 3.8.0 is older"}, []api.Phased{}
		}
	}
	return p
}

// migrate begins one.
func (f *fake) migrate(r *http.Request, _ api.Service) any {
	var body api.Migrate
	_ = json.NewDecoder(r.Body).Decode(&body)
	if then := body.Then; then != nil {
		return api.Outcome{Changed: true, Message: fmt.Sprintf("the migration begins, then the "+
			"upgrade to %s, finalize %t, with pauses %v and %v", then.To, then.Finalize,
			body.PauseAfter, then.PauseAfter)}
	}
	return api.Outcome{Changed: true, Message: "the migration begins"}
}

// commandMigration is finalized only if the difference is accepted.
func (f *fake) commandMigration(r *http.Request, _ api.Service) any {
	var body api.MigrateCommand
	_ = json.NewDecoder(r.Body).Decode(&body)
	verb := r.PathValue("command")
	if verb == api.CommandFinalize && !body.Accept {
		return api.Problem{Status: 409, Code: api.CodeConflict,
			Detail: "1 things are not as they were"}
	}
	return api.Outcome{Changed: true, Message: verb + " was taken"}
}
