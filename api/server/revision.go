package server

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// digest collects what a revision is made of.
type digest struct{ data []byte }

func (d *digest) add(texts ...string) {
	for _, text := range texts {
		d.data = binary.AppendUvarint(d.data, uint64(len(text)))
		d.data = append(d.data, text...)
	}
}

func (d *digest) number(n int64) { d.data = binary.AppendVarint(d.data, n) }

func (d *digest) moment(t time.Time) {
	if !t.IsZero() {
		d.number(t.UnixNano())
	}
	d.add("")
}

func (d *digest) held(said *plans.Said) {
	if said == nil {
		d.add("")
		return
	}
	d.add("held", said.By, said.Reason)
	d.moment(said.At)
}

// revision is the ETag of what was collected.
func (d *digest) revision() string {
	sum := sha256.Sum256(d.data)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// revisionOf is the ETag of a value whose JSON tells no ages.
func revisionOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a shape of package api: recoverPanic says so
	}
	d := digest{text}
	return d.revision()
}

// planRevision is that of all that a plan shows, but for ages.
func planRevision(plan scheduler.PlanView) string {
	var d digest
	d.add(plan.Name, plan.Strategy, string(plan.Status))
	d.add(plan.Errors...)
	d.held(plan.Held)
	d.number(plan.Run.Number)
	for _, phase := range plan.Phases {
		d.phase(phase)
	}
	return d.revision()
}

func phaseRevision(phase scheduler.PhaseView) string {
	var d digest
	d.phase(phase)
	return d.revision()
}

func stepRevision(step scheduler.StepView) string {
	var d digest
	d.step(step)
	return d.revision()
}

func (d *digest) phase(phase scheduler.PhaseView) {
	d.add(phase.ID, phase.Name, phase.Strategy, string(phase.Status))
	d.held(phase.Held)
	for _, step := range phase.Steps {
		d.step(step)
	}
}

func (d *digest) step(step scheduler.StepView) {
	d.add(step.ID, step.Name, string(step.Status), step.Reason, step.Pod)
	d.add(step.Tasks...)
	d.held(step.Held)
	d.number(int64(step.Attempts))
	d.moment(step.NotBefore)
	d.moment(step.Since)
}

// serviceRevision is that of what the commands on a service change.
func serviceRevision(v *scheduler.View) string {
	var d digest
	d.add(v.Service, string(v.Intent), v.TargetID)
	return d.revision()
}

// targetRevision is that of the target: a configuration that becomes the target again is
// another one, and that its deployment was complete changes nothing.
func targetRevision(v *scheduler.View) string {
	return configurationRevision(scheduler.EarlierTarget{ID: v.TargetID,
		Number: v.TargetNumber})
}

// configurationRevision: what an id stands for never changes.
func configurationRevision(t scheduler.EarlierTarget) string {
	var d digest
	d.add("configuration", t.ID)
	d.number(t.Number)
	return d.revision()
}

// unchanged gives an answer its ETag, and answers 304 to who has it already.
func unchanged(w http.ResponseWriter, r *http.Request, revision string) bool {
	w.Header().Set("ETag", revision)
	if none := r.Header.Values("If-None-Match"); len(none) > 0 && names(none, revision, true) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	return false
}

// matches says whether the request may change what is at this revision now, and answers when it
// may not.
func matches(w http.ResponseWriter, r *http.Request, revision string) bool {
	wanted := r.Header.Values("If-Match")
	if len(wanted) == 0 || names(wanted, revision, false) {
		return true
	}
	w.Header().Set("ETag", revision)
	fail(w, r, http.StatusPreconditionFailed, api.CodeRevision,
		"It was changed since that revision; read it again and decide anew.")
	return false
}

// names says whether a list of entity tags, or a *, names a revision (RFC 9110, 13.1). Weak tags
// count only where that is enough.
func names(lists []string, revision string, weak bool) bool {
	for tag := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == "*" || tag == revision {
			return true
		}
	}
	return false
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
