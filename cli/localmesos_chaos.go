package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
	"github.com/spf13/cobra"
)

// chaos is what the commands that order faults share.
type chaos struct {
	env    *env
	master string // of --master, "" for the cluster's own
	agent  string
	yes    bool
}

func (e *env) chaosCmd() *cobra.Command {
	ch := &chaos{env: e}
	c := group("chaos", "Rehearse what can go wrong: order faults of the embedded Mesos",
		"  kafka-sched localmesos chaos enable\n"+
			"  kafka-sched localmesos chaos kill-agent --agent agent-1 --for 2m\n"+
			"  kafka-sched localmesos chaos random --for 10m --seed 7",
		ch.enableCmd(), ch.disableCmd(), ch.statusCmd(), ch.randomCmd())
	c.Long = "Rehearse what can go wrong. The embedded Mesos then behaves as a real one with " +
		"that fault;\nthe help of each fault says what one will see, and what kafka-sched does " +
		"about it.\nFaults are off until install --faults, or enable, switches them on."
	for _, r := range rehearsals() {
		c.AddCommand(ch.command(r))
	}
	flags := c.PersistentFlags()
	flags.StringVar(&ch.master, "master", "",
		"URL of the embedded master (default: that of the cluster)")
	flags.StringVar(&ch.agent, "agent", "", "the agent, by name, host name or id")
	flags.BoolVarP(&ch.yes, "yes", "y", false, "do not ask")
	return c
}

// command makes the command of one fault.
func (ch *chaos) command(r rehearsal) *cobra.Command {
	fault := localmesos.Fault{Action: r.action}
	c := &cobra.Command{
		Use: string(r.action), Short: r.short, Args: arguments(0, 0),
		Long: r.short + ".\n\nWhat one sees:\n" + r.see + "\n\nWhat kafka-sched does:\n" +
			r.mends,
		Example: "  kafka-sched localmesos chaos " + r.example,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fault.Agent = ch.agent
			return ch.order(cmd.Context(), r, fault)
		},
	}
	if r.flags != nil {
		r.flags(c.Flags(), &fault)
	}
	return c
}

// order asks, and has the fault carried out.
func (ch *chaos) order(ctx context.Context, r rehearsal, f localmesos.Fault) error {
	if !r.heals {
		err := ch.env.agree(ch.yes, r.short+". "+r.see+"\nGo on?",
			string(r.action)+" disturbs the cluster")
		if err != nil {
			return err
		}
	}
	done, err := ch.inject(ctx, f)
	if err != nil {
		return err
	}
	if ch.env.json {
		return ch.env.printJSON(done)
	}
	ch.env.printf("%s\n", done.Done)
	if !r.heals {
		ch.env.printf("\nwhat one sees: %s\nwhat kafka-sched does: %s\n"+
			"all is well again with: kafka-sched localmesos chaos clear%s\n", r.see, r.mends,
			ch.flag())
	}
	return nil
}

// flag repeats what names the Mesos.
func (ch *chaos) flag() string {
	if ch.master != "" {
		return " --master " + ch.master
	}
	return ch.env.nameFlag()
}

// url is where faults are ordered.
func (ch *chaos) url() (string, error) {
	if ch.master != "" {
		if err := masterForm(ch.master); err != nil {
			return "", err
		}
		master := strings.TrimRight(ch.master, "/")
		if !strings.Contains(master, "://") {
			master = "http://" + master
		}
		return master + localmesos.FaultsPath, nil
	}
	f, c, err := ch.env.own()
	if err != nil {
		return "", err
	}
	if c.Mesos == nil {
		return "", fail(exitUsage, "%q runs on the Mesos at %s: faults can be ordered only of "+
			"an embedded one", f.name, redactText(c.Master))
	}
	return "http://" + c.Mesos.MasterAddr + localmesos.FaultsPath, nil
}

func (ch *chaos) inject(
	ctx context.Context, f localmesos.Fault,
) (localmesos.FaultResult, error) {
	var done localmesos.FaultResult
	body, err := json.Marshal(f)
	if err != nil {
		return done, fmt.Errorf("encoding the fault: %w", err)
	}
	return done, ch.ask(ctx, http.MethodPost, body, &done)
}

