package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Migrations asks ZooKeeper what it knows of a migration; its result says itself why it is nothing.
type Migrations func(ctx context.Context, connect string) scheduler.MigrationFacts

// routeMigrate adds what brings the cluster from ZooKeeper to KRaft.
func (x *v2) routeMigrate(r, change chi.Router) {
	r.Get(api.PathMigrate, x.withView(x.campaignStatus(scheduler.Migrating)))
	r.Get(api.PathMigrateComparison, x.withView(x.heavy.limit(x.migrateComparison)))
	change.Post(api.PathMigratePreview, x.withView(x.heavy.limit(x.migratePreview)))
	change.Post(api.PathMigrate, x.withView(x.migrate))
	change.Post(api.PathMigrateCommand, x.withView(x.migrateCommand))
}

// wantedMigration reads the body of a migration.
func (x *v2) wantedMigration(
	w http.ResponseWriter, r *http.Request,
) (given api.Migrate, service servicespec.Service, ok bool) {
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &given) {
		return given, service, false
	}
	if given.Then != nil {
		if _, err := upgrade.ParseVersion(given.Then.To); err != nil {
			fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, "then.to: "+err.Error())
			return given, service, false
		}
	}
	service, err := x.ParseSpec([]byte(given.Spec), given.Files)
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, err.Error())
		return given, service, false
	}
	return given, service, true
}

// migratePreview answers how the cluster would get to KRaft, and changes nothing.
func (x *v2) migratePreview(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	given, service, ok := x.wantedMigration(w, r)
	if !ok {
		return
	}
	phases, refusals := scheduler.MigrationOf(v.Target, service)
	shape := api.MigratePreview{Refusals: append([]string{}, refusals...),
		Checks: []api.Checked{}, Phases: []api.Phased{}}
	for _, c := range x.migrateChecks(r.Context(), v) {
		shape.Checks = append(shape.Checks, api.Checked(c))
	}
	for _, phase := range phases {
		shape.Phases = append(shape.Phases, api.Phased{Name: phase.Name, What: phase.What,
			Undo: phase.Undo})
	}
	if given.Then != nil {
		from, plan, err := scheduler.PlanUpgrade(service, nil, x.Java, given.Then.To)
		if err != nil {
			plan.Refusals = []string{err.Error()}
		}
		then := upgradeShape(from, given.Then.To, plan)
		shape.Then = &then
	}
	writeJSON(w, http.StatusOK, shape)
}

// thenUpgrade is the upgrade that is to begin behind a migration to a service, nil for none.
func (x *v2) thenUpgrade(
	given *api.Upgrade, service servicespec.Service,
) (*scheduler.Upgrade, error) {
	if given == nil {
		return nil, nil
	}
	from, plan, err := scheduler.PlanUpgrade(service, nil, x.Java, given.To)
	if err == nil && len(plan.Refusals) > 0 {
		err = noWay(from, given.To, plan)
	}
	if err != nil {
		return nil, err
	}
	archives, err := x.distributions(from, *given)
	return &scheduler.Upgrade{To: given.To, Archives: archives, Java: x.Java,
		PauseAfter: given.PauseAfter, Finalize: given.Finalize}, err
}

// migrateChecks look at the cluster as it is now.
func (x *v2) migrateChecks(ctx context.Context, v *scheduler.View) []migrate.Check {
	l := migrate.Live{Protocols: map[int]string{}, Authorizers: map[int]string{},
		Silent: "ZooKeeper cannot be asked"}
	for _, pod := range v.Target.Pods {
		if pod.Kafka == nil || !pod.Kafka.Serves() {
			continue
		}
		for i := range pod.Count {
			l.Brokers = append(l.Brokers, pod.Kafka.NodeID(i))
		}
	}
	if f := v.Kafka.Facts; f != nil {
		l.Offline = f.OfflinePartitions
		for _, b := range f.Brokers {
			l.Behind += b.NotInSync
			if !b.Fenced {
				l.Registered = append(l.Registered, b.ID)
			}
		}
	}
	if at := live(v); x.Kafka != nil && len(at) > 0 {
		x.askBrokers(ctx, at, &l)
	}
	if x.Migrations != nil && v.Kafka.ZooKeeper != "" {
		facts := x.Migrations(ctx, v.Kafka.ZooKeeper)
		l.ZooKeeper, l.Silent = facts.Nodes, facts.Error
	}
	return l.Checks()
}

