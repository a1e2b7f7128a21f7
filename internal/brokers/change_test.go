package brokers

import (
	"encoding/binary"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kafka-sched/kafka-sched/scheduler"
)

// taker is a node on loopback that takes requests of any kind: known has what it understands, and
// answer gives the response, with the version of the request.
type taker struct {
	address string
	known   map[int16]int16 // highest versions by key
	answer  func(kmsg.Request) kmsg.Response

	mu   sync.Mutex
	seen []kmsg.Request
}

func take(t *testing.T, known map[int16]int16, answer func(kmsg.Request) kmsg.Response) *taker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &taker{address: listener.Addr().String(), known: known, answer: answer}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { k.serve(t, conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return k
}

func (k *taker) serve(t *testing.T, conn net.Conn) {
	defer conn.Close()
	for {
		frame, err := readFrame(conn)
		if err != nil {
			return
		}
		key := int16(binary.BigEndian.Uint16(frame))
		request := kmsg.RequestForKey(key)
		request.SetVersion(int16(binary.BigEndian.Uint16(frame[2:])))
		body := frame[10+int(binary.BigEndian.Uint16(frame[8:])):]
		if request.IsFlexible() {
			body = body[1:]
		}
		if err := request.ReadFrom(body); err != nil {
			t.Errorf("reading %s: %v", kmsg.NameForKey(key), err)
			return
		}
		response := k.respond(request)
		out := append([]byte{0, 0, 0, 0}, frame[4:8]...)
		if request.IsFlexible() && key != apiVersions.key {
			out = append(out, 0)
		}
		out = response.AppendTo(out)
		binary.BigEndian.PutUint32(out, uint32(len(out)-4))
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func (k *taker) respond(request kmsg.Request) kmsg.Response {
	var response kmsg.Response
	if request.Key() == apiVersions.key {
		r := kmsg.NewPtrApiVersionsResponse()
		for key, highest := range k.known {
			one := kmsg.NewApiVersionsResponseApiKey()
			one.ApiKey, one.MaxVersion = key, highest
			r.ApiKeys = append(r.ApiKeys, one)
		}
		response = r
	} else {
		k.mu.Lock()
		k.seen = append(k.seen, request)
		k.mu.Unlock()
		response = k.answer(request)
	}
	response.SetVersion(request.GetVersion())
	return response
}

const (
	addVoterKey    = 80
	removeVoterKey = 81
	unregisterKey  = 64
)

// TestVoterIsAdded checks what a controller is told of a new voter, in the older version too.
func TestVoterIsAdded(t *testing.T) {
	k := take(t, map[int16]int16{addVoterKey: 0}, func(kmsg.Request) kmsg.Response {
		return kmsg.NewPtrAddRaftVoterResponse()
	})
	voter := scheduler.AddVoter{Node: 7, Directory: "AQAAAAAAAAAAAAAAAAAAAA", Host: "h", Port: 9093}
	if err := open(t, patient).Change(t.Context(), []string{k.address}, voter); err != nil {
		t.Fatal(err)
	}
	r := k.seen[0].(*kmsg.AddRaftVoterRequest)
	l := r.Listeners[0]
	if r.VoterID != 7 || r.VoterDirectoryID != [16]byte{1} || l.Name != "CONTROLLER" ||
		l.Host != "h" || l.Port != 9093 || r.TimeoutMillis <= 0 {
		t.Errorf("asked for %+v", r)
	}
}

// TestMadeAlready: a change that is made already is none that fails, and any other refusal is told
// in Kafka's words.
func TestMadeAlready(t *testing.T) {
	code, text := int16(0), "told so"
	known := map[int16]int16{addVoterKey: 1, removeVoterKey: 0, unregisterKey: 0}
	k := take(t, known, func(request kmsg.Request) kmsg.Response {
		switch request.(type) {
		case *kmsg.AddRaftVoterRequest:
			r := kmsg.NewPtrAddRaftVoterResponse()
			r.ErrorCode, r.ErrorMessage = code, &text
			return r
		case *kmsg.RemoveRaftVoterRequest:
			r := kmsg.NewPtrRemoveRaftVoterResponse()
			r.ErrorCode, r.ErrorMessage = code, &text
			return r
		}
		r := kmsg.NewPtrUnregisterBrokerResponse()
		r.ErrorCode, r.ErrorMessage = code, &text
		return r
	})
	directory := "AQAAAAAAAAAAAAAAAAAAAA"
	a := open(t, patient)
	for made, change := range map[int16]scheduler.KafkaChange{
		duplicateVoter: scheduler.AddVoter{Node: 7, Directory: directory},
		voterNotFound:  scheduler.RemoveVoter{Node: 7, Directory: directory},
		notRegistered:  scheduler.Unregister{Broker: 7},
	} {
		code = made
		if err := a.Change(t.Context(), []string{"127.0.0.1:1", k.address}, change); err != nil {
			t.Errorf("%s a second time: %v", change, err)
		}
		code = 7
		err := a.Change(t.Context(), []string{k.address}, change)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s, refused: %v", change, err)
		}
	}
}

// TestNotKnown: what a Kafka does not know is said, and so is that nobody answers.
func TestNotKnown(t *testing.T) {
	k := take(t, map[int16]int16{}, nil)
	a := open(t, patient)
	change := scheduler.Unregister{Broker: 7}
	err := a.Change(t.Context(), []string{k.address}, change)
	if err == nil || !strings.Contains(err.Error(), "does not know UnregisterBroker") {
		t.Errorf("an old Kafka: %v", err)
	}
	err = a.Change(t.Context(), []string{"127.0.0.1:1"}, change)
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody: %v", err)
	}
	bad := scheduler.RemoveVoter{Node: 7, Directory: "x"}
	if err = a.Change(t.Context(), []string{k.address}, bad); err == nil {
		t.Error("a bad id is taken")
	}
}
