package scheduler

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
)

// The one-line text forms of commands, writes and calls, which stories, traces and logs share.

// commandText names a command as an operator would.
func commandText(c Command) string {
	switch c := c.(type) {
	case PodRestart:
		return "pod restart " + c.Pod + forceText(c.Force)
	case PodReplace:
		return "pod replace " + c.Pod + forceText(c.Force)
	case PodMove:
		return moveText(c)
	case PodPause:
		return strings.Join(append([]string{"pod pause", c.Pod}, c.Tasks...), " ")
	case PodResume:
		return strings.Join(append([]string{"pod resume", c.Pod}, c.Tasks...), " ")
	case BackoffReset:
		return "pod reset-backoff " + c.Pod
	case Rollback:
		return strings.TrimSpace("rollback " + c.ID)
	case Rebalance:
		return c.String()
	case RebalanceCancel:
		return "rebalance cancel"
	case RollExecutors:
		return "roll executors"
	case Upgrade:
		return c.String()
	case Migrate:
		return c.String()
	case CampaignCommand:
		return c.String()
	case Remark:
		return c.What
	case AgentAbandon:
		return "agent abandon " + c.Agent + forceText(c.Force)
	case PutFile:
		return fmt.Sprintf("put file %s of %d bytes", c.Name, len(c.Content))
	case PlanCommand:
		text := fmt.Sprintf("plan %s %s", c.Verb, c.Plan)
		for _, part := range []string{c.Phase, c.Step} {
			if part != "" {
				text += fmt.Sprintf(" %q", part)
			}
		}
		for _, key := range sortedKeys(c.Params) {
			text += fmt.Sprintf(" %s=%q", key, c.Params[key])
		}
		return text + forceText(c.Force)
	case ServiceStop:
		return "service stop"
	case ServiceStart:
		return "service start"
	case ServiceUninstall:
		return "service uninstall"
	case SetTarget:
		if len(c.Live) > 0 {
			return "set target " + c.ID + " live=" + strings.Join(c.Live, ",")
		}
		return "set target " + c.ID
	default:
		return fmt.Sprintf("%T", c)
	}
}

func moveText(c PodMove) string {
	text := "pod move " + c.Pod
	switch {
	case c.Cancel:
		return text + " --cancel"
	case c.To != "":
		text += " --to " + c.To
	}
	return text + forceText(c.Force)
}

func forceText(force bool) string {
	if force {
		return " --force"
	}
	return ""
}

// WriteText gives a write in one line.
func WriteText(w Write) string {
	switch w := w.(type) {
	case WriteFramework:
		return "write framework " + string(w.ID)
	case WriteTarget:
		return "write target " + w.Target.ID
	case WriteIntent:
		return "write intent " + string(w.Intent)
	case WriteKafka:
		text := fmt.Sprintf("write kafka %s founder=%s founded=%t",
			w.Kafka.ID, w.Kafka.Founder, w.Kafka.Founded)
		if w.Kafka.Joins {
			text += " joins"
		}
		if len(w.Kafka.Cordoned) > 0 {
			text += fmt.Sprintf(" cordoned=%v", w.Kafka.Cordoned)
		}
		return text
	case WritePod:
		return "write pod " + podText(w.Pod)
	case DeletePod:
		return "delete pod " + w.Name.String()
	case WriteLeftover:
		return fmt.Sprintf("write leftover %s of %s on %s freeing=%t",
			w.Leftover.Reservation, w.Leftover.Pod, w.Leftover.Hostname, w.Leftover.Freeing) +
			pendingText(w.Leftover.Pending)
	case DeleteLeftover:
		return "delete leftover " + string(w.Reservation)
	case WriteOverrides:
		return "write overrides" + overridesText(w.Overrides)
	case WriteEarlier:
		return "write earlier " + w.Earlier.ID
	case DeleteEarlier:
		return "delete earlier " + w.ID
	case WriteRun:
		return fmt.Sprintf("write run %s#%d%s", w.Plan, w.Run.Number, runText(w.Run))
	case DeleteRun:
		return "delete run " + w.Plan
	case WriteJournal:
		return fmt.Sprintf("write journal %d %s %s: %s", w.Entry.Number, w.Entry.Kind,
			w.Entry.What, w.Entry.Outcome)
	case DeleteJournal:
		return fmt.Sprintf("delete journal %d", w.Number)
	case WriteAction:
		text := "write action " + w.Name + " " + w.Run.Last.UTC().Format(time.RFC3339)
		if w.Run.Crossed {
			text += " crossed"
		}
		return text
	case DeleteAction:
		return "delete action " + w.Name
	case WriteFile:
		return fmt.Sprintf("write file %s of %d bytes", w.Name, len(w.Content))
	case WriteAgent:
		return "write agent " + agentText(w.Agent)
	case DeleteAgent:
		return "delete agent " + string(w.ID)
	case WriteRebalancing:
		return "write rebalancing " + w.Rebalancing.String()
	case WriteCampaign:
		return "write campaign " + w.Campaign.String()
	default:
		return fmt.Sprintf("write %T", w)
	}
}

