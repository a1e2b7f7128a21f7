package cli

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) debugOffersCmd() *cobra.Command {
	var want api.OfferQuery
	var fits string
	c := &cobra.Command{
		Use: "offers", Short: "Show what became of the latest offers", Args: arguments(0, 0),
		Long: "Show what became of the latest offers when they were looked at for a pod:\n" +
			"whether they were used, and each thing that was missing otherwise.",
		Example: "  kafka-sched debug offers\n  kafka-sched debug offers --pod kafka-1 --fits no",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if want.Fits, err = yesOrNo(fits); err != nil {
				return wrongUsage(cmd, "--fits %s: %v", fits, err)
			}
			c, s, err := e.service(cmd.Context())
			if err != nil {
				return err
			}
			list, err := c.Offers(cmd.Context(), want)
			if err != nil {
				return e.answer(err)
			}
			return e.print(list, func() error { return e.printOffers(list.Offers, s.Now) })
		},
	}
	c.Flags().StringVar(&want.Pod, "pod", "", "only offers that were looked at for this pod")
	c.Flags().StringVar(&want.Host, "host", "", "only offers of this host")
	c.Flags().StringVar(&fits, "fits", "", "yes: only those that were used; no: only the others")
	limitFlag(c, &want.Limit)
	cobra.CheckErr(c.RegisterFlagCompletionFunc("pod", e.completePods))
	return c
}

// yesOrNo reads a flag that may be left away.
func yesOrNo(text string) (*bool, error) {
	switch text {
	case "":
		return nil, nil
	case "yes", "no", "true", "false":
		yes := text == "yes" || text == "true"
		return &yes, nil
	}
	return nil, errors.New("it is yes or no")
}

// printOffers prints a table of offers. Without -o wide each has one line.
func (e *env) printOffers(offers []api.OfferOutcome, now time.Time) error {
	t := e.table([]string{"AGE", "POD", "HOST", "FITS", "WHY"}, "OFFER", "AGENT", "RESOURCES",
		"CODES")
	for _, o := range offers {
		why := strings.Join(o.Reasons, "; ")
		if o.Fits {
			why = or(why, "it was used")
		}
		row(t, sinceAge(&o.At, now), o.Pod, o.Hostname, yesNo(&o.Fits), why,
			o.OfferID, o.AgentID, o.Resources, strings.Join(o.Codes, " "))
	}
	return t.Flush()
}

func (e *env) debugReservationsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "reservations", Short: "Show what pods hold on agents, and what waits to be freed",
		Args: arguments(0, 0), Example: "  kafka-sched debug reservations -o wide",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			held, err := c.Reservations(cmd.Context(), api.Page{})
			if err != nil {
				return e.answer(err)
			}
			left, err := c.Leftovers(cmd.Context(), api.Page{})
			if err != nil {
				return e.answer(err)
			}
			all := holdings{held.Reservations, left.Leftovers}
			return e.print(all, func() error { return e.printHoldings(all) })
		},
	}
}

// labels are what Mesos' text form has after the name of a resource: its role and its marks.
var labels = regexp.MustCompile(`\([^()]*\)`)

// quantities leaves the labels of resources out, unless all is wanted.
func (e *env) quantities(resources string) string {
	if e.wide() {
		return resources
	}
	return labels.ReplaceAllString(resources, "")
}

// holdings is all that a service holds of a Mesos.
type holdings struct {
	Reservations []api.Reservation `json:"reservations"`
	Leftovers    []api.Leftover    `json:"leftovers"`
}

func (e *env) printHoldings(all holdings) error {
	t := e.table([]string{"POD", "HOST", "CONDITION", "RESOURCES"},
		"RESERVATION", "AGENT", "VOLUMES")
	for _, r := range all.Reservations {
		state := "not yet confirmed"
		if r.Confirmed {
			state = "held"
		}
		var resources []string
		for _, o := range r.Resources {
			resources = append(resources, o.Owner+" "+e.quantities(o.Resources))
		}
		row(t, r.Pod, r.Hostname, state, strings.Join(resources, "; "), r.ID, r.AgentID,
			strings.Join(r.Volumes, " "))
	}
	for _, l := range all.Leftovers {
		state := "waits to be freed"
		if l.Freeing {
			state = "is being freed"
		}
		row(t, l.Pod, l.Hostname, state, "", l.Reservation, l.AgentID,
			strings.Join(l.Volumes, " "))
	}
	return t.Flush()
}