// askBrokers asks the brokers for what a migration needs of them.
func (x *v2) askBrokers(ctx context.Context, at []string, l *migrate.Live) {
	all, err := x.Kafka.BrokerConfigs(ctx, at, l.Registered...)
	if err == nil {
		for id, entries := range all {
			for _, e := range entries {
				switch e.Name {
				case migrate.Protocol:
					l.Protocols[id] = e.Value
				case migrate.Authorizer:
					l.Authorizers[id] = e.Value
				}
			}
		}
	}
	dirs, err := x.Kafka.LogDirs(ctx, at, nil)
	l.Directories = err == nil
	for _, d := range dirs {
		if d.Error != "" {
			l.Failed = append(l.Failed,
				fmt.Sprintf("%s of broker %d: %s", d.Path, d.Broker, d.Error))
		}
	}
}

// migrate begins a migration. What Kafka knows beside the data is kept, to be compared.
func (x *v2) migrate(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	given, service, ok := x.wantedMigration(w, r)
	if !ok {
		return
	}
	conflict := func(text string) { fail(w, r, http.StatusConflict, api.CodeConflict, text) }
	if wrong := migrate.Wrong(x.migrateChecks(r.Context(), v)); len(wrong) > 0 {
		_, refusals := scheduler.MigrationOf(v.Target, service)
		wrong = slices.Concat(refusals, wrong)
		conflict("The cluster cannot migrate now: " + strings.Join(wrong, "; ") + ".")
		return
	}
	then, err := x.thenUpgrade(given.Then, service)
	if err != nil {
		conflict("The upgrade behind the migration: " + err.Error() + ".")
		return
	}
	before, err := x.inventory(r.Context(), v)
	if err != nil {
		conflict("Kafka does not tell what is to be compared in the end: " + err.Error() + ".")
		return
	}
	command := scheduler.Migrate{Service: service, PauseAfter: given.PauseAfter,
		Before: before.Encode(), Then: then}
	x.answerOutcome(w, r, command, given.Reason, campaignRevision(scheduler.Migrating))
}

// migrateCommand steers a migration. It is finalized only if everything is there that was.
func (x *v2) migrateCommand(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	verb, known := campaignVerb(w, r)
	if !known {
		return
	}
	var given api.MigrateCommand
	if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
		return
	}
	if verb == scheduler.CampaignFinalize && !given.Accept {
		shape, err := x.compared(r.Context(), v)
		switch {
		case err != nil:
			fail(w, r, http.StatusConflict, api.CodeConflict, "Nobody knows whether everything is "+
				"there that was before the migration: "+err.Error()+".")
			return
		case len(shape.Differences) > 0:
			d := shape.Differences[0]
			fail(w, r, http.StatusConflict, api.CodeConflict, fmt.Sprintf("%d things are not as "+
				"they were before the migration, the first of them %s of %s: it was %q and is %q. "+
				"See migrate compare; accept lets it be finalized all the same.",
				len(shape.Differences), d.Name, d.Kind, d.Before, d.Now))
			return
		}
	}
	x.answerOutcome(w, r, scheduler.CampaignCommand{Kind: scheduler.Migrating, Verb: verb},
		given.Reason, campaignRevision(scheduler.Migrating))
}

// migrateComparison answers what is not as it was when the migration began.
func (x *v2) migrateComparison(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	if !newQuestion(r).answerable(w, r) {
		return
	}
	shape, err := x.compared(r.Context(), v)
	if err != nil {
		fail(w, r, http.StatusConflict, api.CodeConflict, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, shape)
}

// compared compares what was kept with what there is.
func (x *v2) compared(
	ctx context.Context, v *scheduler.View,
) (shape api.MigrateComparison, err error) {
	text, kept := v.Files[scheduler.BeforeMigration]
	if !kept {
		return shape, fmt.Errorf("nothing was kept of what was there before a migration")
	}
	before, err := migrate.DecodeInventory(text)
	if err != nil {
		return shape, err
	}
	now, err := x.inventory(ctx, v)
	if err != nil {
		return shape, err
	}
	shape.Differences = []api.Difference{}
	for _, kind := range migrate.Kinds() {
		shape.Kinds = append(shape.Kinds, api.ComparedKind{Kind: kind,
			Before: before.Count(kind), Now: now.Count(kind)})
	}
	for _, d := range before.Differences(now) {
		shape.Differences = append(shape.Differences, api.Difference(d))
	}
	return shape, nil
}
