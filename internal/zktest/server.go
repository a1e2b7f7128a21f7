package zktest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come; a JVM starts meanwhile.
const patience = time.Minute

// mostLogged is how much of the end of a server's log a test that fails shows.
const mostLogged = 4 << 10

// jar is where Debian's package puts the server; its manifest names what it needs.
const jar = "/usr/share/java/zookeeper.jar"

// classPath has, beside it, what its manifest forgets and TLS needs.
const classPath = "/etc/zookeeper/conf:" + jar + ":/usr/share/java/netty-codec.jar:" +
	"/usr/share/java/netty-resolver.jar"

// Server is a ZooKeeper process with a folder and a port of its own.
type Server struct {
	// Address is its host:port for clients, Secure that for those with TLS, "" for none.
	Address, Secure string

	t       testing.TB
	folder  string
	id      int
	peers   []string // its lines of the ensemble, none for a server alone
	secure  []string // its lines of TLS, or of SASL, none without
	jvm     []string // more flags of its JVM
	process *exec.Cmd
	output  *bytes.Buffer
}

// Start starts a server alone, and ends it with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, freePorts(t, 1)[0], 1, nil)
}

// StartEnsemble starts servers that replicate each other, and ends them with the test.
func StartEnsemble(t testing.TB, size int) []*Server {
	t.Helper()
	ports, peers := freePorts(t, 3*size), make([]string, size)
	for i := range peers {
		peers[i] = fmt.Sprintf("server.%d=127.0.0.1:%s:%s", i+1, ports[size+i], ports[2*size+i])
	}
	servers := make([]*Server, size)
	for i := range servers {
		servers[i] = start(t, ports[i], i+1, peers)
	}
	for _, s := range servers {
		s.await()
	}
	return servers
}

func start(t testing.TB, port string, id int, peers []string) *Server {
	t.Helper()
	s := prepare(t, port, id, peers)
	s.launch()
	if len(peers) == 0 {
		s.await()
	}
	return s
}

// prepare gives a server that does not run yet, and ends it with the test.
func prepare(t testing.TB, port string, id int, peers []string) *Server {
	t.Helper()
	if _, err := os.Stat(jar); err != nil {
		t.Fatalf("this test needs a ZooKeeper server, and %s is missing: install it with "+
			"`apt-get install -y zookeeper` (make test does)", jar)
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Fatal("this test needs java: install it with `apt-get install -y default-jre-headless`")
	}
	s := &Server{Address: "127.0.0.1:" + port, t: t, folder: t.TempDir(), id: id, peers: peers}
	t.Cleanup(func() {
		ended := s.process != nil && s.process.Process.Signal(syscall.Signal(0)) != nil
		if s.Stop(); t.Failed() && s.output != nil {
			text := s.output.Bytes()
			t.Logf("ZooKeeper at %s, which had ended: %t; the end of its log:\n%s", s.Address,
				ended, text[max(0, len(text)-mostLogged):])
		}
	})
	return s
}

// freePorts finds ports that nobody listens on, below those that the kernel gives to connections:
// a server takes some of its ports late, and again after a stop.
func freePorts(t testing.TB, count int) []string {
	t.Helper()
	ports := make([]string, 0, count)
	for tries := 0; len(ports) < count; tries++ {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil && tries > 1000 {
			t.Fatal(err)
		}
		if err == nil {
			defer listener.Close() // all at once, so that no two are the same
			ports = append(ports, port)
		}
	}
	return ports
}

// Start starts the process again after Stop, and waits until it serves.
func (s *Server) Start() {
	s.t.Helper()
	s.launch()
	s.await()
}

// Launch starts the process again without waiting: one of an ensemble serves only with the
// majority.
func (s *Server) Launch() {
	s.t.Helper()
	s.launch()
}

func (s *Server) launch() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.Address)
	data := filepath.Join(s.folder, "data")
	config := fmt.Sprintf("dataDir=%s\nclientPort=%s\nclientPortAddress=127.0.0.1\n"+
		"tickTime=500\ninitLimit=20\nsyncLimit=10\nmaxSessionTimeout=20000\n"+
		"maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=srvr\n%s\n",
		data, port, strings.Join(append(s.secure, s.peers...), "\n"))
	path := filepath.Join(s.folder, "zoo.cfg")
	s.write(path, config)
	if len(s.peers) > 0 {
		if err := os.MkdirAll(data, 0o700); err != nil {
			s.t.Fatal(err)
		}
		s.write(filepath.Join(data, "myid"), fmt.Sprintln(s.id))
	}
	main := "org.apache.zookeeper.server.quorum.QuorumPeerMain"
	s.output = &bytes.Buffer{}
	s.process = exec.Command("java", append(slices.Clip(s.jvm), "-Xmx1000m",
		"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
		"-XX:-UsePerfData", "-cp", classPath, main, path)...)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	s.process.Dir = s.folder
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *Server) write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// await waits until the server answers clients.
func (s *Server) await() {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		if s.Mode() != "" {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			s.Stop()
			s.t.Fatalf("ZooKeeper did not start:\n%s", s.output)
		}
	}
}

// Mode is what the server says it is: standalone, leader or follower; "" while it does not
// serve.
func (s *Server) Mode() string {
	conn, err := net.DialTimeout("tcp", s.Address, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("srvr")); err != nil {
		return ""
	}
	answer := make([]byte, 1<<10)
	n, _ := conn.Read(answer)
	_, mode, _ := strings.Cut(string(answer[:n]), "Mode: ")
	mode, _, _ = strings.Cut(mode, "\n")
	return mode
}

// Signal sends a signal to the process, such as SIGSTOP.
func (s *Server) Signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Stop kills the process; its data stay until the test ends.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}
