package mesoshttp

import (
	"encoding/binary"
	"fmt"
	"io"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// The numbers of fields in an OFFERS event (include/mesos/v1/scheduler/scheduler.proto).
const (
	fieldType   = 1 // of Event
	fieldOffers = 3
	fieldOffer  = 1 // of Event.Offers
)

// manyOffers is how large an event is whose offers are decoded one at a time: all of ten thousand
// at once take 45 MB in mesos-go's types, beside our own.
const manyOffers = 256 << 10

// event decodes the next event that the machine is to know; known is false for all others. Errors
// are as those of next.
func (d *recordDecoder) event(e *scheduler.Event) (event mesos.Event, known bool, err error) {
	record, err := d.records.ReadFrame()
	if err != nil {
		return nil, false, err
	}
	if len(record) > manyOffers && d.codec.Name == codecs.NameProtobuf {
		offers, is, err := offersOf(record)
		if is || err != nil {
			e.Type = scheduler.Event_OFFERS
			return offers, is, err
		}
	}
	if err := decodeMessage(d.codec, record, e); err != nil {
		return nil, false, err
	}
	event, known = eventFromWire(e)
	return event, known, nil
}

// offersOf decodes an OFFERS event offer by offer; is says whether it is one.
func offersOf(record []byte) (offers mesos.Offers, is bool, err error) {
	defer func() {
		if r := recover(); r != nil { // the generated decoders index into what they read
			err = fmt.Errorf("%w: %v", errUndecodable, r)
		}
	}()
	texts, only := interned{}, true
	err = eachField(record, func(f field) error {
		switch f.number {
		case fieldType:
			kind, _ := binary.Uvarint(f.value)
			is = kind == uint64(scheduler.Event_OFFERS)
			return nil
		case fieldOffers:
			return eachField(f.value, func(f field) error {
				if f.number != fieldOffer {
					return nil
				}
				var o wire.Offer
				if err := o.Unmarshal(f.value); err != nil {
					return err
				}
				offer := offerFromWire(&o)
				texts.offer(&offer)
				offers.Offers = append(offers.Offers, offer)
				return nil
			})
		}
		only = false
		return nil
	})
	if err != nil {
		return mesos.Offers{}, false, fmt.Errorf("%w: %w", errUndecodable, err)
	}
	return offers, is && only && len(offers.Offers) > 0, nil
}

// field is a field of a message in protobuf: all of it, and its value.
type field struct {
	number     int
	all, value []byte
}

// eachField visits the fields of a message in their order.
func eachField(message []byte, visit func(field) error) error {
	for len(message) > 0 {
		f, err := fieldAt(message)
		if err == nil {
			err = visit(f)
		}
		if err != nil {
			return err
		}
		message = message[len(f.all):]
	}
	return nil
}

// fieldAt gives the field that a message begins with.
func fieldAt(message []byte) (field, error) {
	key, n := binary.Uvarint(message)
	if n <= 0 {
		return field{}, io.ErrUnexpectedEOF
	}
	begin, length := n, uint64(0)
	switch key & 7 {
	case wireVarint:
		_, m := binary.Uvarint(message[n:])
		if m <= 0 {
			return field{}, io.ErrUnexpectedEOF
		}
		length = uint64(m)
	case wireFixed8:
		length = 8
	case wireFixed4:
		length = 4
	case wireBytes:
		size, m := binary.Uvarint(message[n:])
		if m <= 0 {
			return field{}, io.ErrUnexpectedEOF
		}
		begin, length = n+m, size
	default:
		return field{}, errWireType
	}
	if length > uint64(len(message)-begin) {
		return field{}, io.ErrUnexpectedEOF
	}
	end := begin + int(length)
	return field{number: int(key >> 3), all: message[:end], value: message[begin:end]}, nil
}
