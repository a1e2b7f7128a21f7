package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/api"
)

// Transactions gives the transactional ids, by id; with a state only those that are in it.
func (Admin) Transactions(
	ctx context.Context, at []string, state string,
) ([]api.TransactionSummary, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) ([]api.TransactionSummary, error) {
		states, err := statesLike(state)
		if err != nil {
			return nil, err
		}
		answer, err := c.ListTransactions(ctx, nil, states)
		if partly(err) {
			err = nil // the coordinator that is down has its transactions taken over soon
		}
		list := make([]api.TransactionSummary, 0, len(answer))
		for _, t := range answer.Sorted() {
			list = append(list, api.TransactionSummary{ID: t.TxnID, State: t.State,
				ProducerID: t.ProducerID, Coordinator: int(t.Coordinator)})
		}
		slices.SortFunc(list, func(a, b api.TransactionSummary) int {
			return cmp.Compare(a.ID, b.ID)
		})
		return list, err
	})
}

// transactionStates are those that Kafka knows. It passes over what it does not.
var transactionStates = []string{"Empty", ongoing, "PrepareCommit", "PrepareAbort",
	"CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// statesLike gives the state of a name, whatever its case, or none for none.
func statesLike(name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	for _, state := range transactionStates {
		if strings.EqualFold(state, name) {
			return []string{state}, nil
		}
	}
	return nil, invalid("There is no state %s of transactions; there are: %s.", name,
		strings.Join(transactionStates, ", "))
}

// Transaction describes one transactional id.
func (Admin) Transaction(ctx context.Context, at []string, id string) (api.Transaction, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (api.Transaction, error) {
		return transaction(ctx, c, id)
	})
}

func transaction(ctx context.Context, c conn, id string) (api.Transaction, error) {
	of, err := coordinated(ctx, func() (kadm.DescribedTransaction, error) {
		answer, err := c.DescribeTransactions(ctx, id)
		return answer[id], firstOf(err, answer[id].Err)
	})
	if err != nil {
		if errors.Is(err, kerr.TransactionalIDNotFound) {
			err = missing("Transaction", id)
		}
		return api.Transaction{}, err
	}
	shape := api.Transaction{ProducerEpoch: int(of.ProducerEpoch), TimeoutMS: int(of.TimeoutMillis),
		Partitions: partitionNames(of.Topics), TransactionSummary: api.TransactionSummary{
			ID: id, State: of.State, ProducerID: of.ProducerID,
			Coordinator: int(of.Coordinator)}}
	if of.StartTimestamp >= 0 && len(shape.Partitions) > 0 {
		started := time.UnixMilli(of.StartTimestamp).UTC()
		shape.Started = &started
	}
	return shape, nil
}

func partitionNames(set kadm.TopicsSet) []api.PartitionName {
	list := []api.PartitionName{}
	for _, topic := range set.Sorted() {
		slices.Sort(topic.Partitions)
		for _, p := range topic.Partitions {
			list = append(list, api.PartitionName{Topic: topic.Topic, Partition: int(p)})
		}
	}
	return list
}

// ongoing is the state of a transaction that is neither committed nor aborted.
const ongoing = "Ongoing"

// AbortTransaction ends the transaction that is under way of an id: its coordinator fences the
// producer out, as another producer of the same id would, and aborts. What the coordinator answers
// to that may be less than it did, so it is looked what came of it.
func (Admin) AbortTransaction(ctx context.Context, at []string, id string) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		of, err := transaction(ctx, c, id)
		if err != nil {
			return err
		}
		if of.State != ongoing {
			return conflict("transaction %s is %s: there is nothing to abort", id, of.State)
		}
		for {
			err := fence(ctx, c, id)
			if err == nil || certain(err) {
				return err
			}
			now, unseen := transaction(ctx, c, id)
			if ended, refusal := outcome(of, now); unseen == nil && ended {
				return refusal
			}
			select {
			case <-time.After(retryPause):
			case <-ctx.Done():
				return fmt.Errorf("nobody can say yet whether transaction %s was aborted; "+
					"describe it: %w", id, err)
			}
		}
	})
}

// fence begins a new epoch of a transactional id, for which the coordinator has to abort what is
// under way.
func fence(ctx context.Context, c conn, id string) error {
	request := kmsg.NewPtrInitProducerIDRequest()
	request.TransactionalID = &id
	request.TransactionTimeoutMillis = 1 // nothing will be written under it
	answer, err := request.RequestWith(ctx, c.raw)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(answer.ErrorCode)
}

// certain says that a coordinator refused for good, and so did nothing.
func certain(err error) bool {
	var refused *kerr.Error
	return errors.As(err, &refused) && !refused.Retriable &&
		refused != kerr.ConcurrentTransactions && refused != kerr.UnknownServerError
}

// The states of transactions in which it is known what became of them.
var (
	aborted   = []string{"CompleteAbort", "Empty", "Dead"}
	committed = []string{"PrepareCommit", "CompleteCommit"}
)

// outcome says whether a transaction has ended since it was looked at, and if it was not aborted,
// how.
func outcome(before, now api.Transaction) (ended bool, err error) {
	another := now.ProducerID != before.ProducerID || now.ProducerEpoch != before.ProducerEpoch
	switch {
	case slices.Contains(aborted, now.State), now.State == ongoing && another:
		return true, nil
	case slices.Contains(committed, now.State) && !another:
		return true, conflict("transaction %s is %s: its producer was faster", now.ID, now.State)
	}
	return false, nil
}
