package server

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// health answers with the predecessor's codes, in the status and in the body.
func (h *handlers) health(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	value, reasons := assess(v)
	shape := api.Health{Value: value}
	if strings.EqualFold(r.URL.Query().Get("verbose"), "true") {
		shape.Reasons = append(reasons, h.connection()...)
	}
	writeJSON(w, value, shape)
}

// connection gives a reason for each part of Mesos that does not answer. The predecessor has no
// such reasons: it ends when it is disconnected.
func (h *handlers) connection() (reasons []string) {
	if h.Mesos == nil {
		return nil
	}
	m := h.Mesos()
	if !m.Connected && m.Reason != "" {
		reasons = append(reasons, fmt.Sprintf("No Mesos master is connected since %s, after %d "+
			"attempts: %s", m.Since.Format(time.RFC3339), m.Attempts, m.Reason))
	}
	if m.Connected && m.AgentsReason != "" {
		reasons = append(reasons, "The master's operator API does not list the agents: "+
			m.AgentsReason)
	}
	return reasons
}

// assess derives the health from the view; the first that fits wins, and every reason is told.
// As with the predecessor a service that is being uninstalled is "initializing" throughout.
func assess(v *scheduler.View) (value int, reasons []string) {
	deploy, recovery := findPlan(v, api.PlanDeploy), findPlan(v, api.PlanRecovery)
	var a assessment
	a.errors(v)
	a.registration(v)
	a.steps(deploy)
	a.input(deploy)
	a.say(degradedLine, "Priority 3. Status Code 206 is FALSE, Not implemented yet.")
	a.recovery(recovery)
	a.complete(v, deploy)
	a.kind(v, restoreLine, "restore", restores, api.HealthRestoring)
	a.kind(v, backupLine, "backup", backups, api.HealthBackingUp)
	a.say(upgradeLine, "Priority 6. Status Code 326 is FALSE, Not implemented yet.")
	if a.value == 0 {
		a.value = api.HealthUnavailable
	}
	return a.value, a.reasons[:]
}

// The lines of the reasons, in the predecessor's order, which is not that of precedence.
const (
	errorsLine = iota
	registrationLine
	inputLine
	completeLine
	stepsLine
	degradedLine
	recoveryLine
	backupLine
	restoreLine
	upgradeLine
	lines
)

// assessment collects reasons and keeps the first value found.
type assessment struct {
	value   int
	reasons [lines]string
}

func (a *assessment) say(line int, format string, values ...any) {
	a.reasons[line] = fmt.Sprintf(format, values...)
}

func (a *assessment) found(value int) {
	if a.value == 0 {
		a.value = value
	}
}

func (a *assessment) errors(v *scheduler.View) {
	for _, plan := range v.Plans {
		if len(plan.Errors) > 0 || plan.Status == plans.Error {
			a.found(api.HealthPlanErrors)
			a.say(errorsLine, "Priority 1. Status Code 500 is TRUE. Errors found in plans.")
			return
		}
	}
	a.say(errorsLine, "Priority 1. Status Code 500 is FALSE. No errors found in plans.")
}

func (a *assessment) registration(v *scheduler.View) {
	switch {
	case v.Framework == "":
		a.found(api.HealthInitializing)
		a.say(registrationLine, "Priority 1. Status Code 318 is TRUE. "+
			"Mesos registration pending, no Framework ID found.")
	case uninstalling(v):
		a.found(api.HealthInitializing)
		a.say(registrationLine,
			"Priority 1. Status Code 318 is TRUE. The service is being uninstalled.")
	default:
		a.say(registrationLine, "Priority 1. Status Code 318 is FALSE. "+
			"Registered with Framework ID %s.", v.Framework)
	}
}

func (a *assessment) steps(plan *scheduler.PlanView) {
	if plan == nil {
		a.say(stepsLine, "Priority 2. Status Code 204 and 202 are both FALSE. No deploy plan.")
		return
	}
	steps := count(*plan)
	switch {
	case steps.of[plans.Delayed] > 0:
		a.found(api.HealthDelayed)
		a.say(stepsLine, "Priority 2. Status Code 208 is TRUE, %s", steps)
	case steps.pending() > 0:
		a.found(api.HealthDeployPending)
		a.say(stepsLine, "Priority 2. Status Code 204 is TRUE, %s", steps)
	case steps.starting() > 0:
		a.found(api.HealthDeploying)
		a.say(stepsLine, "Priority 2. Status Code 202 is TRUE, %s", steps)
	default:
		a.say(stepsLine, "Priority 2. Status Code 204 and 202 are both FALSE %s", steps)
	}
}

