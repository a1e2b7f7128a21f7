package mesos

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// The text forms. Each is one line and depends on nothing but the value: what a person, an
// agent or Kafka wrote is quoted, so that no line break can come from it.

// String gives "subscribed f1 master=10.0.0.1:5050".
func (e Subscribed) String() string {
	return "subscribed " + string(e.Framework) + field("master", e.Master)
}

// String gives the reason in quotes.
func (e Disconnected) String() string { return "disconnected " + strconv.Quote(e.Reason) }

// String gives "offers o1@a1(cpus:4;mem:8192) o2@a2(cpus:1)".
func (e Offers) String() string {
	var b strings.Builder
	b.WriteString("offers")
	for _, o := range e.Offers {
		fmt.Fprintf(&b, " %s@%s(%s)", o.ID, o.Agent, resourcesText(o.Resources, true))
	}
	return b.String()
}

// String gives "inverse-offers i1@a1(2026-01-01T00:00:00Z for 1h0m0s)".
func (e InverseOffers) String() string {
	var b strings.Builder
	b.WriteString("inverse-offers")
	for _, o := range e.Offers {
		fmt.Fprintf(&b, " %s@%s(%s for %s)", o.ID, o.Agent,
			o.Unavailable.Start.UTC().Format(time.RFC3339), o.Unavailable.Duration)
	}
	return b.String()
}

// String gives "accept-inverse i1,i2 refuse=1m0s".
func (c AcceptInverse) String() string {
	return fmt.Sprintf("accept-inverse %s refuse=%s", joined(c.Offers), c.Refuse)
}

// String gives "decline-inverse i1,i2 refuse=5s".
func (c DeclineInverse) String() string {
	return fmt.Sprintf("decline-inverse %s refuse=%s", joined(c.Offers), c.Refuse)
}

// String gives "rescinded o1".
func (e Rescinded) String() string { return "rescinded " + string(e.Offer) }

// String gives "update t1 RUNNING agent=a1 ready=true uuid=0a0b"; what is unknown is left out.
func (e Updated) String() string {
	s := e.Status
	return fmt.Sprintf("update %s %s", s.Task, s.State) +
		field("agent", string(s.Agent)) +
		field("source", s.Source) +
		field("reason", s.Reason) +
		boolField("healthy", s.Healthy) +
		boolField("ready", s.Ready) +
		field("ip", s.IP) +
		field("uuid", hex.EncodeToString(s.UUID)) +
		message(s.Message)
}

// String gives "operation op1 OPERATION_FINISHED agent=a1 uuid=0a0b".
func (e OperationUpdated) String() string {
	return fmt.Sprintf("operation %s %s", e.ID, e.State) +
		field("agent", string(e.Agent)) +
		field("uuid", hex.EncodeToString(e.UUID)) +
		message(e.Message)
}

// String gives "executor-failed e1 agent=a1 status=9", or "agent-failed a1".
func (e ExecutorFailed) String() string {
	if e.Executor == "" {
		return "agent-failed " + string(e.Agent)
	}
	return fmt.Sprintf("executor-failed %s agent=%s status=%d", e.Executor, e.Agent, e.Status)
}

// String gives the master's message in quotes.
func (e Refused) String() string { return "refused " + strconv.Quote(e.Message) }

// String gives "accept o1 refuse=5s [reserve cpus:1;mem:2048 for kafka-role; launch b#b-1]".
func (c Accept) String() string {
	operations := make([]string, len(c.Operations))
	for i, op := range c.Operations {
		operations[i] = op.String()
	}
	return fmt.Sprintf("accept %s refuse=%s [%s]",
		joined(c.Offers), c.Refuse, strings.Join(operations, "; "))
}

// String gives "decline o1,o2 refuse=5s".
func (c Decline) String() string {
	return fmt.Sprintf("decline %s refuse=%s", joined(c.Offers), c.Refuse)
}

// String gives "revive".
func (Revive) String() string { return "revive" }

// String gives "suppress".
func (Suppress) String() string { return "suppress" }

// String gives "kill t1 agent=a1 grace=5s"; the grace period only if the call sets one.
func (c Kill) String() string {
	return "kill " + string(c.Task) + field("agent", string(c.Agent)) + graceField(c.Grace)
}

