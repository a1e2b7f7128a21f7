package supervise

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// portRetry is how often a port in use is tried again: its owner may be a predecessor that is
// just ending.
const portRetry = 100 * time.Millisecond

// awaitPorts returns when all ports of the order can be listened on, or says which cannot.
func (t *task) awaitPorts() error {
	deadline := time.Now().Add(t.cfg.PortPatience)
	for _, p := range t.order.Ports {
		for {
			err := tryPort(t.order.Address, p.Number)
			if err == nil {
				break
			}
			if !errors.Is(err, syscall.EADDRINUSE) {
				// The task may know better how to listen, and says so if it does not.
				t.log.Warn("trying a port", "port", p.Number, "name", p.Name, "error", err)
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("port %d (%s) on %s is already in use by %s",
					p.Number, p.Name, t.order.Address, owner(p.Number))
			}
			select {
			case <-time.After(portRetry):
			case <-t.alive.Done():
				return t.alive.Err()
			}
		}
	}
	return nil
}

// tryPort listens for a moment, as a server would: connections of an earlier server that are
// in TIME_WAIT do not matter (SO_REUSEADDR, which net sets).
func tryPort(address string, port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// owner names the process that listens on a port, as far as this user may know.
func owner(port int) string {
	const nobody = "another process"
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listeners(table, port, sockets)
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil || len(sockets) == 0 {
		return nobody
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && sockets[target] {
			dir := filepath.Dir(filepath.Dir(link))
			name, err := os.ReadFile(filepath.Join(dir, "comm"))
			if err != nil {
				return nobody
			}
			return fmt.Sprintf("another process: %s, process id %s",
				strings.TrimSpace(string(name)), filepath.Base(dir))
		}
	}
	return nobody
}

// listeners adds the sockets of a table of the kernel that listen on a port, in the form in
// which /proc/PID/fd names them.
func listeners(table string, port int, sockets map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	const listening = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		// sl local_address rem_address st queues timer retransmits uid timeout inode …
		field := strings.Fields(scanner.Text())
		if len(field) > 9 && field[3] == listening && strings.HasSuffix(field[1], suffix) {
			sockets["socket:["+field[9]+"]"] = true
		}
	}
}
