package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
)

// Distributions finds packed distributions of Kafka that can be served to agents.
type Distributions interface {
	// Distribution gives the path of the URL at which that of a version is served, with a digest
	// or, if there is one only, without. The error wraps fs.ErrNotExist when there is none.
	Distribution(version, digest string) (path string, err error)
}

// campaignVerbs are the commands on campaigns.
var campaignVerbs = map[string]scheduler.CampaignVerb{
	api.CommandPauseCampaign:    scheduler.CampaignPause,
	api.CommandContinueCampaign: scheduler.CampaignContinue,
	api.CommandFinalize:         scheduler.CampaignFinalize,
	api.CommandRollback:         scheduler.CampaignRollback,
}

// routeUpgrade adds what brings the cluster to another version of Kafka.
func (x *v2) routeUpgrade(r, change chi.Router) {
	r.Get(api.PathUpgrade, x.withView(x.campaignStatus(scheduler.Upgrading)))
	r.Get(api.PathUpgradePreview, x.withView(x.heavy.limit(x.upgradePreview)))
	change.Post(api.PathUpgrade, x.withView(x.upgrade))
	change.Post(api.PathUpgradeCommand, x.withView(x.campaignCommand(scheduler.Upgrading)))
}

// campaignStatus answers how far the latest campaign of a kind is.
func (x *v2) campaignStatus(kind scheduler.CampaignKind) viewHandler {
	return func(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
		if !newQuestion(r).answerable(w, r) {
			return
		}
		shape := campaignShape(v, kind)
		if !unchanged(w, r, revisionOf(shape)) {
			writeJSON(w, http.StatusOK, shape)
		}
	}
}

func campaignShape(v *scheduler.View, kind scheduler.CampaignKind) api.Campaign {
	c := v.Kafka.Campaign
	switch {
	case c.Kind != kind && c.Before != nil && c.Before.Kind == kind:
		return doneShape(*c.Before, campaignShape(v, c.Kind))
	case c.Kind != kind:
		return api.Campaign{State: api.CampaignNone, Phases: []api.Phased{}}
	}
	shape := api.Campaign{Number: c.Number, State: campaignState(v), From: c.From, To: c.To,
		Phases: []api.Phased{}, Finalize: c.Finalize, By: c.By, Since: instant(c.Since),
		Ended: instant(c.Ended), Reason: v.Kafka.CampaignTold}
	for i, phase := range c.Phases {
		if i == c.At {
			shape.Phase = phase.Name
		}
		shape.Phases = append(shape.Phases, api.Phased{Name: phase.Name, What: phase.What,
			Undo: phase.Undo, State: phaseState(c, i)})
	}
	if c.Then != nil && !c.Back {
		shape.Then = &api.Campaign{State: api.CampaignPending, To: c.Then.To,
			Finalize: c.Then.Finalize, Phases: phasesShape(c.ThenPhases(), api.CampaignPending)}
	}
	return shape
}

// phasesShape are the phases of an upgrade that has not begun.
func phasesShape(phases []upgrade.Phase, state string) []api.Phased {
	list := []api.Phased{}
	for _, p := range phases {
		list = append(list, api.Phased{Name: p.Name, What: p.What, Undo: p.Undo, State: state})
	}
	return list
}

// doneShape is a campaign that is done, with the one that began behind it.
func doneShape(d scheduler.CampaignDone, then api.Campaign) api.Campaign {
	shape := api.Campaign{Number: d.Number, State: api.CampaignDone, From: d.From, To: d.To,
		Phases: []api.Phased{}, Finalize: true, By: d.By, Since: instant(d.Since),
		Ended: instant(d.Ended), Then: &then}
	for _, p := range d.Phases {
		shape.Phases = append(shape.Phases, api.Phased{Name: p.Name, What: p.What, Undo: p.Undo,
			State: api.CampaignDone})
	}
	return shape
}

func campaignState(v *scheduler.View) string {
	switch c, over := v.Kafka.Campaign, !v.Kafka.Campaign.Ended.IsZero(); {
	case over && c.Back:
		return api.CampaignRolledBack
	case over:
		return api.CampaignDone
	case v.Kafka.CampaignPaused:
		return api.CampaignPaused
	case c.Back:
		return api.CampaignRolling
	case c.Waiting():
		return api.CampaignWaiting
	}
	return api.CampaignRunning
}

