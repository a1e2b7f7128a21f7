package cli

import (
	"context"
	"os"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// simulating are the flags of simulate.
type simulating struct {
	specFlags
	cluster, master, take string
	changes               []string
}

func (e *env) simulateCmd() *cobra.Command {
	var s simulating
	c := &cobra.Command{
		Use: "simulate", Short: "Show where pods would go on a cluster, and what would not fit",
		Args: arguments(0, 0),
		Long: "Places a spec, or a change of it, on a snapshot of a cluster, as the scheduler\n" +
			"would, and launches nothing. Pods go one after the other, in the order of the\n" +
			"plan deploy; those that the snapshot shows to be there go back to their\n" +
			"places.\n\n" +
			"With --change a second round follows: what stays, what gets more or less, what\n" +
			"has no room to grow where it is, what is new and what goes. A change is another\n" +
			"spec, or an option as name=value (repeatable).\n\n" +
			"A snapshot is what a master's operator API answers to GET_AGENTS; take one with\n" +
			"--take-snapshot. Without --cluster one is taken at once, of --master or of the\n" +
			"cluster's own. It may be edited: what if there were another agent?\n\n" +
			"The exit code is 0 if all fits, and 1 if something does not.",
		Example: "  kafka-sched simulate --take-snapshot now.json --master http://10.0.0.1:5050\n" +
			"  kafka-sched simulate -f my.yml --cluster now.json\n" +
			"  kafka-sched simulate --cluster now.json --change brokers.count=5 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.take != "" {
				return e.takeSnapshot(cmd.Context(), s)
			}
			return e.simulate(cmd.Context(), s)
		},
	}
	s.specFlags.flags(c)
	f := c.Flags()
	f.StringVar(&s.cluster, "cluster", "", "file with a snapshot of the cluster")
	f.StringArrayVar(&s.changes, "change", nil, "what is to change then: another spec, or an "+
		"option as name=value (repeatable)")
	f.StringVar(&s.take, "take-snapshot", "", "take a snapshot, write it into this file, and do "+
		"nothing else; - is the standard output")
	f.StringVar(&s.master, "master", "", "URL of the master that a snapshot is taken of "+
		"(default: the cluster's own)")
	return c
}

// simulation is the JSON document with the result.
type simulation struct {
	Service string `json:"service"`
	// Agents is how many there are, Away those that make no offers, with the reason.
	Agents int      `json:"agents"`
	Away   []string `json:"away,omitempty"`
	Fits   bool     `json:"fits"`
	// Pods is what becomes of the spec, Change what the change makes of that.
	Pods   []placing   `json:"pods"`
	Change *simulation `json:"change,omitempty"`
	// Refused is why the scheduler would not take the change at all.
	Refused []string `json:"refused,omitempty"`
}

// placing is what becomes of one pod instance.
type placing struct {
	Pod string `json:"pod"`
	// Outcome is "new", "stays", "changes" (it goes back to its place, with more or less), "goes"
	// or "does not fit".
	Outcome string `json:"outcome"`
	Agent   string `json:"agent_id,omitempty"`
	Host    string `json:"hostname,omitempty"`
	Region  string `json:"region,omitempty"`
	Zone    string `json:"zone,omitempty"`
	// Reserves and Frees are what has to be reserved or given back for that.
	Reserves string `json:"reserves,omitempty"`
	Frees    string `json:"frees,omitempty"`
	Ports    string `json:"ports,omitempty"`
	// Reason is why it does not fit; Agents the reasons of each; Elsewhere is the host where a
	// pod that cannot go back to its place would fit if it were replaced.
	Reason    string             `json:"reason,omitempty"`
	Agents    []api.AgentRefusal `json:"agents,omitempty"`
	Elsewhere string             `json:"elsewhere,omitempty"`
}

