package server

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func entryShape(e scheduler.JournalEntry) api.JournalEntry {
	shape := api.JournalEntry{Number: e.Number, At: e.At.UTC(), Kind: e.Kind, Plan: e.Plan,
		Reason: e.Reason, What: e.What, Result: e.Outcome, Code: e.Code}
	shape.Caller, shape.Address = nameAndAddress(e.By)
	return shape
}

func (x *v2) journal(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	kind, plan, since := q.text("kind"), q.text("plan"), q.moment("since")
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	var wanted []scheduler.JournalEntry
	for _, e := range slices.Backward(v.Journal) {
		if (kind == "" || e.Kind == kind) && (plan == "" || e.Plan == plan) &&
			!e.At.Before(since) {
			wanted = append(wanted, e)
		}
	}
	key := func(e scheduler.JournalEntry) string { return strconv.FormatInt(e.Number, 10) }
	part, next := pageOf(wanted, page, key, behind(key))
	shape := api.Journal{Entries: []api.JournalEntry{}, NextCursor: next}
	for _, e := range part {
		shape.Entries = append(shape.Entries, entryShape(e))
	}
	writeJSON(w, http.StatusOK, shape)
}

// endings are the kinds of entries that end a run, with the state that it is in then.
var endings = map[string]string{
	api.KindPlanComplete: api.RunComplete, api.KindPlanHalt: api.RunHalted,
	api.KindPlanWait: api.RunWaiting, api.KindPlanStop: api.RunStopped,
}

// runs puts the starts and ends of plans in the journal together, newest first. A start that
// finds a run of its plan going on belongs to it.
func runs(journal []scheduler.JournalEntry) []api.HistoryRun {
	var list []api.HistoryRun
	open := map[string]int{} // by plan, the place of its run
	for _, e := range journal {
		at, running := open[e.Plan]
		state, ends := endings[e.Kind]
		switch {
		case e.Kind == api.KindPlanStart && !running:
			shape := entryShape(e)
			open[e.Plan] = len(list)
			list = append(list, api.HistoryRun{Plan: e.Plan, Number: e.Number,
				Started: shape.At, Caller: shape.Caller, Address: shape.Address,
				Reason: e.Reason, State: api.RunRunning})
		case ends && running:
			list[at].Ended, list[at].State, list[at].Result = instant(e.At), state, e.Outcome
			delete(open, e.Plan)
		}
	}
	slices.Reverse(list)
	return list
}

func (x *v2) history(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	plan, page := q.text("plan"), q.page()
	if !q.answerable(w, r) {
		return
	}
	wanted := slices.DeleteFunc(runs(v.Journal), func(run api.HistoryRun) bool {
		return plan != "" && run.Plan != plan
	})
	key := func(run api.HistoryRun) string { return strconv.FormatInt(run.Number, 10) }
	part, next := pageOf(wanted, page, key, behind(key))
	writeJSON(w, http.StatusOK, api.History{Runs: append([]api.HistoryRun{}, part...),
		NextCursor: next})
}
