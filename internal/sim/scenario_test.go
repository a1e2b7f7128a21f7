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
    count: %d
    placement: '[["hostname","MAX_PER","1"]]'
    kafka: {version: 4.3.1, heap: 256}%s
    tasks:
      broker:
        goal: RUNNING
        cpus: 1
        memory: 768
        env: {EXTRA: "%d"}
        ports:
          broker: {port: 0, advertise: true}
          controller: {port: 0}
        volume: {path: kafka-data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
        kill-grace-period: 300
`

// policies are those of both pods in some scenarios.
const policies = `
    fault-policy: {unreachable-timeout: 20, action: replace, max-replacements: 1}
    update: {settle: 5}`

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

// services are parsed once: by number of brokers, whether there is another pod, whether there
// are policies, and revision.
var services = map[string]servicespec.Service{}

func init() {
	for _, brokers := range []int{1, 3} {
		for _, other := range []bool{false, true} {
			for revision := range 3 {
				for with, policies := range map[bool]string{false: "", true: policies} {
					text := fmt.Sprintf(kafkaSpec, brokers, policies, revision)
					if other {
						text += fmt.Sprintf(otherSpec, policies)
					}
					services[fmt.Sprint(brokers, other, with, revision)] = parsed(text)
				}
			}
		}
	}
}

func parsed(text string) servicespec.Service {
	service, problems := servicespec.Parse("spec.yml", []byte(text), nil)
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	return service
}

func drawScenario(rng *rand.Rand) scenario {
	brokers := 3
	if rng.Float64() < 0.15 {
		brokers = 1
	}
	other, policies := rng.Float64() < 0.3, rng.Float64() < 0.4
	level := func() float64 { return []float64{0, 0.3, 1, 1, 3}[rng.IntN(5)] }
	s := scenario{
		service:   services[fmt.Sprint(brokers, other, policies, 0)],
		agents:    brokers + rng.IntN(3),
		safety:    time.Duration(1+rng.IntN(6)) * time.Minute,
		uninstall: rng.Float64() < 0.3,
		crashes:   level(), tasks: level(), network: level(), asked: level(),
	}
	for revision := 1; revision < 3; revision++ {
		s.next = append(s.next, services[fmt.Sprint(brokers, other, policies, revision)])
	}
	return s
}
