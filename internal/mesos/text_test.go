package mesos

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

func reserved(r resource.Resource) resource.Resource {
	r.Reservations = []resource.Reservation{{Dynamic: true, Role: "kafka-role"}}
	return r
}

type textTest struct {
	value fmt.Stringer
	want  string
}

// TestText pins the text form of every event, call and operation.
func TestText(t *testing.T) {
	for _, test := range append(eventTexts(), callTexts()...) {
		got := test.value.String()
		if got != test.want {
			t.Errorf("%T:\n got %s\nwant %s", test.value, got, test.want)
		}
		if strings.ContainsAny(got, "\n\r") {
			t.Errorf("%T: the text form has more than one line: %q", test.value, got)
		}
	}
}

func eventTexts() []textTest {
	yes, no := true, false
	cpus := resource.Resource{Name: "cpus", Scalar: 1000}
	ports := resource.Resource{Name: "ports", Kind: resource.RangesKind,
		Ranges: resource.Ranges{{Begin: 31000, End: 31001}, {Begin: 9092, End: 9092}}}
	volume := reserved(resource.Resource{Name: "disk", Scalar: 1000500,
		Disk: &resource.DiskInfo{PersistenceID: "v1", ContainerPath: "data"}})
	mount := resource.Resource{Name: "disk", Scalar: 5,
		Disk: &resource.DiskInfo{Source: "MOUNT", Root: "/mnt/a"}}
	odd := resource.Resource{Name: "gpus", Kind: resource.SetKind, Set: []string{"a", "b"},
		Revocable: true, Shared: true}
	refined := reserved(cpus)
	refined.Reservations = append([]resource.Reservation{{Role: "eng"}}, refined.Reservations...)
	return []textTest{
		{Subscribed{Framework: "f1", Master: "h:5050"}, "subscribed f1 master=h:5050"},
		{Disconnected{Reason: "end\nof file"}, `disconnected "end\nof file"`},
		{Offers{}, "offers"},
		{Offers{Offers: []Offer{
			{ID: "o1", Agent: "a1", Resources: resource.List{cpus, ports, volume, mount}},
			{ID: "o2", Agent: "a2", Resources: resource.List{refined, odd}},
		}}, "offers o1@a1(cpus:1;ports:[31000-31001,9092-9092];" +
			"disk(kafka-role)[v1:data]:1000.5;disk[MOUNT:/mnt/a]:0.005) " +
			"o2@a2(cpus(eng,kafka-role):1;gpus{REV}<SHARED>:{a,b})"},
		{Rescinded{Offer: "o1"}, "rescinded o1"},
		{Updated{Status: Status{Task: "t1", State: Running}}, "update t1 RUNNING"},
		{Updated{Status: Status{Task: "t1", State: Failed, Agent: "a1", Source: "SOURCE_AGENT",
			Reason: "REASON_X", Message: "it broke", UUID: []byte{10, 11}, Healthy: &no,
			Ready: &yes, IP: "127.0.0.1"}},
			"update t1 FAILED agent=a1 source=SOURCE_AGENT reason=REASON_X healthy=false " +
				`ready=true ip=127.0.0.1 uuid=0a0b "it broke"`},
		{OperationUpdated{ID: "op1", State: "OPERATION_FINISHED", Agent: "a1", UUID: []byte{1},
			Message: "m"}, `operation op1 OPERATION_FINISHED agent=a1 uuid=01 "m"`},
		{ExecutorFailed{Agent: "a1", Executor: "e1", Status: 9},
			"executor-failed e1 agent=a1 status=9"},
		{ExecutorFailed{Agent: "a1"}, "agent-failed a1"},
		{Refused{Message: "Framework failed over"}, `refused "Framework failed over"`},
		{InverseOffers{Offers: []InverseOffer{{ID: "i1", Agent: "a1",
			Unavailable: Unavailability{Start: time.Unix(0, 0), Duration: time.Hour}}}},
			"inverse-offers i1@a1(1970-01-01T00:00:00Z for 1h0m0s)"},
		{AgentsSeen{}, "agents"},
		{AgentsSeen{Agents: []SeenAgent{
			{ID: "a1", Hostname: "h1", Reserved: resource.List{volume}, Active: true},
			{ID: "a2", Hostname: "h2", Deactivated: true,
				Drain:       &Drain{Drained: true, MarkGone: true},
				Unavailable: &Unavailability{Start: time.Unix(0, 0)}},
		}, Removed: []AgentID{"a3", "a4"}},
			"agents a1@h1(disk(kafka-role)[v1:data]:1000.5) a2@h2() inactive deactivated " +
				"drained mark-gone unavailable=1970-01-01T00:00:00Z removed=a3,a4"},
	}
}

