package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// scenario is what a seed draws before anything happens.
type scenario struct {
	service   servicespec.Service
	next      []servicespec.Service // configurations that it can be changed to
	agents    int
	safety    time.Duration
	uninstall bool // in the end
	// crashes, tasks, network and asked say how troubled each part of this world is.
	crashes, tasks, network, asked float64
}

const kafkaSpec = `
name: kafka
scheduler: {user: nobody}
pods:
  kafka:
    count: %[1]d
    placement: '[["hostname","MAX_PER","1"]]'
    kafka: {version: 4.3.1, heap: 256}
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        env: {EXTRA: "%[2]d"}
        ports:
          broker: {port: 0, advertise: true}
          controller: {port: 0}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
`

// apartSpec has controllers of their own, and brokers with two log directories, one of them
// unlike the others; everything is deployed at once.
const apartSpec = `
name: kafka
scheduler: {user: nobody}
plans:
  deploy:
    strategy: parallel
    phases:
      broker: {pod: broker, strategy: parallel}
      controller: {pod: controller, strategy: parallel}
%[3]s
pods:
  broker:
    count: %[1]d
    placement: '[["hostname","MAX_PER","1"]]'
    kafka:
      process: broker
      heap: 256
      volumes: [logs-0, logs-1]
      instances: {0: {properties: {num.io.threads: 1%[2]d}}}
    tasks:
      node:
        goal: RUNNING
        cpus: 1
        memory: 768
        ports:
          broker: {port: 0, advertise: true}
        volumes:
          first: {path: logs-0, type: ROOT, size: 300}
          second: {path: logs-1, type: ROOT, size: 200}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
  controller:
    count: %[1]d
    placement: '[["hostname","MAX_PER","1"]]'
    kafka: {process: controller, heap: 128}
    tasks:
      node:
        goal: RUNNING
        cpus: 0.5
        memory: 400
        env: {EXTRA: "%[2]d"}
        ports:
          controller: {port: 0}
        volume: {path: quorum, type: ROOT, size: 100}
        readiness-check: {tcp: {port: controller}, interval: 1, timeout: 5}
        kill-grace-period: 60
`

const otherPhase = "      web: {pod: web}"

const otherSpec = `
  web:
    count: 2
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

// services are parsed once: by the form of the cluster, its number of brokers, whether there is
// another pod, and revision.
var services = map[string]servicespec.Service{}

func init() {
	for form, spec := range map[string]string{combined: kafkaSpec, apart: apartSpec} {
		for _, brokers := range []int{1, 3} {
			for _, other := range []bool{false, true} {
				for revision := range 3 {
					services[fmt.Sprint(form, brokers, other, revision)] =
						parse(spec, brokers, revision, other)
				}
			}
		}
	}
}

func parse(spec string, brokers, revision int, other bool) servicespec.Service {
	phase, pod := "", ""
	if other {
		phase, pod = otherPhase, otherSpec
	}
	text := fmt.Sprintf(spec, brokers, revision, phase) + pod
	service, problems := servicespec.Parse("spec.yml", []byte(text), nil)
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	return service
}

// The forms of clusters: nodes that are brokers and controllers, or nodes that are either.
const (
	combined = "combined"
	apart    = "apart"
)

func drawScenario(rng *rand.Rand) scenario {
	brokers := 3
	if rng.Float64() < 0.15 {
		brokers = 1
	}
	other := rng.Float64() < 0.3
	form := combined
	if rng.Float64() < 0.35 {
		form = apart
	}
	level := func() float64 { return []float64{0, 0.3, 1, 1, 3}[rng.IntN(5)] }
	s := scenario{
		service:   services[fmt.Sprint(form, brokers, other, 0)],
		agents:    brokers + rng.IntN(3),
		safety:    time.Duration(1+rng.IntN(6)) * time.Minute,
		uninstall: rng.Float64() < 0.3,
		crashes:   level(), tasks: level(), network: level(), asked: level(),
	}
	for revision := 1; revision < 3; revision++ {
		s.next = append(s.next, services[fmt.Sprint(form, brokers, other, revision)])
	}
	return s
}
