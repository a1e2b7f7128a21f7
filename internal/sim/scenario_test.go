package sim

import (
	"math/rand/v2"
	"time"
)

// scenario is what a seed draws before anything happens.
type scenario struct {
	shape     shape // the first configuration
	agents    int
	safety    time.Duration
	uninstall bool // in the end
	blind     bool // the operator API tells nothing
	// crashes, tasks, network and asked say how troubled each part of this world is.
	crashes, tasks, network, asked float64
	// able is how likely an agent is to report on operations; pictures says that the operator
	// API answers.
	able     float64
	pictures bool
	// older says that controllers do not become voters by themselves, as before Kafka 4.2.
	older bool
	// bad says that no node of the latest release comes up where it is to take the place of the
	// one before.
	bad bool
}

func drawScenario(rng *rand.Rand) scenario {
	level := func() float64 { return []float64{0, 0.3, 1, 1, 3}[rng.IntN(5)] }
	s := scenario{
		safety:    time.Duration(1+rng.IntN(6)) * time.Minute,
		uninstall: rng.Float64() < 0.3,
		crashes:   level(), tasks: level(), network: level(), asked: level(),
	}
	s.able, s.pictures = []float64{0, 0.5, 1, 1}[rng.IntN(4)], rng.Float64() < 0.7
	if rng.Float64() < 0.5 {
		s.shape = drawKafka(rng)
		s.agents = max(s.shape.brokers, s.shape.controllers) + rng.IntN(3)
	} else {
		s.shape = drawMixed(rng)
		s.agents = s.shape.data + rng.IntN(3)
	}
	s.blind = rng.Float64() < 0.3
	s.older = rng.Float64() < 0.3
	s.bad = s.shape.former && rng.Float64() < 0.2
	return s
}