func callTexts() []textTest {
	grace := 5 * time.Second
	cpus := resource.Resource{Name: "cpus", Scalar: 1000}
	mem := resource.Resource{Name: "mem", Scalar: 2048000}
	volume := reserved(resource.Resource{Name: "disk", Scalar: 1000500,
		Disk: &resource.DiskInfo{PersistenceID: "v1", ContainerPath: "data"}})
	both := resource.List{reserved(cpus), reserved(mem)}
	launch := Launch{Tasks: []TaskInfo{{ID: "b-1", Name: "kafka-0-broker"}}}
	return []textTest{
		{Accept{Offers: []OfferID{"o1"}, Refuse: 5 * time.Second,
			Operations: []Operation{Reserve{Resources: both}, launch}},
			"accept o1 refuse=5s [reserve cpus:1;mem:2048 for kafka-role; " +
				"launch kafka-0-broker#b-1]"},
		{Accept{Offers: []OfferID{"o1", "o2"}}, "accept o1,o2 refuse=0s []"},
		{Decline{Offers: []OfferID{"o1", "o2"}, Refuse: time.Hour}, "decline o1,o2 refuse=1h0m0s"},
		{Revive{}, "revive"},
		{Suppress{}, "suppress"},
		{Kill{Task: "t1", Agent: "a1", Grace: &grace}, "kill t1 agent=a1 grace=5s"},
		{Kill{Task: "t1"}, "kill t1"},
		{Acknowledge{Task: "t1", Agent: "a1", UUID: []byte{255}},
			"acknowledge t1 agent=a1 uuid=ff"},
		{Reconcile{}, "reconcile all"},
		{Reconcile{Tasks: []TaskOnAgent{{"t1", "a1"}, {"t2", ""}}}, "reconcile t1@a1 t2@"},
		{AcceptInverse{Offers: []OfferID{"i1", "i2"}, Refuse: time.Minute},
			"accept-inverse i1,i2 refuse=1m0s"},
		{DeclineInverse{Offers: []OfferID{"i1"}, Refuse: time.Second},
			"decline-inverse i1 refuse=1s"},
		{Teardown{}, "teardown"},
		{AcknowledgeOperation{ID: "op1", Agent: "a1", UUID: []byte{255}},
			"acknowledge-operation op1 agent=a1 uuid=ff"},
		{ReconcileOperations{}, "reconcile-operations all"},
		{ReconcileOperations{Operations: []OperationOnAgent{{"op1", "a1"}, {"op2", ""}}},
			"reconcile-operations op1@a1 op2@"},
		{UnreserveResources{Agent: "a1", Resources: both},
			"operator unreserve cpus:1;mem:2048 for kafka-role agent=a1"},
		{DestroyVolumes{Agent: "a1", Volumes: resource.List{volume}},
			"operator destroy disk[v1:data]:1000.5 for kafka-role agent=a1"},

		{Reserve{ID: "op1", Resources: both}, "reserve cpus:1;mem:2048 for kafka-role id=op1"},
		{Unreserve{Resources: resource.List{reserved(cpus), mem}},
			"unreserve cpus(kafka-role):1;mem:2048"},
		{Create{Volumes: resource.List{volume}}, "create disk[v1:data]:1000.5 for kafka-role"},
		{Destroy{ID: "op2", Volumes: resource.List{volume}},
			"destroy disk[v1:data]:1000.5 for kafka-role id=op2"},
		{launch, "launch kafka-0-broker#b-1"},
	}
}
