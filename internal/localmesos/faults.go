package localmesos

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// FaultsPath is where the master takes orders to misbehave, if it was started with Faults. A
// POST of a Fault carries it out and answers with a FaultResult; a GET shows the FaultState.
const FaultsPath = "/localmesos/faults"

// Fault is one order to misbehave, or to stop it. Which fields count depends on the action;
// durations left out have the defaults of the action.
type Fault struct {
	Action FaultAction `json:"action"`
	// Agent is the agent's name, host name, address or id.
	Agent string `json:"agent,omitempty"`
	// For ends a fault of an agent by itself; of the master it is how long it is away.
	For Span `json:"for,omitempty"`
	// Timeout is how long the master waits for the agent before it gives it up.
	Timeout Span `json:"timeout,omitempty"`
	// NewID lets the agent come back with an empty work directory and another id.
	NewID bool `json:"new_id,omitempty"`
	// Election is how long there is no leader, and Rejoin how long until the agents register
	// with the new one.
	Election Span `json:"election,omitempty"`
	Rejoin   Span `json:"rejoin,omitempty"`
	// Count is how many messages or operations it concerns; 0 means one.
	Count int `json:"count,omitempty"`
	// Delay is how long a message is held.
	Delay Span `json:"delay,omitempty"`
	// Of is what kind of updates: "task", "operation", or "" for both.
	Of string `json:"of,omitempty"`
	// Match limits it to tasks or operations whose id contains this.
	Match string `json:"match,omitempty"`
	// Operation limits a refusal to one kind, such as RESERVE; State is what is answered:
	// FAILED, DROPPED or ERROR.
	Operation string `json:"operation,omitempty"`
	State     string `json:"state,omitempty"`
	// Grace is the longest time that tasks get to end on an agent that is drained.
	Grace Span `json:"grace,omitempty"`
}

// FaultAction names what goes wrong, or right again.
type FaultAction string

// The actions. What each looks like is said at the function that carries it out.
const (
	KillAgent        FaultAction = "kill-agent"
	FreezeAgent      FaultAction = "freeze-agent"
	PartitionAgent   FaultAction = "partition-agent"
	PowerOffAgent    FaultAction = "power-off"
	RebootAgent      FaultAction = "reboot"
	ReturnAgent      FaultAction = "return-agent"
	DrainAgent       FaultAction = "drain"
	ReactivateAgent  FaultAction = "reactivate"
	RemoveAgent      FaultAction = "remove-agent"
	FailOver         FaultAction = "failover"
	DropUpdates      FaultAction = "drop-updates"
	DelayUpdates     FaultAction = "delay-updates"
	DoubleUpdates    FaultAction = "double-updates"
	ReorderUpdates   FaultAction = "reorder-updates"
	RefuseOperations FaultAction = "refuse-operations"
	DelayAccepts     FaultAction = "delay-accepts"
	LoseLaunches     FaultAction = "lose-launches"
	RescindOffers    FaultAction = "rescind-offers"
	EndFaults        FaultAction = "clear"
)

// Span is a duration that is written as "1m30s" in JSON.
type Span time.Duration

// MarshalText writes the duration.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText reads a duration, which must not be negative.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is no duration: write for example 30s or 2m", text)
	}
	*s = Span(d)
	return nil
}

func (s Span) or(def time.Duration) time.Duration {
	if s == 0 {
		return def
	}
	return time.Duration(s)
}

// FaultResult is the answer to a fault that was carried out.
type FaultResult struct {
	Done string `json:"done"`
}

// FaultState is what is wrong at present.
type FaultState struct {
	Master string            `json:"master"` // "leading", or why it answers nothing
	Agents []FaultAgentState `json:"agents"`
	Rules  []string          `json:"rules"`
}

// FaultAgentState is one agent: "well", or what was done to it.
type FaultAgentState struct {
	Name     string    `json:"name"`
	Hostname string    `json:"hostname"`
	ID       string    `json:"id"`
	State    string    `json:"state"`
	Since    time.Time `json:"since,omitzero"`
}

// faults is what is wrong with the cluster; all but refusal is the loop's.
type faults struct {
	refusal  atomic.Pointer[string] // why the master answers nothing; nil when it does
	recovery *timer
	rules    []*faultRule
}

// errNoFaults is what a cluster answers that was not started with Faults.
var errNoFaults = errors.New("faults are switched off: start this Mesos with --faults")

// Inject carries a fault out and says in a sentence what it did.
func (c *Cluster) Inject(f Fault) (string, error) {
	if !c.cfg.Faults {
		return "", errNoFaults
	}
	type result struct {
		done string
		err  error
	}
	r, err := ask(c, func() result {
		done, err := c.inject(f)
		return result{done, err}
	})
	if err != nil {
		return "", err
	}
	if r.err == nil {
		c.log.Warn("fault", "action", f.Action, "agent", f.Agent, "done", r.done)
	}
	return r.done, r.err
}

