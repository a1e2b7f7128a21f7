package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// shape is a configuration: a Kafka cluster, maybe with another pod beside it, or the two pods of
// all kinds of tasks with plans of all kinds.
type shape struct {
	revision int // a variable of the environment of all tasks
	brokers  int // 0 for none
	// controllers are those that are no brokers, 0 for brokers that are controllers too.
	controllers int
	unlike      int  // something that differs for one broker, if there are such controllers
	topics      int  // what topics are declared, 0 for none
	former      bool // Kafka is of the release before the latest
	metadata    metadata
	servers     int // of ZooKeeper, 0 for those of somebody else
	other       bool
	// nodes and data count the instances of the mixed pods, without which nodes is 0.
	nodes, data  int
	large        bool // more cpus
	agent, extra bool // optional tasks
	update       bool // there is a plan update
	policies     bool // all pods have them, and of the mixed ones one an action
	// The strategies of the plan deploy and of its phases.
	order, nodeOrder, dataOrder string
}

func drawKafka(rng *rand.Rand) shape {
	s := shape{brokers: 3, other: rng.Float64() < 0.3, policies: rng.Float64() < 0.4}
	if rng.Float64() < 0.15 {
		s.brokers = 1
	}
	s.topics, s.former = rng.IntN(3), rng.Float64() < 0.5
	if rng.Float64() < 0.4 {
		s.controllers = []int{1, 3, 3}[rng.IntN(3)]
		s.order = []string{"serial", "parallel"}[rng.IntN(2)]
	}
	return s
}

func drawMixed(rng *rand.Rand) shape {
	s := shape{nodes: 1 + rng.IntN(3), data: 1 + rng.IntN(3), agent: rng.IntN(4) > 0,
		extra: rng.IntN(4) == 0, update: rng.IntN(2) == 0, policies: rng.Float64() < 0.4}
	s.order = []string{"serial", "parallel"}[rng.IntN(2)]
	orders := []string{"serial", "parallel", "serial-canary", "parallel-canary"}
	s.nodeOrder, s.dataOrder = orders[rng.IntN(4)], orders[rng.IntN(4)]
	return s
}

// changed draws another configuration of the same service; some of them are refused.
func (s shape) changed(rng *rand.Rand, agents int) shape {
	if s.metadata != native {
		return s.changedBridge(rng, agents)
	}
	if s.brokers > 0 {
		switch rng.IntN(7) {
		case 0:
			s.large = !s.large
		case 1:
			if s.brokers = min(s.brokers+1, agents); rng.IntN(2) == 0 {
				s.brokers = max(1, s.brokers-2)
			}
		case 2:
			s.controllers = min(2*s.controllers, s.controllers+1, agents)
			if rng.IntN(3) == 0 {
				s.controllers = max(0, s.controllers-2)
			}
		case 3:
			s.unlike = rng.IntN(3)
		case 4:
			s.topics = max(s.topics, rng.IntN(4))
		default:
			s.revision = rng.IntN(3)
		}
		return s
	}
	switch rng.IntN(10) {
	case 0:
		s.nodes = 1 + rng.IntN(3)
	case 1:
		s.nodes = max(1, s.nodes-1)
	case 2:
		s.data = 1 + rng.IntN(min(4, agents))
	case 3:
		s.large = !s.large
	case 4:
		s.agent = !s.agent
	case 5:
		s.extra = !s.extra
	case 6:
		s.update = !s.update
	case 7:
		s.policies = !s.policies
	default:
		s.revision = rng.IntN(3)
	}
	return s
}

const kafkaSpec = `
  kafka:
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'
    kafka: {version: %s, heap: 256%s}%s
    tasks:
      broker:
        goal: RUNNING
        cpus: %s
        memory: 768
        env: {REVISION: "%d"}
        ports:
          broker: {port: 0, advertise: true}
          controller: {port: 0}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
`

