package brokers

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
)

// With ZooKeeper the broker that is the controller is asked for what it alone does, whichever
// broker was found first; in KRaft that one is, which passes all of it on.
func TestControllerIsAsked(t *testing.T) {
	moves := []balance.Move{{Topic: "a", Partition: 3, After: []balance.BrokerID{2, 0}}}
	for name, do := range map[string]func(context.Context, *Asker, string) error{
		"elect": func(ctx context.Context, a *Asker, at string) error {
			return a.Change(ctx, []string{at}, scheduler.ElectPreferred{Node: 1,
				Leaders: []rolling.Handover{{Topic: "a", Partition: 3}}})
		},
		"move": func(ctx context.Context, a *Asker, at string) error {
			return a.Change(ctx, []string{at}, scheduler.StartMoves{Moves: moves})
		},
		"cancel": func(ctx context.Context, a *Asker, at string) error {
			return a.Change(ctx, []string{at}, scheduler.CancelMoves{Moves: moves})
		},
		"lead elsewhere": func(ctx context.Context, a *Asker, at string) error {
			return a.Change(ctx, []string{at}, scheduler.MoveReplicas{Node: 1,
				Moves: []rolling.Move{{Topic: "a", Partition: 3,
					Replicas: []rolling.NodeID{2, 0}}}})
		},
		"list": func(ctx context.Context, a *Asker, at string) error {
			a.Layout(ctx, []string{at}, []string{"a"})
			return nil
		},
	} {
		for _, kraft := range []bool{false, true} {
			controller := takeControlled(t, kraft, "")
			other := takeControlled(t, kraft, controller.address)
			if err := do(t.Context(), open(t, patient), other.address); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			at, spared := controller, other
			if kraft {
				at, spared = other, controller
			}
			if controlled(at) != 1 || controlled(spared) != 0 {
				t.Errorf("%s, KRaft %v: the controller got %d, the other %d", name, kraft,
					controlled(controller), controlled(other))
			}
		}
	}
}

// takeControlled is a broker that says that the controller, node 7, is at an address.
func takeControlled(t *testing.T, kraft bool, controller string) *taker {
	known := map[int16]int16{43: 2, 45: 0, 46: 0, metadata.key: 12}
	if kraft {
		known[describeQuorum.key] = 1
	}
	return take(t, known, func(request kmsg.Request) kmsg.Response {
		r, asked := request.ResponseKind().(*kmsg.MetadataResponse)
		if !asked {
			return request.ResponseKind()
		}
		host, port, err := net.SplitHostPort(controller)
		if err == nil {
			b := kmsg.NewMetadataResponseBroker()
			b.NodeID, b.Host = 7, host
			number, _ := strconv.Atoi(port)
			b.Port, r.ControllerID = int32(number), 7
			r.Brokers = append(r.Brokers, b)
		}
		return r
	})
}

// controlled counts what a broker was asked that a controller does.
func controlled(k *taker) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := 0
	for _, request := range k.seen {
		switch request.(type) {
		case *kmsg.ElectLeadersRequest, *kmsg.AlterPartitionAssignmentsRequest,
			*kmsg.ListPartitionReassignmentsRequest:
			count++
		}
	}
	return count
}