func (a *assessment) input(plan *scheduler.PlanView) {
	if plan != nil && (plan.Status == plans.Waiting || count(*plan).of[plans.Waiting] > 0) {
		a.found(api.HealthNeedsInput)
		a.say(inputLine, "Priority 2. Status Code 207 is TRUE. "+
			"Service deploy plan is awaiting user input to proceed.")
		return
	}
	a.say(inputLine, "Priority 2. Status Code 207 is FALSE. "+
		"Service deploy plan does NOT need user input.")
}

func (a *assessment) recovery(plan *scheduler.PlanView) {
	switch {
	case plan == nil:
		a.say(recoveryLine, "Priority 4. Status Code 203 and 205 is FALSE. "+
			"Recovery plan manager not found.(might be uninstalling)")
		return
	case plan.Status == plans.Complete:
		a.say(recoveryLine,
			"Priority 4. Status Code 203 and 205 is FALSE. Recovery plan is complete.")
		return
	}
	steps := count(*plan)
	switch {
	case steps.of[plans.Delayed] > 0:
		a.found(api.HealthDelayed)
		a.say(recoveryLine, "Priority 4. Status Code 208 is TRUE, %s", steps)
	case steps.pending() > 0:
		a.found(api.HealthRecoveryPending)
		a.say(recoveryLine, "Priority 4. Status Code 203 is TRUE, %s", steps)
	case steps.starting() > 0:
		a.found(api.HealthRecoveryStarting)
		a.say(recoveryLine, "Priority 4. Status Code 205 is TRUE, %s", steps)
	default:
		a.say(recoveryLine, "Priority 4. Status Code 203 and 205 is FALSE, %s", steps)
	}
}

func (a *assessment) complete(v *scheduler.View, plan *scheduler.PlanView) {
	switch {
	case plan != nil && plan.Status == plans.Complete:
		a.found(api.HealthComplete)
		a.say(completeLine,
			"Priority 1. Status Code 200 is TRUE. Service deploy plan is complete.")
	case v.Framework == "":
		a.say(completeLine, "Priority 1. Status Code 200 is FALSE. Service still initializing.")
	default:
		a.say(completeLine,
			"Priority 1. Status Code 200 is FALSE. Service deploy plan is NOT complete.")
	}
}

// The plans that back up and restore are known by their names.
var (
	backups  = regexp.MustCompile(`back`)
	restores = regexp.MustCompile(`restor`)
)

// kind makes a healthy service one that restores or backs up, while such a plan runs.
func (a *assessment) kind(
	v *scheduler.View, line int, word string, names *regexp.Regexp, value int,
) {
	var idle []string
	for _, plan := range v.Plans {
		switch {
		case !names.MatchString(plan.Name):
		case active(plan.Status):
			if a.value == api.HealthComplete {
				a.value = value
			}
			a.say(line, "Priority 5. Status Code %d is TRUE. Running plan: %s", value, plan.Name)
			return
		default:
			idle = append(idle, plan.Name)
		}
	}
	if len(idle) == 0 {
		a.say(line, "Priority 5. Status Code %d is FALSE. No %s plans detected.", value, word)
		return
	}
	a.say(line, "Priority 5. Status Code %d is FALSE. Following %s plans not running: %s",
		value, word, strings.Join(idle, ", "))
}

func active(status plans.Status) bool {
	switch status {
	case plans.Prepared, plans.Starting, plans.Started, plans.InProgress, plans.Delayed:
		return true
	}
	return false
}

// steps counts the steps of a plan by their status.
type steps struct {
	total int
	of    map[plans.Status]int
}

func count(plan scheduler.PlanView) steps {
	s := steps{of: map[plans.Status]int{}}
	for _, phase := range plan.Phases {
		s.total += len(phase.Steps)
		for i := 0; i < len(phase.Steps); { // by runs of the same status: there may be many
			begin, status := i, phase.Steps[i].Status
			for i < len(phase.Steps) && phase.Steps[i].Status == status {
				i++
			}
			s.of[status] += i - begin
		}
	}
	return s
}

func (s steps) pending() int  { return s.of[plans.Pending] + s.of[plans.Prepared] }
func (s steps) starting() int { return s.of[plans.Starting] + s.of[plans.Started] }

// String is the predecessor's summary.
func (s steps) String() string {
	return fmt.Sprintf("Steps: Total(%d) Pending(%d) Prepared(%d) Starting(%d) Started(%d) "+
		"Completed(%d) Delayed(%d)", s.total, s.of[plans.Pending], s.of[plans.Prepared],
		s.of[plans.Starting], s.of[plans.Started], s.of[plans.Complete], s.of[plans.Delayed])
}