func phaseState(c scheduler.Campaign, i int) string {
	switch {
	case i > c.At && c.Back:
		return api.CampaignRolledBack
	case i > c.At:
		return api.CampaignPending
	case i < c.At:
		return api.CampaignDone
	case c.Back:
		return api.CampaignRolling
	case c.Waiting():
		return api.CampaignWaiting
	case !c.Begun:
		return api.CampaignPending
	}
	return api.CampaignRunning
}

// upgradePreview answers how the cluster would get to another version, and changes nothing.
func (x *v2) upgradePreview(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	to := q.text("to")
	if _, err := upgrade.ParseVersion(to); err != nil {
		q.refuse("%s", err)
	}
	if !q.answerable(w, r) {
		return
	}
	from, plan, _, err := x.planUpgrade(r.Context(), v, to)
	if err != nil {
		fail(w, r, http.StatusConflict, api.CodeConflict, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, upgradeShape(from, to, plan))
}

// upgradeShape is how a cluster gets from one version to another.
func upgradeShape(from, to string, plan upgrade.Plan) api.UpgradePreview {
	return api.UpgradePreview{From: from, To: to, Refusals: orEmpty(plan.Refusals),
		Warnings: orEmpty(plan.Warnings), Phases: phasesShape(plan.Phases, "")}
}

// planUpgrade plans an upgrade by what the machine knows and what Kafka tells; features are the
// finalized levels, nil if Kafka does not tell.
func (x *v2) planUpgrade(
	ctx context.Context, v *scheduler.View, to string,
) (from string, plan upgrade.Plan, features map[string]int, err error) {
	at := live(v)
	if x.Kafka != nil && len(at) > 0 {
		list, err := x.Kafka.Features(ctx, at)
		if err == nil && list.Epoch >= 0 {
			features = map[string]int{}
			for _, f := range list.Features {
				features[f.Name] = f.Finalized
			}
		}
	}
	from, plan, err = scheduler.PlanUpgrade(v.Target, features, x.Java, to)
	if err != nil || len(plan.Refusals) > 0 {
		return from, plan, features, err
	}
	if plan.Refusals = x.notWhole(v); len(plan.Refusals) > 0 {
		plan.Phases = nil
		return from, plan, features, nil
	}
	plan.Warnings = append(plan.Warnings, x.fragileWarnings(ctx, v, at)...)
	plan.Warnings = append(plan.Warnings, x.diskWarnings(ctx, at)...)
	return from, plan, features, nil
}

// notWhole says why the cluster is in no state to be upgraded.
func (x *v2) notWhole(v *scheduler.View) []string {
	var list []string
	facts := v.Kafka.Facts
	switch {
	case facts == nil:
		return []string{"Kafka was not asked yet, so nobody knows whether the cluster is whole"}
	case facts.Error != "":
		return []string{"Kafka does not answer: " + facts.Error}
	case facts.OfflinePartitions > 0:
		list = append(list, fmt.Sprintf("%d partitions have no leader: bring back the brokers "+
			"that host them", facts.OfflinePartitions))
	}
	for _, b := range facts.Brokers {
		switch {
		case b.Fenced:
			list = append(list, fmt.Sprintf("broker %d is fenced: wait until it serves", b.ID))
		case b.NotInSync > 0:
			list = append(list, fmt.Sprintf("broker %d is not in sync in %d of its %d partitions: "+
				"wait until it is", b.ID, b.NotInSync, b.Hosted))
		}
	}
	return list
}

// fragileWarnings name the topics that no restart can keep available.
func (x *v2) fragileWarnings(ctx context.Context, v *scheduler.View, at []string) []string {
	if x.Partitions == nil || len(at) == 0 {
		return nil
	}
	facts := x.Partitions(ctx, at).Rolling
	if facts == nil {
		return []string{"Kafka does not tell which topics no restart can keep available"}
	}
	var list []string
	for _, t := range fragileTopics(facts.Forecast(), v.Target) {
		list = append(list, fmt.Sprintf("topic %s has %d replicas and a min.insync.replicas of "+
			"%d, so no restart can keep it available (update.fragile: %s)", t.Topic, t.Replicas,
			t.MinISR, t.Choice))
	}
	return list
}

// scarce is the part of a disk below which there is a warning.
const scarce = 0.05

// diskWarnings name the log directories whose disks are nearly full.
func (x *v2) diskWarnings(ctx context.Context, at []string) []string {
	if x.Kafka == nil || len(at) == 0 {
		return nil
	}
	dirs, err := x.Kafka.LogDirs(ctx, at, nil)
	if err != nil {
		return nil
	}
	var list []string
	for _, d := range dirs {
		if d.TotalBytes > 0 && float64(d.UsableBytes) < scarce*float64(d.TotalBytes) {
			list = append(list, fmt.Sprintf("the disk of %s of broker %d is nearly full: %d of %d "+
				"bytes are free", d.Path, d.Broker, d.UsableBytes, d.TotalBytes))
		}
	}
	return list
}

// upgrade begins an upgrade.
func (x *v2) upgrade(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	var given api.Upgrade
	if !newQuestion(r).answerable(w, r) || !neededBody(w, r, &given) {
		return
	}
	if _, err := upgrade.ParseVersion(given.To); err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest, "to: "+err.Error())
		return
	}
	from, plan, features, err := x.planUpgrade(r.Context(), v, given.To)
	if err == nil && len(plan.Refusals) > 0 {
		err = noWay(from, given.To, plan)
	}
	command := scheduler.Upgrade{To: given.To, Features: features, Java: x.Java,
		PauseAfter: given.PauseAfter, Finalize: given.Finalize}
	if err == nil {
		command.Archives, err = x.distributions(from, given)
	}
	if err != nil {
		fail(w, r, http.StatusConflict, api.CodeConflict, err.Error())
		return
	}
	x.answerOutcome(w, r, command, given.Reason, campaignRevision(scheduler.Upgrading))
}

