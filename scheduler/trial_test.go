package scheduler

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

const trialSpec = `
name: trial
pods:
  web:
    count: %d
    allow-decommission: true
    placement: "hostname:MAX_PER:1"
    tasks:
      init: {goal: ONCE, cmd: ./init, cpus: 0.5, memory: %d}
      server:
        goal: RUNNING
        cmd: ./server
        cpus: 1
        memory: %[2]d
        ports: {http: {port: 0}, admin: {port: 31005}}
        volume: {path: data, type: ROOT, size: 500}
`

func trialService(t *testing.T, count, memory int) servicespec.Service {
	t.Helper()
	s, problems := servicespec.Parse("trial.yml", fmt.Appendf(nil, trialSpec, count, memory), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s
}

func trialOffers(t *testing.T, agents int) []mesos.Offer {
	t.Helper()
	list, err := resource.ParseList("cpus:4;mem:4000;disk:9000;ports:[31000-31010]")
	if err != nil {
		t.Fatal(err)
	}
	var offers []mesos.Offer
	for i := range agents {
		offers = append(offers, mesos.Offer{ID: mesos.OfferID(fmt.Sprint("o", i)),
			Agent: mesos.AgentID(fmt.Sprint("a", i)), Hostname: fmt.Sprint("h", i),
			Resources: list})
	}
	return offers
}

// TestTrialTwice places a service, finds its places by their labels alone, and brings the
// instances back to them: nothing has to be done.
func TestTrialTwice(t *testing.T) {
	service := trialService(t, 3, 600)
	trial := NewTrial(service, trialOffers(t, 3), nil)
	for _, name := range trial.Names() {
		if _, refusal := trial.Place(name); refusal != nil {
			t.Fatal(refusal)
		}
	}
	found := FindPlaces(service, trial.Offers())
	again := NewTrial(service, trial.Offers(), found)
	for _, name := range again.Names() {
		match, refusal := again.Place(name)
		if refusal != nil || len(offer.Operations(match)) > 0 {
			t.Fatalf("%s: %+v, %v", name, match, refusal)
		}
		was, is := trial.Placed(name), again.Placed(name)
		if was.Agent != is.Agent || was.Reservation != is.Reservation ||
			!placeResources(*was).Equal(placeResources(*is)) ||
			!reflect.DeepEqual(portsAt(*was), portsAt(*is)) {
			t.Errorf("%s: %+v became %+v", name, was, is)
		}
	}
	if !reflect.DeepEqual(trial.Offers(), again.Offers()) {
		t.Errorf("%v became %v", trial.Offers(), again.Offers())
	}
}

// TestTrialOfAChange lets instances shrink, and a new one take what they give back; one that goes
// stays where it is, as it is.
func TestTrialOfAChange(t *testing.T) {
	trial := NewTrial(trialService(t, 3, 1900), trialOffers(t, 3), nil)
	for _, name := range trial.Names() {
		if _, refusal := trial.Place(name); refusal != nil {
			t.Fatal(refusal)
		}
	}
	then := NewTrial(trialService(t, 2, 100), trial.Offers(), trial.Places())
	for _, name := range then.Names() {
		match, refusal := then.Place(name)
		if refusal != nil || match.Unreserve.Total(resource.Mem) != 3600*1000 {
			t.Fatalf("%s: %+v, %v", name, match, refusal)
		}
	}
	gone := PodName{"web", 2}
	if s := then.Surplus(); len(s) != 1 || s[0] != gone || then.Placed(gone) == nil {
		t.Errorf("%v are to go", s)
	}
	grown := NewTrial(trialService(t, 2, 2100), trial.Offers(), trial.Places())
	for _, name := range grown.Names() {
		if _, refusal := grown.Place(name); refusal == nil {
			t.Errorf("%s grows where there is no room", name)
		}
		if _, refusal := grown.Elsewhere(name); refusal == nil {
			t.Errorf("%s would fit elsewhere, although all agents are too small", name)
		}
	}
}
