package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// inZooKeeper is a service of three brokers in ZooKeeper mode.
const inZooKeeper = `name: kafka
pods:
  kafka:
    count: 3
    kafka: {version: 3.9.1, zookeeper: 'zk.example:2181', heap: 256}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports: {broker: {port: 0}}
        volume: {path: data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
`

// toKRaft is what it is to become.
var toKRaft = strings.Replace(inZooKeeper, "zookeeper: 'zk.example:2181'", "process: broker", 1) + `
  controller:
    count: 3
    kafka: {version: 3.9.1, process: controller, heap: 256}
    tasks:
      node:
        goal: RUNNING
        cpus: 0.5
        memory: 512
        ports: {controller: {port: 0}}
        volume: {path: quorum, type: ROOT, size: 500}
        readiness-check: {tcp: {port: controller}, interval: 1, timeout: 5}
`

func parsed(t *testing.T, text string) servicespec.Service {
	t.Helper()
	s, problems := servicespec.Parse("svc.yml", []byte(text), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

// whole is a view of a service whose three brokers serve and are in sync.
func whole(service servicespec.Service) *scheduler.View {
	v := fullView()
	v.Target = service
	facts := &scheduler.KafkaFacts{Asked: viewTime}
	for id := range 3 {
		facts.Brokers = append(facts.Brokers, scheduler.BrokerFacts{ID: id, Hosted: 8,
			Address: fmt.Sprintf("10.0.0.%d:9092", id+1)})
	}
	v.Kafka.Facts = facts
	return v
}

// shelf has distributions of versions, by these; with an empty path it has two.
type shelf map[string]string

func (s shelf) Distribution(version, digest string) (string, error) {
	path, have := s[version]
	switch {
	case !have:
		return "", fs.ErrNotExist
	case path == "" && digest == "":
		return "", errors.New("there are two")
	}
	return path + digest, nil
}

// TestUpgradePreview: the way to a version, or what is in it, by what is known of the cluster.
func TestUpgradePreview(t *testing.T) {
	zk := parsed(t, inZooKeeper)
	kraft := parsed(t, toKRaft)
	for _, c := range []struct {
		to      string
		service servicespec.Service
		change  func(*scheduler.View)
		java    int
		code    int
		text    string
	}{
		{to: "4.3.1", service: kraft, code: 200, text: `"name": "metadata"`},
		{to: "4.3.1", service: kraft, code: 200, text: "it is not known which Java"},
		{to: "4.3.1", service: kraft, java: 21, code: 200, text: "clients older than 2.1"},
		{to: "4.3.1", service: kraft, java: 11, code: 200, text: "brokers run with Java 11"},
		{to: "3.8.0", service: kraft, code: 200, text: "Kafka 3.8.0 is older than 3.9.1"},
		{to: "3.9.1", service: kraft, code: 200, text: "runs Kafka 3.9.1 already"},
		{to: "4.3.1", service: zk, code: 200, text: "migrate to KRaft there"},
		{to: "3.9.2", service: zk, code: 200, text: `"name": "binaries"`},
		{to: "4.3", service: kraft, code: 400, text: "write it in full"},
		{to: "", service: kraft, code: 400, text: "is not a Kafka version"},
		{to: "4.3.1", service: servicespec.Service{Name: "web"}, code: 409,
			text: "no pod of web runs Kafka"},
		{to: "4.3.1", service: kraft, code: 200, text: "Kafka was not asked yet",
			change: func(v *scheduler.View) { v.Kafka.Facts = nil }},
		{to: "4.3.1", service: kraft, code: 200, text: "Kafka does not answer: no route",
			change: func(v *scheduler.View) { v.Kafka.Facts.Error = "no route" }},
		{to: "4.3.1", service: kraft, code: 200, text: "2 partitions have no leader",
			change: func(v *scheduler.View) { v.Kafka.Facts.OfflinePartitions = 2 }},
		{to: "4.3.1", service: kraft, code: 200, text: "broker 1 is fenced",
			change: func(v *scheduler.View) { v.Kafka.Facts.Brokers[1].Fenced = true }},
		{to: "4.3.1", service: kraft, code: 200, text: "broker 2 is not in sync in 3 of its 8",
			change: func(v *scheduler.View) { v.Kafka.Facts.Brokers[2].NotInSync = 3 }},
	} {
		v := whole(c.service)
		if c.change != nil {
			c.change(v)
		}
		m := &machine{}
		cfg := config(v, m)
		cfg.Kafka, cfg.Java = &topics{}, c.java
		w := ask(t, cfg, httptest.NewRequest("GET", api.PathUpgradePreview+"?to="+c.to, nil))
		var p api.UpgradePreview
		err := json.Unmarshal(w.Body.Bytes(), &p)
		if err != nil || w.Code != c.code || !strings.Contains(w.Body.String(), c.text) ||
			m.times > 0 || c.code == 200 && (len(p.Refusals) > 0) == (len(p.Phases) > 0) {
			t.Errorf("to %q, %q: %d %s", c.to, c.text, w.Code, w.Body)
		}
	}
}

// TestUpgradeBegins: an upgrade reaches the machine with what is known of the cluster and with
// where both versions are served; without one of them, or a way, it does not.
func TestUpgradeBegins(t *testing.T) {
	both := shelf{"3.9.1": "/old/", "4.3.1": "/new/"}
	for _, c := range []struct {
		body  string
		shelf Distributions
		code  int
		text  string // of the answer; "" for what the machine says
	}{
		{`{"to":"4.3.1","pause_after":["brokers"],"finalize":true,"reason":"it is time"}`, both,
			200, ""},
		{`{"to":"4.3.1","distribution":"abc"}`, shelf{"3.9.1": "/old/", "4.3.1": ""}, 200, ""},
		{`{"to":"4.3.1"}`, shelf{"3.9.1": "/old/", "4.3.1": ""}, 409, "there are two"},
		{`{"to":"4.3.1"}`, shelf{"3.9.1": "/old/"}, 409, "no distribution of Kafka 4.3.1"},
		{`{"to":"4.3.1"}`, shelf{"4.3.1": "/new/"}, 409, "no distribution of Kafka 3.9.1"},
		{`{"to":"4.3.1"}`, nil, 409, "serves no distributions"},
		{`{"to":"3.8.0"}`, both, 409, "there is no way from Kafka 3.9.1 to 3.8.0 now"},
		{`{"to":"four"}`, both, 400, "to: "},
		{`{}`, both, 400, "to: "},
		{``, both, 400, ""},
		{`{"to":"4.3.1","soon":true}`, both, 400, "soon"},
	} {
		m := &machine{reply: scheduler.Reply{Message: "it begins"}}
		cfg := config(whole(parsed(t, toKRaft)), m)
		cfg.Kafka, cfg.Distributions, cfg.Java = &topics{}, c.shelf, 17
		w := ask(t, cfg, change("POST", api.PathUpgrade, c.body))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) ||
			(m.times > 0) != (c.code == 200) {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
		}
		if c.code != 200 {
			continue
		}
		got, _ := m.command.(scheduler.Upgrade)
		if got.To != "4.3.1" || got.Java != 17 || got.Archives["3.9.1"] != "/old/" ||
			got.Features["metadata.version"] != 29 ||
			!strings.Contains(w.Body.String(), "it begins") {
			t.Errorf("%s: the machine was told %+v", c.body, got)
		}
		if strings.Contains(c.body, "finalize") && (!got.Finalize ||
			!reflect.DeepEqual(got.PauseAfter, []string{"brokers"}) ||
			m.caller.Reason != "it is time") {
			t.Errorf("%s: the machine was told %+v by %+v", c.body, got, m.caller)
		}
		if strings.Contains(c.body, "abc") && got.Archives["4.3.1"] != "abc" {
			t.Errorf("%s: the machine was told %+v", c.body, got)
		}
	}
}

// TestCampaignsOfAnotherMode: what the mode of a cluster does not have is refused before the
// machine is asked, with the reason.
func TestCampaignsOfAnotherMode(t *testing.T) {
	for _, c := range []struct{ service, path, body, text string }{
		{inZooKeeper, api.PathUpgrade, `{"to":"4.3.1"}`, "migrate to KRaft there"},
		{toKRaft, api.PathMigrate, migration(t, toKRaft, nil), "keeps no metadata in ZooKeeper"},
	} {
		m := &machine{}
		cfg := config(whole(parsed(t, c.service)), m)
		cfg.Kafka, cfg.ParseSpec = &topics{}, migrates(t, m).ParseSpec
		w := ask(t, cfg, change("POST", c.path, c.body))
		if w.Code != 409 || !strings.Contains(w.Body.String(), c.text) || m.times > 0 {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
}

// campaigns are views of all states that a campaign can be in, by what they are called.
func campaigns(kind scheduler.CampaignKind) map[string]func(*scheduler.KafkaView) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := scheduler.Campaign{Number: 3, Kind: kind, From: "3.9.1", To: "4.3.1", Since: since,
		At: 1, Begun: true, By: "alice", Phases: []scheduler.CampaignPhase{
			{Name: "nodes", What: "roll", Undo: "roll back"},
			{Name: "verify", What: "wait", Undo: "roll back", Waits: true},
			{Name: "metadata", What: "raise"}}}
	with := func(change func(*scheduler.Campaign)) func(*scheduler.KafkaView) {
		return func(v *scheduler.KafkaView) {
			v.Campaign = c
			change(&v.Campaign)
		}
	}
	return map[string]func(*scheduler.KafkaView){
		api.CampaignNone:    func(*scheduler.KafkaView) {},
		api.CampaignWaiting: with(func(*scheduler.Campaign) {}),
		api.CampaignRunning: with(func(c *scheduler.Campaign) { c.Finalize = true }),
		api.CampaignRolling: with(func(c *scheduler.Campaign) { c.Back = true }),
		api.CampaignPaused: func(v *scheduler.KafkaView) {
			v.Campaign, v.CampaignPaused = c, true
		},
		api.CampaignDone: with(func(c *scheduler.Campaign) {
			c.At, c.Finalize, c.Ended = 3, true, since.Add(time.Hour)
		}),
		api.CampaignRolledBack: with(func(c *scheduler.Campaign) {
			c.At, c.Back, c.Ended = -1, true, since.Add(time.Hour)
		}),
	}
}

// TestCampaignStatus: each way in which an upgrade or a migration stands has its state, and so has
// each of its phases.
func TestCampaignStatus(t *testing.T) {
	phases := map[string]string{api.CampaignWaiting: "DONE WAITING PENDING",
		api.CampaignRunning: "DONE RUNNING PENDING", api.CampaignPaused: "DONE WAITING PENDING",
		api.CampaignRolling: "DONE ROLLING_BACK ROLLED_BACK", api.CampaignDone: "DONE DONE DONE",
		api.CampaignRolledBack: "ROLLED_BACK ROLLED_BACK ROLLED_BACK"}
	other := map[scheduler.CampaignKind]string{scheduler.Upgrading: api.PathMigrate,
		scheduler.Migrating: api.PathUpgrade}
	for kind, path := range map[scheduler.CampaignKind]string{scheduler.Upgrading: api.PathUpgrade,
		scheduler.Migrating: api.PathMigrate} {
		for want, set := range campaigns(kind) {
			v := fullView()
			set(&v.Kafka)
			v.Kafka.CampaignTold = "so far"
			w := ask(t, config(v, &machine{}), httptest.NewRequest("GET", path, nil))
			var s api.Campaign
			err := json.Unmarshal(w.Body.Bytes(), &s)
			var states []string
			for _, p := range s.Phases {
				states = append(states, p.State)
			}
			if err != nil || w.Code != 200 || s.State != want ||
				strings.Join(states, " ") != phases[want] ||
				want != api.CampaignNone && (s.Reason != "so far" || s.By != "alice") {
				t.Errorf("%s at %s: %d %s", want, path, w.Code, w.Body)
			}
			w = ask(t, config(v, &machine{}), httptest.NewRequest("GET", other[kind], nil))
			if !strings.Contains(w.Body.String(), `"state": "NONE"`) {
				t.Errorf("%s at %s: %s", want, other[kind], w.Body)
			}
		}
	}
}

// TestChainStatus: a migration shows the upgrade behind it, before that has begun and after.
func TestChainStatus(t *testing.T) {
	final := parsed(t, toKRaft)
	v := fullView()
	v.Kafka.Campaign = scheduler.Campaign{Number: 4, Kind: scheduler.Migrating, From: "ZooKeeper",
		To: "KRaft", Phases: []scheduler.CampaignPhase{{Name: "finalize", What: "end",
			Edits: []scheduler.Edit{{Pod: "controller"}, {Service: &final}}}},
		Then: &scheduler.Upgrade{To: "4.3.1", Java: 17}}
	status := func(path string) api.Campaign {
		w := ask(t, config(v, &machine{}), httptest.NewRequest("GET", path, nil))
		var s api.Campaign
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return s
	}
	s := status(api.PathMigrate)
	if s.Then == nil || s.Then.State != api.CampaignPending || s.Then.To != "4.3.1" ||
		len(s.Then.Phases) != 5 || s.Then.Phases[0].State != api.CampaignPending {
		t.Errorf("before: %+v", s.Then)
	}
	ended := viewTime.Add(-time.Hour)
	v.Kafka.Campaign = scheduler.Campaign{Number: 5, Kind: scheduler.Upgrading, From: "3.9.1",
		To: "4.3.1", Begun: true, Phases: []scheduler.CampaignPhase{{Name: "controllers"}},
		Before: &scheduler.CampaignDone{Number: 4, Kind: scheduler.Migrating, From: "ZooKeeper",
			To: "KRaft", Ended: ended, Phases: []scheduler.PhaseDone{{Name: "finalize"}}}}
	if s := status(api.PathUpgrade); s.State != api.CampaignRunning || s.Then != nil {
		t.Errorf("the upgrade: %+v", s)
	}
	s = status(api.PathMigrate)
	if s.State != api.CampaignDone || s.Number != 4 || s.Ended == nil || s.Then == nil ||
		s.Then.State != api.CampaignRunning || s.Phases[0].State != api.CampaignDone {
		t.Errorf("after: %+v", s)
	}
}

// TestCampaignCommands: each command reaches the machine, and there are no others.
func TestCampaignCommands(t *testing.T) {
	for kind, path := range map[scheduler.CampaignKind]string{
		scheduler.Upgrading: api.PathUpgradeCommand, scheduler.Migrating: api.PathMigrateCommand} {
		for verb, want := range campaignVerbs {
			m := &machine{reply: scheduler.Reply{Message: "so be it"}}
			body := `{"reason":"because"}`
			if kind == scheduler.Migrating && want == scheduler.CampaignFinalize {
				body = `{"accept":true,"reason":"because"}`
			}
			w := ask(t, config(fullView(), m), change("POST", api.Fill(path, verb), body))
			if got := (scheduler.CampaignCommand{Kind: kind, Verb: want}); w.Code != 200 ||
				m.command != scheduler.Command(got) || m.caller.Reason != "because" {
				t.Errorf("%s %s: %d %s, the machine was told %+v", kind, verb, w.Code, w.Body,
					m.command)
			}
		}
		m := &machine{}
		w := ask(t, config(fullView(), m), change("POST", api.Fill(path, "hurry"), ""))
		if w.Code != 404 || m.times > 0 || !strings.Contains(w.Body.String(), "rollback") {
			t.Errorf("%s hurry: %d %s", kind, w.Code, w.Body)
		}
	}
}

// migrates is a server of a service in ZooKeeper mode that is as it has to be to migrate.
func migrates(t *testing.T, m *machine, changes ...func(*scheduler.View, *Config)) Config {
	v := whole(parsed(t, inZooKeeper))
	v.Kafka.ZooKeeper = "zk.example:2181/kafka"
	cfg := config(v, m)
	speaks := []api.ConfigEntry{{Name: migrate.Protocol, Value: "3.9-IV0"}}
	cfg.Kafka = &topics{configs: map[int][]api.ConfigEntry{0: speaks, 1: speaks, 2: speaks}}
	cfg.Migrations = func(context.Context, string) scheduler.MigrationFacts {
		return scheduler.MigrationFacts{Nodes: &migrate.Nodes{Controller: 1, Offset: -1}}
	}
	cfg.Distributions, cfg.Java = shelf{"3.9.1": "/old/", "4.3.1": "/new/"}, 17
	cfg.ParseSpec = func(text []byte, files map[string]string) (servicespec.Service, error) {
		s, problems := servicespec.Parse("svc.yml", text, files)
		if len(problems) > 0 {
			return s, problems[0]
		}
		return s, nil
	}
	for _, c := range changes {
		c(v, &cfg)
	}
	return cfg
}

// migration is the body of a request to migrate to a spec.
func migration(t *testing.T, spec string, more map[string]any) string {
	t.Helper()
	body := map[string]any{"spec": spec}
	maps.Copy(body, more)
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMigrateChecks: what is looked at in the cluster, and each thing that can be wrong with it:
// the preview tells it, and nothing begins.
func TestMigrateChecks(t *testing.T) {
	type set = func(*scheduler.View, *Config)
	nodes := func(n *migrate.Nodes, silent string) set {
		return func(_ *scheduler.View, cfg *Config) {
			cfg.Migrations = func(context.Context, string) scheduler.MigrationFacts {
				return scheduler.MigrationFacts{Nodes: n, Error: silent}
			}
		}
	}
	entry := func(name, value string) set {
		return func(_ *scheduler.View, cfg *Config) {
			k := cfg.Kafka.(*topics)
			k.configs = maps.Clone(k.configs)
			k.configs[2] = []api.ConfigEntry{{Name: migrate.Protocol, Value: "3.9-IV0"},
				{Name: name, Value: value}}
		}
	}
	for text, wrong := range map[string]set{
		"": func(*scheduler.View, *Config) {},
		"broker 2 is not registered": func(v *scheduler.View, _ *Config) {
			v.Kafka.Facts.Brokers = v.Kafka.Facts.Brokers[:2]
		},
		"broker 7 is registered and none of this service's": func(v *scheduler.View, _ *Config) {
			v.Kafka.Facts.Brokers = append(v.Kafka.Facts.Brokers, scheduler.BrokerFacts{ID: 7})
		},
		"4 replicas are not in sync": func(v *scheduler.View, _ *Config) {
			v.Kafka.Facts.Brokers[1].NotInSync = 4
		},
		"5 partitions have no leader": func(v *scheduler.View, _ *Config) {
			v.Kafka.Facts.OfflinePartitions = 5
		},
		"does not tell its inter.broker.protocol.version": func(_ *scheduler.View, cfg *Config) {
			cfg.Kafka = &topics{}
		},
		"inter.broker.protocol.version=3.6": entry(migrate.Protocol, "3.6"),
		"whose rules do not migrate":        entry(migrate.Authorizer, "com.example.Own"),
		"no session":                        nodes(nil, "no session"),
		"/migration": nodes(&migrate.Nodes{Controller: 1, Migration: true,
			Offset: 3}, ""),
	} {
		m := &machine{reply: scheduler.Reply{Message: "it begins"}}
		cfg := migrates(t, m, wrong)
		w := ask(t, cfg, change("POST", api.PathMigratePreview, migration(t, toKRaft, nil)))
		var p api.MigratePreview
		err := json.Unmarshal(w.Body.Bytes(), &p)
		told := []string{}
		for _, c := range p.Checks {
			if !c.OK {
				told = append(told, c.Text)
			}
		}
		if err != nil || w.Code != 200 || len(p.Refusals) > 0 || len(p.Phases) != 6 ||
			(len(told) > 0) != (text != "") ||
			!strings.Contains(strings.Join(told, "; "), text) || m.times > 0 {
			t.Errorf("%q: %d %s", text, w.Code, w.Body)
		}
		w = ask(t, cfg, change("POST", api.PathMigrate, migration(t, toKRaft, nil)))
		if begins := text == ""; (w.Code == 200) != begins || (m.times > 0) != begins ||
			!strings.Contains(w.Body.String(), text) {
			t.Errorf("%q: it begins: %d %s", text, w.Code, w.Body)
		}
	}
}

// TestMigrateBegins: a migration reaches the machine with what Kafka knows now, and with the
// upgrade behind it; what is no spec, or no way, does not.
func TestMigrateBegins(t *testing.T) {
	then := func(more map[string]any) map[string]any { return map[string]any{"then": more} }
	for _, c := range []struct {
		body string
		code int
		text string
	}{
		{migration(t, toKRaft, map[string]any{"pause_after": []string{"enter"}}), 200, "it begins"},
		{migration(t, toKRaft, then(map[string]any{"to": "4.3.1", "finalize": true,
			"pause_after": []string{"brokers"}})), 200, "it begins"},
		{migration(t, toKRaft, then(map[string]any{"to": "4.4.0"})), 409,
			"The upgrade behind the migration: there is no distribution of Kafka 4.4.0"},
		{migration(t, toKRaft, then(map[string]any{"to": "3.8.0"})), 409, "is older than 3.9.1"},
		{migration(t, toKRaft, then(map[string]any{"to": "soon"})), 400, "then.to: "},
		{migration(t, "pods: {}", nil), 400, "svc.yml"},
		{`{}`, 400, ""},
		{``, 400, ""},
	} {
		m := &machine{reply: scheduler.Reply{Message: "it begins"}}
		w := ask(t, migrates(t, m), change("POST", api.PathMigrate, c.body))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) ||
			(m.times > 0) != (c.code == 200) {
			t.Errorf("%s: %d %s", c.body, w.Code, w.Body)
		}
		if c.code != 200 {
			continue
		}
		got, _ := m.command.(scheduler.Migrate)
		if len(got.Service.Pods) != 2 || !strings.Contains(got.Before, migrate.KindTopics) {
			t.Errorf("%s: the machine was told %+v", c.body, got)
		}
		behind := strings.Contains(c.body, "then")
		if (got.Then != nil) != behind || behind && (got.Then.To != "4.3.1" ||
			!got.Then.Finalize || got.Then.Archives["4.3.1"] != "/new/" ||
			got.Then.PauseAfter[0] != "brokers") || !behind && got.PauseAfter[0] != "enter" {
			t.Errorf("%s: the machine was told %+v, then %+v", c.body, got, got.Then)
		}
	}
}

// TestMigrateFinalize: without accept a migration is finalized only if everything is there that
// was.
func TestMigrateFinalize(t *testing.T) {
	gone := migrate.Inventory{}
	gone.Add(migrate.KindUsers, "bob", "SCRAM-SHA-256 8192")
	path := api.Fill(api.PathMigrateCommand, api.CommandFinalize)
	for _, c := range []struct {
		before, body string
		code         int
		text         string
	}{
		{gone.Encode(), "", 409, "bob of SCRAM users"},
		{gone.Encode(), `{"accept":true}`, 200, "so be it"},
		{"", "", 409, "nothing was kept"},
		{"no JSON", "", 409, "reading what was there"},
		{migrate.Inventory{}.Encode(), "", 200, "so be it"},
	} {
		m := &machine{reply: scheduler.Reply{Message: "so be it"}}
		cfg := migrates(t, m, func(v *scheduler.View, _ *Config) {
			if c.before != "" {
				v.Files = map[string]string{scheduler.BeforeMigration: c.before}
			}
		})
		w := ask(t, cfg, change("POST", path, c.body))
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.text) ||
			(m.times > 0) != (c.code == 200) {
			t.Errorf("%s with %q: %d %s", c.body, c.before, w.Code, w.Body)
		}
		w = ask(t, cfg, httptest.NewRequest("GET", api.PathMigrateComparison, nil))
		if kept := strings.HasPrefix(c.before, "{"); (w.Code == 200) != kept {
			t.Errorf("the comparison with %q: %d %s", c.before, w.Code, w.Body)
		}
	}
}
