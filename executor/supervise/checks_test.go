package supervise

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

func TestReadinessThenHealth(t *testing.T) {
	r := start(t)
	every := 20 * time.Millisecond
	ready := `[ -e ready ] || { echo $WORD; touch go; exit 4; }`
	r.launch(executor.Order{
		Task: "a", KillGrace: time.Minute, Env: []executor.EnvVar{{Name: "WORD", Value: "soon"}},
		Command: `touch well; until [ -e go ]; do sleep 0.01; done; touch ready; exec sleep 1000`,
		Readiness: &executor.Check{Interval: every, Timeout: time.Minute,
			Command: &executor.CommandCheck{Command: ready}},
		Health: &executor.Check{Interval: every, Timeout: time.Minute, MaxConsecutiveFailures: 2,
			Command: &executor.CommandCheck{Command: `[ -e well ]`}, GracePeriod: time.Minute},
	})
	not := r.expect("a", "not ready", func(s mesos.Status) bool {
		return s.Ready != nil && !*s.Ready
	})
	if not.Message != "not ready: soon (exited with status 4)" {
		t.Errorf("message is %q", not.Message)
	}
	r.expect("a", "ready", func(s mesos.Status) bool { return s.Ready != nil && *s.Ready })
	r.expect("a", "healthy", func(s mesos.Status) bool { return s.Healthy != nil && *s.Healthy })
	r.launch(executor.Order{Task: "b", Command: "rm well"})
	failed := r.state("a", mesos.Failed)
	want := "health check failed 2 times in a row: exited with status 1; " +
		"then it was ended by SIGTERM"
	if failed.Message != want || failed.Healthy == nil || *failed.Healthy {
		t.Errorf("the failure is %v", failed)
	}
}

// A check that hangs is ended with all that it started, and so is one whose task ends.
func TestCommandChecksAreEnded(t *testing.T) {
	r := start(t)
	hang := `sleep 1000 & echo $! > %; wait`
	r.launch(executor.Order{Task: "a", Command: `exec sleep 1000`,
		Readiness: &executor.Check{Interval: time.Hour, Timeout: 300 * time.Millisecond,
			Command: &executor.CommandCheck{Command: strings.Replace(hang, "%", "timeout", 1)}},
		Health: &executor.Check{Interval: time.Hour, Timeout: time.Hour,
			Command: &executor.CommandCheck{Command: strings.Replace(hang, "%", "ended", 1)}},
	})
	not := r.expect("a", "not ready", func(s mesos.Status) bool { return s.Ready != nil })
	if not.Message != "not ready: no answer within 300ms" {
		t.Errorf("message is %q", not.Message)
	}
	timeout, ended := r.pid("timeout"), r.pid("ended")
	r.eventually("the check is gone", func() bool { return gone(timeout) })
	r.tell(mesos.ExecutorKill{Task: "a"})
	r.state("a", mesos.Killed)
	r.eventually("the other check is gone", func() bool { return gone(ended) })
}

func TestHTTPAndTCPChecks(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/bad", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	mux.Handle("/away", http.RedirectHandler(elsewhere.URL, http.StatusFound))
	mux.Handle("/same", http.RedirectHandler("/bad", http.StatusFound))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer secure.Close()
	closed := freePort(t)

	tests := []struct {
		check executor.Check
		want  string // "" passes
	}{
		{httpCheck(t, plain, "/ok"), ""},
		{httpCheck(t, secure, "ok"), ""},
		{httpCheck(t, plain, "/bad"), "answered 503 Service Unavailable"},
		{httpCheck(t, plain, "/away"), ""},
		{httpCheck(t, plain, "/same"), "answered 503"},
		{httpCheck(t, plain, "/loop"), ""},
		{executor.Check{HTTP: &executor.HTTPCheck{Host: "127.0.0.1", Port: closed}}, "refused"},
		{executor.Check{TCP: &executor.TCPCheck{Host: "127.0.0.1", Port: port(t, plain.URL)}}, ""},
		{executor.Check{TCP: &executor.TCPCheck{Host: "127.0.0.1", Port: closed}}, "refused"},
	}
	r := start(t)
	for i, test := range tests {
		name := "t" + strconv.Itoa(i)
		test.check.Timeout = patience
		r.launch(executor.Order{Task: name, Command: "exec sleep 1000", Readiness: &test.check})
		got := r.expect(name, "checked", func(s mesos.Status) bool { return s.Ready != nil })
		if *got.Ready != (test.want == "") || !strings.Contains(got.Message, test.want) {
			t.Errorf("%s: %t %q, want %q", test.check, *got.Ready, got.Message, test.want)
		}
	}
}

func httpCheck(t *testing.T, server *httptest.Server, path string) executor.Check {
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return executor.Check{HTTP: &executor.HTTPCheck{Scheme: u.Scheme, Host: u.Hostname(),
		Port: port(t, server.URL), Path: path}}
}

func port(t *testing.T, address string) int {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// freePort gives a port on which nobody listens.
func freePort(t *testing.T) int {
	l := listen(t, 0)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func listen(t *testing.T, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPortInUse(t *testing.T) {
	r := start(t, func(c *Config) { c.PortPatience = 200 * time.Millisecond })
	l := listen(t, 0)
	defer l.Close()
	n := l.Addr().(*net.TCPAddr).Port
	o := executor.Order{Task: "a", Command: "true", Address: "127.0.0.1",
		Ports: []executor.Port{{Name: "free", Number: freePort(t)}, {Name: "broker", Number: n}}}
	r.launch(o)
	got := r.state("a", mesos.Failed).Message
	want := "port " + strconv.Itoa(n) +
		" (broker) on 127.0.0.1 is already in use by another process"
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "process id") {
		t.Errorf("message is %q, want %q and its process", got, want)
	}
}

func TestPortOfAPredecessorThatIsEnding(t *testing.T) {
	r := start(t, func(c *Config) { c.PortPatience = patience })
	l := listen(t, 0)
	n := l.Addr().(*net.TCPAddr).Port
	r.launch(executor.Order{Task: "a", Command: "true", Address: "127.0.0.1",
		Ports: []executor.Port{{Name: "broker", Number: n}}})
	r.state("a", mesos.Starting)
	l.Close()
	r.state("a", mesos.Finished)
}
