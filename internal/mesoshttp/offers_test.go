package mesoshttp

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// TestManyOffers decodes recorded offers one at a time and all at once, which has to come to the
// same.
func TestManyOffers(t *testing.T) {
	for _, name := range []string{
		"03a-reserve-create-launch.jsonl", "14-attributes-domains.jsonl",
	} {
		body := recordedOffers(t, name, 3)
		var e scheduler.Event
		if err := decodeMessage(codecFor(false), body, &e); err != nil {
			t.Fatal(err)
		}
		want, _ := eventFromWire(&e)
		got, is, err := offersOf(body)
		if err != nil || !is {
			t.Fatalf("%s: %v, %v", name, is, err)
		}
		if diff := cmp.Diff(want, any(got)); diff != "" {
			t.Errorf("%s: all at once, and one at a time:\n%s", name, diff)
		}
		if _, is, err := offersOf(body[:len(body)-1]); is || err == nil {
			t.Errorf("%s: what is cut off is decoded", name)
		}
	}
	rescinded := scheduler.Event{Type: scheduler.Event_RESCIND, Rescind: &scheduler.Event_Rescind{}}
	rescinded.Rescind.OfferID.Value = "o1"
	body, err := encodeMessage(codecFor(false), &rescinded)
	if err != nil {
		t.Fatal(err)
	}
	if _, is, err := offersOf(body); is || err != nil {
		t.Errorf("another event is taken for offers: %v, %v", is, err)
	}
}