// simulate places a spec, and then a change of it.
func (e *env) simulate(ctx context.Context, s simulating) error {
	now, next, err := e.simulated(s)
	if err != nil {
		return err
	}
	agents, err := e.agents(ctx, s)
	if err != nil {
		return err
	}
	world := offeredTo(now, agents)
	places := scheduler.FindPlaces(now, world.offers)
	trial := scheduler.NewTrial(now, world.offers, places)
	result := simulation{Service: now.Name, Agents: len(agents), Away: world.away}
	result.Pods, result.Fits = run(trial)
	if next != nil {
		then := scheduler.NewTrial(*next, trial.Offers(), trial.Places())
		change := simulation{Service: next.Name, Agents: len(agents),
			Refused: scheduler.Forbidden(now, *next)}
		change.Pods, change.Fits = run(then)
		change.Fits = change.Fits && len(change.Refused) == 0
		result.Change = &change
	}
	if err := e.print(result, func() error { return e.printSimulation(result) }); err != nil {
		return err
	}
	return result.verdict()
}

// simulated reads the service that is wanted, and what it is to be changed into, nil for nothing.
func (e *env) simulated(s simulating) (servicespec.Service, *servicespec.Service, error) {
	flags, base, err := e.recordedFlags(s.specFlags)
	if err != nil {
		return servicespec.Service{}, nil, err
	}
	now, err := e.want(flags, base)
	if err != nil || len(s.changes) == 0 {
		return now.service, nil, err
	}
	changed, file := flags, ""
	for _, c := range s.changes {
		if _, err := os.Stat(c); err != nil && strings.Contains(c, "=") {
			changed.set = append(changed.set[:len(changed.set):len(changed.set)], c)
			continue
		}
		if file != "" {
			return now.service, nil, fail(exitUsage, "--change names two specs, %s and %s; "+
				"name one", file, c)
		}
		file, changed.file = c, c
	}
	next, err := e.want(changed, base)
	return now.service, &next.service, err
}

// recordedFlags are the flags of a cluster that this machine has a record of, if none say another
// spec.
func (e *env) recordedFlags(flags specFlags) (specFlags, servicespec.Options, error) {
	f, err := e.folder()
	if err != nil {
		return flags, nil, err
	}
	if _, err := os.Stat(f.specFile()); err != nil || flags.file != "" || !e.here() {
		return flags, nil, nil
	}
	c, err := f.load()
	flags.file, flags.taskConfig = c.Spec, c.TaskConfig
	return flags, c.Options, err
}

// verdict is the error of a simulation in which something does not fit.
func (s simulation) verdict() error {
	if s.Change != nil {
		switch err := s.Change.verdict(); {
		case len(s.Change.Refused) > 0:
			return fail(exitFailed, "the scheduler would refuse the change: %s",
				strings.Join(s.Change.Refused, "; "))
		case err != nil:
			return fail(exitFailed, "after the change %w", err)
		}
	}
	misfits := 0
	for _, p := range s.Pods {
		if p.Outcome == doesNotFit {
			misfits++
		}
	}
	if misfits == 0 {
		return nil
	}
	return fail(exitFailed, "%d of %s would not fit", misfits, plural(len(s.Pods), "pod"))
}

func (e *env) printSimulation(s simulation) error {
	e.printf("%s on %s", s.Service, plural(s.Agents, "agent"))
	if len(s.Away) > 0 {
		e.printf(", without %s", strings.Join(s.Away, ", "))
	}
	e.printf("\n")
	if err := e.printPlacings(s.Pods); err != nil || s.Change == nil {
		return err
	}
	e.printf("\nafter the change\n")
	for _, reason := range s.Change.Refused {
		e.printf("refused: %s\n", reason)
	}
	return e.printPlacings(s.Change.Pods)
}

// printPlacings prints a table, and below it in full why pods do not fit.
func (e *env) printPlacings(pods []placing) error {
	t := e.table([]string{"POD", "OUTCOME", "HOST", "ZONE", "RESERVES", "FREES", "PORTS"}, "AGENT")
	for _, p := range pods {
		row(t, p.Pod, p.Outcome, p.Host, p.Zone, p.Reserves, p.Frees, p.Ports, p.Agent)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range pods {
		if p.Reason == "" {
			continue
		}
		e.printf("%s\n", p.Reason)
		if p.Elsewhere != "" {
			e.printf("%s: replaced, without its data, it would fit on %s\n", p.Pod, p.Elsewhere)
		}
	}
	return nil
}
