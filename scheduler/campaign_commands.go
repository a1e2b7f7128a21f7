package scheduler

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler/upgrade"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What operators command of campaigns.

type (
	// Upgrade begins to bring the cluster to another version of Kafka.
	Upgrade struct {
		To string
		// Archives are where the scheduler serves the distributions of the present version and of
		// that one, by version; see KafkaCluster.Archives.
		Archives map[string]string
		// Features are the finalized levels that Kafka told, nil if it did not; Java is the major
		// version that brokers run with, 0 if that is not known.
		Features map[string]int
		Java     int
		// PauseAfter are the phases behind which it pauses.
		PauseAfter []string
		// Finalize lets it go on to what cannot be undone without being asked again.
		Finalize bool
	}
	// CampaignCommand steers the campaign of a kind that is under way.
	CampaignCommand struct {
		Kind CampaignKind
		Verb CampaignVerb
	}
)

func (Upgrade) command()         {}
func (CampaignCommand) command() {}

// CampaignVerb is what a CampaignCommand does.
type CampaignVerb string

// The verbs.
const (
	CampaignPause    CampaignVerb = "pause"    // nothing more is begun
	CampaignContinue CampaignVerb = "continue" // ends a pause
	CampaignFinalize CampaignVerb = "finalize" // what cannot be undone may be done
	CampaignRollback CampaignVerb = "rollback" // what was done is undone
)

// String gives the command as an operator would.
func (c Upgrade) String() string {
	text := "upgrade to " + c.To
	for _, name := range c.PauseAfter {
		text += " pause-after " + name
	}
	if c.Finalize {
		text += " finalize"
	}
	return text
}

// String gives the command as an operator would.
func (c CampaignCommand) String() string { return fmt.Sprintf("%s %s", c.Kind, c.Verb) }

// PlanUpgrade plans the upgrade of a service's cluster to another version; features are the
// finalized levels, nil if they are not known, and java is the major version that brokers run
// with, 0 if it is not known. An error says why there is nothing to be upgraded.
func PlanUpgrade(
	s servicespec.Service, features map[string]int, java int, to string,
) (from string, plan upgrade.Plan, err error) {
	version, err := upgrade.ParseVersion(to)
	if err != nil {
		return "", plan, err
	}
	cluster := upgrade.Cluster{Features: features, Java: java,
		Properties: map[string]string{}, Single: map[string]string{}}
	for _, p := range s.Pods {
		if p.Kafka == nil {
			continue
		}
		if cluster.Version, err = upgrade.ParseVersion(p.Kafka.Version); err != nil {
			return "", plan, fmt.Errorf("pod %s: %w", p.Type, err)
		}
		from = p.Kafka.Version
		cluster.ZooKeeper = cluster.ZooKeeper || p.Kafka.ZooKeeper != ""
		cluster.Controllers = cluster.Controllers || !p.Kafka.Serves()
		for _, name := range sortedKeys(p.Kafka.Properties) {
			cluster.Properties[name] = p.Kafka.Properties[name]
		}
		for i := range p.Count {
			for _, name := range sortedKeys(p.Kafka.Instances[i].Properties) {
				cluster.Single[name] = p.Kafka.Instances[i].Properties[name]
			}
		}
	}
	if from == "" {
		return "", plan, fmt.Errorf("no pod of %s runs Kafka", s.Name)
	}
	return from, upgrade.Make(cluster, version), nil
}

// upgrade begins an upgrade.
func (m *Machine) upgrade(cmd Upgrade, by Caller) (string, *Problem) {
	c, p := m.prepareUpgrade(cmd)
	if p != nil {
		return "", p
	}
	m.beginUpgrade(c, cmd, by)
	return fmt.Sprintf("the upgrade from Kafka %s to %s begins; follow it with upgrade status",
		c.From, c.To), nil
}

// prepareUpgrade makes an upgrade a campaign, unless it cannot begin now.
func (m *Machine) prepareUpgrade(cmd Upgrade) (Campaign, *Problem) {
	if p := m.busyCampaign(); p != nil {
		return Campaign{}, p
	}
	c, p := campaignOf(m.hard.Target.Service, cmd)
	if p == nil {
		p = m.refuseCampaign(c)
	}
	return c, p
}

// beginUpgrade begins an upgrade that was prepared.
func (m *Machine) beginUpgrade(c Campaign, cmd Upgrade, by Caller) {
	k := m.hard.Kafka
	for _, version := range []string{c.From, c.To} {
		k.Archives = with(k.Archives, version, cmd.Archives[version])
	}
	m.setKafka(k)
	m.beginCampaign(c, by)
}