// controllersSpec has controllers of their own.
const controllersSpec = `
  controller:
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'%s
    kafka: {process: controller, version: %s, heap: 128}
    tasks:
      node:
        goal: RUNNING
        cpus: 0.5
        memory: 400
        env: {REVISION: "%d"}
        ports:
          controller: {port: 0}
        volume: {path: quorum, type: ROOT, size: 100}
        readiness-check: {tcp: {port: controller}, interval: 1, timeout: 5}
        kill-grace-period: 60
`

// apartSpec has the brokers beside them, with two log directories, one of them unlike the others.
const apartSpec = `
  broker:
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'%s
    kafka:
      process: broker
      version: %s
      heap: 256
      volumes: [logs-0, logs-1]
      instances: {0: {properties: {num.network.threads: 1%d}}}%s
    tasks:
      node:
        goal: RUNNING
        cpus: %s
        memory: 768
        ports:
          broker: {port: 0, advertise: true}
        volumes:
          first: {path: logs-0, type: ROOT, size: 300}
          second: {path: logs-1, type: ROOT, size: 200}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
`

// apartPlan deploys all at once, brokers too, which wait for the controllers; the plan that is
// made when there is none begins with the controllers.
const apartPlan = `
plans:
  deploy:
    strategy: parallel
    phases:
      broker: {pod: broker, strategy: parallel}
      controller: {pod: controller, strategy: parallel}
`

const policySpec = `
    fault-policy: {unreachable-timeout: 20, action: replace, max-replacements: 1, planned: replace}
    update: {settle: 5}`

const actionSpec = `
actions:
  failing: {pod: node, failures: 2, within: 120, plan: backup, cooldown: 60}
  away: {pod: data, metric: unreachable_instances, above: 0, plan: verify, cooldown: 60}
`

const otherSpec = `
  web:
    count: 2%s
    tasks:
      main:
        goal: RUNNING
        cmd: sleep 1000
        cpus: 0.2
        memory: 64
        volume: {path: web-data, type: ROOT, size: 50}
        readiness-check: {cmd: "true", interval: 1, timeout: 5}
      once:
        goal: ONCE
        cmd: echo done
        cpus: 0.1
        memory: 32
      side:
        goal: RUNNING
        cmd: sleep 1000
        cpus: 0.1
        memory: 32
        readiness-check: {cmd: "true", interval: 1, timeout: 5}
`

const nodeSpec = `
  node:
    count: %d
    allow-decommission: true
    placement: '[["hostname","MAX_PER","3"]]'%s
    resource-sets:
      node-resources:
        cpus: %s
        memory: 256
        ports:
          http: {port: 0, env-key: NODE_HTTP_PORT, advertise: true}
        volume: {path: node-data, type: ROOT, size: 500}
      side-resources: {cpus: 0.2, memory: 64}
    tasks:
      init: {goal: ONCE, cmd: ./init, resource-set: node-resources}
      server:
        goal: RUNNING
        cmd: ./server
        resource-set: node-resources
        env: {REVISION: "%d"}
        readiness-check: {cmd: "true", interval: 1, timeout: 5}
      backup:
        goal: ONCE
        cmd: ./backup $TARGET
        resource-set: side-resources
        env: {TARGET: here}
`

const agentSpec = `
      agent:
        goal: RUNNING
        essential: false
        cmd: ./agent
        cpus: 0.1
        memory: 32
        env: {REVISION: "%d"}
`

const dataSpec = `
  data:
    count: %d
    placement: '[["hostname","UNIQUE"]]'%s
    tasks:
      format:
        goal: FINISH
        cmd: ./format
        cpus: 0.1
        memory: 32
        volume: {path: format-data, type: ROOT, size: 50}
      server:
        goal: RUNNING
        cmd: ./data-server
        cpus: %s
        memory: 128
        env: {REVISION: "%d"}
        ports:
          data: {port: 0, advertise: true}
`

const extraSpec = `
      extra:
        goal: RUNNING
        cmd: ./extra
        cpus: 0.1
        memory: 32
        env: {REVISION: "%d"}
`

