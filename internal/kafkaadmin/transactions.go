package kafkaadmin

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
		var states []string
		if state != "" {
			states = []string{state}
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

// Transaction describes one transactional id.
func (Admin) Transaction(ctx context.Context, at []string, id string) (api.Transaction, error) {
	return ask(ctx, at, func(ctx context.Context, c conn) (api.Transaction, error) {
		return transaction(ctx, c, id)
	})
}

func transaction(ctx context.Context, c conn, id string) (api.Transaction, error) {
	answer, err := c.DescribeTransactions(ctx, id)
	of := answer[id]
	if err := firstOf(err, of.Err); err != nil {
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
// producer out, as another producer of the same id would, and aborts.
func (Admin) AbortTransaction(ctx context.Context, at []string, id string) error {
	return done(ctx, at, func(ctx context.Context, c conn) error {
		of, err := transaction(ctx, c, id)
		if err != nil {
			return err
		}
		if of.State != ongoing {
			return conflict("transaction %s is %s: there is nothing to abort", id, of.State)
		}
		request := kmsg.NewPtrInitProducerIDRequest()
		request.TransactionalID = &id
		request.TransactionTimeoutMillis = 1 // nothing will be written under it
		for {
			answer, err := request.RequestWith(ctx, c.raw)
			if err == nil {
				err = kerr.ErrorForCode(answer.ErrorCode)
			}
			if !errors.Is(err, kerr.ConcurrentTransactions) {
				return err
			}
			select { // the coordinator is aborting
			case <-time.After(retryPause):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
}
