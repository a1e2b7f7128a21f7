package scheduler

import (
	"fmt"
	"strings"
)

// The one-line text forms of commands, writes and calls, which stories, traces and logs share.

// commandText names a command as an operator would.
func commandText(c Command) string {
	switch c := c.(type) {
	case PodRestart:
		return "pod restart " + c.Pod
	case PodReplace:
		return "pod replace " + c.Pod
	case PlanCommand:
		text := fmt.Sprintf("plan %s %s", c.Verb, c.Plan)
		for _, part := range []string{c.Phase, c.Step} {
			if part != "" {
				text += fmt.Sprintf(" %q", part)
			}
		}
		return text
	case ServiceStop:
		return "service stop"
	case ServiceStart:
		return "service start"
	case ServiceUninstall:
		return "service uninstall"
	case SetTarget:
		return "set target " + c.ID
	default:
		return fmt.Sprintf("%T", c)
	}
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
		return fmt.Sprintf("write kafka %s founder=%s founded=%t",
			w.Kafka.ID, w.Kafka.Founder, w.Kafka.Founded)
	case WritePod:
		return "write pod " + podText(w.Pod)
	case DeletePod:
		return "delete pod " + w.Name.String()
	case WriteLeftover:
		return fmt.Sprintf("write leftover %s of %s on %s freeing=%t",
			w.Leftover.Reservation, w.Leftover.Pod, w.Leftover.Hostname, w.Leftover.Freeing)
	case DeleteLeftover:
		return "delete leftover " + string(w.Reservation)
	case WriteOverrides:
		return fmt.Sprintf("write overrides %v", w.Overrides)
	default:
		return fmt.Sprintf("write %T", w)
	}
}

func podText(p Pod) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s#%d", p.Name, p.Incarnation)
	if p.Place != nil {
		fmt.Fprintf(&b, " on %s reservation=%s", p.Place.Hostname, p.Place.Reservation)
		if !p.Place.Confirmed {
			b.WriteString(" unconfirmed")
		}
	}
	if p.Request != "" {
		fmt.Fprintf(&b, " request=%s", p.Request)
	}
	if p.Caretaker {
		b.WriteString(" caretaker")
	}
	if p.Failures > 0 {
		fmt.Fprintf(&b, " failures=%d", p.Failures)
	}
	if p.Deployed != "" {
		fmt.Fprintf(&b, " deployed=%s", p.Deployed)
	}
	for _, t := range p.Tasks {
		fmt.Fprintf(&b, " %s:%s", t.Name, t.State)
		if t.Ready != nil {
			fmt.Fprintf(&b, ":ready=%t", *t.Ready)
		}
	}
	return b.String()
}

// CallText gives a call in one line.
func CallText(c Call) string {
	switch c := c.(type) {
	case ToMesos:
		return "call " + c.Call.String()
	case AskKafka:
		return "ask kafka " + strings.Join(c.Addresses, " ")
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