func agentText(a Agent) string {
	text := fmt.Sprintf("%s on %s", a.ID, a.Hostname)
	if !a.Away.IsZero() {
		text += " away since " + a.Away.UTC().Format(time.RFC3339)
	}
	if a.Fate != FateOpen {
		text += fmt.Sprintf(" %s by %q", a.Fate, a.By)
	}
	return text
}

func overridesText(o plans.Overrides) string {
	var b strings.Builder
	for _, key := range sortedKeys(o.Interrupted) {
		b.WriteString(" interrupted=" + key)
	}
	for _, key := range sortedKeys(o.Forced) {
		b.WriteString(" forced=" + key)
	}
	for _, key := range sortedKeys(o.Released) {
		b.WriteString(" released=" + key)
	}
	return b.String()
}

func runText(r PlanRun) string {
	text := ""
	if r.Active {
		text += " active"
	}
	if r.Seen != "" {
		text += " " + string(r.Seen)
	}
	for _, key := range sortedKeys(r.Params) {
		text += fmt.Sprintf(" %s=%q", key, r.Params[key])
	}
	done := 0
	//tidy:unordered a count
	for _, s := range r.Steps {
		if s.Done {
			done++
		}
	}
	if len(r.Steps) > 0 {
		text += fmt.Sprintf(" steps=%d done=%d", len(r.Steps), done)
	}
	return text
}

func podText(p Pod) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s#%d", p.Name, p.Incarnation)
	if p.Place != nil {
		fmt.Fprintf(&b, " on %s reservation=%s", p.Place.Hostname, p.Place.Reservation)
		if !p.Place.Confirmed {
			b.WriteString(" unconfirmed")
		}
		if p.Place.Listed {
			b.WriteString(" listed")
		}
		b.WriteString(pendingText(p.Place.Pending))
	}
	if p.Request != "" {
		fmt.Fprintf(&b, " request=%s", p.Request)
	}
	if p.Replacing {
		b.WriteString(" replacing")
	}
	if len(p.Failed) > 0 {
		fmt.Fprintf(&b, " failed=%d", len(p.Failed))
	}
	if p.Recovery != nil {
		fmt.Fprintf(&b, " recovery=%s", p.Recovery.Kind)
	}
	if p.Move != nil {
		fmt.Fprintf(&b, " moves=off-%s", p.Move.Hostname)
	}
	if p.Caretaker {
		b.WriteString(" caretaker")
	}
	if p.Down != nil {
		b.WriteString(" down")
	}
	if p.Rolls {
		b.WriteString(" rolls")
	}
	if p.Force {
		b.WriteString(" force")
	}
	if p.New {
		b.WriteString(" new")
	}
	for _, t := range p.Tasks {
		b.WriteString(" " + taskText(t))
	}
	return b.String()
}

