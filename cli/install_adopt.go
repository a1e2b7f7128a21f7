package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/commons"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// adopting is what install has to know to take over a service of DC/OS Commons.
type adopting struct {
	wanted bool
	from   commonsTree
	pods   []string
	yes    bool
	// entries are what the store is filled with, once somebody has consented.
	entries map[string][]byte
}

func (a *adopting) flags(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&a.wanted, "adopt", false, "take over what DC/OS Commons ran under this name: from "+
		"--adopt-from, or else from what the master shows")
	a.from.flags(c, "adopt-from", "what it stored is at zk://host:port,…/dcos-service-NAME")
	f.StringArrayVar(&a.pods, "adopt-pod", nil,
		"POD=HOST: what is reserved on that host is of this instance (repeatable)")
	f.BoolVarP(&a.yes, "yes", "y", false, "with --adopt: do not ask")
}

// checkAdopt says what makes no sense.
func (in *installing) checkAdopt() error {
	a := &in.adopt
	a.wanted = a.wanted || a.from.URI != ""
	switch {
	case !a.wanted && (len(a.pods) > 0 || a.yes || a.from.Access != (zk.Access{})):
		return fail(exitUsage, "--adopt-…, and --yes, go with --adopt")
	case !a.wanted:
		return nil
	case in.master == "":
		return fail(exitUsage, "--adopt is for the Mesos that --master names: nothing but this "+
			"program ever ran on an embedded one")
	case a.from.URI != "" && len(a.pods) > 0:
		return fail(exitUsage, "--adopt-pod goes with what the master shows, and --adopt-from "+
			"tells itself which instance is where")
	case a.from.URI != "":
		return a.from.check("adopt-from")
	}
	return nil
}

// lookForService finds what is to be taken over, shows it, and asks for consent. Nothing is
// written.
func (in *installing) lookForService(ctx context.Context) error {
	a := &in.adopt
	if !a.wanted {
		return nil
	}
	want := scheduler.Target{ID: uuid.NewString(), Service: in.wanted.service}
	from, found, err := in.found(ctx, want)
	if err != nil {
		return err
	}
	if found.Running {
		found.Problems = append(found.Problems, stillRuns)
	}
	adoption := scheduler.Adoption{}
	if found.Configs != nil {
		adoption = scheduler.Adopt(found.Predecessor, &want, time.Now().UTC())
	}
	r := reportAdoption(from, found, adoption)
	if !in.env.json {
		if err := in.env.printAdoption(r); err != nil {
			return err
		}
	}
	if len(r.Problems) > 0 {
		return fail(exitFailed, "nothing was done, because not all can be taken over:\n  %s",
			strings.Join(r.Problems, "\n  "))
	}
	if len(r.Pods) == 0 {
		return fail(exitNotFound, "nothing of %s is there to be taken over; without --adopt it is "+
			"installed anew", r.Service)
	}
	if a.entries, err = adoptionEntries(adoption); err != nil {
		return err
	}
	return in.env.agree(in.adopt.yes, fmt.Sprintf("Take over these %d instances?", len(r.Pods)),
		fmt.Sprintf("nothing was done: this takes over %d instances", len(r.Pods)))
}

// found asks the ZooKeeper or the master.
func (in *installing) found(
	ctx context.Context, want scheduler.Target,
) (string, commons.Found, error) {
	a := &in.adopt
	if a.from.URI != "" {
		found, err := a.from.read(ctx)
		return a.from.String(), found, err
	}
	named := map[string]string{}
	for _, text := range a.pods {
		pod, host, ok := strings.Cut(text, "=")
		if !ok || host == "" {
			return "", commons.Found{}, fail(exitUsage, "--adopt-pod %s: it must be POD=HOST",
				text)
		}
		named[pod] = host
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	state, master, err := in.masterState(ctx)
	return master, commons.FromMaster(state, want, named), err
}

// masterState asks the leading master for all that it knows.
func (in *installing) masterState(
	ctx context.Context,
) (state mesoshttp.ClusterState, master string, err error) {
	opened, err := in.access.open()
	if err != nil {
		return state, "", fail(exitUsage, "%w", err)
	}
	if master, err = in.env.snapshotMaster(ctx, firstMaster(in.master)); err != nil {
		return state, "", err
	}
	if opened.Secure() {
		master = strings.Replace(master, "http://", "https://", 1)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: opened.Over(transport)}
	answer, err := askMasterAs(ctx, client, master, "GET_STATE")
	if err != nil {
		return state, "", err
	}
	data, err := json.Marshal(answer)
	if err == nil {
		state, err = mesoshttp.DecodeState(data)
	}
	return state, redactText(master), err
}

// firstMaster is one of a list of masters, each of which knows who leads.
func firstMaster(masters string) string {
	if strings.HasPrefix(masters, zk.Scheme) {
		return masters
	}
	first, _, _ := strings.Cut(masters, ",")
	return first
}

// takeOver fills the store of the new scheduler.
func (in *installing) takeOver(ctx context.Context) error {
	if in.adopt.entries == nil {
		return nil
	}
	place := statePlace{stateFlags: in.state}
	if in.state.URI == "" {
		place.db = filepath.Join(in.folder.schedulerDir(), "state.db")
	}
	err := place.fill(ctx, in.adopt.entries)
	if err != nil {
		return in.env.stateError(fmt.Errorf("taking over the service: %w", err))
	}
	return nil
}
