package brokers

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	clientName = "kafka-sched"
	// maxResponse is far above what 200,000 partitions with three replicas take.
	maxResponse = 64 << 20
)

// peer is one address and the connection to it, if there is one. One goroutine at a time uses it.
type peer struct {
	address string
	conn    net.Conn
	// versions of the requests on this connection, by key.
	versions    map[int16]int16
	correlation int32
	// silent is whether the last ask failed.
	silent bool
	// elected is whether it is the broker that ZooKeeper made the controller, as it told last.
	elected bool
	// disks is what it said last of its log directories, level that of metadata.version.
	disks disks
	level int16
}

// depth is how much is asked of a broker.
type depth int

const (
	sign    depth = iota // whether it answers at all
	numbers              // what there is, in numbers
	all                  // each partition, with what its topic demands
)

// ask puts the questions to the broker, on the open connection or on a new one. A connection that
// was open may be that of a broker which has ended since, so its failure is tried again once.
func (p *peer) ask(ctx context.Context, how depth, now time.Time) (*answer, error) {
	wasOpen := p.conn != nil
	a, err := p.tryOnce(ctx, how, now)
	if err != nil && wasOpen && ctx.Err() == nil {
		a, err = p.tryOnce(ctx, how, now)
	}
	if err == nil {
		a.disks, a.level = p.disks, p.level
	}
	return a, err
}

// tryOnce leaves a connection open only if nothing on it is in doubt.
func (p *peer) tryOnce(ctx context.Context, how depth, now time.Time) (*answer, error) {
	if p.conn == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err != nil {
			return nil, err
		}
		p.conn, p.versions = conn, nil
	}
	conn := p.conn
	if err := conn.SetDeadline(time.Time{}); err != nil {
		p.drop()
		return nil, err
	}
	// A deadline in the past makes the read or write under way return.
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	a, err := p.putQuestions(how)
	if err == nil && p.conn != nil && p.look(now) != nil {
		p.drop() // the answer might still come
	}
	if !interrupt() || err != nil {
		p.drop()
	}
	return a, err
}

// putQuestions has three questions answered by a broker, those of each partition behind them if
// they are wanted, and the two that it knows by a controller. DescribeQuorum comes last but for
// these, because a broker passes it on to the controllers and is silent as long as there is no
// leader among them.
func (p *peer) putQuestions(how depth) (*answer, error) {
	fresh := p.versions == nil
	if fresh {
		if err := p.greet(); err != nil {
			return nil, err
		}
	}
	a := &answer{address: p.address, quorum: noQuorum,
		joinsItself: p.versions[addVoter.key] >= joinsItself, migrates: p.versions[migrates] > 0}
	_, serves := p.versions[metadata.key]
	if how == sign && serves {
		if !fresh { // else it has answered just now
			if err := p.greet(); err != nil {
				return nil, err
			}
		}
		a.silent = true
		return a, nil
	}
	if err := p.describe(a, how); err != nil {
		return nil, err
	}
	err := p.askQuorum(a)
	switch {
	case err != nil:
	case a.whole != nil:
		err = p.complete(a)
	case how == all && a.migrates && a.quorum.leader >= 0:
		err = p.question(listMoves, a.ownMoves().readMoves)
	}
	if err != nil {
		a.whole, a.moves = nil, nil
		p.drop() // the answer might still come
	}
	return a, nil
}

// askQuorum asks for the quorum. Where ZooKeeper elects the controller, that is what is known.
func (p *peer) askQuorum(a *answer) error {
	if _, tells := p.versions[describeQuorum.key]; !tells {
		a.quorum = quorum{leader: a.elected, epoch: 0, zooKeeper: true}
		p.elected = a.elected >= 0 && a.self() == a.elected
		return nil
	}
	return p.question(describeQuorum, func(version int16, body []byte) (err error) {
		a.quorum, err = readQuorum(version, body)
		return err
	})
}

// greet asks which requests the broker knows.
func (p *peer) greet() error {
	body, err := p.exchange(apiVersions, apiVersions.max)
	if err != nil {
		return err
	}
	p.level = readLevel(body)
	p.versions, err = readVersions(body,
		[]question{metadata, describeCluster, describeQuorum},
		[]question{addVoter, describeMinimums(nil), listMoves, describeDirs,
			versionsAgain})
	if err != nil {
		return fmt.Errorf("reading %s: %w", apiVersions.name, err)
	}
	return nil
}

// describe asks for all but the quorum.
func (p *peer) describe(a *answer, how depth) error {
	if _, serves := p.versions[metadata.key]; !serves {
		return p.question(describeControllers, a.readControllers)
	}
	err := p.question(metadata, func(version int16, body []byte) error {
		if how == all {
			a.whole = &whole{version: version, metadata: body}
		}
		return a.readMetadata(version, body)
	})
	if err == nil && how == all {
		err = p.question(versionsAgain, a.readFeatures)
		p.level = int16(a.levelOf(metadataFeature))
	}
	if err != nil {
		return err
	}
	return p.question(describeCluster, a.readCluster)
}

func (p *peer) question(q question, read func(version int16, body []byte) error) error {
	version := p.versions[q.key]
	body, err := p.exchange(q, version)
	if err != nil {
		return err
	}
	if err := read(version, body); err != nil {
		return fmt.Errorf("reading %s: %w", q.name, err)
	}
	return nil
}

// exchange sends one request and returns the response without its header.
func (p *peer) exchange(q question, version int16) ([]byte, error) {
	if err := p.send(q, version); err != nil {
		return nil, err
	}
	return p.receive(q, p.correlation)
}

// send sends one request, whose response carries p.correlation.
func (p *peer) send(q question, version int16) error {
	p.correlation++
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientName))
	frame := format.AppendRequest(nil, q.request(version), p.correlation)
	if _, err := p.conn.Write(frame); err != nil {
		return fmt.Errorf("sending %s: %w", q.name, err)
	}
	return nil
}

// receive returns the response to a request without its header. Responses come in the order of
// the requests.
func (p *peer) receive(q question, correlation int32) ([]byte, error) {
	response, err := readFrame(p.conn)
	if err != nil {
		return nil, fmt.Errorf("receiving %s: %w", q.name, err)
	}
	r := reader{left: response}
	if got := r.int32(); r.bad || int32(got) != correlation {
		return nil, fmt.Errorf("receiving %s: the response is not to this request", q.name)
	}
	if q.key != apiVersions.key { // which alone has the short header in all versions
		r.tags()
	}
	if r.bad {
		return nil, fmt.Errorf("receiving %s: %w", q.name, errDamaged)
	}
	return r.left, nil
}

// readFrame reads a length and as many bytes. Memory grows with what comes, not with the length.
func readFrame(conn io.Reader) ([]byte, error) {
	var prefix [4]byte
	if _, err := io.ReadFull(conn, prefix[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(prefix[:])
	if size > maxResponse {
		return nil, fmt.Errorf("a response of %d bytes; is that a Kafka broker?", size)
	}
	var body bytes.Buffer
	if size <= 64<<10 {
		body.Grow(int(size) + bytes.MinRead)
	}
	if _, err := io.CopyN(&body, conn, int64(size)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return body.Bytes(), nil
}

// controls reports whether the node is known to be a controller and no broker.
func (p *peer) controls() bool {
	_, serves := p.versions[metadata.key]
	return p.versions != nil && !serves
}

// drop ends the connection, if there is one.
func (p *peer) drop() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.conn, p.versions = nil, nil
	}
}
