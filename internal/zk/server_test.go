package zk

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; a JVM starts meanwhile.
const patience = time.Minute

// jar is where Debian's package puts the server; its manifest names what it needs.
const jar = "/usr/share/java/zookeeper.jar"

// server is a real ZooKeeper process with a folder and a port of its own.
type server struct {
	t       *testing.T
	address string
	folder  string
	process *exec.Cmd
	output  *bytes.Buffer
}

func startServer(t *testing.T) *server {
	t.Helper()
	if _, err := os.Stat(jar); err != nil {
		t.Fatalf("this test needs a ZooKeeper server, and %s is missing: install it with "+
			"`apt-get install -y zookeeper` (make test does)", jar)
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Fatal("this test needs java: install it with `apt-get install -y default-jre-headless`")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, address: listener.Addr().String(), folder: t.TempDir()}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	s.start()
	return s
}

// start starts the process and waits until it accepts connections.
func (s *server) start() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	config := fmt.Sprintf("dataDir=%s\nclientPort=%s\nclientPortAddress=127.0.0.1\n"+
		"tickTime=500\nmaxSessionTimeout=20000\nadmin.enableServer=false\n",
		filepath.Join(s.folder, "data"), port)
	path := filepath.Join(s.folder, "zoo.cfg")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.output = &bytes.Buffer{}
	s.process = exec.Command("java", "-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-XX:-UsePerfData", "-cp", "/etc/zookeeper/conf:"+jar,
		"org.apache.zookeeper.server.ZooKeeperServerMain", path)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	s.process.Dir = s.folder
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		if s.answers() {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			s.stop()
			s.t.Fatalf("ZooKeeper did not start:\n%s", s.output)
		}
	}
}

// answers asks for the server's statistics.
func (s *server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("srvr")); err != nil {
		return false
	}
	answer := make([]byte, 1<<10)
	n, _ := conn.Read(answer)
	return strings.Contains(string(answer[:n]), "Zookeeper version")
}

// stop kills the process.
func (s *server) stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}