// pendingText gives " pending=o1-op1,o1-op2", or nothing.
func pendingText(ids []mesos.OperationID) string {
	if len(ids) == 0 {
		return ""
	}
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = string(id)
	}
	return " pending=" + strings.Join(parts, ",")
}

// taskText gives a task's record in one word: "broker:RUNNING:ready=true:deployed=t1".
func taskText(t Task) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%s", t.Name, t.State)
	if t.Ready != nil {
		fmt.Fprintf(&b, ":ready=%t", *t.Ready)
	}
	if t.Failures > 0 {
		fmt.Fprintf(&b, ":failures=%d", t.Failures)
	}
	if t.Deployed != "" {
		fmt.Fprintf(&b, ":deployed=%s", t.Deployed)
	}
	if t.Again {
		b.WriteString(":again")
	}
	if t.Paused {
		b.WriteString(":paused")
	}
	if t.Idle {
		b.WriteString(":idle")
	}
	return b.String()
}

// CallText gives a call in one line.
func CallText(c Call) string {
	switch c := c.(type) {
	case ToMesos:
		return "call " + c.Call.String()
	case AskKafka:
		text := "ask kafka "
		if c.All {
			text += "for all "
		}
		return text + strings.Join(c.Addresses, " ")
	case AskZooKeeper:
		text := "ask zookeeper " + strings.Join(c.Addresses, " ")
		if len(c.Secure) > 0 {
			text += " over TLS at " + strings.Join(c.Secure, " ")
		}
		return text
	case AskMigration:
		if c.Forget {
			return "ask zookeeper to forget the migration at " + c.Connect
		}
		return "ask zookeeper for the migration at " + c.Connect
	case AskMoves:
		return "ask kafka for moves: " + c.Wish.String()
	case AskConfigs:
		return "ask kafka for configs: " + c.Wish.String()
	case ChangeKafka:
		return "change kafka " + c.Change.String()
	case Exit:
		return fmt.Sprintf("exit %d %q", c.Code, c.Reason)
	default:
		return fmt.Sprintf("call %T", c)
	}
}

// EventText gives an event in one line, for logs and traces.
func EventText(e Event) string {
	switch e := e.(type) {
	case FromMesos:
		return e.Event.String()
	case FromKafka:
		if e.Facts.Error != "" {
			return "kafka error " + fmt.Sprintf("%q", e.Facts.Error)
		}
		return fmt.Sprintf("kafka %s leader=%d voters=%v present=%v brokers=%s",
			e.Facts.ClusterID, e.Facts.Leader, e.Facts.Voters, e.Facts.Present,
			brokersText(e.Facts.Brokers))
	case FromZooKeeper:
		var parts []string
		for _, s := range e.Facts.Servers {
			parts = append(parts, fmt.Sprintf("%s=%s", s.Address, cmp.Or(string(s.Role), "silent")))
		}
		return "zookeeper " + strings.Join(parts, " ")
	case FromMigration:
		return "zookeeper has the migration: " + e.Facts.String()
	case FromMoves:
		return fmt.Sprintf("kafka has moves for %s: %s", e.Wish, e.Moves)
	case FromConfigs:
		return "what differs from the target: " + e.Drift.String()
	case KafkaChanged:
		if e.Error != "" {
			return fmt.Sprintf("kafka refused %s: %q", e.Change, e.Error)
		}
		return "kafka took " + e.Change.String()
	case Commanded:
		return "command " + commandText(e.Command)
	case Tick:
		return "tick"
	default:
		return fmt.Sprintf("%T", e)
	}
}

func brokersText(brokers []BrokerFacts) string {
	var parts []string
	for _, b := range brokers {
		text := fmt.Sprintf("%d@%s", b.ID, b.Address)
		if b.Fenced {
			text += "(fenced)"
		}
		if b.NotInSync > 0 {
			text += fmt.Sprintf("(behind in %d of %d)", b.NotInSync, b.Hosted)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}