const planSpec = `
plans:
  deploy:
    strategy: %[1]s
    phases:
      node-deploy:
        strategy: %[2]s
        pod: node
        steps:
          - default: [[init], [%[4]s]]
      data-deploy:
        strategy: %[3]s
        pod: data
        steps:
          - 0: [[format, %[5]s]]
          - default: [[format], [%[5]s]]
  backup:
    strategy: serial
    phases:
      backup:
        strategy: parallel
        pod: node
        steps:
          - default: [[backup]]
      reformat:
        strategy: serial
        pod: data
        steps:
          - default: [[format]]
  verify:
    strategy: parallel
    phases:
      first:
        strategy: serial-canary
        pod: node
        steps:
          - 0: [[backup]]
          - default: []
      second:
        strategy: parallel-canary
        pod: data
        steps:
          - default: [[format]]
`

const updateSpec = `
  update:
    strategy: parallel
    phases:
      node-update:
        strategy: parallel
        pod: node
        steps:
          - default: [[%s]]
      data-update:
        strategy: serial
        pod: data
        steps:
          - default: [[%s]]
`

// declared are the topics of a shape, behind what is said of its brokers.
func (s shape) declared() string {
	if s.topics == 0 {
		return ""
	}
	return fmt.Sprintf(", drift: correct, topics: {audit: {},orders: {partitions: %d,"+
		"replication: %d,config: {retention.ms: %d000}}}", 2*s.topics, min(2, s.brokers),
		s.topics)
}

// text is the spec of a shape.
func (s shape) text() string {
	var b strings.Builder
	b.WriteString("name: kafka\nscheduler: {user: nobody}\npods:\n")
	cpus := map[bool]string{false: "0.5", true: "0.8"}[s.large]
	policies := map[bool]string{true: policySpec}[s.policies]
	switch {
	case s.metadata != native:
		b.WriteString(s.bridgeText(policies, cpus))
	case s.controllers > 0:
		topics := strings.ReplaceAll(s.declared(), ", ", "\n      ")
		fmt.Fprintf(&b, controllersSpec, s.controllers, policies, s.release(), s.revision)
		fmt.Fprintf(&b, apartSpec, s.brokers,
			policies, s.release(), s.unlike, topics, cpus)
	case s.brokers > 0:
		fmt.Fprintf(&b, kafkaSpec, s.brokers, s.release(), s.declared(), policies, cpus,
			s.revision)
	}
	if s.other {
		fmt.Fprintf(&b, otherSpec, policies)
	}
	if s.controllers > 0 && s.order == "parallel" {
		b.WriteString(apartPlan)
		if s.other {
			b.WriteString("      web: {pod: web}\n")
		}
	}
	if s.nodes == 0 {
		return b.String()
	}
	nodes, data := "server", "server"
	fmt.Fprintf(&b, nodeSpec, s.nodes, policies, cpus, s.revision)
	if s.agent {
		fmt.Fprintf(&b, agentSpec, s.revision)
		nodes += ", agent"
	}
	fmt.Fprintf(&b, dataSpec, s.data, policies, cpus, s.revision)
	if s.extra {
		fmt.Fprintf(&b, extraSpec, s.revision)
		data += ", extra"
	}
	fmt.Fprintf(&b, planSpec, s.order, s.nodeOrder, s.dataOrder, nodes, data)
	if s.update {
		fmt.Fprintf(&b, updateSpec, nodes, data)
	}
	if s.policies {
		b.WriteString(actionSpec)
	}
	return b.String()
}

var (
	servicesLock sync.Mutex
	services     = map[shape]servicespec.Service{}
)

// service is the parsed spec of a shape.
func (s shape) service() servicespec.Service {
	servicesLock.Lock()
	defer servicesLock.Unlock()
	if service, known := services[s]; known {
		return service
	}
	service, problems := servicespec.Parse("spec.yml", []byte(s.text()), nil)
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	services[s] = service
	return service
}