// noWay is the error of an upgrade that is refused.
func noWay(from, to string, plan upgrade.Plan) error {
	return fmt.Errorf("there is no way from Kafka %s to %s now: %s", from, to,
		strings.Join(plan.Refusals, "; "))
}

func campaignRevision(kind scheduler.CampaignKind) func(*scheduler.View) string {
	return func(v *scheduler.View) string { return revisionOf(campaignShape(v, kind)) }
}

// distributions are where the present version and the next are served.
func (x *v2) distributions(from string, given api.Upgrade) (map[string]string, error) {
	if x.Distributions == nil {
		return nil, errors.New("this scheduler serves no distributions of Kafka")
	}
	paths := map[string]string{}
	for version, digest := range map[string]string{from: "", given.To: given.Distribution} {
		path, err := x.Distributions.Distribution(version, digest)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("there is no distribution of Kafka %s in the cache on the "+
				"scheduler's machine; kafka-sched upgrade gets it, where it is run on that "+
				"machine: %w", version, err)
		}
		if err != nil {
			return nil, err
		}
		paths[version] = path
	}
	return paths, nil
}

// campaignVerb finds out what is to be done with a campaign, or answers that there is no such
// thing.
func campaignVerb(w http.ResponseWriter, r *http.Request) (scheduler.CampaignVerb, bool) {
	verb, known := campaignVerbs[param(r, "command")]
	if !known {
		fail(w, r, http.StatusNotFound, api.CodeNotFound, "There is no such command; there "+
			"are "+strings.Join(sortedKeys(campaignVerbs), ", ")+".")
	}
	return verb, known
}

// campaignCommand steers the campaign of a kind.
func (x *v2) campaignCommand(kind scheduler.CampaignKind) viewHandler {
	return func(w http.ResponseWriter, r *http.Request, _ *scheduler.View) {
		verb, known := campaignVerb(w, r)
		if !known {
			return
		}
		var given api.CampaignCommand
		if !newQuestion(r).answerable(w, r) || !optionalBody(w, r, &given) {
			return
		}
		x.answerOutcome(w, r, scheduler.CampaignCommand{Kind: kind, Verb: verb}, given.Reason,
			campaignRevision(kind))
	}
}