func (c *Cluster) inject(f Fault) (string, error) {
	switch f.Action {
	case FailOver:
		return c.failOver(f), nil
	case RescindOffers:
		return c.rescindOffers(f)
	case EndFaults:
		return c.endFaults(), nil
	case DropUpdates, DelayUpdates, DoubleUpdates, ReorderUpdates, RefuseOperations,
		DelayAccepts, LoseLaunches:
		return c.addRule(f)
	}
	act := map[FaultAction]func(*agentNode, Fault) (string, error){
		KillAgent: c.killAgent, FreezeAgent: c.freezeAgent, PartitionAgent: c.partitionAgent,
		PowerOffAgent: c.powerOff, RebootAgent: c.reboot, ReturnAgent: c.returnAgent,
		DrainAgent: c.drainAgent, ReactivateAgent: c.reactivateAgent, RemoveAgent: c.removeAgent,
	}[f.Action]
	if act == nil {
		return "", fmt.Errorf("%q is no fault that is known here", f.Action)
	}
	a, err := c.faultAgent(f.Agent)
	if err != nil {
		return "", err
	}
	return act(a, f)
}

// faultAgent finds the agent that a fault names.
func (c *Cluster) faultAgent(name string) (*agentNode, error) {
	var known []string
	for _, a := range c.agents {
		if !a.present {
			continue
		}
		if name != "" && slices.Contains([]string{a.Name, a.cfg.Hostname, a.ip, a.id}, name) {
			return a, nil
		}
		if len(known) < 10 {
			known = append(known, a.Name)
		}
	}
	if name == "" {
		return nil, fmt.Errorf("the fault needs an agent; there are: %s",
			strings.Join(known, ", "))
	}
	return nil, fmt.Errorf("there is no agent %q; there are: %s", name,
		strings.Join(known, ", "))
}

// FaultState tells what is wrong at present.
func (c *Cluster) FaultState() (FaultState, error) {
	if !c.cfg.Faults {
		return FaultState{}, errNoFaults
	}
	return ask(c, func() FaultState {
		s := FaultState{Master: "leading", Agents: []FaultAgentState{}, Rules: []string{}}
		if why := c.faults.refusal.Load(); why != nil {
			s.Master = *why
		}
		for _, a := range c.agents {
			if !a.present {
				continue
			}
			state := FaultAgentState{Name: a.Name, Hostname: a.cfg.Hostname, ID: a.id,
				State: "well"}
			switch {
			case a.out != nil:
				state.State, state.Since = a.out.String(), a.out.since
			case a.Gone:
				state.State = "removed for good"
			}
			s.Agents = append(s.Agents, state)
		}
		for _, r := range c.faults.rules {
			s.Rules = append(s.Rules, r.String())
		}
		return s
	})
}

// endFaults makes everything well again, but for agents that were removed for good.
func (c *Cluster) endFaults() string {
	n := len(c.faults.rules)
	for _, r := range c.faults.rules {
		r.end(c)
	}
	c.faults.rules = nil
	back := 0
	for _, a := range c.agents {
		if a.out != nil && a.out.kind != rejoining {
			if _, err := c.returnAgent(a, Fault{}); err == nil {
				back++
			}
		}
	}
	return fmt.Sprintf("%d rules ended, %d agents come back", n, back)
}

// masterDoor lets requests to the master in while it is there to answer them.
func (c *Cluster) masterDoor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimRight(r.URL.Path, "/") == FaultsPath {
			c.serveFaults(w, r)
			return
		}
		if why := c.faults.refusal.Load(); why != nil {
			fail(http.StatusServiceUnavailable, "%s", *why).write(w, false)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (c *Cluster) serveFaults(w http.ResponseWriter, r *http.Request) {
	if !checkMethod(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	var answer any
	var err error
	if r.Method == http.MethodGet {
		answer, err = c.FaultState()
	} else {
		var f Fault
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		d.DisallowUnknownFields()
		if err = d.Decode(&f); err != nil {
			err = fmt.Errorf("this is no fault: %w", err)
		} else {
			var done string
			done, err = c.Inject(f)
			answer = FaultResult{done}
		}
	}
	switch {
	case errors.Is(err, errNoFaults):
		fail(http.StatusForbidden, "%s", err).write(w, false)
	case errors.Is(err, errClosed):
		fail(http.StatusServiceUnavailable, "%s", err).write(w, false)
	case err != nil:
		fail(http.StatusBadRequest, "%s", err).write(w, false)
	default:
		writeJSON(w, answer)
	}
}
