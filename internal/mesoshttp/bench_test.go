package mesoshttp

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// recordedOffers is a recorded OFFERS event, with its offer so many times and each time of
// another agent, as a master has it on the wire.
func recordedOffers(t testing.TB, name string, n int) []byte {
	for _, line := range recording(t, name) {
		if line.API != "scheduler" || line.Dir != "event" ||
			!bytes.Contains(line.Body, []byte(`"OFFERS"`)) {
			continue
		}
		e := &scheduler.Event{}
		if err := decodeMessage(codecFor(true), line.Body, e); err != nil {
			t.Fatal(err)
		}
		one := e.Offers.Offers[0]
		e.Offers.Offers = slices.Repeat([]wire.Offer{one}, n)
		for i := range e.Offers.Offers {
			o := &e.Offers.Offers[i]
			o.ID.Value = fmt.Sprintf("%s%d", one.ID.Value, i)
			o.AgentID.Value = fmt.Sprintf("%s%d", one.AgentID.Value, i)
		}
		body, err := encodeMessage(codecFor(false), e)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	t.Fatalf("%s has no offers", name)
	return nil
}

// BenchmarkDecodeOffers decodes an event of 10,000 offers into our own words, as it comes in
// one record of the stream.
func BenchmarkDecodeOffers(b *testing.B) {
	const n = 10_000
	for _, name := range []string{
		"03a-reserve-create-launch.jsonl", "14-attributes-domains.jsonl",
	} {
		b.Run(name, func(b *testing.B) {
			body := recordedOffers(b, name, n)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var e scheduler.Event
				if err := decodeMessage(codecFor(false), body, &e); err != nil {
					b.Fatal(err)
				}
				event, ok := eventFromWire(&e)
				if offers, is := event.(mesos.Offers); !ok || !is || len(offers.Offers) != n {
					b.Fatal(event)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "offers/s")
		})
	}
}
