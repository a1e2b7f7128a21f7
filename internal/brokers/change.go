package brokers

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// changeTimeout is how long a change may take. A new voter has to catch up meanwhile.
const changeTimeout = 30 * time.Second

// Change has Kafka changed through the first of the addresses that can be reached. Every change
// may be asked for again: one that is made already is none that fails.
func (a *Asker) Change(
	ctx context.Context, addresses []string, change scheduler.KafkaChange,
) error {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	switch c := change.(type) {
	case scheduler.StartMoves:
		if inside(c.Moves) {
			return moveInside(ctx, addresses, c.Moves, true, c.Throttle)
		}
	case scheduler.CancelMoves:
		if inside(c.Moves) {
			return moveInside(ctx, addresses, c.Moves, false, 0)
		}
	}
	return firstOf(ctx, addresses, func(l *line) error {
		switch change.(type) {
		case scheduler.ElectPreferred, scheduler.MoveReplicas, scheduler.StartMoves,
			scheduler.CancelMoves:
			return l.atController(ctx, func(l *line) error { return l.change(change) })
		}
		return l.change(change)
	})
}

func (l *line) change(change scheduler.KafkaChange) error {
	switch c := change.(type) {
	case scheduler.AddVoter:
		return l.addVoter(c)
	case scheduler.RemoveVoter:
		return l.removeVoter(c)
	case scheduler.ElectPreferred:
		return l.elect(c)
	case scheduler.MoveReplicas:
		return l.reassign(movesOf(c), true)
	case scheduler.Cordon:
		return l.cordon(c)
	case scheduler.Unregister:
		request := kmsg.NewPtrUnregisterBrokerRequest()
		request.BrokerID = int32(c.Broker)
		response, err := l.call(request)
		if err != nil {
			return err
		}
		r := response.(*kmsg.UnregisterBrokerResponse)
		return refused(r.ErrorCode, r.ErrorMessage, notRegistered)
	case scheduler.SetFeature:
		return l.setFeature(c)
	case scheduler.StartMoves:
		return l.startMoves(c)
	case scheduler.CancelMoves:
		return l.reassign(c.Moves, false)
	case scheduler.Unthrottle:
		return l.unthrottle(c)
	}
	return fmt.Errorf("nobody knows how to %s", change)
}

func (l *line) addVoter(c scheduler.AddVoter) error {
	directory, err := directoryID(c.Directory)
	if err != nil {
		return err
	}
	listener := kmsg.NewAddRaftVoterRequestListener()
	listener.Name, listener.Host, listener.Port = controllerListener, c.Host, uint16(c.Port)
	request := kmsg.NewPtrAddRaftVoterRequest()
	request.TimeoutMillis = int32(changeTimeout.Milliseconds() * 2 / 3)
	request.VoterID, request.VoterDirectoryID = int32(c.Node), directory
	request.Listeners = append(request.Listeners, listener)
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.AddRaftVoterResponse)
	return refused(r.ErrorCode, r.ErrorMessage, duplicateVoter)
}

func (l *line) removeVoter(c scheduler.RemoveVoter) error {
	directory, err := directoryID(c.Directory)
	if err != nil {
		return err
	}
	request := kmsg.NewPtrRemoveRaftVoterRequest()
	request.VoterID, request.VoterDirectoryID = int32(c.Node), directory
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.RemoveRaftVoterResponse)
	return refused(r.ErrorCode, r.ErrorMessage, voterNotFound)
}

// controllerListener is the name that the scheduler gives to the listeners of controllers.
const controllerListener = "CONTROLLER"

// directoryID reads a directory's id in Kafka's own form.
func directoryID(text string) (id [16]byte, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return id, fmt.Errorf("%q is no id of a log directory", text)
	}
	return [16]byte(raw), nil
}

// Error codes of Kafka's that say that a change is made already.
const (
	notRegistered  = 102
	duplicateVoter = 126
	voterNotFound  = 127
)

// refused is what Kafka says against a change, nil if it took it, or if the reason is that it is
// made already.
func refused(code int16, message *string, done int16) error {
	switch {
	case code == 0 || code == done:
		return nil
	case message != nil && *message != "":
		return fmt.Errorf("error code %d: %s", code, *message)
	}
	return kafka.Error(code)
}
