package servicespec

import (
	"slices"
	"time"
)

// Seconds is a time in whole seconds.
type Seconds int

// Duration gives the time as Go has it.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// DefaultFailoverTimeout is that of a service which says nothing of it: two weeks.
const DefaultFailoverTimeout Seconds = 14 * 24 * 60 * 60

// The actions of a FaultPolicy.
const (
	FaultWait    = "wait"    // for the operator, or for the agent to come back
	FaultReplace = "replace" // the instance gets a new place, and its data is destroyed
)

// FaultPolicy is what to do about agents that are not there.
type FaultPolicy struct {
	UnreachableTimeout Seconds `json:"unreachable-timeout"`
	Action             string  `json:"action"` // FaultWait or FaultReplace
	// MaxReplacements is how many instances of the pod may be under replacement at a time.
	MaxReplacements int `json:"max-replacements"`
	// Planned is what to do about agents that are to go by plan, or that the placement rule no
	// longer allows: FaultWait or FaultReplace; "" is FaultWait.
	Planned string `json:"planned,omitempty"`
	// Disk is what to do about brokers with a log directory that failed, after UnreachableTimeout:
	// FaultWait or FaultReplace; "" is FaultWait.
	Disk string `json:"disk,omitempty"`
	// AbandonTimeout is after how long nobody waits for an agent any more to free what was left
	// there, 0 for never.
	AbandonTimeout Seconds `json:"abandon-timeout,omitempty"`
}

// UpdatePolicy is how a new configuration is rolled out.
type UpdatePolicy struct {
	// MaxUnavailable is how many instances of the pod may be down at a time; the strategies of
	// the plan may allow less. Of Kafka brokers they are those of one rack, and only as many as
	// every partition can do without.
	MaxUnavailable int `json:"max-unavailable"`
	// ByRack says that the instances of one zone go before those of the next.
	ByRack bool `json:"by-rack"`
	// Settle is how long an updated instance must be ready before the next goes.
	Settle Seconds `json:"settle"`
	// HaltOnFailure interrupts the plan when an updated instance fails.
	HaltOnFailure bool `json:"halt-on-failure"`
	// Fragile is what becomes of partitions that are unavailable while one of their brokers is
	// down: one of the choices below; "" is FragileMoveFirst.
	Fragile string `json:"fragile,omitempty"`
}

// The choices for partitions that are unavailable while one of their brokers is down.
const (
	FragileMoveFirst = "move-first" // to another broker, if there is one
	FragileAllow     = "allow"      // they go down with the broker
	FragileRefuse    = "refuse"     // the broker stays
)

// RebalancePolicy is how replicas of the pod's brokers are moved when no operator says so.
type RebalancePolicy struct {
	// Fill says that the brokers that a larger count adds are filled once all of them are up.
	Fill bool `json:"fill,omitempty"`
	// Throttle is how many bytes a second each broker may copy for what the scheduler moves by
	// itself, 0 for any: to fill brokers, to empty those that leave, and to move what would be
	// unavailable.
	Throttle int64 `json:"throttle,omitempty"`
}

// Action starts a plan when something happens to a pod: so many failures of one instance, or a
// metric above or below a value.
type Action struct {
	Name     string   `json:"name"`
	Pod      string   `json:"pod"`
	Failures int      `json:"failures,omitempty"` // 0 when Metric is set
	Within   Seconds  `json:"within,omitempty"`
	Metric   string   `json:"metric,omitempty"` // one of Metrics
	Above    *float64 `json:"above,omitempty"`
	Below    *float64 `json:"below,omitempty"`
	Plan     string   `json:"plan"`
	Cooldown Seconds  `json:"cooldown"`
}

// Secret is a secret that tasks get as a variable, a file, or both.
type Secret struct {
	Name string `json:"name"`
	// Secret is its path in the store of secrets; specs never have what is in it.
	Secret string `json:"secret"`
	EnvKey string `json:"env-key,omitempty"`
	File   string `json:"file,omitempty"`
}

// The metrics that actions can watch, each of the instances of one pod. They are what the
// scheduler knows for itself; it asks no other system.
const (
	MetricFailedLaunches       = "failed_launches"
	MetricUnreachableInstances = "unreachable_instances"
	MetricUnreadyInstances     = "unready_instances"
	MetricFencedBrokers        = "fenced_brokers"
	MetricMissingVoters        = "missing_voters"
	MetricOfflinePartitions    = "offline_partitions"
	MetricReplicasNotInSync    = "replicas_not_in_sync"
)

// Metric is something that actions can watch.
type Metric struct {
	Name, Meaning string
	// Kafka says that only pods of Kafka nodes have it.
	Kafka bool
}

// Metrics lists what actions can watch.
func Metrics() []Metric {
	return []Metric{
		{MetricFailedLaunches, "launches in a row that failed, of the worst instance", false},
		{MetricUnreachableInstances, "instances whose agent does not answer", false},
		{MetricUnreadyInstances, "instances that do not do what they are there for", false},
		{MetricFencedBrokers, "brokers that are registered and do not serve", true},
		{MetricMissingVoters, "voters that the leader of the quorum did not hear of lately", true},
		{MetricOfflinePartitions, "partitions of the cluster without a leader", true},
		{MetricReplicasNotInSync, "replicas of partitions that are not in the ISR", true},
	}
}

// metricNames are those that a pod has.
func metricNames(kafka bool) []string {
	var names []string
	for _, m := range Metrics() {
		if kafka || !m.Kafka {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return names
}
