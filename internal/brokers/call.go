package brokers

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// line is a connection for requests that change something, or that are put seldom. It is made for a
// few of them and not kept, because they may take long and nobody else is to wait for them.
type line struct {
	address     string
	conn        net.Conn
	read        *bufio.Reader
	versions    map[int16]kmsg.ApiVersionsResponseApiKey
	correlation int32
}

// dial connects to a node and learns what it understands. The connection ends with ctx.
func dial(ctx context.Context, address string) (*line, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := &line{address: address, conn: conn, read: bufio.NewReader(conn),
		versions: map[int16]kmsg.ApiVersionsResponseApiKey{}}
	context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	response, err := l.exchange(apiVersions.request(apiVersions.max))
	if err != nil {
		l.close()
		return nil, err
	}
	for _, key := range response.(*kmsg.ApiVersionsResponse).ApiKeys {
		l.versions[key.ApiKey] = key
	}
	return l, nil
}

func (l *line) close() { _ = l.conn.Close() }

// call puts a request in the highest version that both sides know.
func (l *line) call(request kmsg.Request) (kmsg.Response, error) {
	name := kmsg.NameForKey(request.Key())
	known, ok := l.versions[request.Key()]
	version := min(known.MaxVersion, request.MaxVersion())
	if !ok || version < known.MinVersion {
		return nil, fmt.Errorf("the Kafka at %s does not know %s", l.address, name)
	}
	request.SetVersion(version)
	return l.exchange(request)
}

// exchange sends a request and reads the response to it.
func (l *line) exchange(request kmsg.Request) (kmsg.Response, error) {
	l.correlation++
	name := kmsg.NameForKey(request.Key())
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientName))
	if _, err := l.conn.Write(format.AppendRequest(nil, request, l.correlation)); err != nil {
		return nil, fmt.Errorf("sending %s: %w", name, err)
	}
	frame, err := readFrame(l.read)
	if err != nil {
		return nil, fmt.Errorf("receiving %s: %w", name, err)
	}
	if len(frame) < 4 || int32(binary.BigEndian.Uint32(frame)) != l.correlation {
		return nil, fmt.Errorf("receiving %s: the response is not to this request", name)
	}
	r := reader{left: frame[4:]}
	if request.IsFlexible() && request.Key() != apiVersions.key {
		r.tags()
	}
	response := request.ResponseKind()
	if err := response.ReadFrom(r.left); err != nil || r.bad {
		return nil, fmt.Errorf("receiving %s: %w", name, errDamaged)
	}
	return response, nil
}

// firstOf tries addresses in turn until one can be talked to, and uses that.
func firstOf(ctx context.Context, addresses []string, use func(*line) error) error {
	var failures []string
	for _, address := range addresses {
		l, err := dial(ctx, address)
		if err != nil {
			failures = append(failures, fmt.Sprintf("%s: %s", address, reason(err)))
			continue
		}
		defer l.close()
		return use(l)
	}
	if len(failures) == 0 {
		return errors.New("there is no address to ask")
	}
	return errors.New(strings.Join(failures, "; "))
}

// atController uses a connection to the broker that is the controller, where ZooKeeper elected one:
// there it alone elects leaders and knows of reassignments, and others say that they are not it, in
// KRaft every broker passes such requests on. What is used is the connection at hand if that is one
// to a node of KRaft, or nobody is the controller.
func (l *line) atController(ctx context.Context, use func(*line) error) error {
	_, kraft := l.versions[describeQuorum.key]
	if _, broker := l.versions[metadata.key]; kraft || !broker {
		return use(l)
	}
	request := kmsg.NewPtrMetadataRequest()
	request.Topics = []kmsg.MetadataRequestTopic{} // none; nil is all
	response, err := l.call(request)
	if err != nil {
		return err
	}
	r := response.(*kmsg.MetadataResponse)
	for _, b := range r.Brokers {
		address := net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		if b.NodeID == r.ControllerID && address != l.address {
			return firstOf(ctx, []string{address}, use)
		}
	}
	return use(l)
}
