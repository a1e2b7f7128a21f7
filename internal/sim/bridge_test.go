package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Services of Kafka 3.9, the last that has its metadata in ZooKeeper, and the first that can
// migrate from there to controllers.

// metadata says where a cluster has its metadata.
type metadata int

const (
	native      metadata = iota // it was founded by controllers
	inZooKeeper                 // it has not migrated
	migrated                    // it was in ZooKeeper, and is with controllers
)

// ownStream is what a seed is paired with for the draws that make its world one of a cluster in
// ZooKeeper, so that all others are what they would be without.
const ownStream = 0x7a6f7d

// scenarioOf draws the scenario of a seed: about one in ten is of a cluster in ZooKeeper.
func scenarioOf(seed uint64, rng *rand.Rand) scenario {
	s := drawScenario(rng)
	own := rand.New(rand.NewPCG(seed, ownStream))
	if own.IntN(10) > 0 {
		return s
	}
	s.shape = drawBridge(own)
	s.agents = max(s.shape.brokers, s.shape.controllers, s.shape.servers) + own.IntN(3)
	s.safety = time.Duration(2+own.IntN(9)) * time.Minute
	s.bad = false
	return s
}

func drawBridge(rng *rand.Rand) shape {
	return shape{metadata: inZooKeeper, brokers: []int{1, 3, 3, 3}[rng.IntN(4)],
		controllers: []int{1, 3, 3}[rng.IntN(3)], servers: []int{0, 1, 3, 3}[rng.IntN(4)],
		other: rng.Float64() < 0.2, topics: rng.IntN(3), policies: rng.Float64() < 0.4}
}

// changedBridge draws another configuration of the same service; some of them are refused.
func (s shape) changedBridge(rng *rand.Rand, agents int) shape {
	switch rng.IntN(7) {
	case 0:
		s.large = !s.large
	case 1:
		if s.brokers = min(s.brokers+1, agents); rng.IntN(2) == 0 {
			s.brokers = max(1, s.brokers-2)
		}
	case 2:
		if s.metadata == migrated {
			s.controllers = min(2*s.controllers, s.controllers+1, agents)
		}
	case 3:
		s.topics = max(s.topics, rng.IntN(4))
	default:
		s.revision = rng.IntN(3)
	}
	return s
}

const serversSpec = `
  zookeeper:
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'
    zookeeper: {kafka-version: %s, heap: 128}
    tasks:
      server:
        goal: RUNNING
        cpus: 0.3
        memory: 256
        env: {REVISION: "%d"}
        ports:
          client: {port: 0}
          quorum: {port: 0}
          election: {port: 0}
        volume: {path: zookeeper-data, type: ROOT, size: 100}
        readiness-check: {tcp: {port: client}, interval: 1, timeout: 5}
        kill-grace-period: 30
`

const brokersSpec = `
  broker:
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'%s
    kafka:
      %s
      version: %s
      heap: 256%s
    tasks:
      node:
        goal: RUNNING
        cpus: %s
        memory: 768
        env: {REVISION: "%d"}
        ports:
          broker: {port: 0, advertise: true}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
`

// bridgeText is the part of the spec of a shape that is of Kafka and ZooKeeper.
func (s shape) bridgeText(policies, cpus string) string {
	var b strings.Builder
	at := "zookeeper: 'zk.example:2181'"
	if s.servers > 0 {
		fmt.Fprintf(&b, serversSpec, s.servers, s.release(), s.revision)
		at = "zookeeper: zookeeper"
	}
	if s.metadata == migrated {
		at = "process: broker"
	}
	topics := strings.ReplaceAll(s.declared(), ", ", "\n      ")
	fmt.Fprintf(&b, brokersSpec, s.brokers, policies, at, s.release(), topics, cpus, s.revision)
	if s.metadata == migrated {
		fmt.Fprintf(&b, controllersSpec, max(1, s.controllers), policies, s.release(), s.revision)
	}
	return b.String()
}

// metadata is where the target of the service has the metadata.
func (w *world) metadata() metadata {
	for _, p := range w.store.hard.Target.Service.Pods {
		if p.Kafka != nil && p.Kafka.OnZooKeeper() {
			return inZooKeeper
		}
	}
	return migrated
}
