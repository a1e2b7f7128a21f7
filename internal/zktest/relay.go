package zktest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Relay stands between clients and a server: it delays what passes, cuts connections, and can
// be closed for new ones.
type Relay struct {
	// Address is its host:port for clients.
	Address string

	target   string
	delay    time.Duration
	listener net.Listener
	ended    sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// StartRelay starts a relay, which delays each way by so much, and ends it with the test.
func StartRelay(t testing.TB, target string, delay time.Duration) *Relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Address: listener.Addr().String(), target: target, delay: delay,
		listener: listener}
	r.ended.Go(r.accept)
	t.Cleanup(func() {
		listener.Close()
		r.Cut()
		r.ended.Wait()
	})
	return r
}

// Cut ends all connections.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}

// Close refuses new connections and ends those there are; Open lets them in again.
func (r *Relay) Close() {
	r.setClosed(true)
	r.Cut()
}

// Open is the opposite of Close.
func (r *Relay) Open() { r.setClosed(false) }

func (r *Relay) setClosed(closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = closed
}

func (r *Relay) accept() {
	for {
		in, err := r.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", r.target)
		if err != nil || !r.hold(in, out) {
			in.Close()
			if err == nil {
				out.Close()
			}
			continue
		}
		r.ended.Go(func() { r.copy(in, out) })
		r.ended.Go(func() { r.copy(out, in) })
	}
}

func (r *Relay) hold(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.conns = append(r.conns, conns...)
	}
	return !r.closed
}

// chunk is what was read at once, and when it is to be written.
type chunk struct {
	data []byte
	due  time.Time
}

// copy carries bytes one way, each later by the delay, until either side ends.
func (r *Relay) copy(from, to net.Conn) {
	chunks := make(chan chunk, 1000)
	r.ended.Go(func() {
		defer to.Close()
		for c := range chunks {
			time.Sleep(time.Until(c.due))
			if _, err := to.Write(c.data); err != nil {
				from.Close()
			}
		}
	})
	defer close(chunks)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			chunks <- chunk{buffer[:n], time.Now().Add(r.delay)}
		}
		if err != nil {
			return
		}
	}
}
