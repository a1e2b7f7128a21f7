package mesoshttp

import (
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// interned holds each text once: that of 10,000 agents names the same roles, labels and
// attributes again and again, and it is kept until the next answer.
type interned map[string]string

func (t interned) text(s *string) {
	if known, is := t[*s]; is {
		*s = known
		return
	}
	t[*s] = *s
}

// agent makes the texts of an agent that was just decoded those that are known.
func (t interned) agent(a *mesos.SeenAgent) {
	t.where(a.Attributes, &a.Domain)
	t.text(&a.IP)
	t.list(a.Reserved)
}

// offer does so for an offer.
func (t interned) offer(o *mesos.Offer) {
	t.where(o.Attributes, &o.Domain)
	t.text(&o.Role)
	t.list(o.Resources)
}

func (t interned) where(attributes []mesos.Attribute, domain *mesos.Domain) {
	for i := range attributes {
		t.text(&attributes[i].Name)
		t.text(&attributes[i].Value)
	}
	t.text(&domain.Region)
	t.text(&domain.Zone)
}

func (t interned) list(list resource.List) {
	for i := range list {
		r := &list[i]
		t.text(&r.Name)
		t.text(&r.Role)
		for j := range r.Reservations {
			t.text(&r.Reservations[j].Role)
			t.text(&r.Reservations[j].Principal)
			for k := range r.Reservations[j].Labels {
				t.text(&r.Reservations[j].Labels[k].Key)
				t.text(&r.Reservations[j].Labels[k].Value)
			}
		}
	}
}