// String gives "acknowledge t1 agent=a1 uuid=0a0b".
func (c Acknowledge) String() string {
	return "acknowledge " + string(c.Task) + field("agent", string(c.Agent)) +
		field("uuid", hex.EncodeToString(c.UUID))
}

// String gives "reconcile t1@a1 t2@", or "reconcile all".
func (c Reconcile) String() string {
	if len(c.Tasks) == 0 {
		return "reconcile all"
	}
	var b strings.Builder
	b.WriteString("reconcile")
	for _, t := range c.Tasks {
		fmt.Fprintf(&b, " %s@%s", t.Task, t.Agent)
	}
	return b.String()
}

// String gives "teardown".
func (Teardown) String() string { return "teardown" }

// String gives "reserve cpus:1;mem:2048 for kafka-role".
func (o Reserve) String() string { return operationText("reserve", o.ID, o.Resources) }

// String gives "unreserve cpus:1;mem:2048 for kafka-role".
func (o Unreserve) String() string { return operationText("unreserve", o.ID, o.Resources) }

// String gives "create disk[volume-1:data]:1000 for kafka-role".
func (o Create) String() string { return operationText("create", o.ID, o.Volumes) }

// String gives "destroy disk[volume-1:data]:1000 for kafka-role".
func (o Destroy) String() string { return operationText("destroy", o.ID, o.Volumes) }

// String gives "launch kafka-0-broker#b-1,kafka-0-sidecar#s-1": names and ids.
func (o Launch) String() string {
	tasks := make([]string, len(o.Tasks))
	for i, t := range o.Tasks {
		tasks[i] = t.Name + "#" + string(t.ID)
	}
	return "launch " + strings.Join(tasks, ",")
}

func operationText(verb string, id OperationID, list resource.List) string {
	text := verb + " "
	if role, same := commonRole(list); same {
		text += resourcesText(list, false) + " for " + role
	} else {
		text += resourcesText(list, true)
	}
	return text + field("id", string(id))
}

// commonRole gives the reservation roles of all resources when they are the same.
func commonRole(list resource.List) (string, bool) {
	if len(list) == 0 {
		return "", false
	}
	first := rolesText(list[0])
	for _, r := range list[1:] {
		if rolesText(r) != first {
			return "", false
		}
	}
	return first, first != ""
}

// resourcesText gives "cpus(kafka-role):1;disk(kafka-role)[volume-1:data]:1000;ports:[1-2]".
func resourcesText(list resource.List, roles bool) string {
	parts := make([]string, len(list))
	for i, r := range list {
		text := r.Name
		if of := rolesText(r); roles && of != "" {
			text += "(" + of + ")"
		}
		if r.Disk != nil {
			text += diskText(*r.Disk)
		}
		if r.Revocable {
			text += "{REV}"
		}
		if r.Shared {
			text += "<SHARED>"
		}
		parts[i] = text + ":" + amountText(r)
	}
	return strings.Join(parts, ";")
}

// rolesText gives the roles of a reservation stack, the outermost first.
func rolesText(r resource.Resource) string {
	roles := make([]string, len(r.Reservations))
	for i, reservation := range r.Reservations {
		roles[i] = reservation.Role
	}
	return strings.Join(roles, ",")
}

// diskText gives "[MOUNT:/mnt/a,volume-1:data]" with what of it there is.
func diskText(d resource.DiskInfo) string {
	var parts []string
	if d.Source != "" {
		parts = append(parts, d.Source+":"+d.Root)
	}
	if d.PersistenceID != "" {
		parts = append(parts, d.PersistenceID+":"+d.ContainerPath)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func amountText(r resource.Resource) string {
	switch r.Kind {
	case resource.RangesKind:
		return r.Ranges.String()
	case resource.SetKind:
		return "{" + strings.Join(r.Set, ",") + "}"
	default:
		return r.Scalar.String()
	}
}

func joined(ids []OfferID) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = string(id)
	}
	return strings.Join(parts, ",")
}

// field gives " name=value", or nothing for an empty value.
func field(name, value string) string {
	if value == "" {
		return ""
	}
	return " " + name + "=" + value
}

func boolField(name string, value *bool) string {
	if value == nil {
		return ""
	}
	return field(name, strconv.FormatBool(*value))
}

func graceField(grace *time.Duration) string {
	if grace == nil {
		return ""
	}
	return field("grace", grace.String())
}

func message(text string) string {
	if text == "" {
		return ""
	}
	return " " + strconv.Quote(text)
}
