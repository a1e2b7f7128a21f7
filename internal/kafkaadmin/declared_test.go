package kafkaadmin

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// What is declared is found missing, is made, and then is as declared; each change may be asked for
// twice.
func TestDeclared(t *testing.T) {
	at, ctx := cluster(t), t.Context()
	var a Admin
	wish := scheduler.ConfigWish{Topics: []servicespec.Topic{{Name: "audit"},
		{Name: "events", Partitions: 3, Replication: 2,
			Config: map[string]string{"retention.ms": "1000"}}},
		Brokers: []scheduler.BrokerWish{{ID: 0}, {ID: 2}, {ID: 7}}}
	differs := func() scheduler.Drift {
		t.Helper()
		return scheduler.Compare(a.Configs(ctx, at, wish), wish)
	}
	found := differs()
	if found.Error != "" || len(found.Topics) != 2 || !found.Topics[1].Missing ||
		!slices.Equal(found.Told, []int{0, 2}) || !slices.Equal(found.Silent, []int{7}) {
		t.Fatal(found)
	}
	change := func(c scheduler.KafkaChange) {
		t.Helper()
		for range 2 {
			if known, err := a.Change(ctx, at, c); !known || err != nil {
				t.Fatalf("%s: %t, %v", c, known, err)
			}
		}
	}
	for _, declared := range wish.Topics {
		change(scheduler.CreateTopic{Topic: declared})
	}
	if found := differs(); len(found.Topics) != 0 {
		t.Errorf("everything is there, and yet %s", found)
	}
	wish.Topics[1].Partitions, wish.Topics[1].Config = 5, map[string]string{"segment.ms": "9000"}
	wish.Topics[1].Replication = 3
	found = differs()
	if len(found.Topics) != 1 || found.Topics[0].Partitions != 3 || found.Topics[0].Replicas != 2 ||
		len(found.Topics[0].Properties) != 2 {
		t.Fatal(found)
	}
	change(scheduler.GrowTopic{Topic: "events", Partitions: 5})
	change(scheduler.ReplicateTopic{Topic: "events", Factor: 3})
	change(scheduler.ConfigureTopic{Topic: "events", Delete: []string{"retention.ms"},
		Set: map[string]string{"segment.ms": "9000"}})
	wish.Topics[1].Replication = 2 // these brokers take moves, and do not make them
	if found := differs(); len(found.Topics) != 0 {
		t.Errorf("everything was changed, and yet %s", found)
	}
	if known, _ := a.Change(ctx, at, scheduler.Unregister{}); known {
		t.Error("somebody else forgets brokers")
	}
	if found := a.Configs(ctx, nil, wish); found.Error == "" {
		t.Error("nobody can tell, and there is no error")
	}
}

func TestConfigureBrokers(t *testing.T) {
	at, ctx := cluster(t), t.Context()
	var a Admin
	for _, id := range []int{1, scheduler.AllBrokers} {
		set := scheduler.ConfigureBrokers{Broker: id,
			Set: map[string]string{"log.cleaner.threads": "2"}}
		if _, err := a.Change(ctx, at, set); err != nil {
			t.Errorf("%s: %v", set, err)
		}
	}
	none := scheduler.ConfigureTopic{Topic: "nosuch", Set: map[string]string{"retention.ms": "1"}}
	if _, err := a.Change(ctx, at, none); err == nil {
		t.Error("a topic that is not there was configured")
	}
}

// A coordinator may say that it is none, or that it is busy, although it aborted or the producer
// committed meanwhile. What counts is what the transaction is afterwards.
func TestAbortLooksWhatCameOfIt(t *testing.T) {
	for name, c := range map[string]struct {
		answer  *kerr.Error
		states  []string // one after the other, the last for ever
		refusal string
	}{
		"aborted all the same": {kerr.CoordinatorNotAvailable,
			[]string{"Ongoing", "PrepareAbort", "CompleteAbort"}, ""},
		"being aborted": {kerr.ConcurrentTransactions,
			[]string{"Ongoing", "PrepareAbort", "Empty"}, ""},
		"committed": {kerr.NotCoordinator,
			[]string{"Ongoing", "CompleteCommit"}, "its producer was faster"},
		"refused for good": {kerr.TransactionalIDAuthorizationFailed,
			[]string{"Ongoing"}, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"},
		"nothing to abort": {nil, []string{"Empty"}, "nothing to abort"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the client waits between its attempts
			err := abortOf(t, c.answer, c.states)
			if (err == nil) != (c.refusal == "") ||
				err != nil && !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("%v, want %q", err, c.refusal)
			}
		})
	}
}

// abortOf aborts a transaction of a coordinator that answers so, and whose transaction has these
// states.
func abortOf(t *testing.T, answer *kerr.Error, states []string) error {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	must(t, err)
	t.Cleanup(c.Close)
	var looks atomic.Int32
	c.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		switch r := r.(type) {
		case *kmsg.DescribeTransactionsRequest:
			of := kmsg.NewDescribeTransactionsResponseTransactionState()
			i := min(int(looks.Add(1)), len(states)) - 1
			of.TransactionalID, of.State = "pay-1", states[i]
			of.ProducerID, of.ProducerEpoch = 4, 1
			response := r.ResponseKind().(*kmsg.DescribeTransactionsResponse)
			response.TransactionStates = append(response.TransactionStates, of)
			return response, nil, true
		case *kmsg.InitProducerIDRequest:
			response := r.ResponseKind().(*kmsg.InitProducerIDResponse)
			response.ErrorCode = answer.Code
			return response, nil, true
		}
		return nil, nil, false
	})
	var a Admin
	return a.AbortTransaction(t.Context(), c.ListenAddrs(), "pay-1")
}

func TestOutcome(t *testing.T) {
	before := api.Transaction{ProducerEpoch: 3}
	now := api.Transaction{ProducerEpoch: 4}
	before.State, now.State = ongoing, ongoing
	if ended, err := outcome(before, now); !ended || err != nil {
		t.Errorf("another transaction is under way: %t, %v", ended, err)
	}
	if ended, _ := outcome(before, before); ended {
		t.Error("the same one is under way, and has ended")
	}
}
