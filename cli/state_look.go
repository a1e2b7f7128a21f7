package cli

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// stateReport is what state inspect and verify tell.
type stateReport struct {
	Place         string         `json:"place"`
	Service       string         `json:"service,omitempty"`
	FrameworkID   string         `json:"framework_id,omitempty"`
	Target        string         `json:"target,omitempty"`
	Intent        string         `json:"intent"`
	Pods          []statePod     `json:"pods"`
	Entries       int            `json:"entries"`
	Bytes         int            `json:"bytes"`
	Kinds         map[string]int `json:"kinds"`
	Contradictory []string       `json:"contradictory,omitempty"`
}

type statePod struct {
	Name        string   `json:"name"`
	Hostname    string   `json:"hostname,omitempty"`
	AgentID     string   `json:"agent_id,omitempty"`
	Reservation string   `json:"reservation,omitempty"`
	Tasks       []string `json:"tasks"`
}

// report reads a state and says what it holds.
func report(place string, entries map[string][]byte) (stateReport, error) {
	hard, err := store.Decode(entries)
	if err != nil {
		return stateReport{}, err
	}
	r := stateReport{Place: place, Service: hard.Target.Service.Name,
		FrameworkID: string(hard.Framework), Target: hard.Target.ID,
		Intent: string(cmp.Or(hard.Intent, scheduler.Run)), Entries: len(entries),
		Kinds:         map[string]int{},
		Contradictory: scheduler.Verify(hard)}
	for key, value := range entries { //tidy:unordered sums
		r.Bytes += len(key) + len(value)
		kind, _, _ := strings.Cut(key, "/")
		r.Kinds[kind]++
	}
	for _, name := range slices.SortedFunc(maps.Keys(hard.Pods), comparePods) {
		r.Pods = append(r.Pods, statePodOf(hard.Pods[name]))
	}
	return r, nil
}

func comparePods(a, b scheduler.PodName) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Index, b.Index))
}

func statePodOf(p scheduler.Pod) statePod {
	out := statePod{Name: p.Name.String()}
	if p.Place != nil {
		out.Hostname, out.AgentID = p.Place.Hostname, string(p.Place.Agent)
		out.Reservation = string(p.Place.Reservation)
	}
	for _, t := range p.Tasks {
		state := string(t.State)
		if t.ID == "" {
			state = "never launched"
		}
		out.Tasks = append(out.Tasks, t.Name+": "+state)
	}
	return out
}

func (e *env) stateInspectCmd() *cobra.Command {
	var p statePlace
	var key string
	c := &cobra.Command{
		Use: "inspect", Short: "Show what the state holds, without a scheduler",
		Args: arguments(0, 0), Example: "  kafka-sched state inspect\n" +
			"  kafka-sched state inspect --key pod/kafka-0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := p.entries(cmd.Context(), e)
			if err != nil {
				return err
			}
			if key != "" {
				value, is := entries[key]
				if !is {
					return fail(exitNotFound, "there is no entry %q; there are: %s", key,
						listing(slices.Sorted(maps.Keys(entries))))
				}
				return e.printJSON(json.RawMessage(value))
			}
			r, err := report(p.String(), entries)
			if err != nil {
				return e.stateError(err)
			}
			return e.print(r, func() error { return e.printState(r) })
		},
	}
	p.flags(c)
	c.Flags().StringVar(&key, "key", "", "show this entry alone (JSON)")
	return c
}

func (e *env) printState(r stateReport) error {
	e.printf("%s\n  service       %s\n  framework     %s\n  configuration %s\n"+
		"  intent        %s\n  entries       %d, %d bytes\n", r.Place, r.Service,
		r.FrameworkID, r.Target, r.Intent, r.Entries, r.Bytes)
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		e.printf("    %-11s %d\n", kind, r.Kinds[kind])
	}
	e.printf("\n")
	t := e.table([]string{"POD", "HOST", "TASKS", "RESERVATION", "AGENT"})
	for _, p := range r.Pods {
		row(t, p.Name, p.Hostname, strings.Join(p.Tasks, ", "), p.Reservation, p.AgentID)
	}
	return t.Flush()
}

func (e *env) stateVerifyCmd() *cobra.Command {
	var p statePlace
	c := &cobra.Command{
		Use: "verify", Short: "Check that the state is whole, without a scheduler",
		Args: arguments(0, 0),
		Long: "Read the whole state, check its checksums and its form, and look for what\n" +
			"contradicts itself: reservations, volumes and tasks that two instances have.",
		Example: "  kafka-sched state verify\n  kafka-sched state verify --db state.db",
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := p.entries(cmd.Context(), e)
			if err != nil {
				return err
			}
			r, err := report(p.String(), entries)
			if err != nil {
				return e.stateError(err)
			}
			if len(r.Contradictory) > 0 {
				return fail(exitFailed, "%s contradicts itself:\n  %s", r.Place,
					strings.Join(r.Contradictory, "\n  "))
			}
			return e.print(r, func() error {
				e.printf("%s is whole: %d entries, %d instances\n", r.Place, r.Entries,
					len(r.Pods))
				return nil
			})
		},
	}
	p.flags(c)
	return c
}