// campaignOf makes an upgrade of a service the campaign that does it.
func campaignOf(s servicespec.Service, cmd Upgrade) (Campaign, *Problem) {
	from, plan, err := PlanUpgrade(s, cmd.Features, cmd.Java, cmd.To)
	switch {
	case err != nil:
		return Campaign{}, problem(InvalidRequest, "%s", err)
	case len(plan.Refusals) > 0:
		return Campaign{}, problem(Conflict, "there is no way from Kafka %s to %s: %s", from,
			cmd.To, strings.Join(plan.Refusals, "; "))
	}
	c := Campaign{Kind: Upgrading, From: from, To: cmd.To, Finalize: cmd.Finalize,
		PauseAfter: cmd.PauseAfter}
	for _, phase := range plan.Phases {
		c.Phases = append(c.Phases, campaignPhase(s, phase, cmd.To))
	}
	for _, version := range []string{from, cmd.To} {
		if cmd.Archives[version] == "" {
			return c, problem(Conflict, "the scheduler has no distribution of Kafka %s", version)
		}
	}
	return c, nil
}

// campaignPhase is a phase of an upgrade as a change of a service.
func campaignPhase(s servicespec.Service, p upgrade.Phase, to string) CampaignPhase {
	phase := CampaignPhase{Name: p.Name, What: p.What, Undo: p.Undo, Raise: p.Raise,
		Waits: p.Waits}
	for _, pod := range s.Pods {
		e := Edit{Pod: pod.Type}
		if p.Binaries {
			e.Version = to
		}
		controller := pod.Kafka != nil && !pod.Kafka.Serves()
		concerned := pod.Kafka != nil && (p.Nodes == upgrade.AllNodes ||
			p.Nodes == upgrade.Controllers && controller ||
			p.Nodes == upgrade.Brokers && !controller)
		if concerned {
			e.Set, e.Unset = p.Set, p.Unset
		}
		servers := p.Binaries && p.Nodes == upgrade.AllNodes && hasEnsemble(s, pod)
		if concerned || servers {
			phase.Edits = append(phase.Edits, e)
		}
	}
	return phase
}

// hasEnsemble reports whether the brokers of a service keep their metadata in a pod.
func hasEnsemble(s servicespec.Service, pod servicespec.Pod) bool {
	return pod.ZooKeeper != nil && slices.ContainsFunc(s.Pods, func(p servicespec.Pod) bool {
		return p.Kafka != nil && p.Kafka.Ensemble() == pod.Type
	})
}

// pausable says why a campaign cannot pause where it is to, nil if it can.
func (c Campaign) pausable() *Problem {
	for _, name := range c.PauseAfter {
		if !slices.ContainsFunc(c.Phases, func(p CampaignPhase) bool { return p.Name == name }) {
			var names []string
			for _, p := range c.Phases {
				names = append(names, p.Name)
			}
			return problem(InvalidRequest, "there is no phase %s to pause after; there are %s",
				name, strings.Join(names, ", "))
		}
	}
	return nil
}

// refuseCampaign says why a campaign cannot begin now, nil if it can.
func (m *Machine) refuseCampaign(c Campaign) *Problem {
	if p := c.pausable(); p != nil {
		return p
	}
	for _, name := range m.podNames() {
		if _, wanted := m.spec(name); !wanted {
			return problem(Conflict, "%s is being decommissioned; wait for that", name)
		}
	}
	return nil
}

// busyCampaign says what else is under way that has to end first, nil if nothing is.
func (m *Machine) busyCampaign() *Problem {
	now, target := m.hard.Campaign, m.hard.Target
	switch {
	case m.hard.Intent != Run:
		return problem(Conflict, "the service is stopped")
	case now.under():
		return problem(Conflict, "the %s from %s to %s is under way; finish it, or roll it back",
			now.Kind.noun(), now.From, now.To)
	case !m.hard.Kafka.Founded:
		return problem(Conflict, "there is no Kafka cluster yet")
	case target.Done.IsZero():
		return problem(Conflict, "the present configuration is not rolled out yet; wait for the "+
			"plan deploy, or go back by update rollback")
	case m.hard.Rebalancing.under():
		return problem(Conflict, "replicas are being moved; wait for the plan rebalance")
	}
	return nil
}

// beginCampaign stores a new campaign; the pass does it.
func (m *Machine) beginCampaign(c Campaign, by Caller) {
	c.Number, c.Since, c.By = m.hard.Campaign.Number+1, m.now, by.Who
	m.forget(string(c.Kind))
	m.campaignTrouble = ""
	m.setCampaign(c)
}

