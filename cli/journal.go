package cli

import (
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) journalCmd() *cobra.Command {
	var want api.JournalQuery
	var since time.Duration
	c := &cobra.Command{
		Use: "journal", Aliases: []string{"audit"}, Args: arguments(0, 0),
		Short: "Show what was commanded by whom, and what plans did, the latest first",
		Example: "  kafka-sched journal\n  kafka-sched journal --kind command --since 24h\n" +
			"  kafka-sched journal --plan deploy -o wide",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			if since > 0 {
				want.Since = time.Now().Add(-since)
			}
			journal, err := c.Journal(cmd.Context(), want)
			if err != nil {
				return e.answer(err)
			}
			return e.print(journal, func() error { return e.printJournal(journal.Entries) })
		},
	}
	c.Flags().StringVar(&want.Kind, "kind", "", "only entries of this kind")
	c.Flags().StringVar(&want.Plan, "plan", "", "only entries about this plan")
	c.Flags().Var((*patience)(&since), "since", "only entries of this time: 90m, 24h")
	limitFlag(c, &want.Limit)
	kinds := []string{api.KindCommand, api.KindPlanStart, api.KindPlanComplete, api.KindPlanHalt,
		api.KindPlanStop}
	cobra.CheckErr(c.RegisterFlagCompletionFunc("kind",
		cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp)))
	cobra.CheckErr(c.RegisterFlagCompletionFunc("plan", e.completePlans))
	return c
}

func (e *env) printJournal(entries []api.JournalEntry) error {
	t := e.table([]string{"AT", "BY", "WHAT", "RESULT", "REASON"},
		"NUMBER", "KIND", "PLAN", "CODE", "ADDRESS")
	for _, j := range entries {
		row(t, moment(j.At), or(j.Caller, j.Address), j.What, j.Result, j.Reason,
			number(j.Number), j.Kind, j.Plan, j.Code, j.Address)
	}
	return t.Flush()
}