func (ch *chaos) state(ctx context.Context) (localmesos.FaultState, error) {
	var s localmesos.FaultState
	return s, ch.ask(ctx, http.MethodGet, nil, &s)
}

// ask speaks with the master.
func (ch *chaos) ask(ctx context.Context, method string, body []byte, answer any) error {
	url, err := ch.url()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return fail(exitUsage, "--master %s: %w", ch.master, plain(err))
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the embedded Mesos at %s does not answer: %w; does the cluster run? "+
			"kafka-sched status%s tells", url, plain(err), ch.env.nameFlag())
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<24))
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return json.Unmarshal(text, answer)
	case http.StatusForbidden:
		return fail(exitConflict, "faults are switched off in this Mesos; switch them on with: "+
			"kafka-sched localmesos chaos enable%s (or install --faults)", ch.env.nameFlag())
	case http.StatusNotFound:
		return fail(exitUsage, "%s is no embedded Mesos, or one of an earlier release", url)
	case http.StatusBadRequest:
		return fail(exitUsage, "%s", strings.TrimSpace(string(text)))
	}
	return errors.New(resp.Status + ": " + strings.TrimSpace(string(text)))
}

func (ch *chaos) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show what is wrong on purpose", Args: arguments(0, 0),
		Example: "  kafka-sched localmesos chaos status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := ch.state(cmd.Context())
			if err != nil {
				return err
			}
			if ch.env.json {
				return ch.env.printJSON(s)
			}
			return ch.show(s)
		},
	}
}

// show prints the state as a table; of many well agents only the number.
func (ch *chaos) show(s localmesos.FaultState) error {
	e := ch.env
	e.printf("master: %s\n", s.Master)
	w := table(e.stdout, "AGENT", "HOST", "STATE", "SINCE")
	well := 0
	for _, a := range s.Agents {
		if a.State == "well" && len(s.Agents) > 20 {
			well++
			continue
		}
		since := ""
		if !a.Since.IsZero() {
			since = a.Since.UTC().Format(time.RFC3339)
		}
		row(w, a.Name, a.Hostname, a.State, since)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if well > 0 {
		e.printf("and %d agents that are well\n", well)
	}
	for _, r := range s.Rules {
		e.printf("rule: %s\n", r)
	}
	return nil
}

func (ch *chaos) enableCmd() *cobra.Command {
	return &cobra.Command{
		Use: "enable", Short: "Switch faults on; restarts the embedded Mesos, no task",
		Args: arguments(0, 0), Example: "  kafka-sched localmesos chaos enable",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ch.turn(cmd.Context(), true)
		},
	}
}

func (ch *chaos) disableCmd() *cobra.Command {
	return &cobra.Command{
		Use: "disable", Short: "End all faults and switch them off", Args: arguments(0, 0),
		Example: "  kafka-sched localmesos chaos disable",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ch.turn(cmd.Context(), false)
		},
	}
}

// turn switches faults on or off. The process of the embedded Mesos is ended, and its keeper
// starts it again; executors and tasks go on meanwhile.
func (ch *chaos) turn(ctx context.Context, on bool) error {
	word := map[bool]string{true: "on", false: "off"}[on]
	if ch.master != "" {
		return fail(exitUsage, "this Mesos has no cluster of this machine; start it with "+
			"kafka-sched localmesos --faults=%t", on)
	}
	f, c, err := ch.env.own()
	if err != nil {
		return err
	}
	if c.Mesos == nil {
		return fail(exitUsage, "%q runs on the Mesos at %s, which is no embedded one", f.name,
			redactText(c.Master))
	}
	if c.Mesos.Faults == on {
		return fail(exitAlready, "faults of %q are %s already", f.name, word)
	}
	release, err := claim(f)
	if err != nil {
		return err
	}
	defer release()
	c.Mesos.Faults = on
	if err := f.save(c); err != nil {
		return err
	}
	if err := terminate(ctx, f.mesosLock(), stopPatience); err != nil {
		return err
	}
	ch.env.printf("faults of %q are %s\n", f.name, word)
	return nil
}
