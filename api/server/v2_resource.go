package server

import (
	"net/http"
	"slices"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

func (x *v2) offers(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	pod, host, fits := q.text("pod"), q.text("host"), q.flag("fits")
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	var wanted []scheduler.Outcome
	for _, o := range slices.Backward(v.Outcomes) {
		if (pod == "" || o.Pod == pod) && (host == "" || o.Host == host) &&
			(fits == nil || (o.Refusal == nil) == *fits) {
			wanted = append(wanted, o)
		}
	}
	key := func(o scheduler.Outcome) string {
		return o.At.UTC().String() + " " + o.Pod + " " + string(o.Offer.ID)
	}
	part, next := pageOf(wanted, page, key, behind(key))
	list := api.OfferList{Offers: []api.OfferOutcome{}, NextCursor: next}
	for _, o := range part {
		list.Offers = append(list.Offers, offerShape(o))
	}
	writeJSON(w, http.StatusOK, list)
}

func offerShape(o scheduler.Outcome) api.OfferOutcome {
	shape := api.OfferOutcome{At: o.At.UTC(), Pod: o.Pod, OfferID: string(o.Offer.ID),
		AgentID: string(o.Agent), Hostname: o.Host, Fits: o.Refusal == nil, Reasons: []string{},
		Codes: []string{}, Resources: o.Offer.Resources.String()}
	for _, reason := range o.Reasons() {
		shape.Reasons = append(shape.Reasons, reason.String())
		shape.Codes = append(shape.Codes, string(reason.Code))
	}
	return shape
}

func (x *v2) reservations(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	var held []*scheduler.PodView
	for i := range v.Pods {
		if v.Pods[i].Reservation != "" {
			held = append(held, &v.Pods[i])
		}
	}
	part, next := pageOf(held, page, podKey, comesAfter)
	list := api.ReservationList{Reservations: []api.Reservation{}, NextCursor: next}
	for _, pod := range part {
		list.Reservations = append(list.Reservations, reservationShape(*pod))
	}
	writeJSON(w, http.StatusOK, list)
}

func reservationShape(pod scheduler.PodView) api.Reservation {
	shape := api.Reservation{ID: string(pod.Reservation), Pod: pod.Name.String(),
		AgentID: string(pod.Agent), Hostname: pod.Hostname, Volumes: texts(pod.Volumes),
		Resources: []api.OwnedResources{}}
	if pod.Place == nil {
		return shape
	}
	shape.Confirmed = pod.Place.Confirmed
	shape.Resources = append(shape.Resources, api.OwnedResources{Owner: "executor",
		Resources: pod.Place.Executor.String()})
	for _, set := range pod.Place.Sets {
		shape.Resources = append(shape.Resources, api.OwnedResources{Owner: set.Name,
			Resources: set.Resources.String()})
	}
	return shape
}

func (x *v2) leftovers(w http.ResponseWriter, r *http.Request, v *scheduler.View) {
	q := newQuestion(r)
	page := q.page()
	if !q.answerable(w, r) {
		return
	}
	part, next := pageOf(v.Leftovers, page,
		func(l scheduler.Leftover) string { return string(l.Reservation) },
		func(l scheduler.Leftover, last string) bool { return string(l.Reservation) > last })
	list := api.LeftoverList{Leftovers: []api.Leftover{}, NextCursor: next}
	for _, left := range part {
		list.Leftovers = append(list.Leftovers, leftoverShape(left))
	}
	writeJSON(w, http.StatusOK, list)
}