// campaignCommand steers the campaign.
func (m *Machine) campaignCommand(cmd CampaignCommand, by Caller) (string, *Problem) {
	c := m.hard.Campaign
	switch {
	case c.Kind != cmd.Kind && c.Before != nil && c.Before.Kind == cmd.Kind:
		return "", problem(Conflict, "the %s is done, and the %s to %s has begun behind it",
			cmd.Kind.noun(), c.Kind.noun(), c.To)
	case c.Kind != cmd.Kind:
		return "", problem(Conflict, "there is no %s", cmd.Kind.noun())
	}
	if cmd.Verb == CampaignRollback {
		return m.rollbackCampaign(c)
	}
	if !c.under() {
		return "", problem(AlreadyDone, "no %s is under way", cmd.Kind.noun())
	}
	switch cmd.Verb {
	case CampaignPause:
		if m.pausedCampaign() {
			return "", problem(AlreadyDone, "the %s is paused already", c.Kind.noun())
		}
		m.pauseCampaign(c, by)
		return fmt.Sprintf("the %s is paused: no other node goes down for it", c.Kind.noun()), nil
	case CampaignContinue:
		if phase := c.phase(); !m.pausedCampaign() && phase != nil && phase.Waits && !c.Finalize {
			return "", problem(Conflict, "the %s waits until it may do what is behind %s: "+
				"finalize lets it, rollback goes back", c.Kind.noun(), phase.Name)
		}
		if !m.pausedCampaign() {
			return "", problem(AlreadyDone, "the %s is not paused", c.Kind.noun())
		}
		m.forget(string(c.Kind))
		m.due = true
		return fmt.Sprintf("the %s goes on", c.Kind.noun()), nil
	case CampaignFinalize:
		if reason := m.refuseFinal(c); reason != "" {
			return "", problem(Conflict, "%s", reason)
		}
		return m.finalizeCampaign(c)
	}
	return "", problem(InvalidRequest, "there is no verb %s", cmd.Verb)
}

// finalizeCampaign lets a campaign go on to what cannot be undone, also one that goes back.
func (m *Machine) finalizeCampaign(c Campaign) (string, *Problem) {
	if c.Finalize && !c.Back && !m.pausedCampaign() {
		return "", problem(AlreadyDone, "the %s goes on to its end already", c.Kind.noun())
	}
	if c.Back { // what the phase in hand was undone of is done again
		c.Back, c.Begun, c.At = false, false, max(c.At, 0)
	}
	c.Finalize = true
	m.forget(string(c.Kind))
	m.setCampaign(c)
	return fmt.Sprintf("the %s goes on to its end", c.Kind.noun()), nil
}

// rollbackCampaign begins the way back, also from a campaign that is done. One whose phases can all
// be undone has changed versions and features alone, which nobody but a campaign changes, so that
// all is still as it left it.
func (m *Machine) rollbackCampaign(c Campaign) (string, *Problem) {
	switch {
	case c.Back:
		return "", problem(AlreadyDone, "the %s is rolled back already", c.Kind.noun())
	case m.hard.Intent != Run:
		return "", problem(Conflict, "the service is stopped")
	}
	begun := c.At
	if !c.Begun {
		begun-- // of the one in hand nothing is to be undone
	}
	for _, phase := range c.Phases[:begun+1] {
		if phase.Undo == "" {
			return "", problem(Conflict, "there is no way back from the phase %s, which was begun",
				phase.Name)
		}
	}
	c.At, c.Back, c.Begun, c.Ended = begun, true, false, time.Time{}
	m.forget(string(c.Kind))
	m.setCampaign(c)
	return fmt.Sprintf("the %s is rolled back to %s", c.Kind.noun(), c.From), nil
}

// steersCampaign reports whether a command on a plan is one on the campaign, and carries it out.
func (m *Machine) steersCampaign(c PlanCommand, by Caller) (string, *Problem, bool) {
	now := m.hard.Campaign
	if !now.shown() || c.Plan != string(now.Kind) {
		return "", nil, false
	}
	verbs := map[PlanVerb]CampaignVerb{PlanInterrupt: CampaignPause,
		PlanContinue: CampaignContinue}
	verb, steers := verbs[c.Verb]
	if !steers || c.Phase != "" {
		return "", problem(Conflict, "the plan %s as a whole is interrupted and continued, and "+
			"steered by %[1]s finalize and %[1]s rollback", c.Plan), true
	}
	text, p := m.campaignCommand(CampaignCommand{Kind: now.Kind, Verb: verb}, by)
	if p == nil {
		text = planMessage(c)
	}
	return text, p, true
}
