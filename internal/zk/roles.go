package zk

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
)

// Roles asks ZooKeeper servers what they are, with the four-letter word srvr at the port for
// clients: the one word that ZooKeeper answers unless it is told otherwise. Its zero value is ready
// to be used, by several goroutines.
type Roles struct {
	// Timeout is how long a server has to answer; 0 means three seconds.
	Timeout time.Duration
}

const (
	rolesTimeout = 3 * time.Second
	// maxSrvr is far above what srvr answers.
	maxSrvr = 16 << 10
)

// Ask asks all addresses (host:port) at once, those of them that are secure over TLS, and returns
// when all have answered or time is over.
func (r Roles) Ask(ctx context.Context, addresses, secure []string) scheduler.ZooKeeperFacts {
	facts := scheduler.ZooKeeperFacts{Asked: time.Now(),
		Servers: make([]scheduler.ServerFacts, len(addresses))}
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = rolesTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() {
			role, err := askRole(ctx, address, slices.Contains(secure, address))
			facts.Servers[i] = scheduler.ServerFacts{Address: address, Role: role}
			if err != nil {
				facts.Servers[i].Error = shortly(err)
			}
		})
	}
	all.Wait()
	return facts
}

// dialer connects in plain text, or over TLS without asking who answers: the scheduler does not
// know who signs the servers' certificates, and tells them nothing.
func dialer(secure bool) interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
} {
	if secure {
		return &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	}
	return &net.Dialer{}
}

// askRole asks one server.
func askRole(ctx context.Context, address string, secure bool) (ensemble.Role, error) {
	conn, err := dialer(secure).DialContext(ctx, "tcp", address)
	if err != nil {
		return ensemble.Silent, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return ensemble.Silent, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Write([]byte("srvr")); err != nil {
		return ensemble.Silent, err
	}
	text, err := io.ReadAll(io.LimitReader(conn, maxSrvr))
	if err != nil {
		return ensemble.Silent, err
	}
	return readRole(text)
}

// readRole reads an answer to srvr. A server that is alone in its ensemble calls itself standalone;
// one that is out of the quorum says that it serves nobody.
func readRole(text []byte) (ensemble.Role, error) {
	if bytes.Contains(text, []byte("not currently serving requests")) {
		return ensemble.Idle, nil
	}
	for line := range strings.Lines(string(text)) {
		mode, is := strings.CutPrefix(strings.TrimSpace(line), "Mode: ")
		if !is {
			continue
		}
		switch role := ensemble.Role(mode); role {
		case ensemble.Follower, ensemble.Leader, ensemble.Alone:
			return role, nil
		}
		return ensemble.Silent, fmt.Errorf("a server of mode %q", mode)
	}
	return ensemble.Silent, errors.New("what answers there is no ZooKeeper that may be asked srvr")
}

// shortly is an error in the words of an operator, without the address, which is told with it.
func shortly(err error) string {
	var dial *net.OpError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "the question was given up"
	case errors.As(err, &dial):
		return dial.Err.Error()
	}
	return err.Error()
}
