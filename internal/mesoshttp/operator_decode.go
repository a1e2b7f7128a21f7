package mesoshttp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"

	wire "github.com/mesos/mesos-go/api/v1/lib"
	operator "github.com/mesos/mesos-go/api/v1/lib/master"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// The numbers of fields in the answer to GET_AGENTS (include/mesos/v1/master/master.proto).
const (
	fieldGetAgents = 10 // of Response
	fieldAgents    = 1  // of GetAgents
	fieldRecovered = 2
	fieldAllocated = 8 // of GetAgents.Agent
	fieldOffered   = 9
)

// The ways in which protobuf writes a field.
const (
	wireVarint = 0
	wireFixed8 = 1
	wireBytes  = 2
	wireFixed4 = 5
)

// maxAgent bounds what one agent may take in an answer.
const maxAgent = 16 << 20

// agentDecoder reads the answer to GET_AGENTS in protobuf agent by agent, as that of a large
// cluster would take more memory at once than all else. An agent that is as it was in the answer
// before, and has nothing reserved, is not decoded again, and shares its memory with that; what is
// reserved takes more than all else and is not kept.
type agentDecoder struct {
	seed  maphash.Seed
	known map[uint64]mesos.SeenAgent // of the answer before, by the hash of what was read
}

// decode gives the agents, and the ids of those that the master has recovered and not heard yet.
func (d *agentDecoder) decode(
	in io.Reader,
) (agents []mesos.SeenAgent, recovered []mesos.AgentID, err error) {
	defer func() {
		if r := recover(); r != nil { // the generated decoders index into what they read
			err = fmt.Errorf("%w: %v", errUndecodable, r)
		}
	}()
	known, texts := make(map[uint64]mesos.SeenAgent, len(d.known)), interned{}
	p := &protoReader{in: bufio.NewReaderSize(in, 64<<10)}
	err = p.message(-1, func(field, length int) error {
		if field != fieldGetAgents {
			return p.skip(length)
		}
		return p.message(int64(length), func(field, length int) error {
			if field != fieldAgents && field != fieldRecovered {
				return p.skip(length)
			}
			text, err := p.take(length)
			if err != nil {
				return err
			}
			if field == fieldRecovered {
				var info wire.AgentInfo
				err = info.Unmarshal(text)
				recovered = append(recovered, mesos.AgentID(info.GetID().GetValue()))
				return err
			}
			agent, err := d.agent(text, known, texts)
			agents = append(agents, agent)
			return err
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("decoding the list of agents: %w", err)
	}
	d.known = known
	return agents, recovered, nil
}

// agent decodes one agent, or finds it among those that are known, and notes it.
func (d *agentDecoder) agent(
	text []byte, known map[uint64]mesos.SeenAgent, texts interned,
) (mesos.SeenAgent, error) {
	text, err := withoutUse(text)
	if err != nil {
		return mesos.SeenAgent{}, err
	}
	sum := maphash.Bytes(d.seed, text)
	agent, is := d.known[sum]
	if !is {
		var a operator.Response_GetAgents_Agent
		if err := a.Unmarshal(text); err != nil {
			return mesos.SeenAgent{}, err
		}
		agent = agentFromWire(&a)
		texts.agent(&agent)
	}
	if len(agent.Reserved) == 0 {
		known[sum] = agent
	}
	return agent, nil
}

// withoutUse takes what is in use and what is offered out of an agent, which changes all the time
// and is no part of a SeenAgent. It reuses the memory.
func withoutUse(text []byte) ([]byte, error) {
	kept := text[:0]
	err := eachField(text, func(f field) error {
		if f.number != fieldAllocated && f.number != fieldOffered {
			kept = append(kept, f.all...)
		}
		return nil
	})
	return kept, err
}

var errWireType = errors.New("a field is written in an unknown way")

// protoReader reads protobuf from a stream.
type protoReader struct {
	in    *bufio.Reader
	count int64 // of bytes read
	buf   []byte
}

// ReadByte implements io.ByteReader.
func (p *protoReader) ReadByte() (byte, error) {
	b, err := p.in.ReadByte()
	if err == nil {
		p.count++
	}
	return b, err
}

// message reads the fields of a message of a length, or up to the end of the stream if that is
// negative; value is given those with a length, and reads them.
func (p *protoReader) message(length int64, value func(field, length int) error) error {
	end := p.count + length
	for length < 0 || p.count < end {
		key, err := binary.ReadUvarint(p)
		if length < 0 && errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		switch key & 7 {
		case wireVarint:
			_, err = binary.ReadUvarint(p)
		case wireFixed8:
			err = p.skip(8)
		case wireFixed4:
			err = p.skip(4)
		case wireBytes:
			var n uint64
			if n, err = binary.ReadUvarint(p); err == nil && n > maxAnswer {
				err = errors.New("a field is longer than any")
			}
			if err == nil {
				err = value(int(key>>3), int(n))
			}
		default:
			err = errWireType
		}
		if err != nil {
			return unexpected(err)
		}
	}
	return nil
}

func (p *protoReader) skip(n int) error {
	done, err := p.in.Discard(n)
	p.count += int64(done)
	return err
}

// take reads so many bytes, which are good until the next take.
func (p *protoReader) take(n int) ([]byte, error) {
	if n > maxAgent {
		return nil, fmt.Errorf("an agent takes %d bytes", n)
	}
	if cap(p.buf) < n {
		p.buf = make([]byte, n)
	}
	done, err := io.ReadFull(p.in, p.buf[:n])
	p.count += int64(done)
	return p.buf[:n], err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
