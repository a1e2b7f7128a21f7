package store

import "github.com/kafka-sched/kafka-sched/scheduler"

// Writes gives the writes that make a state out of nothing.
func Writes(h scheduler.Hard) []scheduler.Write {
	out := []scheduler.Write{
		scheduler.WriteFramework{ID: h.Framework}, scheduler.WriteKafka{Kafka: h.Kafka},
		scheduler.WriteOverrides{Overrides: h.Overrides},
		scheduler.WriteRebalancing{Rebalancing: h.Rebalancing},
		scheduler.WriteCampaign{Campaign: h.Campaign},
	}
	if h.Target.Service.Name != "" { // else there never was one
		out = append(out, scheduler.WriteTarget{Target: h.Target})
	}
	if h.Intent != "" {
		out = append(out, scheduler.WriteIntent{Intent: h.Intent})
	}
	for _, p := range h.Pods { //tidy:unordered each is a part of its own
		out = append(out, scheduler.WritePod{Pod: p})
	}
	for _, l := range h.Leftovers { //tidy:unordered likewise
		out = append(out, scheduler.WriteLeftover{Leftover: l})
	}
	for _, t := range h.Earlier {
		out = append(out, scheduler.WriteEarlier{Earlier: t})
	}
	for plan, run := range h.Runs { //tidy:unordered likewise
		out = append(out, scheduler.WriteRun{Plan: plan, Run: run})
	}
	for _, e := range h.Journal {
		out = append(out, scheduler.WriteJournal{Entry: e})
	}
	for name, run := range h.Actions { //tidy:unordered likewise
		out = append(out, scheduler.WriteAction{Name: name, Run: run})
	}
	for _, a := range h.Agents { //tidy:unordered likewise
		out = append(out, scheduler.WriteAgent{Agent: a})
	}
	for name, content := range h.Files { //tidy:unordered likewise
		out = append(out, scheduler.WriteFile{Name: name, Content: content})
	}
	return out
}

// Entries are the keys and values that a store holds of a state.
func Entries(hard scheduler.Hard) (map[string][]byte, error) {
	changes, err := Encode(Writes(hard))
	if err != nil {
		return nil, err
	}
	entries := make(map[string][]byte, len(changes))
	for _, c := range changes {
		entries[c.Key] = c.Value
	}
	return entries, nil
}
