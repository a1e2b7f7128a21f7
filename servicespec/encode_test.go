package servicespec

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// TestRoundTrip stores and reads services of any shape, sensible or not.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := drawer{rt}
		roundTrip(t, Service{Name: d.text(), WebURL: d.text(), Principal: d.text(),
			User: d.text(), Role: d.text(), Zookeeper: d.text(),
			FailoverTimeout: Seconds(d.number()),
			Pods:            many(d, d.pod), Plans: many(d, d.plan)})
	})
}

// drawer draws the parts of a service.
type drawer struct{ t *rapid.T }

func (d drawer) text() string            { return rapid.String().Draw(d.t, "text") }
func (d drawer) number() int             { return rapid.IntRange(0, 1<<40).Draw(d.t, "number") }
func (d drawer) yes() bool               { return rapid.Bool().Draw(d.t, "yes") }
func (d drawer) size() resource.MiB      { return resource.MiB(d.number()) }
func (d drawer) duration() time.Duration { return time.Duration(d.number()) }

// many draws a few of something; none is nil, as Parse has it.
func many[T any](d drawer, one func() T) []T {
	var all []T
	for range rapid.IntRange(0, 2).Draw(d.t, "many") {
		all = append(all, one())
	}
	return all
}

// maybe draws something or nothing.
func maybe[T any](d drawer, one func() T) *T {
	if d.yes() {
		return nil
	}
	v := one()
	return &v
}

func (d drawer) pod() Pod {
	return Pod{Type: d.text(), Count: d.number(), Placement: d.rule(), URIs: many(d, d.text),
		RLimits: many(d, d.rlimit), Volumes: many(d, d.volume), Tasks: many(d, d.task),
		AllowDecommission: d.yes(), PreReservedRole: d.text(), Image: d.text(),
		Kafka: maybe(d, d.kafka)}
}

func (d drawer) rule() placement.Rule {
	rule, err := placement.Parse(rapid.SampledFrom([]string{"", "hostname:UNIQUE",
		"@zone:GROUP_BY:3,rack:LIKE:a.*"}).Draw(d.t, "rule"))
	if err != nil {
		d.t.Fatal(err)
	}
	return rule
}

func (d drawer) kafka() Kafka {
	k := Kafka{Process: d.text(), Version: d.text(), Heap: d.size(), JVMFlags: many(d, d.text),
		Task: d.text(), ClientPort: d.text(), ControllerPort: d.text(), Volume: d.text()}
	if d.yes() {
		k.Properties = map[string]string{d.text(): d.text()}
	}
	if d.yes() {
		k.FirstID, k.Volumes = d.number(), many(d, d.text)
		k.Instances = map[int]KafkaInstance{d.number(): {Heap: d.size(), JVMFlags: many(d, d.text)}}
	}
	return k
}

func (d drawer) rlimit() RLimit {
	limit := func() uint64 { return rapid.Uint64().Draw(d.t, "limit") }
	return RLimit{Name: d.text(), Soft: maybe(d, limit), Hard: maybe(d, limit)}
}

func (d drawer) volume() Volume {
	return Volume{Path: d.text(), Type: d.text(), Size: d.size(), Profiles: many(d, d.text)}
}

func (d drawer) task() Task {
	return Task{Name: d.text(), Goal: Goal(d.text()), Essential: d.yes(), Command: d.text(),
		Env: many(d, func() EnvVar { return EnvVar{d.text(), d.text()} }),
		Configs: many(d, func() Config {
			return Config{Name: d.text(), Template: d.text(), Text: d.text(), Dest: d.text()}
		}),
		Resources: ResourceSet{Name: d.text(), CPUs: resource.Milli(d.number()),
			GPUs: resource.Milli(d.number()), Memory: d.size(), Ports: many(d, d.port),
			Volumes: many(d, d.volume)},
		Readiness: maybe(d, d.check), Health: maybe(d, d.check), KillGrace: d.duration(),
		Discovery: maybe(d, func() Discovery { return Discovery{d.text(), d.text()} }),
		Labels:    many(d, func() resource.Label { return resource.Label{Key: d.text()} })}
}

func (d drawer) port() Port {
	return Port{Name: d.text(), Port: d.number(), EnvKey: d.text(), Advertise: d.yes(),
		VIP:    maybe(d, func() VIP { return VIP{d.text(), d.number()} }),
		Ranges: many(d, func() resource.Range { return resource.Range{End: 1} })}
}

func (d drawer) check() Check {
	return Check{Command: d.text(),
		HTTP: maybe(d, func() HTTPCheck { return HTTPCheck{d.text(), d.text(), d.text()} }),
		TCP:  maybe(d, func() TCPCheck { return TCPCheck{d.text()} }), Interval: d.duration(),
		Timeout: d.duration(), Delay: d.duration(), GracePeriod: d.duration(),
		MaxConsecutiveFailures: d.number()}
}

func (d drawer) plan() Plan {
	return Plan{Name: d.text(), Strategy: Strategy(d.text()), Phases: many(d, func() Phase {
		return Phase{Name: d.text(), Strategy: Strategy(d.text()), Pod: d.text(),
			Steps: many(d, func() InstanceSteps {
				list := func() []string { return []string{d.text()} }
				return InstanceSteps{Index: d.number(), Default: d.yes(), Steps: many(d, list)}
			})}
	})}
}
